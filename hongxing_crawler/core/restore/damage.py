"""Repair texts with what was learnt from their page, and say how sure each repair is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.document import DamagedPlace, GlossEntry
from hongxing_crawler.core.edits import Edit, apply_edits
from hongxing_crawler.core.restore.certainty import is_certain
from hongxing_crawler.core.restore.evidence import Evidence
from hongxing_crawler.core.restore.foreign import Habits
from hongxing_crawler.core.restore.gbk import char_across, is_common
from hongxing_crawler.core.restore.guesses import GLOSS_RE, LOST, TAIL_RE, Guess
from hongxing_crawler.core.restore.model import fold
from hongxing_crawler.core.restore.noise import Noise
from hongxing_crawler.core.restore.proof import prove_line, prove_run
from hongxing_crawler.core.restore.restored import VERDICTS, Restored
from hongxing_crawler.core.restore.script import DOUBLES, read_double
from hongxing_crawler.core.restore.search import RunSearch
from hongxing_crawler.core.restore.spans import Span, has_eaten, true_text
from hongxing_crawler.core.restore.tables import has_reading, readings_of, to_simplified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hongxing_crawler.core.restore.language import PairModel
    from hongxing_crawler.core.restore.words import WordModel

_DOUBT: Final = 8.0  # a reading so much less likely than a question mark is none
_UNLIKELY_AFTER: Final = frozenset("。，、；：！？,;:!?")
_WEIGHED: Final = 48  # hypotheses weighed as words
_TRIED: Final = 32  # of these, how many are damaged again
_COMPARED: Final = 16  # readings that the best one is compared with
_AROUND: Final = 6  # characters on both sides that take part
_PAIRS_TRUSTED_LESS: Final = 0.3  # both weights fitted on damaged news
_WORDS_TRUSTED: Final = 0.5
_CONTEXT: Final = 1_000  # characters in front of a damage that have a say
_MOST_PLACES: Final = 2_000
_LONGEST_GLOSS: Final = 16
_NEIGHBOUR: Final = 24  # received characters that hold the next true one
_LISTED: Final = 4  # alternatives written down
_LOSS_RE: Final = re.compile("[?\ufffd]")
_NOISE_RE: Final = re.compile("[\x05-\x08]+")


@dataclass(frozen=True, slots=True)
class Damage:
    """What one mirror did to one page."""

    glosses: Mapping[str, str]
    counts: Mapping[str, int]
    on_page: frozenset[str]
    script: Mapping[int, str]
    model: PairModel
    words: WordModel
    pairs: Mapping[int, bytes]  # bytes of glossed characters and of what follows them
    is_folded: bool
    noise_count: int = 0
    noise: Noise = field(default_factory=Noise)
    habits: Habits = field(default_factory=Habits)
    names: frozenset[str] = frozenset()  # glossed ones that may be names with their reading
    refused: frozenset[str] = frozenset()  # characters whose readings stood there before

    @property
    def table(self) -> tuple[GlossEntry, ...]:
        """The glosses of the page, the frequent ones first."""
        rows = sorted(self.counts.items(), key=lambda row: (-row[1], row[0]))
        return tuple(GlossEntry(char, self.glosses[char].strip(), count) for char, count in rows)

    def restore(self, text: str) -> Restored:
        """Repair one text of the page."""
        return _Repair(self, text).run()


class _Repair:
    def __init__(self, damage: Damage, text: str) -> None:
        self.damage = damage
        self.text = text
        self.evidence = Evidence(
            damage.glosses,
            damage.on_page,
            damage.model,
            is_folded=damage.is_folded,
            bare_cuts=damage.noise.bare_cuts,
            noisy_marks=damage.noise.likeliest,
        )
        self.edits: list[Edit] = []
        self.places: list[DamagedPlace] = []
        self.verdict = "clean"
        self.kept: list[tuple[int, int]] = []  # quotations of the line that stay Traditional
        self.shift = 0  # length of the repaired text so far minus that of the received

    def run(self) -> Restored:
        start = 0
        for line in self.text.split("\n"):
            self._repair_line(start, line)
            start += len(line) + 1
        repaired = apply_edits(self.text, self.edits)
        noise = sum(1 for edit in self.edits if edit.rule == "restore.noise")
        return Restored(
            repaired,
            tuple(self.edits),
            self.verdict,
            tuple(self.places),
            self.damage.table,
            noise,
        )

    def _repair_line(self, offset: int, line: str) -> None:
        if self.damage.habits.is_foreign(line):
            return
        self.kept = list(self.damage.habits.find_quotations(line))
        spans = list(self._spans(line))
        if not spans:
            return
        learnt = [row for span in spans for row in span.learnt]
        true = true_text(line, spans, 0, len(line))
        is_proved = (
            all(span.is_searched for span in spans)
            and prove_line(self._completed(line, spans[-1]), true, self.damage, learnt)
            and not self._has_gloss(true)
        )
        place_count, edit_count, start = len(self.places), len(self.edits), offset + self.shift
        for span in spans:
            self._write(offset, line, span, is_proved=is_proved)
        if not is_proved or self._is_doubtful(line, spans):
            self._worsen("guessed")
            if len(self.places) == place_count < _MOST_PLACES:
                self._note_line(offset, start, line, self.edits[edit_count:])

    def _note_line(self, offset: int, start: int, line: str, edits: list[Edit]) -> None:
        """Flag a line in which no place is doubtful more than others."""
        moved = [replace(edit, start=edit.start - offset, end=edit.end - offset) for edit in edits]
        now = apply_edits(line, moved)
        self.places.append(DamagedPlace("", start, start + len(now), line, now, "guessed"))

    def _completed(self, line: str, last: Span) -> str:
        """The line with the rest of a gloss that its end cut off."""
        if last.rule != "restore.gloss" or last.end < len(line) or line.endswith(")"):
            return line
        return f"{line[: last.start]}{last.true}({last.learnt[0][1]})"

    def _is_doubtful(self, line: str, spans: list[Span]) -> bool:
        """Whether some of the line may have stood there before the kit came."""
        names = self.damage.names
        is_name = any(span.rule == "restore.gloss" and span.true in names for span in spans)
        return is_name or self.damage.habits.is_doubtful(line)

    def _has_gloss(self, true: str) -> bool:
        """A reading that stayed: nothing says that the page had it before."""
        return any(
            match.start() and has_reading(true[match.start() - 1], match[1])
            for match in GLOSS_RE.finditer(true)
        )

    def _write(self, offset: int, line: str, span: Span, *, is_proved: bool) -> None:
        received = line[span.start : span.end]
        inserted, is_sure = self._finish(line, span)
        start = offset + span.start
        if span.rule == "restore.frame" or not is_sure:
            is_proved = is_proved and is_sure
            verdict = span.verdict if is_proved or span.verdict == "lossy" else "guessed"
            at = start + self.shift
            alternatives = tuple(text.translate(self.damage.script) for text in span.alternatives)
            self.places.append(
                DamagedPlace(
                    "",
                    at,
                    at + len(inserted),
                    received,
                    inserted,
                    verdict,
                    alternatives,
                )
            )
            self._worsen(verdict)
        if received != inserted:
            self.edits.append(Edit(start, offset + span.end, received, inserted, span.rule))
            self.shift += len(inserted) - len(received)
            self._worsen("proved")

    def _finish(self, line: str, span: Span) -> tuple[str, bool]:
        """The Simplified text of a span, and whether its script is beyond doubt."""
        script = self.damage.script
        simple = span.true.translate(script)
        is_sure = True
        if any(char in DOUBLES and ord(char) in script for char in span.true):
            simple, is_sure = self._read_doubles(line, span)
        is_folded = span.rule == "restore.frame" and self.damage.is_folded
        return fold(simple) if is_folded else simple, is_sure

    def _read_doubles(self, line: str, span: Span) -> tuple[str, bool]:
        before = GLOSS_RE.sub("", line[max(0, span.start - _NEIGHBOUR) : span.start])[-1:]
        after = GLOSS_RE.sub("", line[span.end : span.end + _NEIGHBOUR])[:1]
        text = before + span.true + after
        read = [
            read_double(char, text[at - 1 : at], text[at + 1 : at + 2], self.damage.model)
            if char in DOUBLES and ord(char) in self.damage.script
            else (char.translate(self.damage.script), True)
            for at, char in enumerate(text)
        ]
        read = read[len(before) : len(before) + len(span.true)]
        return "".join(char for char, _ in read), all(is_sure for _, is_sure in read)

    def _worsen(self, verdict: str) -> None:
        self.verdict = max(self.verdict, verdict, key=VERDICTS.index)

    # spans of one line -------------------------------------------------------------------

    def _spans(self, line: str) -> Iterator[Span]:
        search = RunSearch(line, self.evidence)
        done, context = 0, ""
        for match in _LOSS_RE.finditer(line):
            if match.start() < done:
                continue
            plain = list(self._plain_spans(line, done, match.start()))
            yield from plain
            context = (context + true_text(line, plain, done, match.start()))[-_CONTEXT:]
            if search.is_exhausted:
                kept = Span(match.start(), match.end(), match[0], "restore.frame", "guessed")
                yield replace(kept, is_searched=False)
                done = match.end()
                break  # the rest of the line is kept; one place speaks for it
            span = self._run_span(search, match.start(), context)
            if span is not None:
                yield span
            done = span.end if span else match.end()
            context += span.true if span else match[0]
        yield from self._plain_spans(line, done, len(line))

    def _plain_spans(self, line: str, start: int, end: int) -> Iterator[Span]:
        """Glosses, noise and converted characters where the reader is aligned."""
        at = start
        while at < end:
            span = self._span_at(line, at, end)
            if span is not None:
                yield span
            at = span.end if span else at + 1

    def _span_at(self, line: str, at: int, end: int) -> Span | None:
        char = line[at]
        if line.startswith("(", at + 1):
            gloss = GLOSS_RE.match(line, at + 1, end)
            owner = self._owner(char, line[at - 1 : at], gloss[1]) if gloss else ""
            if gloss and owner:
                learnt = () if owner in self.damage.glosses else ((owner, gloss[1] + gloss[2]),)
                return Span(at, gloss.end(), char, "restore.gloss", learnt=learnt)
            if cut := self._cut_gloss(char, line, at + 1):
                return Span(at, len(line), char, "restore.gloss", learnt=((char, cut),))
        if "\x05" <= char <= "\x08" and (noise := _NOISE_RE.match(line, at, end)):
            return Span(at, noise.end(), "", "restore.noise")
        return self._script_span(line, at) if ord(char) in self.damage.script else None

    def _script_span(self, line: str, at: int) -> Span | None:
        if any(start < at < end for start, end in self.kept):
            return None
        return Span(at, at + 1, line[at], "restore.script")

    def _cut_gloss(self, char: str, line: str, start: int) -> str:
        """What the kit inserted after a character, where the line ends within it; else empty."""
        shown = line[start + 1 : start + _LONGEST_GLOSS]
        known = self.damage.glosses.get(char, "")
        if known:
            return known if f"{known})".startswith(shown) else ""
        is_name = not shown or char not in to_simplified()
        return "" if is_name else next((r for r in readings_of(char) if r.startswith(shown)), "")

    def _owner(self, char: str, before: str, reading: str) -> str:
        """The character whose gloss follows ``char``: itself, or one made of bytes across."""
        owner = char if char > "\x7f" else char_across(before, char)
        known = self.damage.glosses.get(owner)
        if not known and owner in self.damage.refused and owner not in to_simplified():
            return ""
        belongs = known.strip() == reading if known else has_reading(owner, reading)
        return owner if owner and belongs else ""

    def _run_span(self, search: RunSearch, start: int, context: str) -> Span | None:
        before = context[-1:]
        paths = search.find_guesses(start, context)[:_WEIGHED]
        weighed = self._weigh_words(search.line, context, paths)
        explaining = (
            path for path in weighed[:_TRIED] if self._explains(search.line, start, before, path)
        )
        proved = list(islice(explaining, _COMPARED))
        if not proved:
            return self._kept_span(search.line, start, ())
        best = proved[0]
        end, true = best.pos, best.out[len(before) :]
        if true == search.line[start:end]:
            rivals = [path for path in proved[1:] if path.score > best.score - _DOUBT]
            return self._kept_span(search.line, start, rivals)
        others = [path for path in proved[1:] if path.out != best.out]
        margin = best.score - others[0].score if others else 99.0
        after = search.line[end : end + 1]
        is_sure = is_certain(context[:-1][-4:], best, others, after, self.damage.model)
        is_sure = is_sure and self._is_common(true) and not has_eaten(search.line, end)
        verdict = "lossy" if best.is_lossy else "proved" if is_sure else "guessed"
        listed = tuple(path.out[len(before) :] for path in others[:_LISTED])
        return Span(
            start,
            end,
            true,
            "restore.frame",
            verdict,
            listed,
            best.learnt,
            best.lost_count,
            margin=margin,
        )

    def _is_common(self, true: str) -> bool:
        """Whether a reading has no character that modern Chinese text hardly ever has."""
        return is_common(true.translate(self.damage.script))

    def _weigh_words(self, line: str, context: str, paths: list[Guess]) -> list[Guess]:
        """Order hypotheses by how well they read as words, over the same stretch of the line."""
        if len(paths) < 2:
            return paths
        end = max(path.pos for path in paths) + _AROUND
        before = context[:-1][-_AROUND:]
        afters = {
            at: _LOSS_RE.split(GLOSS_RE.sub("", line[at:end]), 1)[0]
            for at in {path.pos for path in paths}
        }
        texts = [before + path.out + afters[path.pos] for path in paths]
        weights = self.damage.words.score_all(texts)
        weighed = [
            path._replace(
                score=path.score - _PAIRS_TRUSTED_LESS * path.pairs + _WORDS_TRUSTED * weight
            )
            for path, weight in zip(paths, weights, strict=True)
        ]
        return sorted(weighed, reverse=True)

    def _kept_span(self, line: str, start: int, rivals: Sequence[Guess]) -> Span | None:
        """Keep a ``?`` of the text, and flag it where an honest one is doubtful."""
        is_lost = line[start] == LOST
        if not is_lost and self._is_honest(line, start) and not rivals:
            return None
        listed = tuple(guess.out for guess in rivals[:_LISTED])
        verdict = "lossy" if is_lost else "guessed"
        return Span(start, start + 1, line[start], "restore.frame", verdict, listed)

    def _is_honest(self, line: str, start: int) -> bool:
        """Folding makes ``?`` of ？; live pages have it beside ASCII only."""
        after = line[start + 1 : start + 2]
        if self.damage.is_folded:
            return after not in _UNLIKELY_AFTER and TAIL_RE.match(line, start + 1) is None
        before = GLOSS_RE.sub("", line[max(0, start - _NEIGHBOUR) : start])
        around = before[-1:] + after
        return any("!" <= char <= "~" and char not in _UNLIKELY_AFTER for char in around)

    def _explains(self, line: str, start: int, before: str, path: Guess) -> bool:
        return prove_run(line[start : path.pos], before, path.out, self.damage, path.learnt)


__all__ = ["LOST", "Damage"]
