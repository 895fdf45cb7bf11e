"""Find the characters behind one damaged run: a beam over byte hypotheses.

A reader of GBK is either aligned with the text or one byte off. Aligned, it shows characters
as they were. One byte off, each shown character is the second byte of one true character and
the first byte of the next. Insertions (glosses, noise) move the reader from one state to the
other and leave a ``?`` where they cut a pair. The beam walks over the shown text and keeps, in
each state, the true characters so far.
"""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from hongxing_crawler.core.restore.gbk import (
    ASCII_TRAIL,
    chars_by_lead,
    chars_by_pair,
    chars_by_trail,
    folded_pairs,
    pair_of,
)
from hongxing_crawler.core.restore.model import NOISE_CHARS, NOISE_MARKS
from hongxing_crawler.core.restore.tables import chars_by_reading, converted, has_reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hongxing_crawler.core.restore.language import PairModel

LOST: Final = "\ufffd"
LOSSES: Final = frozenset("?" + LOST)
_LETTERS: Final = "a-zāáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜńňǹḿ"
GLOSS_RE: Final = re.compile(rf"\(([{_LETTERS}]{{1,6}})(\s?)\)")
_TAIL_RE: Final = re.compile(rf"([{_LETTERS}]{{1,6}})(\s?)\)")
_WIDTH: Final = 48
_SAME_KEY: Final = 3
_MAX_RUN: Final = 600  # shown characters in one run; real runs are shorter than a paragraph
_NEW_GLOSS: Final = -3.0
_BARE_GLOSS: Final = -9.0  # a character of the table without its gloss
_UNCONVERTED: Final = -7.0  # Simplified where the kit writes Traditional
_EATEN: Final = -5.0
_LITERAL: Final = -5.0


class Path(NamedTuple):
    """One hypothesis: ``out`` are the true characters of ``text[start:pos]``."""

    score: float
    pos: int
    pending: int  # first byte of a true character whose second is not read yet, 0 if aligned
    out: str
    event: int  # where this path last left the plain reading
    lossy: bool = False
    learnt: tuple[tuple[str, str], ...] = ()  # glosses that no other place of the page shows


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the page teaches: its glosses, bare characters, neighbours, folding."""

    glosses: Mapping[str, str]
    bare: frozenset[str]
    model: PairModel
    is_folded: bool


@cache
def _glossed_by_lead(reading: str) -> dict[int, tuple[str, ...]]:
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


class RunSearch:
    """Search over one line of received text."""

    def __init__(self, line: str, evidence: Evidence) -> None:
        self.line = line
        self.evidence = evidence
        self.steps = 0

    def find_paths(self, start: int, before: str) -> list[Path]:
        """Hypotheses for the run that starts at the ``?`` at ``start``, best first.

        ``before`` is the true character in front of it. Each path's ``out`` begins with it.
        """
        agenda: dict[int, list[Path]] = {start: [Path(0.0, start, 0, before, start)]}
        finished: list[Path] = []
        limit = min(len(self.line), start + _MAX_RUN)
        while agenda:
            at = min(agenda)
            paths = _prune(agenda.pop(at))
            if at >= limit:
                finished += [path for path in paths if not path.pending]
            elif not agenda and all(_is_settled(path) for path in paths):
                finished += paths
            else:
                for path in paths:
                    for after in self._step(path):
                        agenda.setdefault(after.pos, []).append(after)
        return sorted(finished, reverse=True)

    def _step(self, path: Path) -> Iterator[Path]:
        self.steps += 1
        char = self.line[path.pos]
        if char in NOISE_CHARS:
            yield path._replace(pos=path.pos + 1)
        elif path.pending:
            yield from self._step_shifted(path, char)
        elif char in LOSSES:
            yield from self._step_loss(path, char)
        else:
            yield self._read(path, char)

    # aligned ---------------------------------------------------------------------------

    def _read(self, path: Path, char: str) -> Path:
        """Read one character as it stands, with its gloss if it has one."""
        after = self._take(path, char, path.pos + 1, 0)
        return after._replace(event=path.event)

    def _step_loss(self, path: Path, char: str) -> Iterator[Path]:
        literal = self._take(path, "？" if self.evidence.is_folded else char, path.pos + 1, 0)
        weight = 0.0 if self.evidence.is_folded else _LITERAL
        yield literal._replace(out=path.out + char, score=literal.score + weight, event=path.pos)
        yield from self._cut_by_gloss(path)
        yield from self._cut_by_noise(path)

    def _cut_by_gloss(self, path: Path) -> Iterator[Path]:
        """Read ``?jiǎn)``: a gloss between the bytes of the next character."""
        found = _TAIL_RE.match(self.line, path.pos + 1)
        trail = pair_of(path.out[-1:]) & 0xFF
        if found is None or not trail:
            return
        for char in _glossed_by_lead(found[1]).get(trail, ()):
            weight = self._gloss_weight(char, found[1])
            pending = pair_of(char) & 0xFF
            yield path._replace(
                score=path.score + weight,
                pos=found.end(),
                pending=pending,
                event=path.pos,
                learnt=self._learn(path, char, found),
            )

    def _cut_by_noise(self, path: Path) -> Iterator[Path]:
        """Read ``?`` and a mark: noise between the bytes of a character, before a mark's code."""
        at = self._after_noise(path.pos + 1)
        for mark, width in self._marks_at(at):
            lead, trail = divmod(pair_of(mark), 256)
            for char in self._likely(path.out[-1:], chars_by_trail().get(lead, ())):
                after = self._take(path, char, at + width, trail, glossed=False)
                yield after._replace(event=path.pos)

    # one byte off ------------------------------------------------------------------------

    def _step_shifted(self, path: Path, char: str) -> Iterator[Path]:
        if char in LOSSES:
            yield from self._lose_in_shift(path)
        if ord(char) in ASCII_TRAIL:
            yield from self._complete(path, ord(char), path.pos + 1, 0)
        if char == "€":
            yield from self._complete(path, 0x80, path.pos + 1, 0)
        for form, pair in self._pairs_at(path.pos):
            end = path.pos + len(form)
            lead, trail = divmod(pair, 256)
            if trail in ASCII_TRAIL:
                for after in self._complete(path, lead, end, 0, glossed=False):
                    yield self._take(after, chr(trail), end, 0)
            else:
                yield from self._complete(
                    path, lead, self._after_gloss(form, end), trail, glossed=False
                )

    def _complete(
        self, path: Path, trail: int, end: int, pending: int, *, glossed: bool = True
    ) -> Iterator[Path]:
        char = chars_by_pair().get(path.pending << 8 | trail)
        if char is not None:
            yield self._take(path, char, end, pending, glossed=glossed)._replace(event=end)

    def _lose_in_shift(self, path: Path) -> Iterator[Path]:
        """Read a ``?`` one byte off: the second byte of the true character went with it."""
        yield from self._glossed_in_shift(path)
        at = self._after_noise(path.pos + 1)
        chars = self._likely(path.out[-1:], chars_by_lead().get(path.pending, ()))
        ends_line = at >= len(self.line)
        if ends_line or any(True for _ in self._marks_at(at)):
            for char in chars:
                yield self._lost_trail(path, char, at)
        for char in chars:
            lost = self._lost_trail(path, char, path.pos + 1)
            yield lost._replace(out=lost.out + LOST, score=lost.score + _EATEN, lossy=True)
            if pair_of(char) & 0xFF == 0x80:
                yield self._lost_trail(path, char, path.pos + 1)
        yield from self._open_pair(path, chars)

    def _lost_trail(self, path: Path, char: str, end: int) -> Path:
        return self._take(path, char, end, 0, glossed=False)._replace(event=end)

    def _glossed_in_shift(self, path: Path) -> Iterator[Path]:
        """Read ``?jiǎng)``: an aligned character whose second byte took the parenthesis."""
        found = _TAIL_RE.match(self.line, path.pos + 1)
        if found is None:
            return
        for char in _glossed_by_lead(found[1]).get(path.pending, ()):
            after = self._take(path, char, found.end(), 0, glossed=None)
            weight = self._gloss_weight(char, found[1])
            learnt = self._learn(path, char, found)
            yield after._replace(score=after.score + weight, event=found.end(), learnt=learnt)

    def _open_pair(self, path: Path, chars: list[str]) -> Iterator[Path]:
        """Read a ``?`` that stands for a pair without a character: two half characters lost."""
        at = path.pos + 1
        if at >= len(self.line):
            return
        for form, pair in self._pairs_at(at):
            lead, trail = divmod(pair, 256)
            if trail in ASCII_TRAIL:
                continue
            followers = chars_by_trail().get(lead, ())
            for first in chars:
                opened = _open_pairs().get(pair_of(first) & 0xFF)
                if opened:
                    second = [char for char in followers if pair_of(char) >> 8 in opened]
                    before = self._take(path, first, at, 1, glossed=False)
                    for char in self._likely(first, tuple(second))[:24]:
                        yield self._take(
                            before, char, at + len(form), trail, glossed=False
                        )._replace(event=at + len(form))

    # parts -------------------------------------------------------------------------------

    def _take(
        self, path: Path, char: str, end: int, pending: int, *, glossed: bool | None = True
    ) -> Path:
        """Append a true character; ``glossed``: a gloss may follow, must not, or was read."""
        score = path.score + self.evidence.model.score(path.out[-1:], char)
        if glossed:
            after = self._after_gloss(char, end)
            if after == end and char in self.evidence.glosses:
                score += _BARE_GLOSS
            end = after
        elif glossed is False and char in self.evidence.glosses:
            score += _BARE_GLOSS
        if path.pending and char in converted():
            score += _UNCONVERTED
        return path._replace(score=score, pos=end, pending=pending, out=path.out + char)

    def _learn(self, path: Path, char: str, found: re.Match[str]) -> tuple[tuple[str, str], ...]:
        if char in self.evidence.glosses:
            return path.learnt
        return (*path.learnt, (char, found[1] + found[2]))

    def _gloss_weight(self, char: str, reading: str) -> float:
        known = self.evidence.glosses.get(char)
        if known is not None:
            return 0.0 if known.strip() == reading else _BARE_GLOSS
        return _BARE_GLOSS if char in self.evidence.bare else _NEW_GLOSS

    def _after_gloss(self, char: str, at: int) -> int:
        if not self.line.startswith("(", at):
            return at
        found = GLOSS_RE.match(self.line, at)
        if found is None:
            return at
        known = self.evidence.glosses.get(char)
        belongs = known.strip() == found[1] if known else has_reading(char, found[1])
        return found.end() if belongs else at

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

    def _likely(self, before: str, chars: tuple[str, ...]) -> list[str]:
        score = self.evidence.model.score
        return heapq.nlargest(_WIDTH, chars, key=lambda char: score(before, char))


def _is_settled(path: Path) -> bool:
    """A plain character was read after the last event: the right neighbour has had its say."""
    return not path.pending and path.pos > path.event + 1


def _prune(paths: list[Path]) -> list[Path]:
    paths.sort(reverse=True)
    kept: list[Path] = []
    seen: dict[tuple[int, str], int] = {}
    for path in paths:
        key = (path.pending, path.out[-1:])
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= _SAME_KEY:
            kept.append(path)
            if len(kept) >= _WIDTH:
                break
    return kept
