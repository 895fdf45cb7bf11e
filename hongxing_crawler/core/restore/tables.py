"""Data tables of the package, read when damage is met and not before."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


def _rows(name: str) -> Iterator[list[str]]:
    text = files(__package__).joinpath(name).read_text("utf-8")
    return (line.split("\t") for line in text.split("\n") if line and line[0] != "#")


@cache
def chars_by_reading() -> dict[str, str]:
    """Reading (``jiǎn``) to the characters of GBK that have it."""
    return {row[0]: row[1] for row in _rows("readings.tsv")}


@cache
def script_rows() -> tuple[tuple[str, str, str], ...]:
    """Traditional form, Simplified form, kind: first, other or shared."""
    return tuple((row[0], row[1], row[2]) for row in _rows("script.tsv"))


@cache
def to_simplified() -> dict[str, str]:
    """Every Traditional form and its Simplified character, whatever the kind."""
    return {form: simple for form, simple, _ in script_rows()}


_LEFT_ALONE: Final = frozenset("干后里面游范斗于涌恒群余占冲采")


@cache
def converted() -> frozenset[str]:
    """Simplified characters that a kit converts without doubt, so it leaves none of them."""
    sure = {simple for _, simple, kind in script_rows() if kind == "first"}
    return frozenset(sure) - _LEFT_ALONE


@cache
def _forms_by_simple() -> dict[str, tuple[str, ...]]:
    forms: dict[str, list[str]] = {}
    for form, simple, kind in script_rows():
        row = forms.setdefault(simple, [simple])
        row.insert(0 if kind == "first" and simple not in _LEFT_ALONE else len(row), form)
    return {simple: tuple(row) for simple, row in forms.items()}


def kit_forms(char: str) -> tuple[str, ...]:
    """Every form of a character that a kit may write, the likeliest first."""
    return _forms_by_simple().get(to_simplified().get(char, char), (char,))


@cache
def unusual_forms() -> frozenset[str]:
    """Forms that a kit seldom writes: Simplified ones that it converts, rare Traditional ones."""
    usual = {form for form, simple, kind in script_rows() if kind == "first"} - {
        form for form, simple, _ in script_rows() if simple in _LEFT_ALONE
    }
    known = {simple for _, simple, _ in script_rows()} - _LEFT_ALONE | set(to_simplified())
    return frozenset(known - usual)


def readings_of(char: str) -> list[str]:
    """Every reading of a character; a look through the whole table."""
    return [reading for reading, chars in chars_by_reading().items() if char in chars]


def has_reading(char: str, reading: str) -> bool:
    """Whether a character may be read so: honest parentheses hold no reading of theirs."""
    return char in chars_by_reading().get(reading, "")


@cache
def pair_rows() -> tuple[tuple[str, ...], ...]:
    """Character, its count, then the characters that follow it in words, by rising count."""
    return tuple(tuple(row) for row in _rows("pairs.tsv"))


@cache
def word_rows() -> tuple[tuple[str, str], ...]:
    """Rate in a million words (``^4``: how much likelier after a mark) and its words."""
    return tuple((row[0], row[1]) for row in _rows("words.tsv"))
