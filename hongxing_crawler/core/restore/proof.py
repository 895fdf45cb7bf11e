"""Prove a repair: damage the repaired text again and compare with what was received.

The kit replaces one character of its tables after the other, in an order that a page does not
tell. Where two matches share a byte, either may have come first and kept the other from matching.
The proof allows just this freedom: a match is left out only where one that shares a byte with it
was made.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise, product
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.gbk import LossyReader, encode_lossy
from hongxing_crawler.core.restore.model import drop_noise, gloss_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hongxing_crawler.core.restore.damage import Damage

    Learnt = Iterable[tuple[str, str]]

_MAX_STATES: Final = 64  # ways to explain the text so far; one or two are usual
_MAX_JOINED: Final = 8  # matches in a row that share bytes
_FULL_WIDTH: Final = dict(zip(map(ord, ",:;!?()%"), "，：；！？（）％", strict=False))
_ASCII_MARK_RE: Final = re.compile(r"(?<![\x20-\x7e])[,:;!?()]|[,:;!?()](?![\x20-\x7e])")
_BLANKS_RE: Final = re.compile(r"[ \t\u3000\xa0]+\)")
_NOISE: Final = b"\x05"


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
    return any(
        _leads_to(wanted, _damaged(data, glosses, marks), is_folded=damage.is_folded)
        for data in _data(true, is_folded=damage.is_folded)
        for marks in damage.noise.mark_pairs
    )


def _comparable(text: str, *, is_folded: bool) -> str:
    text = drop_noise(text).replace("\ufffd", "?")
    text = _BLANKS_RE.sub(")", text)
    return unicodedata.normalize("NFKC", text) if is_folded else text


def _data(true: str, *, is_folded: bool) -> Iterator[bytes]:
    """The bytes before damage. Folded ASCII marks beside Chinese characters were wide."""
    true = true.replace("\ufffd", "0")
    if is_folded:
        wide = _ASCII_MARK_RE.sub(lambda match: match[0].translate(_FULL_WIDTH), true)
        yield encode_lossy(wide)
    yield encode_lossy(true)


def _leads_to(wanted: str, pieces: Iterable[tuple[bytes, ...]], *, is_folded: bool) -> bool:
    """Whether some choice of the pieces is shown as ``wanted``."""
    reader = LossyReader.for_text(wanted)
    states = {(0, 0)}  # characters explained, first byte of a pair that was read or 0
    for choices in pieces:
        after = set()
        for at, lead in states:
            for piece in choices:
                text, rest = reader.read(lead, piece)
                shown = _comparable(text, is_folded=is_folded)
                if wanted.startswith(shown, at):
                    after.add((at + len(shown), rest))
        states = set(sorted(after)[-_MAX_STATES:])
    ends = {at + bool(lead) for at, lead in states if not lead or wanted.startswith("?", at)}
    return len(wanted) in ends


def _damaged(
    data: bytes, glosses: Mapping[int, bytes], marks: frozenset[int]
) -> Iterator[tuple[bytes, ...]]:
    """Pieces of the damaged bytes in order, each with the forms that it may have."""
    plain: list[bytes] = []
    done = 0
    for first, last in _runs(_find_matches(data, glosses, marks)):
        plain.append(data[done:first])
        done = last + 2
        forms = _forms(data[first:done], glosses, marks)
        if len(forms) == 1:
            plain += forms
        else:
            yield (b"".join(plain),)
            yield forms
            plain = []
    yield (b"".join((*plain, data[done:])),)


def _find_matches(data: bytes, glosses: Mapping[int, bytes], marks: frozenset[int]) -> list[int]:
    pairs = (lead << 8 | trail for lead, trail in pairwise(data))
    return [at for at, pair in enumerate(pairs) if pair in glosses or pair in marks]


def _runs(matches: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of matches that share bytes, each with the next."""
    for number, at in enumerate(matches):
        if not number or at > matches[number - 1] + 1:
            first = at
        if number + 1 == len(matches) or matches[number + 1] > at + 1:
            yield first, at


def _forms(data: bytes, glosses: Mapping[int, bytes], marks: frozenset[int]) -> tuple[bytes, ...]:
    """Damage bytes of which each pair matches, in every order of the tables."""
    count = len(data) - 1
    if count == 1:
        return (_insert(data, (True,), glosses, marks),)
    free = min(count, _MAX_JOINED)
    choices = product((True, False), repeat=free)
    made = (choice + (True,) * (count - free) for choice in choices)
    return tuple({_insert(data, each, glosses, marks) for each in made if _may_be(each)})


def _may_be(made: tuple[bool, ...]) -> bool:
    """Whether each match that was left out shares a byte with one that was made."""
    return all(any(made[max(0, at - 1) : at + 2]) for at in range(len(made)))


def _insert(
    data: bytes, made: tuple[bool, ...], glosses: Mapping[int, bytes], marks: frozenset[int]
) -> bytes:
    before = [b""] * (len(data) + 2)
    after = [b""] * (len(data) + 2)
    for at, is_made in enumerate(made):
        pair = data[at] << 8 | data[at + 1]
        if is_made and pair in marks:
            before[at] = _NOISE
        if is_made and pair in glosses:
            after[at + 2] = glosses[pair]
    parts = [after[at] + before[at] + data[at : at + 1] for at in range(len(data) + 1)]
    return b"".join(parts)
