"""The log of takedowns: only ever appended to, each line bound to the one before it.

Beside it lies a list of what has been removed from published copies, so that an upload knows what
it still has to do: `read_pending_removals` and `mark_removed`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hongxing_crawler.core.record import utc_text
from hongxing_crawler.exceptions import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class PendingRemoval:
    """What a takedown still asks of the published copies; keys are paths below the home."""

    takedown_id: str
    replace: tuple[str, ...]  # to be uploaded again, over what is there, versions included
    delete: tuple[str, ...]  # to be deleted, versions included


def append_takedown(log: Path, entry: dict[str, Any]) -> None:
    """Append a takedown, synced; one that is there already is not written twice.

    Raises:
        OSError: The disk refuses.
        StateError: The log was changed after it was written.
    """
    last = _FIRST
    known = set()
    for line, value in _lines(log):
        last = hashlib.sha256(line).hexdigest()
        known.add(value.get("id"))
    if entry["id"] not in known:
        _append(log, entry | {"previous": last})


def read_takedowns(log: Path) -> list[dict[str, Any]]:
    """Return the entries of a log, oldest first; none when there is no log.

    Raises:
        StateError: The log was changed after it was written.
    """
    return [value for _, value in _lines(log)]


def read_pending_removals(home: Path) -> list[PendingRemoval]:
    """Return what published copies of a home still hold of pages that were taken down.

    Args:
        home: The root of the home.

    Raises:
        StateError: The log was changed after it was written.
    """
    folder = home / "takedown"
    done = {value["id"] for value in _plain_lines(folder / "published.jsonl")}
    return [
        PendingRemoval(
            entry["id"],
            tuple(entry["published"]["replace"]),
            tuple(entry["published"]["delete"]),
        )
        for entry in read_takedowns(folder / "log.jsonl")
        if entry["id"] not in done
    ]


def mark_removed(home: Path, takedown_id: str, place: str, now: datetime) -> None:
    """Note that the published copies at a place hold nothing of a takedown any more.

    Args:
        home: The root of the home.
        takedown_id: From `PendingRemoval`.
        place: Where that was, such as ``s3://bucket/prefix``.
        now: The time for the note.
    """
    entry = {"id": takedown_id, "place": place, "at": utc_text(now)}
    _append(home / "takedown" / "published.jsonl", entry)


def _append(path: Path, entry: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _cut_torn_line(path)
    line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    with path.open("ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cut_torn_line(path: Path) -> None:
    """Cut off what a crash left of a line; it was never reported as written."""
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)


def _plain_lines(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes() if path.is_file() else b""
    for line in data.splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield json.loads(line)


def _lines(log: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    previous = _FIRST
    data = log.read_bytes() if log.is_file() else b""
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):
            return
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {}
        if not isinstance(entry, dict) or entry.get("previous") != previous:
            raise StateError(
                f"{log}, line {number}: it was changed after it was written; take the log from a "
                "copy"
            )
        previous = hashlib.sha256(line).hexdigest()
        yield line, entry
