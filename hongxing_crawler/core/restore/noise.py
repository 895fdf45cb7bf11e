"""Learn where one mirror puts noise."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from math import log
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.gbk import chars_by_pair, pair_of
from hongxing_crawler.core.restore.model import NOISE_MARKS

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOISE: Final = "[\x05-\x08]"
_FOLDED: Final = dict(zip(",;:?!", "，；：？！", strict=True))
_SHOWN_MARKS: Final = NOISE_MARKS + "".join(_FOLDED)
_SHOWN_RE: Final = re.compile(f"{_NOISE}([{_SHOWN_MARKS}])")
_CUT_RE: Final = re.compile(f"({_NOISE}?)[?\ufffd]{_NOISE}{{0,4}}([{_SHOWN_MARKS}])")
_BARE_RE: Final = re.compile(f"(?<=[\u4e00-\u9fff”》）])[{_SHOWN_MARKS}]")
_PAIRS: Final = {pair_of(mark): mark for mark in NOISE_MARKS}
_NONE: Final = frozenset[int]()
_ALL: Final = frozenset(_PAIRS)
_SURE_COUNT: Final = 3
_STRAY_SHARE: Final = 0.1  # a text was injected in one of the lines
# Natural logarithms.
_NEVER: Final = -25.0
_SELDOM: Final = -6.0
_SHARE_OF_MARKS: Final = 0.4  # of the characters that noise cuts: 。 mostly
_FIRST: Final = 0.6  # probability that the cut mark's own noise came first, nothing known
_FIRST_LIKE_OTHERS: Final = 0.85


@dataclass(frozen=True, slots=True)
class Noise:
    """Where a mirror puts noise, as far as its page tells.

    ``mark_pairs`` are the sets of marks (pairs of bytes) that may have noise before them, the
    likeliest first. ``bare_cuts`` weighs, for each mark, that a mark which it cuts has no noise
    of its own. ``always_before`` are the marks that nowhere in the kit's text stand without noise.
    """

    mark_pairs: tuple[frozenset[int], ...] = (_NONE, _ALL)
    bare_cuts: Mapping[str, float] = field(default_factory=dict)
    always_before: frozenset[str] = frozenset()
    is_seen: bool = False  # on the page, or by what it cut

    @property
    def likeliest(self) -> frozenset[str]:
        """Marks that have noise before them, by all that the page shows; none on a quiet page."""
        pairs = self.mark_pairs[0] if self.is_seen else _NONE
        return frozenset(mark for mark in NOISE_MARKS if pair_of(mark) in pairs)


def learn_noise(page: str, glossed: frozenset[str]) -> Noise:
    """Learn which marks have noise, and in which order the kit put it there.

    Live pages show the noise. Captures drop it; what is left are characters that it cut (``?，``)
    and characters that hold a mark's two bytes between them and are whole. Of two marks that
    share a byte (。 and ？ in 。考) the first that was replaced keeps the other from matching
    unless noise before it leaves the other whole: the page tells which.

    Args:
        page: Received text of the page.
        glossed: Characters that the kit glosses.

    Returns:
        What is known of the noise.
    """
    shown = Counter(_wide(match[1]) for match in _SHOWN_RE.finditer(page))
    cut = Counter((bool(match[1]), _wide(match[2])) for match in _CUT_RE.finditer(page))
    whole = _count_whole(page, glossed)
    return Noise(
        _mark_sets(page, shown, cut, whole),
        _weigh_bare_cuts(bool(shown), cut, whole),
        _always_before(page) if shown else frozenset(),
        bool(shown) or sum(cut.values()) >= _SURE_COUNT,
    )


def _always_before(page: str) -> frozenset[str]:
    lines = "\n".join(line for line in page.split("\n") if _SHOWN_RE.search(line))
    shown = Counter(match[1] for match in _SHOWN_RE.finditer(lines))
    bare = Counter(match[0] for match in _BARE_RE.finditer(lines))
    return frozenset(
        mark
        for mark, count in shown.items()
        if count >= _SURE_COUNT and bare[mark] <= _STRAY_SHARE * count
    )


def _wide(mark: str) -> str:
    return _FOLDED.get(mark, mark)


def _mark_sets(
    page: str,
    shown: Counter[str],
    cut: Counter[tuple[bool, str]],
    whole: Counter[tuple[bool, str]],
) -> tuple[frozenset[int], ...]:
    if shown:
        bare = Counter(_wide(match[0]) for match in _BARE_RE.finditer(page))
        has = (pair for pair, mark in _PAIRS.items() if shown[mark] or not bare[mark])
        return (frozenset(has),)
    spared = {
        pair
        for pair, mark in _PAIRS.items()
        if whole[False, mark] > cut[False, mark] + cut[True, mark]
    }
    return tuple(dict.fromkeys((_ALL - spared, _NONE, _ALL)))


def _weigh_bare_cuts(
    is_live: bool,  # noqa: FBT001 - private
    cut: Counter[tuple[bool, str]],
    whole: Counter[tuple[bool, str]],
) -> dict[str, float]:
    if any(whole[True, mark] for mark in NOISE_MARKS):
        return dict.fromkeys(NOISE_MARKS, _NEVER)  # one pass over the text cuts no mark
    if not is_live:
        return {}
    first = _FIRST_LIKE_OTHERS if any(cut[True, mark] for mark in NOISE_MARKS) else _FIRST
    weights = {}
    for mark in NOISE_MARKS:
        unseen = first * (1 - _SHARE_OF_MARKS) ** cut[False, mark]
        weights[mark] = _SELDOM if cut[True, mark] else log((1 - first) / (1 - first + unseen))
    return weights


def _count_whole(page: str, glossed: frozenset[str]) -> Counter[tuple[bool, str]]:
    """Marks whose code lies between the bytes of two characters that came through whole.

    Counted by whether the first of the two is a mark itself.
    """
    found: Counter[tuple[bool, str]] = Counter()
    for match in _across_re().finditer(page):
        one, other = match[1], match[2]
        mark = _PAIRS.get((pair_of(one) & 0xFF) << 8 | pair_of(other) >> 8)
        if mark and one not in glossed and other not in glossed and other not in NOISE_MARKS:
            found[one in NOISE_MARKS, mark] += 1
    return found


@cache
def _across_re() -> re.Pattern[str]:
    trails = {pair >> 8 for pair in _PAIRS}
    leads = {pair & 0xFF for pair in _PAIRS}
    chars = chars_by_pair()
    ends = "".join(char for pair, char in chars.items() if pair & 0xFF in trails)
    begins = "".join(char for pair, char in chars.items() if pair >> 8 in leads)
    return re.compile(f"([{re.escape(ends)}])(?=([{re.escape(begins)}]))")
