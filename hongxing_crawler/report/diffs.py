"""Compare two revisions of a text, for people: what went, what came, a little of what stayed."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from hongxing_crawler.report.weave import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTEXT = 40  # characters shown on either side of a change
_FINE_MAX = 2_000  # longer passages are compared as a whole: the comparison is quadratic
_PARAGRAPHS_MAX = 2_000
_SHOWN_MAX = 1_200  # characters of one comparison
_OLD, _NEW = "diff.old", "diff.new"


def _split(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    rest = "".join(lines[_PARAGRAPHS_MAX:])
    return [*lines[:_PARAGRAPHS_MAX], rest] if rest else lines


def _replace(old: str, new: str) -> list[Span]:
    return [Span(old, removed_by=_OLD)] * bool(old) + [Span(new, inserted_by=_NEW)] * bool(new)


def _compare_passages(old: str, new: str) -> list[Span]:
    if not old or not new or len(old) + len(new) > _FINE_MAX:
        return _replace(old, new)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < 0.4:
        return _replace(old, new)  # rewritten: scattered single characters explain nothing
    spans = []
    for kind, i, j, k, n in matcher.get_opcodes():
        spans += [Span(old[i:j])] if kind == "equal" else _replace(old[i:j], new[k:n])
    return spans


def _shorten(span: Span, *, first: bool, last: bool) -> Span:
    if span.removed_by or span.inserted_by or len(span.text) <= 2 * _CONTEXT + 3:
        return span
    head = "" if first else span.text[:_CONTEXT]
    tail = "" if last else span.text[-_CONTEXT:]
    return Span(f"{head} … {tail}")


def diff_texts(old: str, new: str) -> list[Span]:
    """Compare paragraph by paragraph, then character by character within those that changed.

    >>> [span.text for span in diff_texts("会议召开。", "会议闭幕。")]
    ['会议', '召开', '闭幕', '。']

    Returns:
        Spans in reading order; long passages that stayed are shortened to what stands beside a
        change. Equal texts give no spans.
    """
    if old == new:
        return []
    before, after = _split(old), _split(new)
    spans: list[Span] = []
    for kind, i, j, k, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        passages = "".join(before[i:j]), "".join(after[k:n])
        spans += [Span(passages[0])] if kind == "equal" else _compare_passages(*passages)
    return shorten(spans)


def shorten(spans: Sequence[Span]) -> list[Span]:
    """Keep every change, and of long passages that stayed what stands beside one.

    Of very many changes, or very long ones, the first are kept.
    """
    shown: list[Span] = []
    last, total = len(spans) - 1, 0
    for i, span in enumerate(spans):
        short = _shorten(span, first=i == 0, last=i == last)
        if len(short.text) > _SHOWN_MAX - total:
            return [*shown, replace(short, text=short.text[: _SHOWN_MAX - total]), Span(" …")]
        shown.append(short)
        total += len(short.text)
    return shown
