"""Lines beside the article box that belong to the article: paragraphs, tables, files."""

from __future__ import annotations

import re
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from hongxing_crawler.core.boxes_names import name_of
from hongxing_crawler.core.text_furniture import (
    is_attachment_line,
    is_closing_mark,
    is_meta_line,
    is_signature,
)
from hongxing_crawler.core.text_tables import is_data_row, row_of

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Line, Outline
    from hongxing_crawler.core.boxes_survey import Survey

_PROSE = 15.0
_LEAD_PROSE = 25.0
_REACH = 80
_INJECTED = frozenset(("hidden", "wheel", "links"))
_SUMMARY_RE = re.compile(r"^[\s【\[]*(?:摘\s{0,8}要|导读|导语|提要|提示|编者按)")
_SUMMARY_NAME_RE = re.compile(r"summary|abstract|digest|lead|zhaiyao|daodu", re.IGNORECASE)
_NO_LEAD = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "li", "td", "th", "form"))


def find_neighbours(outline: Outline, box: Block, look: Survey, headline: int) -> list[int]:
    """Find the lines of the article beside its box, within the parent of the box.

    Before the box only paragraphs that touch it count, a lead among them, and no summary;
    after it also files, tables and signatures, until a mark that closes articles only. A box
    with the same id is a torn-off part of the article on either side.
    """
    parent = box.parent
    if parent is None or parent.tag in {"body", "html"}:
        return []
    before = _before(outline, box, parent, look, headline)
    return _torn_off(outline, box, parent, look) + before + _after(outline, box, parent, look)


def _before(outline: Outline, box: Block, parent: Block, look: Survey, headline: int) -> list[int]:
    found: list[int] = []
    for number in range(box.first - 1, max(parent.first, headline + 1) - 1, -1):
        line = outline.lines[number]
        if look.aside[number] in _INJECTED:
            continue
        if look.aside[number] or not (_is_paragraph(line, parent) or _is_lead(line, parent)):
            break
        if _SUMMARY_RE.match(line.plain):
            break
        found.insert(0, number)
    return found


def _is_lead(line: Line, parent: Block) -> bool:
    """Say whether a line above the box is a lead: prose alone in a box of its own."""
    block = line.block
    return (
        line.weight > _LEAD_PROSE
        and not line.links
        and block.parent is parent
        and block.last - block.first == 1
        and block.tag not in _NO_LEAD
        and not _SUMMARY_NAME_RE.search(name_of(block.attrs))
        and not is_meta_line(line.plain)
    )


def _torn_off(outline: Outline, box: Block, parent: Block, look: Survey) -> list[int]:
    """Find the parts of an article that its system wrote as several boxes of one id."""
    name = box.attrs.get("id")
    if not name or look.weight(parent) - look.weight(box) < _LEAD_PROSE:
        return []
    inside = takewhile(
        lambda block: block.first < parent.last, islice(outline.blocks, parent.number + 1, None)
    )
    return [
        number
        for block in inside
        if block.parent is parent and block is not box and block.attrs.get("id") == name
        for number in range(block.first, block.last)
        if not look.aside[number]
    ]


def _after(outline: Outline, box: Block, parent: Block, look: Survey) -> list[int]:
    found: list[int] = []
    lines = outline.lines
    closed, unread = False, list[str]()
    for number in range(box.last, min(parent.last, box.last + _REACH)):
        line = lines[number]
        if look.aside[number]:
            continue
        unread.append(line.plain)
        if _is_own_form(outline, line, parent) or (
            not line.links and number + 1 < parent.last and is_signature(lines[number + 1].plain)
        ):
            found.append(number)
        elif not closed and _is_paragraph(line, parent):
            closed = any(map(is_closing_mark, unread))
            unread.clear()
            if not closed:
                found.append(number)
    return found


def _is_paragraph(line: Line, parent: Block) -> bool:
    block = line.block
    return block.tag == "p" and block.parent is parent and line.weight > _PROSE and not line.links


def _is_own_form(outline: Outline, line: Line, parent: Block) -> bool:
    """Say whether a line is an article's by its form: a file, a signature date, a table row."""
    block = line.block
    if block.tag == "p" and block.parent is parent:
        return is_signature(line.plain) or bool(line.links and is_attachment_line(line.plain))
    row = None if line.links else row_of(block, parent)
    return row is not None and is_data_row(row, outline)
