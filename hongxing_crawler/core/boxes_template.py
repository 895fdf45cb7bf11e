"""Read a page by its site's known templates, and believe them only when the page agrees."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING

from turbohtml import SelectorSyntaxError

from hongxing_crawler.core.spaces import tidy
from hongxing_crawler.core.titles import squeeze

if TYPE_CHECKING:
    from turbohtml import Document, Element

    from hongxing_crawler.core.blocks import Block, Outline
    from hongxing_crawler.core.profile import SiteProfile, Template

_TAG_RE = re.compile(r"<[^<>]{0,1000}>")
_MAX_MARKED_CHARS = 2_000
_MIN_WEIGHT = 15
_MAX_LINK_SHARE = 0.5
_TEXT_FIELDS = ("title", "date", "source", "author", "editor", "kicker", "subheadline")


@dataclass(slots=True)
class Match:
    """A template that fits: its box, the lines of the body, and the fields it names."""

    template: Template
    box: Block
    first: int
    last: int
    fields: dict[str, str] = field(default_factory=dict)
    captions: tuple[Block, ...] = ()


def match_template(
    document: Document, outline: Outline, html: str, profile: SiteProfile
) -> Match | None:
    """Return the first template of the profile whose invariants hold on this page.

    Believed only with a headline, a box with sentences or pictures, and few links in it.
    """
    for template in profile.templates:
        found = _match(document, outline, html, template)
        if found is not None and _holds(outline, found):
            return found
    return None


def _match(document: Document, outline: Outline, html: str, template: Template) -> Match | None:
    marks = {name: (start, end) for name, start, end in template.comment_pairs}
    box = _find_box(document, outline, template.body)
    first, last = (box.first, box.last) if box else (0, 0)
    if "body" in marks:
        between = _lines_between(outline, *marks["body"])
        if between:
            first, last = between
            box = box or _box_around(outline, first, last)
    if box is None or first >= last:
        return None
    fields = {
        name: _field(document, html, getattr(template, name), marks.get(name))
        for name in _TEXT_FIELDS
    }
    captions = tuple(
        block
        for selector in template.caption
        for node in _select(document, selector)
        for block in _blocks_of(outline, node)
    )
    return Match(template, box, first, last, fields, captions)


def _holds(outline: Outline, match: Match) -> bool:
    title = match.fields["title"]
    if not title:
        return False
    lines = outline.lines[match.first : match.last]
    chars = sum(len(line.text) for line in lines)
    weight = sum(line.weight for line in lines)
    has_pictures = any(match.first <= picture.at <= match.last for picture in outline.pictures)
    if weight < _MIN_WEIGHT and not has_pictures and chars < _MIN_WEIGHT:
        return False
    return sum(line.link_chars for line in lines) <= _MAX_LINK_SHARE * max(1, chars)


def _select(document: Document, selector: str) -> list[Element]:
    try:
        return list(document.select(selector))[:50]
    except SelectorSyntaxError:
        return []


def _blocks_of(outline: Outline, node: Element) -> list[Block]:
    return [block for block in outline.blocks if block.node is node]


def _find_box(document: Document, outline: Outline, selectors: tuple[str, ...]) -> Block | None:
    for selector in selectors:
        for node in _select(document, selector):
            for block in _blocks_of(outline, node):
                if block.last > block.first:
                    return block
    return None


def _field(
    document: Document, html: str, selectors: tuple[str, ...], mark: tuple[str, str] | None
) -> str:
    if mark:
        text = _text_between(html, *mark)
        if text:
            return text
    for selector in selectors:
        for node in _select(document, selector):
            text = tidy(node.text[:_MAX_MARKED_CHARS])
            if text:
                return text
    return ""


def _text_between(html: str, start: str, end: str) -> str:
    """Return the text between two comments, as ``<!--标题开始-->…<!--标题结束-->``."""
    opening = html.find(f"<!--{start}-->")
    if opening < 0:
        return ""
    begin = opening + len(start) + 7
    closing = html.find(f"<!--{end}-->", begin, begin + _MAX_MARKED_CHARS)
    return tidy(unescape(_TAG_RE.sub("", html[begin:closing]))) if closing >= 0 else ""


def _lines_between(outline: Outline, start: str, end: str) -> tuple[int, int] | None:
    opened = next((at for at, mark in outline.comments if mark.data.strip() == start), None)
    if opened is None:
        return None
    closed = next(
        (at for at, mark in outline.comments if at >= opened and mark.data.strip() == end), None
    )
    return (opened, closed) if closed is not None else None


def _box_around(outline: Outline, first: int, last: int) -> Block | None:
    """Return the smallest box that holds all lines of a range."""
    block: Block | None = outline.lines[first].block if first < len(outline.lines) else None
    while block is not None and not (block.first <= first and block.last >= last):
        block = block.parent
    return block


def headline_line(outline: Outline, title: str) -> int:
    """Return the number of the line that repeats a headline, or -1."""
    wanted = squeeze(title)
    return next(
        (
            line.number
            for line in outline.lines
            if len(line.text) <= len(title) + 40 and squeeze(line.text) == wanted
        ),
        -1,
    )
