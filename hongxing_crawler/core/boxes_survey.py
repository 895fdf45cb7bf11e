"""What speaks against the lines of a page: hidden, aside, wheels, teasers; and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from hongxing_crawler.core.blocks_hidden import HIDING_WRITE_RE, hidden_names, is_hidden
from hongxing_crawler.core.boxes_names import is_aside, is_comments, is_foot, name_of
from hongxing_crawler.core.boxes_teasers import find_teasers
from hongxing_crawler.core.footer import closing_rule
from hongxing_crawler.core.spam import LEAST_BARS, count_bars, is_name_wheel
from hongxing_crawler.core.text_furniture import is_meta_line

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Line, Outline

# A box that a name or style speaks against is content all the same when it holds this share
# of the page's prose: `page`, `share`, `side` name real containers here, and scripts reveal
# hidden articles.
MOST_OF_THE_PAGE = 0.45
_BEFORE_HEADLINE = 0.2
# A page with less below its headline is weighed by its plain text.
_LEAST_PROSE = 15.0
_LITTLE_PROSE = 80.0  # with more it is not asked
_WEIGHT_OF = {"aside": 0.1, "teaser": 0.1}  # hidden text, comments and wheels weigh nothing
# Reader comments may outweigh a short article by far.
_LEAST_ARTICLE = 60.0
_ASIDE_TAGS = frozenset(("footer", "nav", "aside"))
_SHORTEST_WHEEL = 20
_LONGEST_ENTRY = 10
_LEAST_ENTRIES = 12
_NOTHING: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())


@dataclass(slots=True)
class Survey:
    """Prose and link sums over the lines of a page, as prefix sums."""

    weights: list[float]
    chars: list[int]
    link_chars: list[int]
    aside: list[str]  # per line: "" or why the line cannot be article text
    hidden: list[Block]  # in document order

    def weight(self, block: Block) -> float:
        return self.weights[block.last] - self.weights[block.first]

    def char_count(self, block: Block) -> int:
        return self.chars[block.last] - self.chars[block.first]

    def link_char_count(self, block: Block) -> int:
        return self.link_chars[block.last] - self.link_chars[block.first]

    def link_share(self, block: Block) -> float:
        chars = self.char_count(block)
        return self.link_char_count(block) / chars if chars else 0.0


def survey(outline: Outline, headline: int) -> Survey:
    """Weigh every line: what is hidden, aside or before the headline counts little."""
    lines = outline.lines
    weights = [line.weight for line in lines]
    sums = [0.0, *accumulate(weights)]
    aside = [""] * len(lines)
    boxes = [block for block in outline.blocks if block.first != block.last]
    hidden = _mark_hidden(outline, boxes, sums, aside)
    _mark_wheels(lines, aside)
    _mark_asides(boxes, sums, headline, aside)
    for block in find_teasers(outline):
        _mark(aside, block.first, block.last, "teaser")
    for number in range(min(max(headline, 0), len(lines))):
        weights[number] *= _BEFORE_HEADLINE
    look = _sum_up(lines, weights, aside, hidden)
    return _by_text(look, lines, headline) if _lacks_prose(look, lines, headline) else look


def _lacks_prose(look: Survey, lines: list[Line], headline: int) -> bool:
    """Say whether next to nothing below the headline is prose but for facts and closing lines."""
    if not 0 <= headline < len(lines):
        return False
    weights = look.weights
    if weights[-1] - weights[headline] >= _LITTLE_PROSE:
        return False
    below = (line for line in lines[headline + 1 :] if line.weight and not look.aside[line.number])
    return sum(line.weight for line in below if not _is_fact(line)) < _LEAST_PROSE


def _is_fact(line: Line) -> bool:
    return is_meta_line(line.plain) or bool(closing_rule(line.plain))


def _by_text(look: Survey, lines: list[Line], headline: int) -> Survey:
    """Weigh a page that holds next to no prose by its plain text below the headline.

    A notice may be nothing but a table, a list of names, a few words.
    """
    weights = [0.0] * len(lines)
    for line in lines[headline + 1 :]:
        if not _is_fact(line):
            weights[line.number] = float(len(line.text) - line.link_chars)
    return _sum_up(lines, weights, look.aside, look.hidden)


def _sum_up(
    lines: list[Line], weights: list[float], aside: list[str], hidden: list[Block]
) -> Survey:
    """Sum weights and characters from the first line on; what is aside counts little or nothing."""
    weight, chars, linked = 0.0, 0, 0
    weight_sums, char_sums, link_sums = [weight], [chars], [linked]
    for line, own, why in zip(lines, weights, aside, strict=True):
        if why:
            weight += own * _WEIGHT_OF.get(why, 0.0)
        else:
            weight += own
            chars += len(line.text)
            linked += line.link_chars
        weight_sums.append(weight)
        char_sums.append(chars)
        link_sums.append(linked)
    return Survey(weight_sums, char_sums, link_sums, aside, hidden)


def _mark_wheels(lines: list[Line], aside: list[str]) -> None:
    """Mark names between bars, and long runs of lines that are one short link each: menus."""
    start = 0  # of the run of short links that ends here
    for number, line in enumerate(lines):
        size = len(line.text)
        if line.link_chars == size <= _LONGEST_ENTRY and line.links:
            continue
        if number - start >= _LEAST_ENTRIES:
            _mark(aside, start, number, "links")
        start = number + 1
        if size > _SHORTEST_WHEEL and _is_wheel(line.text):
            aside[number] = aside[number] or "wheel"
    if len(lines) - start >= _LEAST_ENTRIES:
        _mark(aside, start, len(lines), "links")


def _is_wheel(text: str) -> bool:
    return ("|" in text or "｜" in text) and count_bars(text) >= LEAST_BARS and is_name_wheel(text)


def _mark(aside: list[str], first: int, last: int, why: str) -> None:
    for number in range(first, last):
        if not aside[number]:
            aside[number] = why


def _mark_asides(boxes: list[Block], sums: list[float], headline: int, aside: list[str]) -> None:
    """Mark menus, comments and the like by the names of their boxes."""
    for block in boxes:
        first = block.first
        if aside[first]:
            continue
        name = name_of(block.attrs) if block.attrs else ""
        if block.tag not in _ASIDE_TAGS and not (name and is_aside(name)):
            continue
        last = block.last
        if first <= headline < last:
            continue  # what holds the headline holds the article
        if is_comments(name) and sums[first] > _LEAST_ARTICLE:
            _mark(aside, first, last, "comments")
        elif _may_be_aside(block, name, sums):
            _mark(aside, first, last, "aside")


def _may_be_aside(block: Block, name: str, sums: list[float]) -> bool:
    weight = sums[block.last] - sums[block.first]
    if weight < MOST_OF_THE_PAGE * sums[-1] or not sums[-1]:
        return True
    # A few words of a page's foot outweigh a notice of fewer.
    return is_foot(block.tag, name) and weight < _LEAST_ARTICLE


def _mark_hidden(
    outline: Outline, boxes: list[Block], sums: list[float], aside: list[str]
) -> list[Block]:
    """Mark hidden boxes, unless they hold most of the page: then a script reveals them."""
    limit = MOST_OF_THE_PAGE * sums[-1]
    classes, ids = hidden_names(outline.styles) if outline.styles else _NOTHING
    found = []
    for block in boxes:
        attrs = block.attrs
        if not attrs:
            continue
        why = is_hidden(attrs) if "style" in attrs or "hidden" in attrs else ""
        if not why and (
            (classes and not classes.isdisjoint(attrs.get("class") or ()))
            or (ids and attrs.get("id") in ids)
        ):
            why = "style_sheet"
        if why and sums[block.last] - sums[block.first] <= limit:
            block.hidden = why
            found.append(block)
            _mark(aside, block.first, block.last, "hidden")
    _mark_written(outline, sums, limit, aside)
    return found


def _mark_written(outline: Outline, sums: list[float], limit: float, aside: list[str]) -> None:
    """Mark what stands between a script that writes a hiding box and one that closes it."""
    opened = -1
    for number, script in outline.scripts:
        if "document.write" in script and HIDING_WRITE_RE.search(script):
            opened = number
        elif opened >= 0 and "document.write" in script and "</" in script:
            if sums[number] - sums[opened] <= limit:
                _mark(aside, opened, number, "hidden")
            opened = -1
