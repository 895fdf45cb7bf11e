"""A sentence for each rule, so that a reader of a report knows why something went."""

from __future__ import annotations

# Rules by group, then by name; a rule without a line of its own is explained by its group.
_NOTES = {
    "spam": "Injected by attackers or mirror kits to sell links; not the site's own text.",
    "junk": "Markup that mirror kits put in to blur the page; no reader sees it.",
    "restore": "Damage by a mirror kit, undone; the proof is the verdict of the page.",
    "restore.script": "Simplified characters that a kit had turned into Traditional ones.",
    "restore.gloss": "Pinyin in brackets that a kit had put behind certain characters.",
    "restore.noise": "Control characters that a kit had put before punctuation marks.",
    "restore.frame": "Characters that a kit had cut between their bytes, put together again.",
    "footer": "The site's imprint at the end of a page: owner, filing number, counter.",
    "footer.icp": "Filing number or owner line that closes the page.",
    "page": "Part of the page around the article, such as navigation, tools or lists of links.",
    "page.before_headline": "Text of the article box that stands before its headline.",
    "page.headline": "The headline, which has a field of its own.",
    "page.furniture": "Lines that the site repeats on its pages, named by its profile.",
    "page.link_list": "A list of links to other pages.",
    "page.meta_line": "The line of source, time and author, which have fields of their own.",
    "page.tail": "What follows the end of the article.",
    "spaces": "Blanks and invisible characters that carry no meaning.",
}
_UNKNOWN = "Named by the rule; see the documentation."


def describe_rule(rule: str) -> str:
    """The sentence for a rule, or for its group.

    >>> describe_rule("footer.never_heard_of")
    "The site's imprint at the end of a page: owner, filing number, counter."
    """
    return _NOTES.get(rule) or _NOTES.get(rule.partition(".")[0], _UNKNOWN)
