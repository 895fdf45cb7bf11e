"""Hypotheses about a damaged run, and the steps that lengthen them."""

from __future__ import annotations

import heapq
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from hongxing_crawler.core.restore.evidence import BARE_GLOSS
from hongxing_crawler.core.restore.gbk import char_across, chars_by_pair, folded_pairs, pair_of
from hongxing_crawler.core.restore.model import NOISE_CHARS, NOISE_MARKS
from hongxing_crawler.core.restore.tables import has_reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.core.restore.evidence import Evidence

LOST: Final = "\ufffd"
LOSSES: Final = frozenset("?" + LOST)
LETTERS: Final = "a-zāáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜńňǹḿ"
GLOSS_RE: Final = re.compile(rf"\(([{LETTERS}]{{1,6}})(\s{{0,4}})\)")
TAIL_RE: Final = re.compile(rf"([{LETTERS}]{{1,6}})(\s{{0,4}})\)")
NO_NOISE: Final = -8.0  # a mark without noise, where the kit puts noise before marks
_UNPAIRED: Final = -4.0
_UNCLOSED: Final = -3.0
_QUOTES: Final = ("“”", "《》", "‘’", "【】", "（）", "「」", "『』")
_QUOTATION: Final = frozenset("".join(_QUOTES))
_CANDIDATES: Final = 24


class Guess(NamedTuple):
    """One hypothesis: ``out`` are the true characters of ``text[start:pos]``."""

    score: float
    pos: int
    pending: int  # first byte of a true character whose second is not read yet, 0 if aligned
    out: str
    event: int  # where this path last left the plain reading
    eaten_count: int = 0  # characters of ASCII that are gone
    is_cut: bool = False  # an insertion stands between the bytes of the pending character
    lost_count: int = 0  # places of which neighbours, not bytes, say what stood there
    learnt: tuple[tuple[str, str], ...] = ()  # glosses that no other place of the page shows
    pairs: float = 0.0  # the part of the score that pairs of characters gave
    quote: str = ""  # the last quotation mark of the run
    # The same beginning and a less likely one: from there on, both have the same future.
    rivals: tuple[tuple[Guess, Guess], ...] = ()

    @property
    def is_lossy(self) -> bool:
        """Whether a character of ASCII is gone."""
        return self.eaten_count > 0

    def variants(self) -> Iterator[Guess]:
        """This guess with each of the beginnings that it is likelier than."""
        for leader, other in self.rivals:
            yield other._replace(
                score=self.score + other.score - leader.score,
                pos=self.pos,
                pending=self.pending,
                out=other.out + self.out[len(leader.out) :],
                event=self.event,
                eaten_count=self.eaten_count + other.eaten_count - leader.eaten_count,
                lost_count=self.lost_count + other.lost_count - leader.lost_count,
                learnt=other.learnt + self.learnt[len(leader.learnt) :],
                pairs=self.pairs + other.pairs - leader.pairs,
            )


def unfold(guesses: list[Guess], count: int) -> list[Guess]:
    """The likeliest of these guesses and of their variants, best first."""
    heap = [(-guess.score, number, guess) for number, guess in enumerate(guesses)]
    heapq.heapify(heap)
    found: list[Guess] = []
    number = len(heap)
    while heap and len(found) < count:
        _, _, guess = heapq.heappop(heap)
        found.append(guess._replace(rivals=()))
        for variant in guess.variants():
            heapq.heappush(heap, (-variant.score, number, variant))
            number += 1
    return found


class GuessBuilder:
    """Lengthen guesses over one line: append characters, read glosses, weigh what speaks."""

    def __init__(self, line: str, evidence: Evidence) -> None:
        self.line = line
        self.evidence = evidence
        self.context = ""

    def _take(self, guess: Guess, char: str, end: int, *, event: int) -> Guess:
        """Append an aligned character and read its gloss; it should have one if others do."""
        after = self._read_gloss(self._append(guess, char, end, 0, event=event), char)
        is_bare = after.pos == end and char in self.evidence.glosses
        if is_bare and not guess.is_cut:
            return after._replace(score=after.score + BARE_GLOSS)
        return after

    def _take_bare(self, guess: Guess, char: str, end: int, pending: int, *, event: int) -> Guess:
        """Append a character that the shown text leaves no room for a gloss after."""
        is_bare = char in self.evidence.glosses and not guess.is_cut
        weight = BARE_GLOSS if is_bare else 0.0
        return self._append(guess, char, end, pending, event=event, weight=weight)

    def _append(
        self, guess: Guess, char: str, end: int, pending: int, *, event: int, weight: float = 0.0
    ) -> Guess:
        pair = self.evidence.model.score(guess.out[-1:], char)
        weight += pair
        if guess.pending or event == guess.pos:
            weight += self.evidence.weigh_form(char) + self._weigh_quote(guess, char)
        if guess.pending and char in self.evidence.noisy_marks:
            weight += NO_NOISE
        if end >= len(self.line) and not pending:
            weight += self.evidence.model.score_end(char) + self._weigh_open_quotes(guess, char)
        return guess._replace(
            score=guess.score + weight,
            pos=end,
            pending=pending,
            out=guess.out + char,
            event=event,
            is_cut=False,
            pairs=guess.pairs + pair,
            quote=char if char in _QUOTATION else guess.quote,
        )

    def _weigh_quote(self, guess: Guess, char: str) -> float:
        """Quotation marks come in pairs."""
        if char not in _QUOTATION:
            return 0.0
        for left, right in _QUOTES:
            if char in {left, right}:
                text = self.context + guess.out[1:]
                is_open = text.rfind(left) > text.rfind(right)
                return 0.0 if is_open == (char == right) else _UNPAIRED
        return 0.0

    def _weigh_open_quotes(self, guess: Guess, char: str) -> float:
        """A line that ends should close what it opened."""
        text = self.context + guess.out[1:] + char
        return _UNCLOSED * sum(text.rfind(left) > text.rfind(right) for left, right in _QUOTES)

    def _read_gloss(self, guess: Guess, char: str) -> Guess:
        """Step over the gloss that belongs to ``char``, if one stands here."""
        if not self.line.startswith("(", guess.pos):
            return guess
        found = GLOSS_RE.match(self.line, guess.pos)
        if found is None:
            return guess
        if char <= "\x7f" and len(guess.out) > 1:
            char = char_across(guess.out[-2], char)
        known = self.evidence.glosses.get(char)
        belongs = known.strip() == found[1] if known else has_reading(char, found[1])
        return self._learn(guess, char, found)._replace(pos=found.end()) if belongs else guess

    def _learn(self, guess: Guess, char: str, found: re.Match[str]) -> Guess:
        if char in self.evidence.glosses:
            return guess
        return guess._replace(learnt=(*guess.learnt, (char, found[1] + found[2])))

    def _after_noise(self, at: int) -> int:
        while at < len(self.line) and self.line[at] in NOISE_CHARS:
            at += 1
        return at

    def _marks_at(self, at: int) -> Iterator[tuple[str, int]]:
        for form, pair in self._pairs_at(at):
            char = chars_by_pair().get(pair, "")
            if char and char in NOISE_MARKS:
                yield char, len(form)

    def _pairs_at(self, at: int) -> Iterator[tuple[str, int]]:
        """Pairs of bytes that the decoder may have read here, with what it shows for them."""
        char = self.line[at : at + 1]
        pair = pair_of(char) if char > "\x7f" else 0
        if pair:
            yield char, pair
        if self.evidence.is_folded and char:
            for form, folded in folded_pairs().get(char, ()):
                if self.line.startswith(form, at):
                    yield form, folded

    def _likely(self, guess: Guess, chars: Iterable[str], then: str = "") -> list[str]:
        """The likeliest of ``chars`` here, best first; ``then`` follows them, if it is known."""
        model, forms = self.evidence.model, self.evidence.form_weights
        found = list(chars)
        weights = model.score_all(guess.out[-1:], found)
        if then:
            weights = [
                weight + model.score(char, then)
                for char, weight in zip(found, weights, strict=True)
            ]
        ranked = [(weight + forms[char], char) for char, weight in zip(found, weights, strict=True)]
        ranked.sort(reverse=True)
        return [char for _, char in ranked[:_CANDIDATES]]
