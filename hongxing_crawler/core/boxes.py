"""Find the box in which the article stands, by its prose alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from hongxing_crawler.core.blocks_hidden import (
    HIDING_WRITE_RE,
    hidden_class_names,
    is_hidden,
)
from hongxing_crawler.core.boxes_names import is_article, is_aside, is_comments, is_foot, name_of
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
# The box widens when its surroundings add this share of its prose, and are themselves mostly
# prose with few links: articles in several sibling boxes are joined, teasers are not.
_CLIMB_GAIN = 0.15
_CLIMB_PROSE_SHARE = 0.5
_CLIMB_LINKS = 0.2
# Prose of distant descendants counts this much, times the share of prose in the box.
_WHOLE_PART = 0.6
_LEAST_SHARE = 0.1
# Reader comments may outweigh a short article by far.
_LEAST_ARTICLE = 60.0
_ASIDE_TAGS = frozenset(("footer", "nav", "aside"))
_SHORTEST_WHEEL = 20
_LONGEST_ENTRY = 10
_LEAST_ENTRIES = 12
_LEAVES = frozenset(
    ("p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "strong", "center", "blockquote")
)
_LEAF_GROWTH = 8
_NAMED_FACTOR = 1.2
_PARTS = (1.0, 0.9, 0.45)  # of a line's weight, to its box and two ancestors
_LEAST_OWN_CHARS = 150
_MOST_OWN_LINKS = 0.3
# An article begins this near its headline, in lines.
_NEAR_HEADLINE = 25
_FAR_FACTOR = 0.7


@dataclass(slots=True)
class Survey:
    """Prose and link sums over the lines of a page, as prefix sums."""

    weights: list[float]
    chars: list[int]
    link_chars: list[int]
    aside: list[str]  # per line: "" or why the line cannot be article text

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
    _mark_hidden(outline, sums, MOST_OF_THE_PAGE * sums[-1], aside)
    _mark_wheels(outline, aside)
    _mark_asides(outline, sums, headline, aside)
    for block in find_teasers(outline):
        _mark(aside, block.first, block.last, "teaser")
    for number in range(min(max(headline, 0), len(lines))):
        weights[number] *= _BEFORE_HEADLINE
    look = _sum_up(lines, weights, aside)
    return _by_text(lines, headline, aside) if _lacks_prose(look, lines, headline) else look


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


def _by_text(lines: list[Line], headline: int, aside: list[str]) -> Survey:
    """Weigh a page that holds next to no prose by its plain text below the headline.

    A notice may be nothing but a table, a list of names, a few words.
    """
    weights = [0.0] * len(lines)
    for line in lines[headline + 1 :]:
        if not _is_fact(line):
            weights[line.number] = float(len(line.text) - line.link_chars)
    return _sum_up(lines, weights, aside)


def _sum_up(lines: list[Line], weights: list[float], aside: list[str]) -> Survey:
    """Sum weights and characters from the first line on; what is aside counts little or nothing."""
    weight, chars, linked = 0.0, 0, 0
    weight_sums, char_sums, link_sums = [weight], [chars], [linked]
    for number, line in enumerate(lines):
        why = aside[number]
        if why:
            weight += weights[number] * _WEIGHT_OF.get(why, 0.0)
        else:
            weight += weights[number]
            chars += len(line.text)
            linked += line.link_chars
        weight_sums.append(weight)
        char_sums.append(chars)
        link_sums.append(linked)
    return Survey(weight_sums, char_sums, link_sums, aside)


def _mark_wheels(outline: Outline, aside: list[str]) -> None:
    """Mark names between bars, and long runs of lines that are one short link each: menus."""
    start = 0  # of the run of short links that ends here
    number = 0
    for line in outline.lines:
        size = len(line.text)
        if not (line.link_chars == size and size <= _LONGEST_ENTRY and line.links):
            if number - start >= _LEAST_ENTRIES:
                _mark(aside, start, number, "links")
            start = number + 1
            if size > _SHORTEST_WHEEL and _is_wheel(line.text):
                aside[number] = aside[number] or "wheel"
        number += 1
    if number - start >= _LEAST_ENTRIES:
        _mark(aside, start, number, "links")


def _is_wheel(text: str) -> bool:
    return ("|" in text or "｜" in text) and count_bars(text) >= LEAST_BARS and is_name_wheel(text)


def _mark(aside: list[str], first: int, last: int, why: str) -> None:
    for number in range(first, last):
        if not aside[number]:
            aside[number] = why


def _mark_asides(outline: Outline, sums: list[float], headline: int, aside: list[str]) -> None:
    """Mark menus, comments and the like by the names of their boxes."""
    limit = MOST_OF_THE_PAGE * sums[-1]
    aside_tags = _ASIDE_TAGS
    for block in outline.blocks:
        first, last = block.first, block.last
        if first == last or aside[first]:
            continue
        name = name_of(block.attrs) if block.attrs else ""
        if block.tag not in aside_tags and not (name and is_aside(name)):
            continue
        if first <= headline < last:
            continue  # what holds the headline holds the article
        if is_comments(name) and sums[first] > _LEAST_ARTICLE:
            why = "comments"
        elif sums[last] - sums[first] < limit or not sums[-1]:
            why = "aside"
        elif is_foot(block.tag, name) and sums[last] - sums[first] < _LEAST_ARTICLE:
            why = "aside"  # a few words of a page's foot outweigh a notice of fewer
        else:
            continue
        _mark(aside, first, last, why)


def _mark_hidden(outline: Outline, sums: list[float], limit: float, aside: list[str]) -> None:
    """Mark hidden boxes, unless they hold most of the page: then a script reveals them."""
    names = hidden_class_names(outline.styles) if outline.styles else set()
    classes = {name[1:] for name in names if name[0] == "."}
    ids = {name[1:] for name in names if name[0] == "#"}
    for block in outline.blocks:
        attrs = block.attrs
        if not attrs or block.first == block.last:
            continue
        why = is_hidden(attrs) if "style" in attrs or "hidden" in attrs else ""
        if not why and (
            (classes and "class" in attrs and not classes.isdisjoint(attrs["class"]))
            or (ids and attrs.get("id") in ids)
        ):
            why = "style_sheet"
        if why and sums[block.last] - sums[block.first] <= limit:
            block.hidden = why
            _mark(aside, block.first, block.last, "hidden")
    _mark_written(outline, sums, limit, aside)


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


def find_article_box(outline: Outline, look: Survey, headline: int) -> Block:
    """Choose the box whose own lines and near descendants hold the prose."""
    tally = _tally(outline, look)
    blocks = outline.blocks
    best, best_score = blocks[0], 0.0
    for number, prose in tally.scores.items():
        block = blocks[number]
        score = prose * _factor(block, look, tally, headline)
        if score > best_score:
            best, best_score = block, score
    return _climb(_widen_leaf(best, look, tally), look, headline)


def _factor(block: Block, look: Survey, tally: _Tally, headline: int) -> float:
    """Weigh a box: few links, a name that fits, near below the headline."""
    factor = (1 - min(look.link_share(block), tally.own_link_share(block))) ** 2
    if is_article(name_of(block.attrs)):
        factor *= _NAMED_FACTOR
    if headline >= 0 and block.first > headline + _NEAR_HEADLINE:
        factor *= _FAR_FACTOR
    return factor


class _Tally:
    """Scores of boxes, and what stands in them directly or in their paragraphs."""

    def __init__(self, size: int) -> None:
        self.scores: dict[int, float] = {}
        self.chars = [0] * size
        self.link_chars = [0] * size

    def own_link_share(self, block: Block) -> float:
        chars = self.chars[block.number]
        return self.link_chars[block.number] / chars if chars > _LEAST_OWN_CHARS else 1.0

    def add(self, block: Block, size: int, linked: int) -> None:
        """Add a line to its box and the box around it."""
        self.chars[block.number] += size
        self.link_chars[block.number] += linked
        outer = block.parent
        if outer is not None:
            self.chars[outer.number] += size
            self.link_chars[outer.number] += linked


def _tally(outline: Outline, look: Survey) -> _Tally:
    tally = _Tally(len(outline.blocks))
    scores, weights, aside = tally.scores, look.weights, look.aside
    number = -1
    for line in outline.lines:
        number += 1
        if aside[number]:
            continue
        tally.add(line.block, len(line.text), line.link_chars)
        weight = weights[number + 1] - weights[number]
        if weight > 0:
            block: Block | None = line.block
            for part in _PARTS:
                if block is not None:
                    scores[block.number] = scores.get(block.number, 0.0) + part * weight
                    block = block.parent
    _add_whole(outline, look, scores)
    return tally


def _add_whole(outline: Outline, look: Survey, scores: dict[int, float]) -> None:
    """Add the prose of distant descendants, as far as the box is prose."""
    sums = look.weights
    least = _LEAST_SHARE * sums[-1]
    for block in outline.blocks:
        weight = sums[block.last] - sums[block.first]
        if weight > least:
            share = min(1.0, weight / max(1, look.char_count(block)))
            scores[block.number] = scores.get(block.number, 0.0) + _WHOLE_PART * weight * share


def _widen_leaf(box: Block, look: Survey, tally: _Tally) -> Block:
    """Take the parent of a lone paragraph: its neighbours belong to it."""
    parent = box.parent
    if box.tag not in _LEAVES or parent is None or parent.tag in {"body", "html"}:
        return box
    is_small = look.char_count(parent) <= _LEAF_GROWTH * look.char_count(box)
    return parent if is_small or tally.own_link_share(parent) < _MOST_OWN_LINKS else box


def _climb(box: Block, look: Survey, headline: int) -> Block:
    """Widen the box while its surroundings add much prose, and little else."""
    parent = box.parent
    while parent is not None and parent.tag != "html":
        if box.first <= headline < box.last:
            return box  # the whole article stands below its headline
        if _adds_prose(parent, box, look):
            box = parent
        parent = parent.parent
    return box


def _adds_prose(parent: Block, box: Block, look: Survey) -> bool:
    gain = look.weight(parent) - look.weight(box)
    if gain <= _CLIMB_GAIN * look.weight(box):
        return False
    chars = look.char_count(parent) - look.char_count(box)
    linked = look.link_char_count(parent) - look.link_char_count(box)
    return gain > _CLIMB_PROSE_SHARE * chars and linked < _CLIMB_LINKS * chars
