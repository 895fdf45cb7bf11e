"""Facts printed around an article: date, source, author, editor, path of channels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.core.dates import parse_date
from hongxing_crawler.core.people import find_byline, split_people
from hongxing_crawler.core.sources import (
    AUTHOR_RE,
    EDITOR_RE,
    SOURCE_RE,
    bare_source,
    first_labelled,
    labelled,
)

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Line, Outline
    from hongxing_crawler.core.titles import Headline

_DATE_HINT_RE = re.compile(
    r"(?:19|20)\d\d\s?[-/.年－]|民[国國]\s?\d|\b(?:19|20)\d\d\b|[一二][〇○零]"
)
_DATELINE_RE = re.compile(r"(?:19|20)\d\d年\d{1,2}月\d{1,2}日(?:讯|訊|电|電|消息)")
_DATE_LABEL_RE = re.compile(
    r"(?:(?:发布|發布|发表|發表|更新|发稿|刊登|录入|上传)(?:时间|時間|日期|于|於)|(?:日期|时间|時間)(?=\s{0,3}[:：\d])|(?:发布|發布|发表|更新)(?=\s?[:：]))\s?[:：]?\s?"
)
_MEDIA_ONLY_RE = re.compile(
    r"[\w·]{1,12}(?:网|網|报|報|社|台|臺|在线|周刊|杂志|新闻|客户端|频道|传媒)"
)
_PROSE = 45.0
_NEAR_LABEL = 10
_META_DATES = (
    "article:published_time", "og:published_time", "publishdate", "pubdate", "publish_date",
    "datepublished",
    "og:release_date",
    "release_date", "firstcreatetime", "_pubtime", "publish-date", "publication_date",
    "weibo: article:create_at", "article:create_at",
    "og:pubdate", "dc.date", "dcterms.created", "date", "createdate",
    "bytedance:published_time", "apub:time", "filetime",
)  # fmt: skip
_META_SOURCES = ("contentsource", "source", "og:article:source", "mediaid", "article:source")
_PLACE_RE = re.compile(
    r"(?:当前|目前|您(?:现在)?的|你(?:现在)?的|所在|現在)?位置\s?[:：]|您(?:现在|当前)?(?:所在|在)|[>›»]|&gt;"
)
_QUESTION_RE = re.compile(r"[?？。!！]\s*$")
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


def find_facts(outline: Outline, headline: Headline, body: list[int]) -> Facts:
    """Read the facts from the lines around the headline and after the body."""
    head = _head_zone(outline, headline, body)
    tail = _tail_zone(outline, body)
    source, source_url = _find_source(outline, head, tail)
    author = _find_author(outline, head, tail, body)
    return Facts(
        date=_find_date(outline, head, tail, body),
        source=source,
        source_url=source_url,
        author=author,
        editor=first_labelled([*tail, *head], EDITOR_RE)[0],
        breadcrumbs=_find_breadcrumbs(outline, headline, body),
    )


def _find_author(outline: Outline, head: list[Line], tail: list[Line], body: list[int]) -> str:
    """Return the authors: by label, without one, from the head of the page."""
    for line in (*head, *tail):
        found = labelled(line, AUTHOR_RE)
        if found and found[0] and not _QUESTION_RE.search(line.plain) and split_people(found[0]):
            return found[0]
    openings = [outline.lines[number] for number in (*body[:2], *body[-1:])]
    byline = find_byline([line for line in head if line.weight <= _PROSE], openings)
    named = outline.metas.get("author", "")[:60]
    return byline or (named if split_people(named) else "")


def _tail_zone(outline: Outline, body: list[int]) -> list[Line]:
    """Return the short lines where an article names its origin at the end."""
    if not body:
        return []
    zone = outline.lines[body[-3:][0] : body[-1] + 15]
    return [line for line in zone if len(line.plain) <= _LONGEST_FACT]


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
    return [line for line in zone if len(line.plain) <= _LONGEST_FACT]


def _find_source(outline: Outline, head: list[Line], tail: list[Line]) -> tuple[str, str]:
    """Return the source: by label, beside the date, from the head of the page, at the end."""
    found = first_labelled(head, SOURCE_RE)
    if found[0]:
        return found
    for number, line in enumerate(head):
        if line.weight > _PROSE or not _DATE_HINT_RE.search(line.plain):
            continue
        name = bare_source(line.plain)
        if name:
            return name, ""
        for other in (*head[max(0, number - 1) : number], *head[number + 1 : number + 2]):
            if _MEDIA_ONLY_RE.fullmatch(other.text) and not other.block.tag.startswith("h"):
                return other.text, other.links[0][2] if other.links else ""
    name = _from_metas(outline, _META_SOURCES)
    return (name, "") if name else first_labelled(tail, SOURCE_RE)


def _find_date(outline: Outline, head: list[Line], tail: list[Line], body: list[int]) -> str:
    """Return the first printed full date, one with a label before one without.

    Sentences are no place for it: the day on which something happened is not the day on
    which it was printed.
    """
    hinted = [line for line in head if _DATE_HINT_RE.search(line.plain)]
    found = _first_labelled_date([line.plain for line in hinted])
    if found:
        return found
    for line in hinted:
        printed = parse_date(line.plain)
        if printed.value and (line.weight <= _PROSE or printed.precision != "day"):
            return printed.raw
    for name in _META_DATES:
        value = outline.metas.get(name)
        if value and parse_date(value).value:
            return value.strip()
    hinted = [line for line in tail if _DATE_HINT_RE.search(line.plain)]
    return _first_labelled_date([line.plain for line in hinted]) or _dateline(outline, body)


def _dateline(outline: Outline, body: list[int]) -> str:
    """Return the full date of a dateline, as 【某台2012年1月11日讯】, else ""."""
    for number in body[:1]:
        found = _DATELINE_RE.search(outline.lines[number].plain[:60])
        if found:
            return parse_date(found[0]).raw
    return ""


def _first_labelled_date(texts: list[str]) -> str:
    for text in texts:
        label = _DATE_LABEL_RE.search(text)
        if label:
            after = text[label.end() : label.end() + 60]
            found = parse_date(after)
            if found.value and after.find(found.raw[:4]) <= _NEAR_LABEL:
                return found.raw
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
        if len(line.plain) <= _LONGEST_FACT and line.links and _PLACE_RE.search(line.plain):
            names = [line.text[start:end].strip() for start, end, _ in line.links]
            return tuple(name for name in names if name and name not in {"正文", "首页", "首頁"})[
                :8
            ]
    return ()
