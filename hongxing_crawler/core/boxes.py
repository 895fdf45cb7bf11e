"""Find the box in which the article stands, by its prose alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.core.boxes_names import is_article, name_of

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Line, Outline
    from hongxing_crawler.core.boxes_survey import Survey

# The box widens when its surroundings add this share of its prose, and are themselves mostly
# prose with few links: articles in several sibling boxes are joined, teasers are not.
_CLIMB_GAIN = 0.15
_CLIMB_PROSE_SHARE = 0.5
_CLIMB_LINKS = 0.2
# Prose of distant descendants counts this much, times the share of prose in the box.
_WHOLE_PART = 0.6
_LEAST_SHARE = 0.1
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

    def add(self, line: Line) -> None:
        """Add a line to its box and the box around it."""
        block, size, linked = line.block, len(line.text), line.link_chars
        chars, link_chars = self.chars, self.link_chars
        chars[block.number] += size
        link_chars[block.number] += linked
        outer = block.parent
        if outer is not None:
            chars[outer.number] += size
            link_chars[outer.number] += linked


def _tally(outline: Outline, look: Survey) -> _Tally:
    tally = _Tally(len(outline.blocks))
    scores, weights, aside = tally.scores, look.weights, look.aside
    for number, line in enumerate(outline.lines):
        if aside[number]:
            continue
        tally.add(line)
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
