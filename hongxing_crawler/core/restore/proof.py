"""Prove a repair: damage the repaired text again and compare with what was received."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise, product
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.gbk import decode_lossy, encode_lossy
from hongxing_crawler.core.restore.model import (
    NOISE_MARKS,
    Kit,
    drop_noise,
    gloss_pairs,
    insert_damage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hongxing_crawler.core.restore.damage import Damage

    Learnt = Iterable[tuple[str, str]]

_MAX_CONFLICTS: Final = 4
_FULL_WIDTH: Final = dict(zip(map(ord, ",:;!?()%"), "，：；！？（）％", strict=False))
_ASCII_MARK_RE: Final = re.compile(r"(?<![\x20-\x7e])[,:;!?()]|[,:;!?()](?![\x20-\x7e])")
_MARK_PAIRS: Final = Kit(marks=NOISE_MARKS).mark_pairs()


def prove_line(line: str, true: str, damage: Damage, learnt: Learnt = ()) -> bool:
    """Whether the kit makes ``line`` of ``true``; ``learnt`` holds glosses of its runs."""
    return _reproduces(line, true, damage, learnt)


def prove_run(received: str, before: str, true: str, damage: Damage, learnt: Learnt = ()) -> bool:
    """Whether the kit makes ``received`` of ``true``, which starts with the character ``before``.

    Glosses that only this run shows are granted: the table is learnt from here, too.
    """
    gloss = damage.glosses.get(before)
    shown = before if gloss is None else f"{before}({gloss})"
    return _reproduces(shown + received, true, damage, learnt)


def _reproduces(line: str, true: str, damage: Damage, learnt: Learnt) -> bool:
    wanted = _comparable(line, is_folded=damage.is_folded)
    new = gloss_pairs(dict(learnt))
    glosses = {**damage.pairs, **new} if new else damage.pairs
    for text in _unfolded(true, is_folded=damage.is_folded):
        data = encode_lossy(text.replace("\ufffd", "0"))
        for marks in (frozenset[int](), _MARK_PAIRS):
            for skipped in _skips(data, glosses, marks):
                shown = decode_lossy(insert_damage(data, glosses, marks, _one, skipped))
                if _comparable(shown, is_folded=damage.is_folded) == wanted:
                    return True
    return False


def _one() -> bytes:
    return b"\x05"


def _comparable(text: str, *, is_folded: bool) -> str:
    text = drop_noise(text).replace("\ufffd", "?")
    return unicodedata.normalize("NFKC", text) if is_folded else text


def _unfolded(text: str, *, is_folded: bool) -> Iterator[str]:
    """The text as it was before folding: ASCII marks beside Chinese characters were wide."""
    if not is_folded:
        yield text
        return
    yield _ASCII_MARK_RE.sub(lambda match: match[0].translate(_FULL_WIDTH), text)
    yield text


def _skips(
    data: bytes, pairs: Mapping[int, bytes], marks: frozenset[int]
) -> Iterator[frozenset[int]]:
    """Sets of places that an overlapping insertion may have come before.

    Tools replace one character of the table after the other, so of two places that share a byte
    the order of the table decides. Every order is tried, up to a bound.
    """
    yield frozenset()
    hits = [
        at
        for at in range(len(data) - 1)
        if (pair := data[at] << 8 | data[at + 1]) in pairs or pair in marks
    ]
    shared = [(a, b) for a, b in pairwise(hits) if b == a + 1]
    if not shared or len(shared) > _MAX_CONFLICTS:
        return
    for choice in product(*((-1, a, b) for a, b in shared)):
        yield frozenset(choice)
