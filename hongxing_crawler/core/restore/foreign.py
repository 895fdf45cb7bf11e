"""Text on a damaged page that the kit never touched: other articles, quotations, injections."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.guesses import GLOSS_RE, LETTERS
from hongxing_crawler.core.restore.tables import has_reading, script_rows, to_simplified

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_TRACE_RE: Final = re.compile(rf"[\x05-\x08?\ufffd]|\([{LETTERS}]{{0,6}}\s?$")
_NOISE_RE: Final = re.compile("[\x05-\x08]")
_KANA_RE: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_QUOTATION_RE: Final = re.compile(
    "「[^「」\n]{1,300}」|『[^『』\n]{1,300}』|[“《][^“”《》\n]{1,300}[”》]"
)
_HAN_RE: Final = re.compile("[\u4e00-\u9fff]")
_UNLIKELY: Final = 0.01
_FEW_CHARS: Final = 200  # a short text says little of how many glosses the next one has
_CORNERS: Final = frozenset("「『")
_LEAST_GLOSSES: Final = 2
_LEAST_BARE: Final = 2
_LEAST_KANA: Final = 3


def kit_lines(page: str, found: Collection[tuple[str, str]]) -> str:
    """The lines of a page that hold noise or at least two of the glosses that were found."""
    shown = {f"{char}({inserted})" for char, inserted in found}
    return "\n".join(line for line in page.split("\n") if _is_kit_line(line, shown))


def _is_kit_line(line: str, shown: Collection[str]) -> bool:
    if _NOISE_RE.search(line):
        return True
    places = (line[match.start() - 1 : match.end()] for match in GLOSS_RE.finditer(line))
    return sum(place in shown for place in places) >= _LEAST_GLOSSES


def never_written(lines: str) -> frozenset[str]:
    """Simplified characters that the kit converts: its lines show another form and not them."""
    counts = Counter(GLOSS_RE.sub("", lines))
    return frozenset(
        simple
        for form, simple, kind in script_rows()
        if kind != "shared" and counts[form] > 1 and not counts[simple]
    )


def honest_forms(page: str, script: Collection[int]) -> frozenset[str]:
    """Traditional forms on the page that the kit does not write."""
    shown = set(page)
    return frozenset(
        form
        for form, _, kind in script_rows()
        if kind != "shared" and form in shown and ord(form) not in script
    )


@dataclass(frozen=True, slots=True)
class Habits:
    """What the kit never leaves in a text, so that text which holds it was never the kit's.

    ``glossed`` characters without their gloss, ``unwritten`` Simplified characters that it
    converts, ``honest`` Traditional forms that it does not write, ``noisy`` marks without noise.
    """

    glossed: frozenset[str] = frozenset()
    unwritten: frozenset[str] = frozenset()
    honest: frozenset[str] = frozenset()
    noisy: frozenset[str] = frozenset()
    gloss_share: float = 0.0  # of the characters in its own lines
    has_foreign: bool = False  # a line in Traditional script that was never the kit's

    def is_foreign(self, line: str) -> bool:
        """Whether the kit never touched a line, as far as the line tells.

        Where a text was injected a line holds both scripts: the more frequent one decides.
        """
        if is_traced(line):
            return False
        unquoted = _QUOTATION_RE.sub("", line)
        if len(_KANA_RE.findall(line)) >= _LEAST_KANA or self._is_bare(unquoted, _LEAST_BARE):
            return True
        simple = sum(char in self.unwritten for char in line)
        return simple > sum(char in to_simplified() for char in unquoted)

    def _is_unlikely(self, line: str) -> bool:
        """Whether the kit would have left a gloss in a line of this length."""
        return (1 - self.gloss_share) ** len(_HAN_RE.findall(line)) < _UNLIKELY

    def _is_bare(self, text: str, least_marks: int) -> bool:
        if any(char in self.glossed or char in self.honest for char in text):
            return True
        return sum(char in self.noisy for char in text) >= least_marks

    def find_quotations(self, line: str) -> Iterator[tuple[int, int]]:
        """Find quotations that were Traditional before the kit came, and stay so."""
        for match in _QUOTATION_RE.finditer(line):
            if not is_traced(match[0]) and self._is_bare(match[0], 1):
                yield match.span()

    def is_doubtful(self, line: str) -> bool:
        """Whether a line, or a quotation that is converted, may be Traditional of its own."""
        if not is_traced(line) and (self.has_foreign or self._is_unlikely(line)):
            return True
        return any(
            match[0][0] in _CORNERS
            and not is_traced(match[0])
            and not self._is_bare(match[0], 1)
            and any(char in to_simplified() for char in match[0])
            for match in _QUOTATION_RE.finditer(line)
        )


def is_traced(text: str) -> bool:
    """Whether a text holds noise, a loss, or a character with its reading."""
    return _TRACE_RE.search(text) is not None or any(
        match.start() and has_reading(text[match.start() - 1], match[1])
        for match in GLOSS_RE.finditer(text)
    )


def has_foreign_lines(lines: list[str], habits: Habits) -> bool:
    """Whether a page holds a line in Traditional script that the kit never touched."""
    return any(
        habits.is_foreign(line) and any(char in to_simplified() for char in line) for line in lines
    )


def share_of_glosses(lines: str) -> float:
    """How many of the characters in a kit's lines have their reading."""
    return len(GLOSS_RE.findall(lines)) / (len(_HAN_RE.findall(lines)) + _FEW_CHARS)
