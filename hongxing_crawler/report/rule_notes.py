"""A sentence for each rule, so that a reader of a report knows why something went."""

from __future__ import annotations

# Rules by group, then by name; a rule without a line of its own is explained by its group.
_NOTES = {
    "spam": "Injected by attackers or mirror kits to sell links; not the site's own text.",
    "spam.advertising": "A paragraph that advertises, apart from what the page is about.",
    "spam.cloaked_title": "A title that attackers show in place of the page's own.",
    "spam.hidden_block": "A hidden box with links or words of a trade that no article holds.",
    "spam.keyword_line": "A line of an attacker's keywords before the headline.",
    "spam.kit_junk": "Markup of mirror kits at the start of the page or behind its end.",
    "spam.link_run": "Links to foreign hosts in a row, within a line of the article.",
    "spam.link_wheel": "A row of links to foreign hosts, named after places or vice.",
    "spam.name_wheel": "Names between bars, without sentence marks: a wheel of links.",
    "spam.name_run": "A run of names between bars, without sentence marks: a wheel of links.",
    "spam.repeated_links": "A row of links to sites that unlike pages of the site link as well.",
    "template": "Part of the site's frame, not of the article.",
    "template.repeated_block": "A paragraph that most pages of the site hold at the same place.",
    "restore": "Damage by a mirror kit, undone; the proof is the verdict of the page.",
    "restore.encoding": "Characters that were written in one encoding and read in another.",
    "restore.entity": "Entities that were escaped once too often, shown as code to readers.",
    "restore.script": "Simplified characters that a kit had turned into Traditional ones.",
    "restore.gloss": "Pinyin in brackets that a kit had put behind certain characters.",
    "restore.noise": "Control characters that a kit had put before punctuation marks.",
    "restore.frame": "Characters that a kit had cut between their bytes, put together again.",
    "footer": "The site's imprint at the end of a page: owner, filing number, counter.",
    "footer.copyright": "The copyright line that closes the page.",
    "footer.counter": "The counter of visitors, filled by script on the live page.",
    "footer.icp": "The filing number that closes the page.",
    "footer.owner": "The line that names the site's owner.",
    "footer.pager": "The numbers of an article's pages, below its text.",
    "footer.support": "The line that names who runs the site technically.",
    "footer.template": "A line that the site's profile names as part of every page's end.",
    "footer.welcome": "The site's welcome line below the article.",
    "page": "Part of the page around the article, such as navigation, tools or lists of links.",
    "page.aside": "A box beside or below the text, such as a list of related pages.",
    "page.before_headline": "Text of the article box that stands before its headline.",
    "page.before_meta": "Text between the headline and the line of source and time.",
    "page.caption": "The caption of a picture, which has a field of its own.",
    "page.comments": "Readers' comments, and the form to write one.",
    "page.credit": "A line of credits, such as the editor, which has a field of its own.",
    "page.furniture": "Lines that the site repeats on its pages, or the page's own tools.",
    "page.headline": "The headline, which has a field of its own.",
    "page.hidden": "A box that no reader sees.",
    "page.image_name": "The file name of a picture, printed in place of a caption.",
    "page.link_list": "A list of links to other pages.",
    "page.lone_link": "A link alone on its line, before or after the text.",
    "page.meta_line": "The line of source, time and author, which have fields of their own.",
    "page.next_article": "Another article on the same page, with a headline and date of its own.",
    "page.notice": "A notice of rights or contacts at the end.",
    "page.repeat": "A text that stands on the page once more.",
    "page.side_box": "A box of links or tools within the article's box.",
    "page.teaser": "Headline or summary of another article, with a link to it.",
    "page.tail": "What follows the end of the article.",
    "spaces": "Blanks and invisible characters that carry no meaning.",
    "spaces.blank_lines": "Blank lines and blanks at the ends of lines.",
    "spaces.invisible": "Characters without width, such as soft hyphens and direction marks.",
    "spaces.kit_noise": "Control characters U+0005 to U+0008, which only mirror kits put in.",
}
_UNKNOWN = "Named by the rule; see the documentation."


def describe_rule(rule: str) -> str:
    """The sentence for a rule, or for its group.

    >>> describe_rule("footer.never_heard_of")
    "The site's imprint at the end of a page: owner, filing number, counter."
    """
    return _NOTES.get(rule) or _NOTES.get(rule.partition(".")[0], _UNKNOWN)
