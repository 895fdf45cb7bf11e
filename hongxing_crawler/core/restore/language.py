"""How likely characters follow each other: evidence for choosing between hypotheses.

Counts come from the words of opencc and pypinyin (see ``bench/restore_tables.py``) and from
the page itself. They choose; they never prove.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from math import log
from typing import TYPE_CHECKING, Final, NamedTuple

from hongxing_crawler.core.restore.marks import AT_END, MARK_PAIRS, MARKS, UNUSUAL_PAIR
from hongxing_crawler.core.restore.memory import Memory
from hongxing_crawler.core.restore.tables import pair_rows, to_simplified

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

_LEVEL_COUNTS: Final = (0.02, 0.09, 0.28, 1.0, 2.8, 5.5, 11.0, 22.0, 45.0, 100.0)
_ALIASES: Final = {",": "，", ":": "：", ";": "；", "!": "！", "(": "（", ")": "）"}
_HAN_SHARE: Final = 0.86
_ASCII: Final = 0.0008
_OTHER_MARK: Final = 1e-6
_RARE_HAN: Final = 4e-8
_PAGE_SHARE: Final = 0.25
_PAGE_DOUBT: Final = 2.0
_TRUST_IN_MARKS: Final = 0.2
_CLOSING: Final = frozenset("，。！？；：、")
# Words that lead to another, and particles that follow one: no clause ends or starts with them.
_NEVER_LAST: Final = frozenset(
    "是在和与及或并而但把被从向以由将其该每各很最都也就又还再更太已曾某这那哪第使令让对于跟按据虽若且则之仍均约"
)
_NEVER_FIRST: Final = frozenset("的了着们吗呢吧么")
_AGAINST_GRAMMAR: Final = 0.03
_WORD_DOUBT: Final = 8.0
_WORDS_PER_CHAR: Final = 1.6
_ANY: Final = 0.05
_OTHER, _PARTICLE, _MARK, _CLOSER = range(4)  # kinds of characters


class _Row(NamedTuple):
    """What is known of one character: shares count in text, ``end`` in its own places."""

    share: float
    start: float  # words that begin with it
    end: float  # of its places, those at the end of a word
    after: Mapping[str, float]
    weight: float


@cache
def _rows() -> dict[str, _Row]:
    return {fields[0]: _read_row(fields) for fields in pair_rows()}


def _read_row(fields: tuple[str, ...]) -> _Row:
    share, start, end = (int(field) for field in fields[1:4])
    after = {
        char: count
        for chars, count in zip(fields[4:], _LEVEL_COUNTS, strict=False)
        for char in chars
    }
    return _Row(share / 1e7, start / 1e7, end / 1e3, after, sum(after.values()))


_NO_ROW: Final = _Row(0.0, 0.0, 0.9, {}, 0.0)


def _start_share(char: str) -> float:
    """How likely a word begins with this character, or a mark stands here."""
    row = _rows().get(char)
    if row is not None:
        return _HAN_SHARE * max(row.start, 2e-7) * _WORDS_PER_CHAR
    if char in MARKS:
        return MARKS[char] * _WORDS_PER_CHAR
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
        self._page_after: dict[str, list[str]] = {}
        for pair in self._page_pairs:
            self._page_after.setdefault(pair[0], []).append(pair[1])
        self._page_types = Counter(pair[0] for pair in self._page_pairs)
        self._page_chars = Counter(simple)
        self._page_size = max(1, len(simple))
        self._cache: dict[tuple[str, str], float] = {}
        self._starts = Memory(self._start)

    def score(self, before: str, char: str) -> float:
        """Natural logarithm of P(char | before); Traditional forms count as Simplified."""
        key = (before, char)
        if (found := self._cache.get(key)) is None:
            if len(self._cache) > 200_000:
                self._cache.clear()
            found = self._cache[key] = self.score_all(before, (char,))[0]
        return found

    def score_all(self, before: str, chars: Iterable[str]) -> list[float]:
        """``score`` of each of ``chars``."""
        a = _normal(before)
        row = _rows().get(a, _NO_ROW)
        count = self._page_chars[a]
        trust = count / (count + self._page_types[a] + _PAGE_DOUBT)
        if a in MARKS:
            trust *= _TRUST_IN_MARKS
        seen = trust / count if count else 0.0
        inside = (1 - trust) * (1 - row.end) / (row.weight + _WORD_DOUBT)
        alone, start = (1 - trust) * (1 - row.end) * _ANY, (1 - trust) * row.end
        simple, starts, after, pairs = to_simplified(), self._starts, row.after, self._page_pairs
        is_mark, weights = a in MARKS, []
        for char in chars:
            b = _ALIASES.get(char) or simple.get(char, char)
            share, begin, kind = starts[b]
            if is_mark and kind >= _MARK:
                weight = (1 - trust) * MARK_PAIRS.get(a + b, UNUSUAL_PAIR)
            else:
                if (kind == _CLOSER and a in _NEVER_LAST) or (kind == _PARTICLE and a in _CLOSING):
                    begin *= _AGAINST_GRAMMAR
                weight = inside * after.get(b, 0.0) + alone * share + start * begin + 1e-9
            if seen and (number := pairs.get(a + b)):
                weight += seen * number
            weights.append(log(weight))
        return weights

    def _start(self, char: str) -> tuple[float, float, int]:
        """Share of text, how likely a word or a mark begins so on this page, and the kind."""
        share = _rows().get(char, _NO_ROW).share
        page = self._page_chars[char] / self._page_size
        start = (1 - _PAGE_SHARE) * _start_share(char) + _PAGE_SHARE * page
        if char in MARKS:
            return share, start, _CLOSER if char in _CLOSING else _MARK
        return share, start, _PARTICLE if char in _NEVER_FIRST else _OTHER

    def known_after(self, before: str) -> Container[str]:
        """Characters that words or the page have after this one, in Simplified form."""
        a = _normal(before)
        page = self._page_after.get(a)
        row = _rows().get(a, _NO_ROW)
        return row.after if page is None else {*row.after, *page}

    def weigh_word(self, before: str, char: str) -> float:
        """How much speaks for a word with both characters."""
        a, b = _normal(before), _normal(char)
        return _rows().get(a, _NO_ROW).after.get(b, 0.0)

    def count_pair(self, before: str, char: str) -> int:
        """How often the page has both characters in a row."""
        return self._page_pairs[_normal(before) + _normal(char)]

    def score_end(self, char: str) -> float:
        """Weigh a character as the last of a line."""
        return AT_END.get(char, -9.0 if char in MARKS else -4.0)

    def followers(self, before: str) -> list[str]:
        """Characters that may come next: those of words, of the page, and the most frequent."""
        a = _normal(before)
        return list({*_rows().get(a, _NO_ROW).after, *self._page_after.get(a, ()), *_frequent()})


def _join(first: str, second: str) -> str:
    return first + second


def _normal(char: str) -> str:
    char = _ALIASES.get(char, char)
    return to_simplified().get(char, char)


@cache
def _simplify_map() -> Mapping[int, str]:
    table = {ord(form): simple for form, simple in to_simplified().items()}
    return table | {ord(mark): full for mark, full in _ALIASES.items()}


@cache
def _frequent() -> tuple[str, ...]:
    rows = _rows()
    return (*sorted(rows, key=lambda char: -rows[char].share)[:400], *MARKS)
