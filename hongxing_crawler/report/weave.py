"""Weave the edits of several steps into one text that shows all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hongxing_crawler.core.edits import Edit


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text with one fate. Both rules empty: kept as received."""

    text: str
    removed_by: str = ""
    inserted_by: str = ""  # and perhaps removed again by a later step


def weave(received: str, steps: Iterable[Sequence[Edit]]) -> list[Span]:
    """Lay the edits of all steps over the received text.

    The spans that no step inserted, joined, are the received text; those that no step
    removed, joined, are the final text.

    >>> from hongxing_crawler.core.edits import Edit
    >>> weave("會議", [[Edit(0, 1, "會", "会", "restore.script")]])
    [Span(text='會', removed_by='restore.script', inserted_by=''), \
Span(text='会', removed_by='', inserted_by='restore.script'), \
Span(text='議', removed_by='', inserted_by='')]

    Args:
        received: The text before the first step.
        steps: The edits of each step, counting in the text that the step received.

    Raises:
        ValueError: The edits do not fit the text.
    """
    spans = [Span(received)] if received else []
    for edits in steps:
        spans = _apply_step(spans, edits)
    return _join_alike(spans)


def _apply_step(spans: Sequence[Span], edits: Sequence[Edit]) -> list[Span]:
    woven: list[Span] = []
    rest = list(reversed(spans))
    done = 0
    for edit in edits:
        woven += _take(rest, edit.start - done)
        gone = list(_take(rest, edit.end - edit.start))
        if "".join(span.text for span in gone if not span.removed_by) != edit.removed:
            raise ValueError(f"edit {edit.rule} at {edit.start} does not fit the text")
        woven += (span if span.removed_by else replace(span, removed_by=edit.rule) for span in gone)
        if edit.inserted:
            woven.append(Span(edit.inserted, inserted_by=edit.rule))
        done = edit.end
    return woven + rest[::-1]


def _take(rest: list[Span], count: int) -> Iterator[Span]:
    """Take so many living code points off the end of ``rest``, with what was removed between."""
    while count > 0 and rest:
        span = rest.pop()
        if span.removed_by:
            yield span
        elif len(span.text) <= count:
            count -= len(span.text)
            yield span
        else:
            yield replace(span, text=span.text[:count])
            rest.append(replace(span, text=span.text[count:]))
            return


def _join_alike(spans: Sequence[Span]) -> list[Span]:
    """Show neighbours of one rule as one removal and one insertion: 會議 → 会议."""
    joined: list[Span] = []
    for rule, group in groupby(spans, lambda span: span.removed_by or span.inserted_by):
        members = list(group)
        if not rule:
            joined.append(Span("".join(span.text for span in members)))
            continue
        fates = [(span.removed_by, span.inserted_by) for span in members]
        for fate in dict.fromkeys(fates):
            texts = (span.text for span, its in zip(members, fates, strict=True) if its == fate)
            joined.append(Span("".join(texts), *fate))
    return joined
