"""Body text from chosen lines: paragraphs, table rows, pictures, a clean piece of HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.core.text_tables import cell_of, is_data_row, row_of

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Line, Outline


@dataclass(slots=True)
class Paragraph:
    """One paragraph of the body: a line, or the cells of a table row."""

    text: str
    lines: list[Line]
    row: Block | None = None


def paragraphs_of(outline: Outline, box: Block, kept: list[int]) -> list[Paragraph]:
    """Join the lines of each table row; every other line is a paragraph."""
    made: list[Paragraph] = []
    last_cell: Block | None = None
    for number in kept:
        line = outline.lines[number]
        cell, row = cell_of(line.block, box), row_of(line.block, box)
        if row is not None and is_data_row(row, outline):
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
