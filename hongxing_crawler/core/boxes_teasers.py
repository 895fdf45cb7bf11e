"""Lists of teasers: sibling boxes that each hold a linked headline and a few sentences."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Outline

_ITEM_TAGS = frozenset(("li", "div", "dl", "article", "section", "td", "tr"))
_MOST_LINES = 7
_LEAST_ITEMS = 3
_SHORTEST_HEADLINE = 6


def find_teasers(outline: Outline) -> list[Block]:
    """Return the boxes of teaser lists: three or more siblings of that shape.

    An article's own sections have headlines that are no links and stay.
    """
    lists: defaultdict[int, list[Block]] = defaultdict(list)
    for block in outline.blocks:
        size = block.last - block.first
        if (
            1 < size <= _MOST_LINES
            and block.tag in _ITEM_TAGS
            and block.parent is not None
            and _is_teaser(outline, block)
        ):
            lists[block.parent.number].append(block)
    return [block for items in lists.values() if len(items) >= _LEAST_ITEMS for block in items]


def _is_teaser(outline: Outline, block: Block) -> bool:
    """Recognise a link line before a line of prose, and no second stretch of prose."""
    linked = False
    for line in outline.lines[block.first : block.last]:
        if line.weight:
            return linked
        if (
            line.links
            and line.link_chars >= 0.6 * len(line.text)
            and line.link_chars >= _SHORTEST_HEADLINE
        ):
            linked = True
    return False
