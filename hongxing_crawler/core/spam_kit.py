"""Junk that mirror-station kits write into pages, cut from the markup before it is parsed.

The junk is tag soup with one id on every tag; parsed, it would tear the page's own boxes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hongxing_crawler.core.edits import RemovedBlock

# pl_css_ganrao, pl_time, body_jx_: one character that is looked for, and what stands around it.
_KIT_WORD_RE = re.compile(r"_(?:(?<=pl_)(?:css_ganrao|time)|(?<=body_)jx_)")
_KIT_DIV_RE = re.compile(
    r"<div\b[^<>]{0,200}?(?:id|class)\s?=\s?[\"']?(?:pl_css_ganrao|body_jx_\d{1,12})\b[^<>]{0,200}>",
    re.IGNORECASE,
)
_KIT_STYLE_RE = re.compile(
    r"<style[^<>]{0,80}>\s{0,20}#pl_css_ganrao\s{0,5}\{[^{}<>]{0,100}\}\s{0,20}</style>",
    re.IGNORECASE,
)
_HEAP_RE = re.compile(
    r"<div[^<>]{0,100}display:\s{0,3}none[^<>]{0,60}>\s{0,20}<\w{1,10}\sid=[\"']?pl_time",
    re.IGNORECASE,
)
_DIV_RE = re.compile(r"<(/?)div\b", re.IGNORECASE)
_TAG_RE = re.compile(r"<[^<>]{0,2000}>")
_MAX_PIECES = 20
_MAX_DIVS = 200_000


@dataclass(frozen=True, slots=True)
class Cut:
    """Markup without kit junk, and what was cut."""

    html: str
    removed: tuple[RemovedBlock, ...] = ()


def cut_kit_junk(html: str) -> Cut:
    """Cut the junk boxes of mirror kits, by ranges of the markup.

    Markup without the kits' own names comes back unchanged, whatever it hides.

    >>> cut_kit_junk('<p>正文</p></body><div class="pl_css_ganrao"><xmp>x</xmp></div>').html
    '<p>正文</p></body>'
    """
    if not _KIT_WORD_RE.search(html):
        return Cut(html)
    ranges = [*_find_styles(html), *_find_tail(html), *_find_boxes(html)]
    return _cut(html, ranges)


def _find_styles(html: str) -> list[tuple[int, int]]:
    return [match.span() for match in _KIT_STYLE_RE.finditer(html)][:_MAX_PIECES]


def _find_tail(html: str) -> list[tuple[int, int]]:
    """Find the hidden heap of pl_ boxes; after the end of the page all of the rest is junk."""
    match = _HEAP_RE.search(html)
    if not match:
        return []
    closing = html.rfind("</html", 0, match.start())
    return [(match.start(), len(html) if closing >= 0 else _end_of_div(html, match.start()))]


def _find_boxes(html: str) -> list[tuple[int, int]]:
    ranges, position = [], 0
    for _ in range(_MAX_PIECES):
        match = _KIT_DIV_RE.search(html, position)
        if not match:
            break
        position = _end_of_div(html, match.start())
        ranges.append((match.start(), position))
    return ranges


def _end_of_div(html: str, start: int) -> int:
    """Return where the div at ``start`` ends; the kit closes what it opens."""
    depth = 0
    for count, match in enumerate(_DIV_RE.finditer(html, start)):
        depth += -1 if match[1] else 1
        if depth == 0:
            end = html.find(">", match.end())
            return end + 1 if end >= 0 else len(html)
        if count > _MAX_DIVS:
            break
    end = html.find(">", start)
    return end + 1 if end >= 0 else len(html)


def _cut(html: str, ranges: list[tuple[int, int]]) -> Cut:
    parts, removed, done = [], [], 0
    for start, end in sorted(ranges):
        if start < done:
            continue
        parts.append(html[done:start])
        text = " ".join(_TAG_RE.sub(" ", html[start : min(end, start + 200_000)]).split())
        removed.append(
            RemovedBlock(
                "spam.kit_junk", "markup", text[:2_000], (), (f"characters={end - start}",)
            )
        )
        done = end
    parts.append(html[done:])
    return Cut("".join(parts), tuple(removed))
