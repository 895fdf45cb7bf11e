"""Boxes inside the article box that are no part of the article: players, tools, lists of links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.core.text_furniture import is_attachment_line

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Line, Outline
    from hongxing_crawler.core.boxes_survey import Survey

_MAIN_SHARE = 0.6
_LEAST_LINES = 2
_MOST_LINKS = 0.4
_PLAYER_LINES = 8
_PLAYER_PROSE = 0.3
_LISTS = frozenset(("ul", "ol", "table", "dl", "tbody", "p"))
_MAX_LEVELS = 40


def find_side_boxes(outline: Outline, box: Block, look: Survey) -> list[Block]:
    """Find the boxes beside the main stream of the article.

    Two kinds go: boxes of links, and large boxes of short texts without sentences before the
    first or after the last prose (players, mood buttons). Lists and tables of the article
    itself, and lists of attachments, stay.
    """
    found: list[Block] = []
    main: Block | None = box
    for _ in range(_MAX_LEVELS):
        if main is None:
            break
        children = _children(outline, main)
        weight = look.weight(main)
        following = None
        for child in children:
            if weight > 0 and look.weight(child) > _MAIN_SHARE * weight:
                following = child
            elif _is_side_box(outline, child, look):
                found.append(child)
        main = following
    return found


def _children(outline: Outline, box: Block) -> list[Block]:
    """Return the boxes right under a box that hold lines, in order."""
    children: list[Block] = []
    number = box.first
    while number < box.last:
        child = _child_of(box, outline.lines[number].block)
        if child is None:
            number += 1
            continue
        children.append(child)
        number = max(child.last, number + 1)
    return children


def _child_of(box: Block, block: Block) -> Block | None:
    """Return the ancestor of a block (or itself) whose parent is the box."""
    current: Block | None = block
    while current is not None and current.parent is not box:
        current = current.parent
    return current


def _is_side_box(outline: Outline, child: Block, look: Survey) -> bool:
    size = child.last - child.first
    if size < _LEAST_LINES:
        return False
    lines = outline.lines[child.first : child.last]
    if any(is_attachment_line(line.text) for line in lines):
        return False
    chars = sum(len(line.text) for line in lines)
    linked = sum(line.link_chars for line in lines)
    anchors = sum(len(line.links) for line in lines)
    weight = sum(line.weight for line in lines)
    if linked > _MOST_LINKS * chars and anchors >= _LEAST_LINES + 1:
        return True
    if child.tag in _LISTS or size < _PLAYER_LINES or weight > _PLAYER_PROSE * chars:
        return False
    return _is_nested(lines, child) and look.weight(child) < 0.1 * look.weights[-1]


def _is_nested(lines: list[Line], child: Block) -> bool:
    """Say whether most lines stand two levels below the box, as controls do."""
    deep = sum(line.block is not child and line.block.parent is not child for line in lines)
    return deep > 0.7 * len(lines)
