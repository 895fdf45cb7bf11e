"""Pieces of a received line, each with the text behind it."""

from __future__ import annotations

from dataclasses import dataclass

from hongxing_crawler.core.restore.guesses import LOSSES


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a received line and the kit's text behind it."""

    start: int
    end: int
    true: str  # in the kit's script
    rule: str
    verdict: str = "proved"
    alternatives: tuple[str, ...] = ()
    learnt: tuple[tuple[str, str], ...] = ()
    lost_count: int = 0
    is_searched: bool = True
    margin: float = 99.0  # how much likelier than the next reading, as a natural logarithm


def has_eaten(line: str, end: int) -> bool:
    """Whether a run ends in a loss before a digit or the like: its bytes belong to no pair."""
    return line[end - 1] in LOSSES and " " <= line[end : end + 1] < "@"


def true_text(line: str, spans: list[Span], start: int, end: int) -> str:
    """The true text of ``line[start:end]``, put together from its spans."""
    parts: list[str] = []
    for span in spans:
        parts += (line[start : span.start], span.true)
        start = span.end
    return "".join((*parts, line[start:end]))
