"""Show a repair side by side, with the bytes of each damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.core.restore.gbk import encode_lossy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.core.document import DamagedPlace
    from hongxing_crawler.core.restore.damage import Restored

_CONTROL_PICTURES = {code: 0x2400 + code for code in range(9)}
_MEANING = {
    "clean": "no damage found, nothing changed",
    "proved": "damaging the repaired text again gives the received text",
    "guessed": "the likeliest reading; others fit, or the proof failed",
    "lossy": "bytes are gone: U+FFFD marks them",
}


def explain(text: str, restored: Restored) -> str:
    """Render received and repaired lines, each damaged place with its bytes, and the verdict.

    Lines that did not change are left out. Control characters are shown as pictures (␇).

    >>> from hongxing_crawler.core.restore import restore
    >>> print(explain("真的?", restore("真的?")))
    verdict: clean (no damage found, nothing changed)

    Args:
        text: Received text.
        restored: What ``restore`` made of it.

    Returns:
        Lines of text without a newline at the end.
    """
    lines = [f"verdict: {restored.verdict} ({_MEANING[restored.verdict]})"]
    if restored.table:
        shown = " ".join(f"{row.char}({row.reading})×{row.count}" for row in restored.table)
        lines.append(f"glosses: {len(restored.table)} characters: {shown}")
    if restored.noise_count:
        lines.append(f"noise: {restored.noise_count} runs of control characters")
    lines += _changed_lines(text, restored.text)
    for place in restored.places:
        lines += _describe_place(place)
    return "\n".join(lines)


def _changed_lines(received: str, repaired: str) -> Iterator[str]:
    pairs = zip(received.split("\n"), repaired.split("\n"), strict=False)
    for number, (before, after) in enumerate(pairs, 1):
        if before != after:
            yield f"line {number}"
            yield f"  received | {before.translate(_CONTROL_PICTURES)}"
            yield f"  repaired | {after}"


def _describe_place(place: DamagedPlace) -> Iterator[str]:
    yield f"{place.verdict} at {place.start}..{place.end}"
    yield f"  received | {place.received.translate(_CONTROL_PICTURES)} = {_hex(place.received)}"
    yield f"  repaired | {place.repaired} = {_hex(place.repaired)}"
    if place.alternatives:
        yield f"  or       | {' / '.join(place.alternatives)}"


def _hex(text: str) -> str:
    """Bytes in GBK, one group a character: ``A1A3 BFBC``."""
    return " ".join(encode_lossy(char).hex().upper() for char in text)
