"""The ends of an article: lone links, credits, notices and repeats that are none of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hongxing_crawler.core.text_furniture import closing_line_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from hongxing_crawler.core.blocks import Line

# 摘自京华时报, linked, names the paper that an article was taken from.
_ORIGIN_RE = re.compile(r"[摘转轉选選]自|据|據|原[载載]")
_MOST_BETWEEN = 3
_LONGEST_CONTACT = 60
_CONTACT_RE = re.compile(r"[电電][话話]|[联聯][系繫係]|[邮郵][箱件]|^\d{1,2}[.、]?$|QQ|微信")
_LEAST_REPEATS = 3
_LEAST_REPEATED_CHARS = 100


def mark_lone_links(
    lines: list[Line], span: range, rules: dict[int, str], is_linked: Callable[[int], bool]
) -> None:
    """Drop lines that are one link, before the first line of text and after the last.

    Args:
        lines: All lines of the page.
        span: Numbers of the lines of the article's box.
        rules: Rule by line number; what is in it already is passed over.
        is_linked: Says whether a line is a link and no attachment.
    """
    for numbers in (span, reversed(span)):
        for number in numbers:
            if number in rules:
                continue
            if not is_linked(number) or _ORIGIN_RE.match(lines[number].plain):
                break
            rules[number] = "page.lone_link"


def mark_closing_lines(
    lines: list[Line], span: range, rules: dict[int, str], is_cell: Callable[[int], bool]
) -> None:
    """Drop credits and notices from the end, and contacts between them.

    A body that is nothing else keeps them.
    """
    marked: dict[int, str] = {}
    between: list[int] = []
    for number in reversed(span):
        if number in rules:
            continue
        text = lines[number].plain
        rule = "" if is_cell(number) else closing_line_rule(text)
        if rule:
            marked[number] = rule
            marked.update((other, "page.notice") for other in between)
            between = []
        elif (
            len(between) < _MOST_BETWEEN
            and len(text) <= _LONGEST_CONTACT
            and _CONTACT_RE.search(text)
        ):
            between.append(number)
        else:
            rules.update(marked)
            return


def mark_repeats(lines: list[Line], span: range, rules: dict[int, str]) -> None:
    """Drop a stretch of paragraphs that the box holds twice, for print or for phones.

    A single line may come again: questions of an interview, a caption.
    """
    kept = [number for number in span if number not in rules]
    texts = [lines[number].text for number in kept]
    first_at: dict[str, int] = {}
    start = 0
    while start < len(texts):
        origin = first_at.setdefault(texts[start], start)
        size = 0
        while (
            origin + size < start
            and start + size < len(texts)
            and texts[origin + size] == texts[start + size]
        ):
            size += 1
        if (
            size >= _LEAST_REPEATS
            and sum(map(len, texts[start : start + size])) >= _LEAST_REPEATED_CHARS
        ):
            rules.update((number, "page.repeat") for number in kept[start : start + size])
        start += max(1, size)
