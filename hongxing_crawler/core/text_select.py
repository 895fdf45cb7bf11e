"""Which lines of the article box are the article, and why the others are not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from hongxing_crawler.core.boxes_names import name_of
from hongxing_crawler.core.boxes_neighbours import find_neighbours
from hongxing_crawler.core.text_ends import mark_closing_lines, mark_lone_links, mark_repeats
from hongxing_crawler.core.text_furniture import (
    furniture_rule,
    is_attachment_line,
    is_comments_mark,
    is_date_line,
    is_meta_line,
    is_related_mark,
)
from hongxing_crawler.core.text_side_boxes import find_side_boxes
from hongxing_crawler.core.text_tables import is_data_row, row_of
from hongxing_crawler.core.titles import squeeze

if TYPE_CHECKING:
    from collections.abc import Callable

    from hongxing_crawler.core.blocks import Block, Line, Outline
    from hongxing_crawler.core.boxes_survey import Survey
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.titles import Headline

_SENTENCE_END_RE = re.compile(r"[。！？…；]|[.!?](?:\s|$)")
_MAX_HEAD_LINES = 15
_LEAST_ARTICLE = 60.0
_LEAST_ENTRIES = 3
_PROSE = 25.0
_LONGEST_NAME = 30
_LEAST_ANCHORS = 3
_LONGEST_ROW_TEXT = 60
_WHY = {
    "links": "page.link_list",
    "teaser": "page.teaser",
    "comments": "page.comments",
    "aside": "page.aside",
    "hidden": "page.hidden",
    "wheel": "page.link_list",  # a wheel that leaves the site is named by the injections
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Line numbers that make the body, and for each other line of the box its rule."""

    kept: list[int]
    dropped: list[tuple[int, str]]


def choose_lines(
    outline: Outline, box: Block, look: Survey, headline: Headline, profile: SiteProfile
) -> Choice:
    """Sort the lines of the article box into body and furniture."""
    sorter = _Sorter(outline, box, look, headline, profile)
    sorter.side_boxes = find_side_boxes(outline, box, look)
    sorter.run()
    kept = [number for number in range(box.first, box.last) if number not in sorter.rules]
    if kept:
        beside = find_neighbours(outline, box, look, headline.line)
        kept = sorted({*kept, *(n for n in beside if not furniture_rule(outline.lines[n].plain))})
    return Choice(kept, sorted(sorter.rules.items()))


def _is_sentence(line: Line) -> bool:
    return line.weight > 0 and line.plain[-1:] in "。！？"


@lru_cache(maxsize=64)
def _tests_of(marks: tuple[str, ...]) -> tuple[Callable[[str], object], ...]:
    """Compile marks; one that is bound to the start of a line is tried there alone."""
    return tuple(
        re.compile(mark).match if mark[:1] == "^" and "|" not in mark else re.compile(mark).search
        for mark in marks
    )


def _has_rows(outline: Outline, box: Block) -> bool:
    inside = takewhile(
        lambda block: block.first < box.last, islice(outline.blocks, box.number, None)
    )
    return any(block.tag == "tr" for block in inside)


class _Sorter:
    """One pass per kind of furniture over the lines of a box."""

    def __init__(
        self, outline: Outline, box: Block, look: Survey, headline: Headline, profile: SiteProfile
    ) -> None:
        self.outline = outline
        self.lines = outline.lines
        self.box = box
        self.first, self.last = box.first, box.last
        self.look = look
        self.headline = headline
        self.tail_marks = _tests_of(profile.tail_marks)
        self.side_boxes: list[Block] = []
        self.has_rows = _has_rows(outline, box)
        self.rules: dict[int, str] = {}

    def run(self) -> None:
        self.mark_before_headline()
        self.mark_next_article()
        self.mark_head()
        for number in range(self.first, self.last):
            why = self.look.aside[number]
            if why:
                self.rules.setdefault(number, _WHY[why])
        for block in self.side_boxes:
            for number in range(block.first, block.last):
                self.rules.setdefault(number, "page.side_box")
        self.mark_link_lists()
        for number in range(self.first, self.last):
            if number not in self.rules and not self.is_cell(number):
                rule = furniture_rule(self.lines[number].plain)
                if rule:
                    self.rules[number] = rule
        self.mark_tail()
        span = range(self.first, self.last)
        mark_lone_links(self.lines, span, self.rules, self.is_linked)
        mark_closing_lines(self.lines, span, self.rules, self.is_cell)
        mark_repeats(self.lines, span, self.rules)

    def mark_before_headline(self) -> None:
        line = self.headline.line
        if not self.first <= line < self.last:
            return
        weights = self.look.weights
        if weights[line] - weights[self.first] > 0.3 * weights[-1]:
            return
        for number in range(self.first, line):
            self.rules[number] = "page.before_headline"
        self.rules[line] = "page.headline"

    def mark_next_article(self) -> None:
        """Cut what follows where a second headline like the first stands above its date."""
        line = self.headline.line
        if not self.first <= line < self.last:
            return
        head = self.lines[line].block
        name = name_of(head.attrs)
        if not name:
            return
        for number in range(line + 2, self.last - 1):
            block = self.lines[number].block
            if (
                block.tag == head.tag
                and block is not head
                and name_of(block.attrs) == name
                and is_date_line(self.lines[number + 1].plain)
                and not is_date_line(self.lines[number].plain)
                and self.look.weights[number] > self.look.weights[line + 1] + _PROSE
            ):
                self.rules.update((n, "page.next_article") for n in range(number, self.last))
                return

    def mark_head(self) -> None:
        """Mark the lines of date, source and tools that stand before the first sentence.

        Short lines between the headline and such a line (a name, a second headline) go too.
        """
        wanted = squeeze(self.headline.text)
        open_lines: list[int] = []
        seen = 0
        for number in range(self.first, self.last):
            if number in self.rules:
                continue
            line = self.lines[number]
            seen += 1
            if (
                wanted
                and len(line.text) <= len(self.headline.text) + 20
                and squeeze(line.text) == wanted
            ):
                self.rules[number] = "page.headline"
            elif line.weight <= _PROSE and is_meta_line(line.plain):
                self.rules[number] = "page.meta_line"
                self.rules.update((other, "page.before_meta") for other in open_lines)
                open_lines = []
            elif line.weight > _PROSE or seen > _MAX_HEAD_LINES or _is_sentence(line):
                return
            elif number > self.headline.line >= self.first and len(line.text) <= _LONGEST_NAME:
                open_lines.append(number)

    def mark_link_lists(self) -> None:
        """Mark lists whose text is links: menus, related articles, wheels. Attachments stay."""
        run: list[int] = []
        for number in range(self.first, self.last):
            if self.is_linked(number):
                run.append(number)
            elif number not in self.rules:
                self.close_run(run)
                run = []
        self.close_run(run)

    def close_run(self, run: list[int]) -> None:
        if sum(len(self.lines[number].links) for number in run) >= _LEAST_ANCHORS:
            for number in run:
                self.rules.setdefault(number, "page.link_list")

    def is_linked(self, number: int) -> bool:
        line = self.lines[number]
        return (
            line.link_chars > 0.5 * len(line.text)
            and not _SENTENCE_END_RE.search(line.text)
            and not is_attachment_line(line.plain)
        )

    def mark_tail(self) -> None:
        """Cut what follows a mark that closes articles; attachments and tables stay."""
        weights = self.look.weights
        total = weights[self.last] - weights[self.first]
        for number in range(self.first, self.last):
            text = self.lines[number].plain
            if number in self.rules and not is_comments_mark(text):
                continue
            rest = weights[self.last] - weights[number]
            if any(is_met(text) for is_met in self.tail_marks) or (
                is_comments_mark(text) and (rest <= 0.4 * total or self.leads_comments(number))
            ):
                self.cut_rest(number, only_links=False)
                return
            if is_related_mark(text) and (rest <= 0.3 * total or self.leads_links(number)):
                self.cut_rest(number, only_links=True)

    def leads_comments(self, number: int) -> bool:
        """Say whether an article stands above a mark, and entries with a date each below it."""
        weights = self.look.weights
        if weights[number] - weights[self.first] < _LEAST_ARTICLE:
            return False
        dated = sum(is_date_line(line.plain) for line in self.lines[number + 1 : self.last])
        return dated >= _LEAST_ENTRIES

    def leads_links(self, number: int) -> bool:
        """Say whether the next line that is still in is a link."""
        following = (n for n in range(number + 1, self.last) if n not in self.rules)
        return any(self.is_linked(n) for n in islice(following, 1))

    def cut_rest(self, start: int, *, only_links: bool) -> None:
        for number in range(start, self.last):
            line = self.lines[number]
            if number > start and (is_attachment_line(line.plain) or self.is_row(line)):
                continue
            if number > start and only_links and not line.link_chars > 0.3 * len(line.text):
                return
            self.rules.setdefault(number, "page.tail")

    def is_cell(self, number: int) -> bool:
        """Say whether a line is a cell of a data table, where any word may stand."""
        if not self.has_rows:
            return False
        row = row_of(self.lines[number].block, self.box)
        return (
            row is not None
            and is_data_row(row, self.outline)
            and not all(
                n in self.rules or self.is_linked(n) or furniture_rule(self.lines[n].plain)
                for n in range(row.first, row.last)
            )
        )

    def is_row(self, line: Line) -> bool:
        """Say whether a line below a tail mark stands in a row of short texts, none a sentence."""
        row = row_of(line.block, self.box)
        return row is not None and all(
            len(other.text) <= _LONGEST_ROW_TEXT and not other.weight
            for other in self.lines[row.first : row.last]
        )
