"""Facts printed around an article: date, source, author, editor, path of channels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.core.dates import parse_date
from hongxing_crawler.core.sources import AUTHOR_RE, EDITOR_RE, SOURCE_RE, first_labelled

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Line, Outline
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.titles import Headline

_DATE_HINT_RE = re.compile(
    r"(?:19|20)\d\d\s?[-/.年－]|民[国國]\s?\d|\b(?:19|20)\d\d\b|[一二][〇○零]"
)
_DATE_LABEL_RE = re.compile(
    r"(?:发布|發布|发表|發表|更新|日期|时间|時間|发稿|刊登|录入|上传)(?:时间|時間|日期|于|於)?\s?[:：]?"
)
_META_DATES = (
    "article:published_time", "og:published_time", "publishdate", "pubdate", "publish_date", "datepublished", "og:release_date",
    "release_date", "firstcreatetime", "_pubtime", "publish-date", "publication_date", "weibo: article:create_at", "article:create_at",
    "og:pubdate", "dc.date", "dcterms.created", "date", "createdate", "bytedance:published_time", "apub:time", "filetime",
)  # fmt: skip
_META_SOURCES = ("contentsource", "source", "og:article:source", "mediaid", "article:source")
_PLACE_RE = re.compile(
    r"(?:当前|目前|您(?:现在)?的|你(?:现在)?的|所在|現在)?位置\s?[:：]|您(?:现在|当前)?(?:所在|在)|[>›»]|&gt;"
)
_LONGEST_FACT = 200
_ZONE_BEFORE = 6
_ZONE_AFTER = 14


@dataclass(frozen=True, slots=True)
class Facts:
    """What a page prints beside the text, as received."""

    date: str = ""
    source: str = ""
    source_url: str = ""
    author: str = ""
    editor: str = ""
    breadcrumbs: tuple[str, ...] = ()


def find_facts(
    outline: Outline, headline: Headline, body: list[int], profile: SiteProfile
) -> Facts:
    """Read the facts from the lines around the headline and after the body."""
    head = _head_zone(outline, headline, body)
    tail = _tail_zone(outline, body)
    source, source_url = first_labelled(head, SOURCE_RE)
    if not source:
        source, source_url = _from_metas(outline, _META_SOURCES), ""
    if not source:
        source, source_url = first_labelled(tail, SOURCE_RE)
    author = first_labelled([*head, *tail], AUTHOR_RE)[0] or outline.metas.get("author", "")[:60]
    return Facts(
        date=_find_date(outline, head),
        source=source,
        source_url=source_url,
        author=author,
        editor=first_labelled([*tail, *head], EDITOR_RE)[0],
        breadcrumbs=_find_breadcrumbs(outline, headline, body),
    )


def _tail_zone(outline: Outline, body: list[int]) -> list[Line]:
    """Return the short lines where an article names its origin at the end."""
    if not body:
        return []
    zone = outline.lines[body[-3:][0] : body[-1] + 8]
    return [line for line in zone if len(line.text) <= _LONGEST_FACT]


def _head_zone(outline: Outline, headline: Headline, body: list[int]) -> list[Line]:
    """Return the short lines from a little before the headline to the first sentences."""
    lines = outline.lines
    first = body[0] if body else 0
    anchor = headline.line if headline.line >= 0 else max(0, first - _ZONE_AFTER)
    if anchor <= first:
        end = min(max(first + 1, anchor + 1), anchor + 2 * _ZONE_AFTER)
    else:
        end = anchor + _ZONE_AFTER
    zone = [*lines[anchor : end + 1], *reversed(lines[max(0, anchor - _ZONE_BEFORE) : anchor])]
    return [line for line in zone if len(line.text) <= _LONGEST_FACT]


def _find_date(outline: Outline, head: list[Line]) -> str:
    """Return the first printed full date, one with a label before one without."""
    dated = [line.text for line in head if _DATE_HINT_RE.search(line.text)]
    for text in dated:
        label = _DATE_LABEL_RE.search(text)
        if label:
            found = parse_date(text[label.end() : label.end() + 60])
            if found.value:
                return found.raw
    for text in dated:
        found = parse_date(text)
        if found.value:
            return found.raw
    for name in _META_DATES:
        value = outline.metas.get(name)
        if value and parse_date(value).value:
            return value.strip()
    return ""


def _from_metas(outline: Outline, names: tuple[str, ...]) -> str:
    return next(
        (outline.metas[name].strip()[:80] for name in names if outline.metas.get(name, "").strip()),
        "",
    )


def _find_breadcrumbs(outline: Outline, headline: Headline, body: list[int]) -> tuple[str, ...]:
    """Read the path of channels from the last line before the headline that looks like one."""
    first = headline.line if headline.line >= 0 else (body[0] if body else 0)
    for line in reversed(outline.lines[max(0, first - 30) : first]):
        if len(line.text) <= _LONGEST_FACT and line.links and _PLACE_RE.search(line.text):
            names = [line.text[start:end].strip() for start, end, _ in line.links]
            return tuple(name for name in names if name and name not in {"正文", "首页", "首頁"})[
                :8
            ]
    return ()
