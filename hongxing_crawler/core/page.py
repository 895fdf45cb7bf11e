"""Read a page: headline, facts, body, pictures, links, by template or by its prose."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from turbohtml import parse

from hongxing_crawler.core.addresses import Resolver
from hongxing_crawler.core.blocks_walk import walk
from hongxing_crawler.core.boxes import find_article_box
from hongxing_crawler.core.boxes_survey import survey
from hongxing_crawler.core.boxes_template import headline_line, match_template
from hongxing_crawler.core.brand import is_brand_swapped
from hongxing_crawler.core.charset import decode
from hongxing_crawler.core.damaged_lines import repair_lines
from hongxing_crawler.core.document import FoundImage, Page
from hongxing_crawler.core.facts import Facts, find_facts
from hongxing_crawler.core.footer import furniture_of
from hongxing_crawler.core.pagers import split_pagers
from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.core.removals import describe_dropped, describe_runs
from hongxing_crawler.core.sources import without_label
from hongxing_crawler.core.spaces import is_text
from hongxing_crawler.core.spam_cloak import undo_cloak
from hongxing_crawler.core.spam_kit import cut_kit_junk
from hongxing_crawler.core.spam_links import cut_link_runs
from hongxing_crawler.core.spam_page import find_closing_lines, find_injections
from hongxing_crawler.core.spam_tail import cut_after_end
from hongxing_crawler.core.text import paragraphs_of
from hongxing_crawler.core.text_captions import find_captions, is_image_name
from hongxing_crawler.core.text_html import write_html
from hongxing_crawler.core.text_media import find_attachments, find_images
from hongxing_crawler.core.text_select import Choice, choose_lines
from hongxing_crawler.core.text_videos import find_boxes, find_videos
from hongxing_crawler.core.titles import Headline, find_headline, settle_headline

if TYPE_CHECKING:
    from collections.abc import Callable

    from turbohtml import Document

    from hongxing_crawler.core.blocks import Block, Outline, Picture
    from hongxing_crawler.core.boxes_template import Match
    from hongxing_crawler.core.spam_links import LinkRun
    from hongxing_crawler.core.text import Paragraph

MAX_BYTES = 4_000_000
MAX_CHARS = 3_000_000
_SAMPLE_CHARS = 200_000
_BINARY_CHARS = 100_000
_NO_PROFILE = SiteProfile(name="generic", generic=True)
_KEYWORD_RE = re.compile(r"[,，;；、\s]+")


def extract(
    html: bytes, url: str, profile: SiteProfile | None = None, *, content_type: str = ""
) -> Page:
    """Read everything that a page says about its article, as received.

    A template of the profile is tried first and believed only when the page agrees with it;
    else the article is found by its prose, and ``template`` says ``generic``. Never fails:
    bytes that are no page give a page without body.

    >>> extract("<h1>会议召开</h1><p>会议今天在长沙召开，省委书记出席会议。".encode(), "http://a.cn/1.html").title
    '会议召开'

    Args:
        html: The page as received, after content decoding; at most 4 MB are read.
        url: Its address; links are made absolute with it.
        profile: What is known of the site.
        content_type: The header's value, a hint for the charset.

    Returns:
        The page, with everything that was left out of the article box in ``removed``.
    """
    decoded = decode(html[:MAX_BYTES], content_type)
    limit = MAX_CHARS if is_text(decoded.text) else _BINARY_CHARS
    text, tail = cut_after_end(decoded.text[:limit])
    cut = cut_kit_junk(text)
    document = parse(cut.html)
    outline = walk(document)
    runs = cut_link_runs(outline, url)
    shown, site_title = outline.title, profile.title if profile else ""
    cloaks = undo_cloak(outline)
    sample = "\n".join([line.text for line in outline.lines])[:_SAMPLE_CHARS]
    repair_lines(outline, sample)
    reader = _Reader(url, outline, sample, profile or _NO_PROFILE)
    reader.runs = runs
    page = reader.read(document, cut.html)
    is_cut = len(html) > MAX_BYTES or len(decoded.text) > limit
    warnings = (
        *(("truncated",) if is_cut else ()),
        *(("cloaked_title",) if cloaks else ()),
        *(("brand_swapped",) if is_brand_swapped(shown, page.title, sample, site_title) else ()),
        *page.warnings,
    )
    return replace(
        page,
        charset=decoded.charset,
        charset_source=decoded.source,
        text_sample=sample,
        removed=cut.removed + tail + cloaks + page.removed,
        warnings=tuple(dict.fromkeys(warnings)),
    )


class _Reader:
    """One page on its way from outline to values."""

    def __init__(self, url: str, outline: Outline, sample: str, profile: SiteProfile) -> None:
        self.url = url
        self.outline = outline
        self.profile = profile
        self.runs: list[LinkRun] = []
        self.injected: dict[int, str] = {}
        self.outside: dict[int, str] = {}
        self.sample = sample
        self.resolver = Resolver(url, outline.base)
        self.absolute: Callable[[str], str] = self.resolver.absolute

    def read(self, document: Document, html: str) -> Page:
        match = (
            match_template(document, self.outline, html, self.profile)
            if self.profile.templates
            else None
        )
        headline = self._headline(match)
        look = survey(self.outline, headline.line)
        box = match.box if match else find_article_box(self.outline, look, headline.line)
        if not match:
            settled = settle_headline(self.outline, headline, box, look)
            if settled != headline:
                headline = settled
                look = survey(self.outline, headline.line)
                box = find_article_box(self.outline, look, headline.line)
        choice = choose_lines(self.outline, box, look, headline, self.profile)
        if match:
            choice = Choice(
                [number for number in choice.kept if match.first <= number < match.last],
                choice.dropped,
            )
        facts = find_facts(self.outline, headline, choice.kept)
        injected = find_injections(self.outline, look, headline.line, self.resolver, self.sample)
        choice = _without(choice, injected)
        closing = find_closing_lines(
            self.outline, choice.kept[-1] + 1 if choice.kept else 0, furniture_of(self.profile)
        )
        self.injected = injected
        self.outside = {**closing, **injected}
        page = self._assemble(match, headline, box, choice, facts)
        return replace(
            page,
            videos=self._videos(document, html, headline, box),
            list_item_count=self._count_items(document),
        )

    def _headline(self, match: Match | None) -> Headline:
        if match is None:
            return find_headline(self.outline)
        title = match.fields["title"]
        return Headline(title, headline_line(self.outline, title))

    def _assemble(
        self, match: Match | None, headline: Headline, box: Block, choice: Choice, facts: Facts
    ) -> Page:
        outline, absolute = self.outline, self.absolute
        made = paragraphs_of(outline, box.parent or box, choice.kept)
        pictures = [picture for picture in outline.pictures if _is_inside(picture, box)]
        made, images, extra = self._join_captions(made, pictures, box, match)
        fields = {name: without_label(text) for name, text in match.fields.items()} if match else {}
        next_parts, next_lists = split_pagers(outline, self.url, self.profile, absolute)
        warnings = list(outline.warnings)
        if self.profile.templates and match is None:
            warnings.append("no_template")
        return Page(
            url=self.url,
            template=match.template.name if match else "generic",
            title=headline.text,
            kicker=fields.get("kicker", ""),
            subheadline=fields.get("subheadline", ""),
            source=facts.source or fields.get("source", ""),
            source_url=absolute(facts.source_url) if facts.source_url else "",
            date=fields.get("date", "") or facts.date,
            author=facts.author or fields.get("author", ""),
            editor=facts.editor or fields.get("editor", ""),
            channel=facts.breadcrumbs[-1] if facts.breadcrumbs else "",
            breadcrumbs=facts.breadcrumbs,
            description=outline.metas.get("description", ""),
            keywords=tuple(
                filter(None, _KEYWORD_RE.split(outline.metas.get("keywords", "")[:500]))
            ),
            body="\n\n".join(paragraph.text for paragraph in made),
            body_html=write_html(made, images, absolute),
            images=images,
            attachments=find_attachments(
                outline.lines, frozenset(self.profile.attachment_extensions), absolute
            ),
            links=self._links(),
            next_parts=next_parts,
            next_lists=next_lists,
            removed=(
                *describe_dropped(outline, self._dropped(choice, extra), absolute),
                *describe_runs(outline, self.runs, absolute, self.url),
            ),
            warnings=tuple(warnings),
        )

    def _join_captions(
        self, made: list[Paragraph], pictures: list[Picture], box: Block, match: Match | None
    ) -> tuple[list[Paragraph], tuple[FoundImage, ...], list[tuple[int, str]]]:
        """Give pictures their captions; known sites have them beside the body, not in it."""
        extra: list[tuple[int, str]] = []
        if pictures:
            extra = [(p.lines[0].number, "page.image_name") for p in made if is_image_name(p.text)]
            made = [p for p in made if not is_image_name(p.text)]
        found = find_images(pictures, made, self.absolute)
        result = find_captions(made, found, match.captions if match else (), box)
        images = result.images
        gone = result.apart if self.profile.generic else result.sure | result.likely
        if gone:
            extra += [(line.number, "page.caption") for n in gone for line in made[n].lines]
            images = [
                replace(i, position=i.position - sum(1 for n in gone if n <= i.position))
                for i in images
            ]
            made = [paragraph for number, paragraph in enumerate(made) if number not in gone]
        return made, tuple(images), sorted(extra)

    def _videos(
        self, document: Document, html: str, headline: Headline, box: Block
    ) -> tuple[str, ...]:
        """Find films between headline and end of the article: players stand above the text."""
        outline, first, last = self.outline, headline.line, box.last
        pictures = [
            picture
            for picture in outline.pictures
            if _is_inside(picture, box) or first <= picture.at <= last
        ]
        scripts = [text for number, text in outline.players if first <= number <= last]
        boxes = find_boxes(document, html, box.node)
        hrefs = [
            href
            for href, line in outline.hrefs
            if first <= line < last and line not in self.injected
        ]
        return find_videos(pictures, boxes, hrefs, scripts, self.absolute)

    def _dropped(self, choice: Choice, extra: list[tuple[int, str]]) -> list[tuple[int, str]]:
        """Unite what was left out of the article box with what was injected elsewhere."""
        dropped = dict(choice.dropped)
        dropped.update(extra)
        kept = set(choice.kept)
        dropped.update((n, rule) for n, rule in self.outside.items() if n not in kept)
        return sorted(dropped.items())

    def _links(self) -> tuple[str, ...]:
        """List the page's links; those of injected lines are no part of the site."""
        injected = self.injected
        own = dict.fromkeys([href for href, line in self.outline.hrefs if line not in injected])
        found = dict.fromkeys(map(self.absolute, own))
        found.pop("", None)
        return tuple(found)

    def _count_items(self, document: Document) -> int:
        for selector in self.profile.list_item:
            count = len(list(document.select(selector)))
            if count:
                return count
        return 0


def _without(choice: Choice, injected: dict[int, str]) -> Choice:
    """Take injected lines out of the body."""
    if not injected:
        return choice
    kept = [number for number in choice.kept if number not in injected]
    return Choice(kept, choice.dropped)


def _is_inside(picture: Picture, box: Block) -> bool:
    current: Block | None = picture.block
    while current is not None:
        if current is box:
            return True
        current = current.parent
    return False
