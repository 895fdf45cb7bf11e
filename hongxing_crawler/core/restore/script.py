"""Undo the kit's script conversion: one character to one, and only what this kit converts."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.tables import script_rows, to_simplified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hongxing_crawler.core.restore.language import PairModel

# Forms of two characters that Simplified text has: 着 and 著, 钟 and, in names, 锺.
DOUBLES: Final = frozenset("著鍾")
_BEFORE_KEPT: Final = frozenset("名原專专論论巨編编合譯译遺遗拙顯显卓昭彰土較较撰")
_AFTER_KEPT: Final = frozenset("名作稱称述者書书有錄录譯译")
_EITHER_WAY: Final = frozenset("执執附")
_INJECTED_SHARE: Final = 10
_WORD: Final = 0.9  # weight of a word that the language has


def learn_script(page_text: str) -> dict[int, str]:
    """Choose, for each Simplified character, the one form that this kit writes for it.

    A kit is a function: when a page shows 發 and 髮, only one of them comes from 发 and the other
    was Traditional before. Forms that Simplified text uses itself (後, 於 …) are undone only where
    the page never shows the Simplified character; 著 is then read in context by ``read_double``.

    >>> "發展，長髮，后".translate(learn_script("發展，長髮，后"))
    '发展，长髮，后'

    Args:
        page_text: Received text of the page.

    Returns:
        A table for ``str.translate``, from the kit's form to the Simplified character.
    """
    counts = Counter(page_text)
    table = dict(_usual_table())
    simple_of = to_simplified()
    for simple in {simple_of.get(char, char) for char in counts}:
        for form, _ in _forms().get(simple, ()):
            table.pop(ord(form), None)
        table |= _choose(simple, counts)
    return table


@cache
def _forms() -> dict[str, tuple[tuple[str, str], ...]]:
    """Simplified characters to their Traditional forms, each with its kind."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for form, simple, kind in script_rows():
        found[simple].append((form, kind))
    return {simple: tuple(rows) for simple, rows in found.items()}


@cache
def _usual_table() -> dict[int, str]:
    """The table of a page that shows nothing."""
    nothing: Counter[str] = Counter()
    rows = (_choose(simple, nothing) for simple in _forms())
    return {form: simple for row in rows for form, simple in row.items()}


def _choose(simple: str, counts: Mapping[str, int]) -> dict[int, str]:
    """The forms of one character that are undone."""
    rows = [
        (kind == "first", counts[form], form)
        for form, kind in _forms().get(simple, ())
        if kind == "first" or not _is_honest(form, simple, kind, counts)
    ]
    shown = [row for row in rows if row[1]]
    honest = set(shown) - {max(shown)} if shown else set()
    return {ord(form): simple for _, _, form in set(rows) - honest}


def _is_honest(form: str, simple: str, kind: str, counts: Mapping[str, int]) -> bool:
    if kind == "shared":  # an injected text may hold the other a time or two
        return counts[form] <= _INJECTED_SHARE * counts[simple] or not counts[form]
    return counts[form] < counts[simple]


def read_double(form: str, before: str, after: str, words: PairModel) -> tuple[str, bool]:
    """Read a form that a kit writes for two characters: 著名 and 显著 keep it, 看着 does not.

    Args:
        form: One of ``DOUBLES``.
        before: The character in front, in either script.
        after: The character behind.
        words: What words the language has.

    Returns:
        The character, and whether no other reading is likely.
    """
    if form == "鍾":
        is_word = max(words.weigh_word(before, "钟"), words.weigh_word("钟", after)) >= _WORD
        return "钟", is_word
    if before in _BEFORE_KEPT:
        return form, True
    leads = words.weigh_word(before, "着") >= _WORD and before not in _EITHER_WAY
    if after in _AFTER_KEPT:
        return ("着", False) if leads else (form, True)
    return "着", leads or words.weigh_word("着", after) >= _WORD


def simplify(text: str) -> str:
    """Every Traditional form as Simplified, for comparison only."""
    return "".join(to_simplified().get(char, char) for char in text)
