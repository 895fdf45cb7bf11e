"""Find the characters behind one damaged run: a beam over byte hypotheses.

A reader of GBK is either aligned with the text or one byte off. Aligned, it shows characters
as they were. One byte off, each shown character is the second byte of one true character and
the first byte of the next. Insertions (glosses, noise) move the reader from one state to the
other and leave a ``?`` where they cut a pair. The beam walks over the shown text and keeps, in
each state, the true characters so far.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.restore.beam import OPEN, is_settled, prune
from hongxing_crawler.core.restore.evidence import BARE_GLOSS
from hongxing_crawler.core.restore.gbk import (
    ASCII_TRAIL,
    chars_by_lead,
    chars_by_pair,
    chars_by_trail,
    pair_of,
)
from hongxing_crawler.core.restore.guesses import (
    GLOSS_RE,
    LOSSES,
    LOST,
    TAIL_RE,
    Guess,
    GuessBuilder,
    unfold,
)
from hongxing_crawler.core.restore.model import NOISE_CHARS, NOISE_MARKS
from hongxing_crawler.core.restore.tables import chars_by_reading, kit_forms, to_simplified

if TYPE_CHECKING:
    from collections.abc import Iterator


_UNOPENED_RE: Final = re.compile(r"[^()\n?]{1,60}\)")  # a parenthesis that nothing opened
_TOO_MANY_RE: Final = re.compile("[?\ufffd]{12}")  # no kit makes so many in a row
_NEAR: Final = 120
_MAX_STEPS: Final = 40_000  # in one text; further damage is kept and flagged
MAX_READINGS: Final = 48  # of one run
MAX_RUNS: Final = 400  # in one text; a damaged page has some twenty
_MAX_RUN: Final = 600  # shown characters in one run; real runs are shorter than a paragraph
_EATEN: Final = -5.0
_LITERAL: Final = -5.0
_MARK_CODES: Final = frozenset(map(pair_of, NOISE_MARKS))
_MARK_LEADS: Final = (0xA1, 0xA3)
_NOISE: Final = frozenset(NOISE_CHARS)
_NO_MARK: Final = -25.0  # noise stands before marks only
_CLOSING: Final = frozenset("。”》）！？")
_COUNTED: Final = frozenset("年月日时時点點分个個名人次家位万萬亿億元岁歲天号號级級条條项項种種")
_FEW: Final = 16
_HOPELESS_PAIR: Final = -20.0


@cache
def _glossed_by_lead(reading: str) -> dict[int, tuple[str, ...]]:
    """Characters with this reading, by first byte."""
    groups: dict[int, list[str]] = {}
    for char in chars_by_reading().get(reading, ""):
        groups.setdefault(pair_of(char) >> 8, []).append(char)
    return {lead: tuple(chars) for lead, chars in groups.items()}


@cache
def _open_pairs() -> dict[int, frozenset[int]]:
    """First bytes under which GBK leaves pairs open, with the second bytes of those."""
    assigned = chars_by_pair()
    trails = [*range(0x40, 0x7F), *range(0x80, 0xFF)]
    found = {
        lead: frozenset(trail for trail in trails if lead << 8 | trail not in assigned)
        for lead in range(0x81, 0xFF)
    }
    return {lead: trails for lead, trails in found.items() if trails}


class RunSearch(GuessBuilder):
    """Search over one line of received text."""

    @property
    def is_exhausted(self) -> bool:
        """Whether this text has had its share of searching."""
        return self.evidence.step_count > _MAX_STEPS or self.evidence.run_count >= MAX_RUNS

    def find_guesses(self, start: int, context: str) -> list[Guess]:
        """Hypotheses for the run that starts at the ``?`` at ``start``, best first.

        ``context`` is the repaired text in front of it. Each guess's ``out`` begins with its last
        character.
        """
        self.evidence.run_count += 1
        if _TOO_MANY_RE.match(self.line, start):
            return []
        self.context = context
        before = context[-1:]
        agenda: dict[int, list[Guess]] = {start: [Guess(0.0, start, 0, before, start)]}
        finished: list[Guess] = []
        limit = min(len(self.line), start + _MAX_RUN)
        while agenda:
            at = min(agenda)
            guesses = prune(agenda.pop(at))
            if at >= limit:
                finished += [guess for guess in guesses if not guess.pending]
            elif not agenda and all(map(is_settled, guesses)):
                finished += guesses
            else:
                for after in (after for guess in guesses for after in self._step(guess)):
                    agenda.setdefault(after.pos, []).append(after)
        return unfold(finished, MAX_READINGS)

    def _step(self, guess: Guess) -> Iterator[Guess]:
        self.evidence.step_count += 1
        char = self.line[guess.pos]
        if char in NOISE_CHARS:
            yield guess._replace(pos=guess.pos + 1)
        elif guess.pending:
            yield from self._step_shifted(guess, char)
        elif char in LOSSES:
            yield from self._step_loss(guess, char)
        else:
            yield self._read(guess, char)

    # aligned ---------------------------------------------------------------------------

    def _read(self, guess: Guess, char: str) -> Guess:
        """Read one character as it stands, with its gloss if it has one."""
        return self._take(guess, char, guess.pos + 1, event=guess.event)

    def _step_loss(self, guess: Guess, char: str) -> Iterator[Guess]:
        mark = "？" if self.evidence.is_folded else char
        weight = 0.0 if self.evidence.is_folded else _LITERAL
        if TAIL_RE.match(self.line, guess.pos + 1):
            weight += BARE_GLOSS
        literal = self._take(guess, mark, guess.pos + 1, event=guess.pos)
        yield _lose_one(literal, weight)._replace(out=guess.out + char)
        yield from self._cut_by_gloss(guess)
        yield from self._cut_by_noise(guess)

    def _cut_by_gloss(self, guess: Guess) -> Iterator[Guess]:
        """Read ``?jiǎn)``: a gloss between the bytes of the next character."""
        found = TAIL_RE.match(self.line, guess.pos + 1)
        trail = pair_of(guess.out[-1:]) & 0xFF
        if found is None or not trail:
            return
        for char in _glossed_by_lead(found[1]).get(trail, ()):
            yield self._learn(guess, char, found)._replace(
                score=guess.score + self.evidence.weigh_gloss(char, found[1]),
                pos=found.end(),
                pending=pair_of(char) & 0xFF,
                event=guess.pos,
                is_cut=True,
            )

    def _cut_by_noise(self, guess: Guess) -> Iterator[Guess]:
        """Read ``?`` and a mark: noise between the bytes of a character, before a mark's code."""
        at = self._after_noise(guess.pos + 1)
        for mark, width in self._marks_at(at):
            lead, trail = divmod(pair_of(mark), 256)
            for char in self._ending_in(guess, lead):
                after = self._append(guess, char, at + width, trail, event=guess.pos)
                weight = self._weigh_noise(guess.pos, char, mark)
                yield _lose_one(after, weight)
        if self.line[at : at + 1] in LOSSES:
            yield from self._cut_twice(guess, self._after_noise(at + 1))

    def _ending_in(self, guess: Guess, trail: int) -> list[str]:
        key = ("end", 0, guess.out[-1:], trail)
        chars = chars_by_trail().get(trail, ())
        return self.evidence.remember(key, lambda: self._likely(guess, chars))

    def _weigh_noise(self, at: int, char: str, mark: str) -> float:
        """Noise in front of the lost character says that it is a mark itself, as 。 is in 。考."""
        if self.line[at - 1 : at] in _NOISE:
            return 0.0 if char in NOISE_MARKS else _NO_MARK
        return self.evidence.bare_cuts.get(mark, 0.0) if char in NOISE_MARKS else 0.0

    def _cut_twice(self, guess: Guess, at: int) -> Iterator[Guess]:
        """Read ``??`` and a mark: noise before each byte of a character that ends like a mark.

        劇：is 84A1 A3BA, and A1A3 is the code of 。: noise goes before it, and before ：.
        """
        for mark, _ in self._marks_at(at):
            for trail in _MARK_LEADS:
                if trail << 8 | pair_of(mark) >> 8 in _MARK_CODES:
                    for char in self._likely(guess, chars_by_trail()[trail]):
                        yield _lose_one(self._append(guess, char, at, 0, event=at))

    # one byte off ------------------------------------------------------------------------

    def _step_shifted(self, guess: Guess, char: str) -> Iterator[Guess]:
        if char in LOSSES:
            yield from self._lose_in_shift(guess)
        if ord(char) in ASCII_TRAIL or char == "€":
            trail = 0x80 if char == "€" else ord(char)
            for true in self._with_trail(guess, trail):
                yield self._take(guess, true, guess.pos + 1, event=guess.pos + 1)
        for form, pair in self._pairs_at(guess.pos):
            yield from self._step_pair(guess, form, pair)

    def _step_pair(self, guess: Guess, form: str, pair: int) -> Iterator[Guess]:
        end = guess.pos + len(form)
        lead, trail = divmod(pair, 256)
        then = "" if guess.pending < OPEN else self._char_at(end, trail)
        for true in self._with_trail(guess, lead, then):
            if trail in ASCII_TRAIL:
                after = self._take_bare(guess, true, end, 0, event=end)
                yield self._take(after, chr(trail), end, event=end)
            else:
                after = self._take_bare(guess, true, end, trail, event=end)
                cut = self._read_gloss(after, form)
                yield cut._replace(is_cut=cut.pos > after.pos)

    def _char_at(self, at: int, lead: int) -> str:
        """The true character that begins with ``lead`` and ends in what is shown at ``at``."""
        pair = next((pair for _, pair in self._pairs_at(at)), 0)
        return chars_by_pair().get(lead << 8 | pair >> 8, "") if pair else ""

    def _with_trail(self, guess: Guess, trail: int, then: str = "") -> list[str]:
        """True characters that end in this byte; ``then`` is the one that follows, if known."""
        if guess.pending < OPEN:
            char = chars_by_pair().get(guess.pending << 8 | trail)
            return [char] if char else []
        key = ("trail", guess.pending, guess.out[-1:], trail, then)
        return self.evidence.remember(key, lambda: self._open_with(guess, trail, then))

    def _open_with(self, guess: Guess, trail: int, then: str) -> list[str]:
        opened = _open_pairs()[guess.pending - OPEN]
        chars = [
            char
            for char in chars_by_trail().get(trail, ())
            if pair_of(char) >> 8 in opened and self._may_join(char)
        ]
        return self._likely(guess, chars, then)[:_FEW]

    def _without_trail(self, guess: Guess) -> list[str]:
        """True characters whose second byte is lost: it would have started a pair."""
        key = ("lead", guess.pending, guess.out[-1:])
        return self.evidence.remember(key, lambda: self._find_without_trail(guess))

    def _find_without_trail(self, guess: Guess) -> list[str]:
        if guess.pending < OPEN:
            chars = filter(self._may_join, chars_by_lead().get(guess.pending, ()))
            return self._likely(guess, filter(_ends_like_a_lead, chars))
        opened = _open_pairs()[guess.pending - OPEN]
        followers = self.evidence.model.followers(guess.out[-1:])
        forms = (form for char in followers for form in kit_forms(char))
        fitting = (form for form in forms if pair_of(form) >> 8 in opened and self._may_join(form))
        return self._likely(guess, filter(_ends_like_a_lead, fitting))[:_FEW]

    def _may_join(self, char: str) -> bool:
        """Whether a pair may hold its first byte: noise before a mark would part the two."""
        return char not in self.evidence.noisy_marks

    def _before_open(self, guess: Guess, at: int) -> list[str]:
        """Characters that take the next one's first byte with them, by what may follow there.

        The next character ends in the first byte of what is shown at ``at``.
        """
        shown = self.line[at : at + 1]
        if not shown or ("!" <= shown < "@" and shown != "?" and not self.evidence.is_folded):
            return []  # no second byte
        if guess.pending >= OPEN:
            return [char for char in self._without_trail(guess) if _opens(char)]
        pair = next((pair for _, pair in self._pairs_at(at)), 0)
        key = ("open", guess.pending, guess.out[-1:], pair >> 8)
        return self.evidence.remember(key, lambda: self._find_before_open(guess, pair))

    def _find_before_open(self, guess: Guess, pair: int) -> list[str]:
        chars = [
            char
            for char in chars_by_lead().get(guess.pending, ())
            if _opens(char) and self._may_join(char)
        ]
        if not pair:
            return self._likely(guess, chars)[:_FEW]
        ends = _chars_by_open_lead(pair >> 8, self.evidence.noisy_marks)
        weights = self.evidence.model.score_all(guess.out[-1:], chars)
        ranked = [
            (weight + self.evidence.form_weights[char] + self._best_after(char, ends), char)
            for char, weight in zip(chars, weights, strict=True)
        ]
        return [char for _, char in sorted(ranked, reverse=True)[:_FEW]]

    def _best_after(self, char: str, ends: dict[int, dict[str, str]]) -> float:
        """How likely the likeliest of ``ends`` comes after ``char``."""
        forms = ends.get(pair_of(char) & 0xFF)
        if not forms:
            return _HOPELESS_PAIR
        model = self.evidence.model
        known = model.known_after(char)
        likely = [form for simple, form in forms.items() if simple in known]
        return max(model.score_all(char, likely or list(forms.values())[:1]))

    def _lose_in_shift(self, guess: Guess) -> Iterator[Guess]:
        """Read a ``?`` one byte off: the second byte of the true character went with it."""
        yield from self._glossed_in_shift(guess)
        for char in self._with_trail(guess, 0x80):
            yield self._take(guess, char, guess.pos + 1, event=guess.pos + 1)
        chars = self._without_trail(guess)[:_FEW]
        at = self._after_noise(guess.pos + 1)
        if at >= len(self.line) or next(self._marks_at(at), None):
            for char in chars:
                yield _lose_one(self._take_bare(guess, char, at, 0, event=at))
        for char in chars:
            yield self._lose_ascii(guess, char, guess.pos + 1)
        for char in self._before_open(guess, guess.pos + 1):
            lost = _lose_one(self._take_bare(guess, char, guess.pos + 1, 0, event=guess.pos + 1))
            yield lost._replace(pending=OPEN | pair_of(char) & 0xFF)

    def _lose_ascii(self, guess: Guess, char: str, end: int) -> Guess:
        """Lose an ASCII character with the second byte."""
        lost = _lose_one(self._take_bare(guess, char, end, 0, event=end))
        eaten = self._eaten(char, end)
        return lost._replace(
            out=lost.out + eaten, score=lost.score + _EATEN, eaten_count=lost.eaten_count + 1
        )

    def _eaten(self, char: str, end: int) -> str:
        """The ASCII character that went with a second byte, where its surroundings tell."""
        if _UNOPENED_RE.match(GLOSS_RE.sub("", self.line[end : end + _NEAR])):
            return "("
        return " " if self._was_space(char, end) else LOST

    def _was_space(self, char: str, end: int) -> bool:
        """Between a closing mark and a word the eaten character was a space; else any digit."""
        after = self.line[end : end + 1]
        is_word = after == "《" or ("\u4e00" <= after <= "\u9fff" and after not in _COUNTED)
        return char in _CLOSING and is_word

    def _glossed_in_shift(self, guess: Guess) -> Iterator[Guess]:
        """Read ``?jiǎng)``: an aligned character whose second byte took the parenthesis."""
        found = TAIL_RE.match(self.line, guess.pos + 1)
        if found is None:
            return
        by_lead = _glossed_by_lead(found[1])
        leads = frozenset((guess.pending,))
        if guess.pending >= OPEN:
            leads = _open_pairs()[guess.pending - OPEN]
        for char in (char for lead in sorted(leads) for char in by_lead.get(lead, ())):
            after = self._learn(guess, char, found)
            weight = self.evidence.weigh_gloss(char, found[1])
            yield self._append(after, char, found.end(), 0, event=found.end(), weight=weight)


@cache
def _chars_by_open_lead(trail: int, noisy_marks: frozenset[str]) -> dict[int, dict[str, str]]:
    """Characters that end in ``trail``, by the byte before them that makes an open pair.

    Each as its Simplified form and itself.
    """
    simple = to_simplified()
    chars = [char for char in chars_by_trail().get(trail, ()) if char not in noisy_marks]
    return {
        before: {simple.get(char, char): char for char in chars if pair_of(char) >> 8 in leads}
        for before, leads in _open_pairs().items()
    }


def _opens(char: str) -> bool:
    """Whether its second byte may make a pair that GBK leaves open."""
    return pair_of(char) & 0xFF in _open_pairs()


def _ends_like_a_lead(char: str) -> bool:
    return pair_of(char) & 0xFF > 0x80


def _lose_one(guess: Guess, weight: float = 0.0) -> Guess:
    return guess._replace(score=guess.score + weight, lost_count=guess.lost_count + 1)
