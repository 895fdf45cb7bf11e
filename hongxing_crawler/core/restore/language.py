"""How likely characters follow each other: evidence for choosing between hypotheses.

Counts come from the words of opencc and pypinyin (see ``bench/restore_tables.py``) and from
the page itself. They choose; they never prove.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.tables import pair_rows, to_simplified

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVEL_COUNTS: Final = (1.0, 2.5, 5.0, 11.0, 22.0, 45.0)
_MARKS: Final = {
    "，": 0.05, "。": 0.028, "、": 0.015, "“": 0.006, "”": 0.006, "：": 0.004, "；": 0.002,
    "？": 0.0008, "！": 0.0008, "《": 0.002, "》": 0.002, "（": 0.002, "）": 0.002,
    "…": 0.0005, "—": 0.0006, "％": 0.0003, "·": 0.0005, "　": 0.0002, "【": 0.0002, "】": 0.0002,
}  # fmt: skip
_ALIASES: Final = {",": "，", ":": "：", ";": "；", "!": "！", "(": "（", ")": "）"}
_ASCII: Final = 0.0008
_OTHER_MARK: Final = 1e-6
_RARE_HAN: Final = 4e-8
_PAGE_WEIGHT: Final = 3.0
_PAGE_SHARE: Final = 0.3
_BACKOFF: Final = 4.0


@cache
def _pairs() -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Share of each character in text, and counts of the characters after it in words."""
    counts = {row[0]: float(row[1]) for row in pair_rows()}
    total = sum(counts.values()) / 0.86
    after = {
        row[0]: {
            char: count
            for chars, count in zip(row[2:], _LEVEL_COUNTS, strict=False)
            for char in chars
        }
        for row in pair_rows()
    }
    return {char: count / total for char, count in counts.items()}, after


def _share(char: str) -> float:
    shares, _ = _pairs()
    if char in shares:
        return max(shares[char], 2e-7)
    if char in _MARKS:
        return _MARKS[char]
    if char <= "\x7f":
        return _ASCII
    return _RARE_HAN if "\u4e00" <= char <= "\u9fff" else _OTHER_MARK


class PairModel:
    """Log-probability of a character after another, with the page's own pairs counted in.

    Attributes are private: the page's counts only ever come from ``page_text``.
    """

    def __init__(self, page_text: str = "") -> None:
        simple = page_text.translate(_simplify_map())
        self._page_pairs = Counter(map(_join, simple, simple[1:]))
        self._page_types = Counter(pair[0] for pair in self._page_pairs)
        self._page_chars = Counter(simple)
        self._page_size = max(1, len(simple))
        self._cache: dict[tuple[str, str], float] = {}

    def score(self, before: str, char: str) -> float:
        """Natural logarithm of P(char | before); Traditional forms count as Simplified."""
        key = (before, char)
        if (found := self._cache.get(key)) is None:
            if len(self._cache) > 200_000:
                self._cache.clear()
            found = self._cache[key] = self._compute(before, char)
        return found

    def _compute(self, before: str, char: str) -> float:
        a, b = _normal(before), _normal(char)
        _, after = _pairs()
        words = after.get(a, {})
        seen = words.get(b, 0.0) + _PAGE_WEIGHT * self._page_pairs[a + b]
        weight = sum(words.values()) + _PAGE_WEIGHT * self._page_chars[a]
        backoff = _BACKOFF + len(words) + _PAGE_WEIGHT * self._page_types[a]
        return math.log((seen + backoff * self._share(b)) / (weight + backoff))

    def _share(self, char: str) -> float:
        on_page = self._page_chars[char] / self._page_size
        return (1 - _PAGE_SHARE) * _share(char) + _PAGE_SHARE * on_page


def _join(first: str, second: str) -> str:
    return first + second


def _normal(char: str) -> str:
    char = _ALIASES.get(char, char)
    return to_simplified().get(char, char)


@cache
def _simplify_map() -> Mapping[int, str]:
    table = {ord(form): simple for form, simple in to_simplified().items()}
    return table | {ord(mark): full for mark, full in _ALIASES.items()}
