"""What was started in a home, one line each: starts, ends, and starts that found it taken.

A run that finds the home locked may write nothing into the state. It appends a line to
``runs/ledger.jsonl``, in one write, which the kernel puts at the end whoever else writes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_TAIL_BYTES = 1 << 20  # some thousand lines: years of nights
_MAX_TEXT = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """One thing that happened. ``at`` is ISO 8601 in UTC."""

    at: str
    event: str  # start | skip | end | killed
    run_id: str = ""
    process: str = ""  # who wrote the line
    exit_code: int | None = None
    reason: str = ""
    sentence: str = ""


def write_line(path: Path, event: str, at: datetime, **values: Any) -> None:
    """Append a line.

    Raises:
        OSError: The disk refuses; what was there stays as it was.
    """
    short: dict[str, Any] = {
        name: value[:_MAX_TEXT] if isinstance(value, str) else value
        for name, value in values.items()
    }
    line = LedgerLine(at=f"{at:%Y-%m-%dT%H:%M:%SZ}", event=event, **short)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        data = msgspec.json.encode(line) + b"\n"
        os.write(file, data if _ends_with_line(file) else b"\n" + data)
    finally:
        os.close(file)


def _ends_with_line(file: int) -> bool:
    """Tell whether the last line is whole; one that met a full disk is not."""
    size = os.fstat(file).st_size
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"


def read_lines(path: Path) -> list[LedgerLine]:
    """Return the last lines, oldest first; without a ledger none. A torn line is left out."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            data = file.read()
    except FileNotFoundError:
        return []
    return list(_decode(data))


def _decode(data: bytes) -> Iterator[LedgerLine]:
    decoder = msgspec.json.Decoder(LedgerLine)
    for line in data.splitlines():
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError:
            continue


def find_unended(lines: list[LedgerLine]) -> list[str]:
    """Return the runs that began and never ended, oldest first: they were killed.

    Whoever asks holds the lock, so none of them is still at work.
    """
    begun: dict[str, None] = {}
    for line in lines:
        if line.event == "start":
            begun[line.run_id] = None
        elif line.event == "end":
            begun.pop(line.run_id, None)
        elif line.event == "killed":  # once the line stood under the run that noticed it
            begun.pop(line.sentence.partition(" ")[0] or line.run_id, None)
    return list(begun)


def find_skips(lines: list[LedgerLine]) -> list[LedgerLine]:
    """Return the starts that found the home taken, since a run began last."""
    last = max((n for n, line in enumerate(lines) if line.event == "start"), default=-1)
    return [line for line in lines[last + 1 :] if line.event == "skip"]
