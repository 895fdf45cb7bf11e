"""Undo the kit's script conversion: one character to one, and only what this kit converts."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.tables import script_rows, to_simplified

if TYPE_CHECKING:
    from collections.abc import Mapping

# Words in which 著 is no form of 着.
_KEPT_WORDS: Final = (
    "著名",
    "名著",
    "顯著",
    "著作",
    "原著",
    "專著",
    "論著",
    "著稱",
    "土著",
    "巨著",
)


def learn_script(page_text: str) -> dict[int, str]:
    """Choose, for each Simplified character, the one form that this kit writes for it.

    A kit is a function: when a page shows 發 and 髮, only one of them comes from 发 and the other
    was Traditional before. Forms that Simplified text uses itself (著, 後 …) are undone only where
    the page never shows the Simplified character.

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
        table |= _choose(simple, counts, page_text)
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
    rows = (_choose(simple, nothing, "") for simple in _forms())
    return {form: simple for row in rows for form, simple in row.items()}


def _choose(simple: str, counts: Mapping[str, int], page_text: str) -> dict[int, str]:
    """The forms of one character that are undone."""
    rows = [
        (kind == "first", counts[form], form)
        for form, kind in _forms().get(simple, ())
        if kind == "first" or not _is_honest(form, simple, kind, counts, page_text)
    ]
    shown = [row for row in rows if row[1]]
    honest = set(shown) - {max(shown)} if shown else set()
    return {ord(form): simple for _, _, form in set(rows) - honest}


def _is_honest(
    form: str, simple: str, kind: str, counts: Mapping[str, int], page_text: str
) -> bool:
    if counts[form] < counts[simple] or (kind == "shared" and not counts[form]):
        return True
    return kind == "shared" and any(word in page_text for word in _KEPT_WORDS if form in word)


def simplify(text: str) -> str:
    """Every Traditional form as Simplified, for comparison only."""
    return "".join(to_simplified().get(char, char) for char in text)
