"""Show a repair side by side, with the bytes of each damage."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from hongxing_crawler.core.restore.gbk import encode_lossy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.core.document import DamagedPlace
    from hongxing_crawler.core.edits import Edit
    from hongxing_crawler.core.restore.damage import Restored

_CONTROL_PICTURES = {code: 0x2400 + code for code in range(9)}
_NARROW = 60
_MEANING = {
    "clean": "no damage found, nothing changed",
    "proved": "damaging the repaired text again gives the received text",
    "guessed": "the likeliest reading; others fit, or the proof failed",
    "lossy": "bytes are gone: U+FFFD marks them",
}


def explain(text: str, restored: Restored, width: int = 100) -> str:
    """Render received and repaired lines, each damaged place with its bytes, and the verdict.

    Lines that did not change are left out. Control characters are shown as pictures (␇).

    >>> from hongxing_crawler.core.restore import restore
    >>> print(explain("真的?", restore("真的?")))
    verdict: clean (no damage found, nothing changed)

    Args:
        text: Received text.
        restored: What ``restore`` made of it.
        width: Columns to fill. Chinese characters take two. Below 60 the received piece of a line
            stands above the repaired one, else beside it.

    Returns:
        Lines of text without a newline at the end.
    """
    lines = [f"verdict: {restored.verdict} ({_MEANING[restored.verdict]})"]
    if restored.table:
        shown = " ".join(f"{row.char}({row.reading})×{row.count}" for row in restored.table)
        lines.append(f"glosses: {len(restored.table)} characters: {shown}")
    if restored.noise_count:
        lines.append(f"noise: {restored.noise_count} runs of control characters")
    lines += _changed_lines(text, restored, width)
    for place in restored.places:
        lines += _describe_place(place)
    return "\n".join(lines)


def _changed_lines(text: str, restored: Restored, width: int) -> Iterator[str]:
    edits = list(restored.edits)
    start = taken = 0
    for number, line in enumerate(text.split("\n"), 1):
        end = start + len(line)
        first = taken
        while taken < len(edits) and edits[taken].start <= end:
            taken += 1
        if taken > first:
            yield f"line {number}"
            pairs = list(_aligned(text, start, end, edits[first:taken]))
            yield from _beside(pairs, width) if width >= _NARROW else _above(pairs)
        start = end + 1


def _aligned(text: str, start: int, end: int, edits: list[Edit]) -> Iterator[tuple[str, str]]:
    """The received line in small pieces, each with what it became."""
    for edit in edits:
        yield from zip(text[start : edit.start], text[start : edit.start], strict=True)
        yield edit.removed.translate(_CONTROL_PICTURES), edit.inserted
        start = edit.end
    yield from zip(text[start:end], text[start:end], strict=True)


def _above(pairs: list[tuple[str, str]]) -> Iterator[str]:
    yield f"  received | {''.join(left for left, _ in pairs)}"
    yield f"  repaired | {''.join(right for _, right in pairs)}"


def _beside(pairs: list[tuple[str, str]], width: int) -> Iterator[str]:
    """Two columns; both break where one is full, at the same piece of text."""
    column = (width - 5) // 2
    left = right = ""
    for one, other in pairs:
        if left and max(_columns(left + one), _columns(right + other)) > column:
            yield f"  {left}{' ' * (column - _columns(left))} | {right}"
            left = right = ""
        left, right = left + one, right + other
    yield f"  {left}{' ' * (column - _columns(left))} | {right}"


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _describe_place(place: DamagedPlace) -> Iterator[str]:
    yield f"{place.verdict} at {place.start}..{place.end}"
    yield f"  received | {place.received.translate(_CONTROL_PICTURES)} = {_hex(place.received)}"
    yield f"  repaired | {place.repaired} = {_hex(place.repaired)}"
    if place.alternatives:
        yield f"  or       | {' / '.join(place.alternatives)}"


def _hex(text: str) -> str:
    """Bytes in GBK, one group a character: ``A1A3 BFBC``."""
    return " ".join(encode_lossy(char).hex().upper() for char in text)
