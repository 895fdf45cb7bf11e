"""Rows of data tables, told from the frames of layout tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Outline

_MOST_LINES = 60
_LONGEST_CELL = 200
_LINES_PER_CELL = 3
_MOST_LINKS = 0.6
_CELLS = frozenset(("td", "th"))


def cell_of(block: Block, outer: Block) -> Block | None:
    """Return the table cell around a box, below an outer box."""
    current: Block | None = block
    while current is not None and current is not outer:
        if current.tag in _CELLS:
            return current
        current = current.parent
    return None


def row_of(block: Block, outer: Block) -> Block | None:
    """Return the table row around a box, below an outer box."""
    cell = cell_of(block, outer)
    current = cell.parent if cell is not None else None
    while current is not None and current is not outer:
        if current.tag == "tr":
            return current
        current = current.parent
    return None


def is_data_row(row: Block, outline: Outline) -> bool:
    """Tell a row of a data table: two or more cells, short texts, few links.

    Each line of a row asks anew, so the verdict is kept.
    """
    found = outline.data_rows.get(row.number)
    if found is None:
        found = outline.data_rows[row.number] = _is_data_row(row, outline)
    return found


def _is_data_row(row: Block, outline: Outline) -> bool:
    lines = outline.lines[row.first : row.last]
    if len(lines) < 2 or len(lines) > _MOST_LINES:
        return False
    cells = {id(cell_of(line.block, row)) for line in lines}
    if len(cells) < 2 or len(lines) > _LINES_PER_CELL * len(cells):
        return False
    chars = sum(len(line.text) for line in lines)
    linked = sum(line.link_chars for line in lines)
    return max(len(line.text) for line in lines) <= _LONGEST_CELL and linked <= _MOST_LINKS * chars
