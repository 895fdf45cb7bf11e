"""Body text from chosen lines: paragraphs, table rows, pictures, a clean piece of HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Line, Outline


@dataclass(slots=True)
class Paragraph:
    """One paragraph of the body: a line, or the cells of a table row."""

    text: str
    lines: list[Line]
    row: Block | None = None


def _cell_and_row(block: Block, box: Block) -> tuple[Block | None, Block | None]:
    cell: Block | None = None
    current: Block | None = block
    while current is not None and current is not box:
        if cell is None and current.tag in {"td", "th"}:
            cell = current
        elif cell is not None and current.tag == "tr":
            return cell, current
        current = current.parent
    return cell, None


def paragraphs_of(outline: Outline, box: Block, kept: list[int]) -> list[Paragraph]:
    """Join the lines of each table row; every other line is a paragraph."""
    made: list[Paragraph] = []
    last_cell: Block | None = None
    for number in kept:
        line = outline.lines[number]
        cell, row = _cell_and_row(line.block, box)
        if row is not None and _is_data_row(row, outline):
            previous = made[-1] if made else None
            if previous is not None and previous.row is row:
                previous.text += (" " if cell is last_cell else "\t") + line.text
                previous.lines.append(line)
            else:
                made.append(Paragraph(line.text, [line], row))
        else:
            made.append(Paragraph(line.text, [line]))
        last_cell = cell
    return made


def _is_data_row(row: Block, outline: Outline) -> bool:
    """Tell a row of a data table from the frame of a layout table."""
    lines = outline.lines[row.first : row.last]
    if not lines or len(lines) > 60:
        return False
    longest = max(len(line.text) for line in lines)
    cells = {id(_cell_and_row(line.block, row)[0] or line.block) for line in lines}
    return len(cells) >= 2 and longest <= 200 and len(lines) <= 3 * len(cells)
