"""Show a repair side by side, with the bytes of each damage."""

from __future__ import annotations

import re
from itertools import islice, product
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from hongxing_crawler.core.restore.gbk import decode_lossy, encode_lossy
from hongxing_crawler.core.restore.guesses import TAIL_RE
from hongxing_crawler.core.restore.model import NOISE_MARKS, Kit, fold, gloss_pairs, insert_damage
from hongxing_crawler.core.restore.tables import chars_by_reading, kit_forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.core.document import DamagedPlace
    from hongxing_crawler.core.edits import Edit
    from hongxing_crawler.core.restore.restored import Restored

_CONTROL_PICTURES = {code: 0x2400 + code for code in range(9)} | dict.fromkeys(
    range(0x80, 0xA0), "\u25af"
)
_MOST_FORMS = 32  # scripts that are tried to find how a place was made
_INSERTED_RE = re.compile(b"(\x05|\x01[^\x02]*\x02)")
_NARROW = 60
_LONGEST_SHOWN = 80
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
        lines += _describe_place(text, place, restored)
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


def _describe_place(text: str, place: DamagedPlace, restored: Restored) -> Iterator[str]:
    line = restored.text.count("\n", 0, place.start) + 1
    yield f"{place.verdict} at {place.start}..{place.end}, line {line}"
    if len(place.received) > _LONGEST_SHOWN:
        yield "  the whole line"
        return
    yield f"  received | {place.received.translate(_CONTROL_PICTURES)} = {_hex(place.received)}"
    yield f"  repaired | {place.repaired} = {_hex(place.repaired)}"
    made = _made(text, place, restored) if restored.table else ""
    if made:
        yield f"  made as  | {made}"
    if place.alternatives:
        yield f"  or       | {' / '.join(place.alternatives)}"


def _hex(text: str) -> str:
    """Bytes in GBK, one group a character: ``A1A3 BFBC``; ``-`` for what GBK has not."""
    return " ".join(char.encode("gbk", "ignore").hex().upper() or "-" for char in text)


def _made(text: str, place: DamagedPlace, restored: Restored) -> str:
    """Bytes of the Traditional text with what the kit put between them; empty if unknown.

    The character in front of the place is shown, too: its second byte may be part of a match.
    """
    before = restored.text[max(0, place.start - 1) : place.start]
    for form in _forms(before + place.repaired, text):
        data = encode_lossy(form)
        readings = {row.char: row.reading for row in restored.table}
        pairs = gloss_pairs(readings | _learnt(place.received, data))
        glosses = {pair: b"\x01" + gloss + b"\x02" for pair, gloss in pairs.items()}
        for marks in (Kit(marks=NOISE_MARKS).mark_pairs(), frozenset[int]()):
            damaged = insert_damage(data, glosses, marks, lambda: b"\x05")
            shown = decode_lossy(damaged.translate(None, b"\x01\x02"))
            if _plain(shown).endswith(_plain(place.received)):
                return " ".join(map(_show_piece, _INSERTED_RE.split(damaged))).strip()
    return ""


def _forms(repaired: str, text: str) -> Iterator[str]:
    """The repaired text in the kit's script: forms that the page holds more often come first."""
    choices = [
        sorted(kit_forms(char), key=lambda form: -text.count(form))[:2]
        if "\u4e00" <= char <= "\u9fff"
        else [char]
        for char in repaired
    ]
    return map("".join, islice(product(*choices), _MOST_FORMS))


def _learnt(received: str, data: bytes) -> dict[str, str]:
    """Glosses that only this place shows: their characters are in its bytes."""
    return {
        char: found[1]
        for found in TAIL_RE.finditer(received)
        for char in chars_by_reading().get(found[1], "")
        if encode_lossy(char) in data
    }


def _plain(text: str) -> str:
    return "".join(fold(text).split())


def _show_piece(piece: bytes) -> str:
    if piece == b"\x05":
        return "[noise]"
    is_gloss = piece.startswith(b"\x01")
    return f"[{piece[1:-1].decode('gbk')}]" if is_gloss else piece.hex(" ").upper()
