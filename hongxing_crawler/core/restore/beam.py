"""Which guesses a search follows: the likeliest of each kind, one for each future."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hongxing_crawler.core.restore.guesses import Guess

OPEN: Final = 0x100  # flag of an unknown first byte: what is below it is the byte before
_WIDTH: Final = 32
_RIVALS: Final = 48  # beginnings kept for one future
_HOPELESS: Final = 9.0  # behind the best guess at the same place


def is_settled(guess: Guess) -> bool:
    """A plain character was read after the last event: the right neighbour has had its say."""
    return not guess.pending and guess.pos > guess.event + 1


def prune(guesses: list[Guess]) -> list[Guess]:
    """Keep the best guesses of each kind: aligned, half a character read, first byte unknown."""
    room = {0: _WIDTH, 1: _WIDTH, OPEN: _WIDTH // 2}
    best: dict[int, float] = {}
    kept: list[Guess] = []
    for guess in _merge(guesses):
        kind = OPEN if guess.pending >= OPEN else min(1, guess.pending)
        if room[kind] and guess.score >= best.setdefault(kind, guess.score) - _HOPELESS:
            room[kind] -= 1
            kept.append(guess)
    return kept


def _merge(guesses: list[Guess]) -> list[Guess]:
    """One guess for each future, best first; the others with that future are its rivals."""
    guesses.sort(key=_score, reverse=True)
    leaders: dict[tuple[int, str, str, bool], Guess] = {}
    rivals: dict[tuple[int, str, str, bool], list[tuple[Guess, Guess]]] = {}
    for guess in guesses:
        key = (guess.pending, guess.out[-1:], guess.quote, guess.is_cut)
        leader = leaders.setdefault(key, guess)
        if leader is not guess and leader.score - guess.score < _HOPELESS:
            rivals.setdefault(key, []).append((leader, guess))
    for key, found in rivals.items():
        leader = leaders[key]
        leaders[key] = leader._replace(rivals=(*leader.rivals, *found[:_RIVALS]))
    return list(leaders.values())


def _score(guess: Guess) -> float:
    return guess.score
