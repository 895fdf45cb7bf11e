"""What a mirror-station kit does to a text, step by step: the model that proofs are made with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.gbk import decode_lossy, encode_lossy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

NOISE_MARKS: Final = "，。、？！；："
NOISE_CHARS: Final = "\x05\x06\x07\x08"
_DROP_NOISE: Final = dict.fromkeys(map(ord, NOISE_CHARS))


@dataclass(frozen=True, slots=True)
class Kit:
    """One mirror: its glosses, the marks it puts noise before, its script table.

    ``glosses`` maps a character to what stands in the parentheses (``luò ``, with the space
    that some tables have).
    """

    glosses: Mapping[str, str] = field(default_factory=dict)
    marks: str = ""
    script: Mapping[int, str] = field(default_factory=dict)

    def mark_pairs(self) -> frozenset[int]:
        """Pairs of bytes that get noise before them."""
        return frozenset(int.from_bytes(encode_lossy(mark), "big") for mark in self.marks)


def gloss_pairs(glosses: Mapping[str, str]) -> dict[int, bytes]:
    """Pairs of bytes to the bytes inserted after them."""
    return {
        int.from_bytes(encode_lossy(char), "big"): b"(" + encode_lossy(reading) + b")"
        for char, reading in glosses.items()
        if len(encode_lossy(char)) == 2
    }


def insert_damage(
    data: bytes,
    glosses: Mapping[int, bytes],
    marks: Collection[int],
    noise: Callable[[], bytes],
) -> bytes:
    """Insert glosses and noise at every byte, aligned or not."""
    events: list[tuple[int, bytes]] = []
    for at, pair in enumerate(map(_pair, data, data[1:])):
        if pair in marks:
            events.append((at, noise()))
        if pair in glosses:
            events.append((at + 2, glosses[pair]))
    parts: list[bytes] = []
    done = 0
    for boundary, inserted in sorted(events, key=_boundary):
        parts += (data[done:boundary], inserted)
        done = boundary
    return b"".join((*parts, data[done:]))


def _boundary(event: tuple[int, bytes]) -> int:
    return event[0]


def _pair(lead: int, trail: int) -> int:
    return lead << 8 | trail


def corrupt(text: str, kit: Kit, noise: Callable[[], str] = lambda: "\x05") -> str:
    """Damage a Simplified text as the kit does, short of folding.

    >>> corrupt("涉恶问题", Kit({"簡": "jiǎn"}, "", str.maketrans("恶问题", "惡問題")))
    '涉惡?jiǎn)栴}'

    Args:
        text: Simplified text; characters outside GBK are lost.
        kit: Tables of the mirror.
        noise: Gives the 1 to 5 control characters of one place.

    Returns:
        What a browser shows: the damaged bytes, read by a decoder that loses invalid pairs.

    Source:
        Observed on the 红星网 copy of 2020 and on 0287327.com of 2022.
    """
    data = encode_lossy(text.translate(dict(kit.script)))
    damaged = insert_damage(
        data, gloss_pairs(kit.glosses), kit.mark_pairs(), lambda: encode_lossy(noise())
    )
    return decode_lossy(damaged)


def fold(text: str) -> str:
    r"""Fold full-width marks as text captures do, and drop the noise characters.

    >>> fold("会议召开\x05，")
    '会议召开,'
    """
    return unicodedata.normalize("NFKC", drop_noise(text))


def drop_noise(text: str) -> str:
    """Drop U+0005 to U+0008, as text captures do."""
    return text.translate(_DROP_NOISE)
