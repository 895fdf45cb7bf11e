"""The clean body's HTML: what the page gave, less what cleaning took away."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE_RE = re.compile(r"<p>.*?</p>|<tr>.*?</tr>|</?table>", re.DOTALL)
_TAG_RE = re.compile(r"<[^<>]*>")
_CELL_RE = re.compile(r"</td><td>")


def clean_html(received: str, body: str, mend: Callable[[str], str]) -> str:
    """Bring the HTML of a body in line with the cleaned text.

    Paragraphs that are not in the text any more go; one that lost a part is written anew
    without its inner markup. Pictures stay.

    Args:
        received: HTML as ``text_html`` wrote it.
        body: The cleaned text, paragraphs separated by blank lines.
        mend: Restores and cleans the text of one paragraph.

    Returns:
        HTML of the same kind.
    """
    kept = set(body.split("\n\n"))
    pieces = (_clean_piece(piece, kept, mend) for piece in _PIECE_RE.findall(received))
    return "".join(pieces).replace("<table></table>", "")


def _clean_piece(piece: str, kept: set[str], mend: Callable[[str], str]) -> str:
    if "<img " in piece or piece in {"<table>", "</table>"}:
        return piece
    text = unescape(_TAG_RE.sub("", _CELL_RE.sub("\t", piece)))
    if text in kept:
        return piece
    mended = mend(text)
    if mended not in kept:
        return ""
    tag = "tr" if piece.startswith("<tr>") else "p"
    inner = escape(mended, quote=False)
    if tag == "tr":
        inner = "".join(f"<td>{cell}</td>" for cell in inner.split("\t"))
    return f"<{tag}>{inner}</{tag}>"
