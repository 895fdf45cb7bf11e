"""Find the box in which the article stands, by its prose alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from hongxing_crawler.core.blocks_hidden import hidden_class_names, is_hidden
from hongxing_crawler.core.boxes_names import is_article, is_aside, name_of

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Outline

# A box that a name or style speaks against is content all the same when it holds this share
# of the page's prose: `page`, `share`, `side` name real containers here, and scripts reveal
# hidden articles.
MOST_OF_THE_PAGE = 0.45
_BEFORE_HEADLINE = 0.2
_IN_ASIDE = 0.1
_CLIMB_GAIN = 1.25
_CLIMB_LINK_SHARE = 0.25


@dataclass(slots=True)
class Survey:
    """Prose and link sums over the lines of a page, as prefix sums."""

    weights: list[float]
    chars: list[int]
    link_chars: list[int]
    aside: list[str]  # per line: "" or why the line cannot be article text

    def weight(self, block: Block) -> float:
        return self.weights[block.last] - self.weights[block.first]

    def link_share(self, block: Block) -> float:
        chars = self.chars[block.last] - self.chars[block.first]
        return (
            (self.link_chars[block.last] - self.link_chars[block.first]) / chars if chars else 0.0
        )


def survey(outline: Outline, headline: int) -> Survey:
    """Weigh every line: what is hidden, aside or before the headline counts little."""
    lines = outline.lines
    weights = [line.weight for line in lines]
    sums = [0.0, *accumulate(weights)]
    aside = [""] * len(lines)
    limit = MOST_OF_THE_PAGE * sums[-1]
    _mark_hidden(outline, sums, limit, aside)
    for block in outline.blocks:
        if not block.attrs and block.tag not in {"footer", "nav", "aside"}:
            continue
        first, last = block.first, block.last
        if (
            first == last
            or aside[first]
            or (sums[last] - sums[first] >= max(limit, 1e-9)
            and sums[-1])
        ):
            continue
        if block.tag in {"footer", "nav", "aside"} or is_aside(name_of(block.attrs)):
            for number in range(first, last):
                aside[number] = aside[number] or "aside"
    for number, why in enumerate(aside):
        if why:
            weights[number] *= _IN_ASIDE if why == "aside" else 0.0
    for number in range(max(headline, 0)):
        weights[number] *= _BEFORE_HEADLINE
    return Survey(
        [0.0, *accumulate(weights)],
        [0, *accumulate(len(line.text) for line in lines)],
        [0, *accumulate(line.link_chars for line in lines)],
        aside,
    )


def _mark_hidden(outline: Outline, sums: list[float], limit: float, aside: list[str]) -> None:
    names = hidden_class_names(outline.styles) if outline.styles else set()
    for block in outline.blocks:
        attrs = block.attrs
        if not attrs or block.first == block.last:
            continue
        why = ""
        if "style" in attrs or "hidden" in attrs:
            why = is_hidden(attrs)
        if not why and names:
            own = {"." + word for word in attrs.get("class") or ()}
            own.add("#" + (attrs.get("id") or ""))
            why = "style_sheet" if own & names else ""
        if why and sums[block.last] - sums[block.first] <= limit:
            block.hidden = why
            for number in range(block.first, block.last):
                aside[number] = aside[number] or "hidden"


def find_article_box(outline: Outline, look: Survey) -> Block:
    """Choose the box whose own lines and near descendants hold the prose."""
    scores: dict[int, float] = {}
    weights, lines, blocks = look.weights, outline.lines, outline.blocks
    for number, line in enumerate(lines):
        weight = weights[number + 1] - weights[number]
        if weight <= 0:
            continue
        block: Block | None = line.block
        for part in (1.0, 0.9, 0.45):
            if block is None:
                break
            scores[block.number] = scores.get(block.number, 0.0) + part * weight
            block = block.parent
    best, best_score = blocks[0], 0.0
    for number, score in scores.items():
        block = blocks[number]
        share = look.link_share(block)
        score *= (1 - share) ** 2
        if is_article(name_of(block.attrs)):
            score *= 1.2
        if score > best_score:
            best, best_score = block, score
    return _climb(best, look)


def _climb(box: Block, look: Survey) -> Block:
    """Widen the box while its surroundings add much prose and few links."""
    parent = box.parent
    while parent is not None and parent.tag != "html":
        if (
            look.weight(parent) > _CLIMB_GAIN * look.weight(box)
            and look.link_share(parent) < _CLIMB_LINK_SHARE
        ):
            box = parent
        parent = parent.parent
    return box
