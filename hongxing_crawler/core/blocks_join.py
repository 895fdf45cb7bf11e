"""The text nodes of one line joined as a browser shows them."""

from __future__ import annotations

from itertools import accumulate

from hongxing_crawler.core.spaces import tidy

_SPACES = " \t\n\r\f\xa0"


def is_tidy(text: str) -> bool:
    """Say whether a line needs no change at all: no odd space, none doubled or at an end."""
    return text.isprintable() and "  " not in text and text[:1] != " " != text[-1:]


def join_parts(parts: list[str]) -> tuple[str, list[int]]:
    """Join text nodes as a browser shows them, and say where each begins in the result."""
    text = "".join(parts)
    if not text.isprintable():
        parts = [
            part if part.isprintable() else tidy(part, edges=False) if part.strip(_SPACES) else " "
            for part in parts
        ]
        text = "".join(parts)
    if "  " not in text and text[:1] != " ":
        return text, [0, *accumulate(map(len, parts))]
    starts: list[int] = []
    joined: list[str] = []
    size = 0
    for part in parts:
        piece = tidy(part, edges=False) if "  " in part else part
        if piece[:1] == " " and (not joined or joined[-1][-1:] == " "):
            piece = piece[1:]
        starts.append(size)
        if piece:
            joined.append(piece)
            size += len(piece)
    starts.append(size)
    return "".join(joined), starts
