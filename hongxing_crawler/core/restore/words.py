"""How well a stretch of text falls into words: the last say between hypotheses.

Pairs of characters guide the search; here the few readings that are left are weighed as
sentences. Words and their rates come from ``bench/restore_tables.py`` and from the page itself.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.marks import MARK_PAIRS, MARKS, UNUSUAL_PAIR
from hongxing_crawler.core.restore.tables import to_simplified, word_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 4
_LONGEST_ON_PAGE: Final = 6
_PER_MILLION: Final = 1e-6
_UNKNOWN: Final = 2e-8
_ASCII: Final = 1e-3
_OTHER: Final = 1e-6
_WORDS_PER_CHAR: Final = 1.6
_PAGE_SHARE: Final = 0.3
_AGAINST_GRAMMAR: Final = 0.03
_COUNTED: Final = 4.0
_NEVER_LAST: Final = frozenset(
    "是在和与及或并而但把被从向以由将其该每各很最都也就又还再更太已曾某这那哪第使令让对于跟按据虽若且则之仍均约"
)
_NEVER_FIRST: Final = frozenset("的了着们吗呢吧么所之和与及或")
_CLOSING: Final = frozenset("，。！？；：、")
_STARTS: Final = frozenset("，。！？；：“")
_UNITS: Final = frozenset("年月日时点分秒个名人次家位万亿元岁天号级条项种届期章节吨米公平多余")
_BEFORE_WORDS: Final = _STARTS | frozenset("0123456789０１２３４５６７８９")
_NEVER: Final = -1e9
_WIDE: Final = str.maketrans(",:;!?()", "，：；！？（）")


@cache
def _rates() -> dict[str, float]:
    return {
        word: float(level) * _PER_MILLION
        for level, words in word_rows()
        if not level.startswith("^")
        for word in words.split(" ")
    }


@cache
def _starters() -> dict[str, float]:
    return {
        word: float(level[1:])
        for level, words in word_rows()
        if level.startswith("^")
        for word in words.split(" ")
    }


@cache
def _simple() -> Mapping[int, str]:
    return {ord(form): simple for form, simple in to_simplified().items()}


def _is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


class WordModel:
    """Weigh text by its words; ``page_text`` adds those of the page."""

    def __init__(self, page_text: str = "") -> None:
        self._counts: Counter[str] = Counter()
        run: list[str] = []
        size = 0
        for char in (*page_text.translate(_simple()), "\n"):
            if _is_han(char):
                run.append(char)
                size += 1
            elif run:
                self._count("".join(run))
                run.clear()
        self._size = max(200, size)
        self._log_rates: dict[str, float] = {}

    def _count(self, run: str) -> None:
        for length in range(2, _LONGEST_ON_PAGE + 1):
            self._counts.update(run[at : at + length] for at in range(len(run) - length + 1))

    def score(self, text: str) -> float:
        """Natural logarithm of the likeliest way to read ``text`` as words."""
        return self.score_all([text])[0]

    def score_all(self, texts: list[str]) -> list[float]:
        """``score`` of each text; what they begin with in common is read once."""
        simple = [text.translate(_simple()).translate(_WIDE) for text in texts]
        found: dict[str, float] = {}
        best, last = [0.0], ""
        for text in sorted(set(simple)):
            del best[max(1, _common(last, text)) :]
            for end in range(len(best), len(text) + 1):
                best.append(self._best_at(text, end, best))
            found[text], last = best[-1], text
        return [found[text] for text in simple]

    def _best_at(self, text: str, end: int, best: list[float]) -> float:
        """The likeliest way to read what stands before ``end``, given those of all before it."""
        char = text[end - 1]
        if not _is_han(char):
            return best[end - 1] + math.log(_mark(text[end - 2 : end - 1], char))
        found, rates, after = -math.inf, self._log_rates, text[end : end + 1]
        for start in range(end - 1, max(-1, end - 1 - _LONGEST_ON_PAGE), -1):
            word = text[start:end]
            rate = rates.get(word)
            if rate is None:
                rate = rates[word] = self._log_rate(word)
            if rate > _NEVER:
                before = text[start - 1] if start else ""
                if before in _BEFORE_WORDS or after in _CLOSING:
                    rate += math.log(_weigh_place(word, before, after))
                found = max(found, best[start] + rate)
            elif not _is_han(word[0]):
                break
        return found

    def _log_rate(self, word: str) -> float:
        if not _is_han(word[0]):
            return _NEVER
        rate = _rates().get(word, _UNKNOWN if len(word) == 1 else 0.0)
        seen = self._counts[word] if len(word) > 1 else 0
        rate += _PAGE_SHARE * seen / self._size
        return math.log(rate) if rate else _NEVER


def _common(first: str, second: str) -> int:
    """Length of the common beginning, short of the last character, which has a say before it."""
    size = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    return min(len(first), len(second)) if size is None else size


def _mark(before: str, char: str) -> float:
    if char in MARKS:
        pair = before in MARKS
        return (
            MARK_PAIRS.get(before + char, UNUSUAL_PAIR) if pair else MARKS[char] * _WORDS_PER_CHAR
        )
    return _ASCII if char <= "\x7f" else _OTHER


def _weigh_place(word: str, before: str, after: str) -> float:
    weight = 1.0
    if before in _STARTS:
        weight = _AGAINST_GRAMMAR if word in _NEVER_FIRST else _starters().get(word, 1.0)
    elif before.isdigit() and word[0] in _UNITS:
        weight = _COUNTED
    if after in _CLOSING and word in _NEVER_LAST:
        weight *= _AGAINST_GRAMMAR
    return weight
