"""Injected text: runs of names, link wheels, advertising sentences.

A drop rule asks for several signs at once. Place names alone are never one: a paragraph
that names fourteen cities is news here.
"""

from __future__ import annotations

import re

from hongxing_crawler.core.advertising import find_advertising
from hongxing_crawler.core.edits import Cleaned, Edit

_BAR_RE = re.compile(r"[|｜]")
_MARKS_RE = re.compile(r"[，。！？；：、,;!?]")
_ENDS_RE = re.compile(r"[，。！？；：、,;!?）)】」』”]")
_NARROW_RE = re.compile(r"[\x20-\x7e\u00a0-\u1fff]")
_LONGEST_NAME = 14
_NAME_WIDTH = 8
_INTRO_RE = re.compile(r"感谢您访问我们的网站|您可能还对以下资源感兴趣")
LEAST_NAMES = 5
LEAST_BARS = 8
_MOST_BARS = 20


def find_name_runs(text: str) -> list[tuple[int, int]]:
    """Find runs of short items between bars, line by line: at least six items in a run.

    ``人民日报|求是|党建研究`` is too short a run, a table row holds tabs, a paragraph that
    lists cities holds ``、``: all stay.

    >>> find_name_runs("会议召开。凉山| 兰坪| 中超| 桓仁| 南宁市| 内江市|")
    [(5, 30)]
    """
    runs: list[tuple[int, int]] = []
    position = 0
    for line in text.split("\n"):
        if line.count("|") + line.count("｜") >= LEAST_NAMES:
            runs += [(position + start, position + end) for start, end in _runs_of_line(line)]
        position += len(line) + 1
    return runs


def _runs_of_line(line: str) -> list[tuple[int, int]]:
    """Find the runs of one line; its first item may follow a sentence."""
    runs: list[tuple[int, int]] = []
    start, count, position = -1, 0, 0
    pieces = _BAR_RE.split(line)
    for number, piece in enumerate(pieces):
        end = position + len(piece)
        is_last = number == len(pieces) - 1
        cut = _last_mark(piece)
        if count and (cut >= 0 or _width(piece.strip()) > _LONGEST_NAME):
            lead = _first_mark(piece) if cut >= 0 else len(piece)
            short = _width(piece[:lead].strip()) <= _LONGEST_NAME
            runs.append((start, position + (lead if short and not is_last else 0)))
            count = 0
        name = piece[cut + 1 :]
        if 0 < _width(name.strip()) <= _LONGEST_NAME and not is_last:
            if not count:
                start = position + cut + 1
            count += 1
        elif not is_last:
            count = 0
        position = end + 1
    if count:
        runs.append((start, len(line)))
    return [
        (begin, end) for begin, end in runs if len(_BAR_RE.findall(line[begin:end])) >= LEAST_NAMES
    ]


def _last_mark(piece: str) -> int:
    marks = [match.end() - 1 for match in _ENDS_RE.finditer(piece)]
    return marks[-1] if marks else -1


def _first_mark(piece: str) -> int:
    match = _MARKS_RE.search(piece)
    return match.start() if match else len(piece)


def count_bars(text: str) -> int:
    return text.count("|") + text.count("｜")


def is_name_wheel(run: str) -> bool:
    """Say whether a run between bars is a wheel: many items, all short, none a sentence."""
    items = [item.strip() for item in re.split(r"[|｜]", run) if item.strip()]
    if len(items) < LEAST_NAMES + 1:
        return False
    return sum(_width(item) <= _NAME_WIDTH for item in items) >= 0.9 * len(items)


def _width(text: str) -> float:
    """Measure a name: letters of other scripts say half as much as a Chinese character."""
    return len(text) - 0.5 * len(_NARROW_RE.findall(text)) if text else 0


def is_wheel_intro(text: str) -> bool:
    return bool(_INTRO_RE.search(text[:100]))


def strip_name_runs(text: str) -> Cleaned:
    """Remove runs of names between bars from a body, rule ``spam.name_run``."""
    if count_bars(text) < LEAST_NAMES:
        return Cleaned(text)
    edits = []
    for start, end in find_name_runs(text):
        if is_name_wheel(text[start:end]):
            rest = text[end : end + _MOST_BARS]
            close = end + len(rest) - len(rest.lstrip(" |｜"))
            edits.append(Edit(start, close, text[start:close], "", "spam.name_run"))
    return _applied(text, edits)


def strip_advertising(text: str) -> Cleaned:
    """Remove advertising paragraphs and sentences from a body, rule ``spam.advertising``."""
    edits = []
    for start, end in find_advertising(text):
        first, last = _with_blank_line(text, start, end)
        edits.append(Edit(first, last, text[first:last], "", "spam.advertising"))
    return _applied(text, edits)


def _with_blank_line(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a whole paragraph by the blank line that parts it from its neighbour."""
    if text[start - 2 : start] == "\n\n" and text[end : end + 1] in {"", "\n"}:
        return start - 2, end
    if start == 0 and text.startswith("\n\n", end):
        return 0, end + 2
    return start, end


def _applied(text: str, edits: list[Edit]) -> Cleaned:
    if not edits:
        return Cleaned(text)
    parts, done = [], 0
    for edit in edits:
        parts.append(text[done : edit.start])
        done = edit.end
    parts.append(text[done:])
    return Cleaned("".join(parts), tuple(edits))
