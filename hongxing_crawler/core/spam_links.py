"""Runs of bare links inside sentences: the shape in which wheels hide in paragraphs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from hongxing_crawler.core.addresses import host_of, site_of
from hongxing_crawler.core.blocks_weight import weigh

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Line, Outline

LEAST_LINKS = 5
_BETWEEN = " |｜·,，、/\t\u3000\xa0"
_LEAST_PROSE = 8


@dataclass(frozen=True, slots=True)
class LinkRun:
    """Links that were cut from a line: the text as it stood, and the addresses."""

    line: int
    text: str
    hrefs: tuple[str, ...]


def cut_link_runs(outline: Outline, url: str = "") -> list[LinkRun]:
    """Cut runs of five or more bare links out of lines that are otherwise prose.

    A line that is nothing but links is a menu or a list and left to the rules for boxes. Names
    that a sentence lists with ``、`` and links to pages of its own site are prose.

    Args:
        outline: The page; its lines lose the runs.
        url: Address of the page, which tells own links from others.

    Returns:
        What was cut.
    """
    cut, home = [], site_of(host_of(url))
    for line in outline.lines:
        if len(line.links) < LEAST_LINKS:
            continue
        runs = [run for run in find_link_runs(line) if not _is_enumeration(line, run, home)]
        size = sum(end - start for start, end in runs)
        if runs and len(line.text) - size >= _LEAST_PROSE:
            cut += [_describe(line, start, end) for start, end in runs]
            _remove(line, runs)
    return cut


def _is_enumeration(line: Line, run: tuple[int, int], home: str) -> bool:
    """Say whether links between list commas all lead to one site: the page's, when it is known."""
    start, end = run
    marks = sum(line.text.count(mark, start, end) for mark in "、，")
    links = [span for span in line.links if start <= span[0] < end]
    if 2 * marks < len(links) - 1:
        return False
    hosts = (host_of(href if "://" in href else "http:" + href) for _, _, href in links)
    sites = set(map(site_of, hosts)) - {"", home}
    return len(sites) <= (0 if home else 1)


def find_link_runs(line: Line) -> list[tuple[int, int]]:
    """Find runs of links with nothing but bars and spaces between them.

    Returns:
        Ranges in code points of the line's text, with the bar that closes a run.
    """
    runs: list[tuple[int, int]] = []
    start, end, _ = line.links[0]
    count = 1
    for (_, previous_end, _), (begin, finish, _) in pairwise(line.links):
        if line.text[previous_end:begin].strip(_BETWEEN):
            if count >= LEAST_LINKS:
                runs.append((start, end))
            start, count = begin, 0
        count += 1
        end = finish
    if count >= LEAST_LINKS:
        runs.append((start, end))
    return [(start, _after_bars(line.text, end)) for start, end in runs]


def _after_bars(text: str, end: int) -> int:
    while end < len(text) and text[end] in _BETWEEN:
        end += 1
    return end


def _describe(line: Line, start: int, end: int) -> LinkRun:
    hrefs = tuple(href for begin, finish, href in line.links if start <= begin and finish <= end)
    return LinkRun(line.number, line.text[start:end], hrefs)


def _remove(line: Line, runs: list[tuple[int, int]]) -> None:
    """Take ranges out of a line; what stays keeps its links and bold runs."""
    for start, end in reversed(runs):
        size = end - start
        line.links = tuple(
            _shift(span, end, size) for span in line.links if not start <= span[0] < end
        )
        line.strong = tuple(
            (a - size, b - size) if a >= end else (a, b)
            for a, b in line.strong
            if not start <= a < end
        )
        line.text = line.text[:start] + line.text[end:]
    kept = line.text.rstrip()
    line.text = line.plain = kept
    line.link_chars = sum(finish - begin for begin, finish, _ in line.links)
    line.weight = 0.0
    weigh(line)


def _shift(span: tuple[int, int, str], end: int, size: int) -> tuple[int, int, str]:
    return (span[0] - size, span[1] - size, span[2]) if span[0] >= end else span
