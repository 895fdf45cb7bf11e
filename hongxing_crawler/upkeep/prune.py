"""Remove what the retention rules let go: logs, reports and snapshots that newer ones replace.

WARC files, media, deltas, indexes and run records always stay. What ``latest.json`` names stays,
what a bucket is to have and has not yet stays, and so does everything of the last run.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hongxing_crawler.store.home import Home

_LOGS = ("log",)
_REPORTS = ("report.html", "spam.jsonl")
_TREE = "articles/v1"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each sort of file is kept, in seconds; 0: for ever."""

    logs_s: float = 0.0
    reports_s: float = 0.0
    rows_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Spare:
    """A file or a folder of rows that may go."""

    kind: str  # logs | reports | rows
    path: Path
    bytes: int


def find_spare(home: Home, retention: Retention, *, now: Callable[[], datetime]) -> list[Spare]:
    """Find what the rules let go; nothing is changed.

    Raises:
        HongxingError: The state, or ``latest.json``, cannot be read.
    """
    with State.open(home.state, now=now, read_only=True) as state:
        ended = {run.run_id: run.ended_at for run in state.runs()[:-1] if run.ended_at}
        proved = _proved(state)
    spare = [
        *_find_run_files(home, "logs", _LOGS, _until(now, retention.logs_s), ended),
        *_find_run_files(home, "reports", _REPORTS, _until(now, retention.reports_s), ended),
        *_find_snapshots(home, _until(now, retention.rows_s)),
    ]
    return [item for item in spare if _has_copy(home, item.path, proved)]


def remove_spare(home: Home, spare: list[Spare], *, now: Callable[[], datetime]) -> None:
    """Remove what `find_spare` found; the caller holds the lock.

    An interruption leaves the rest for the next call. What lies in the bucket stays there.

    Raises:
        OSError: A file cannot be removed.
    """
    with State.open(home.state, now=now) as state:
        has_bucket = bool(state.outbox.look().target)
        for item in spare:
            paths = [path.relative_to(home.root).as_posix() for path in _files_of(item.path)]
            if item.path.is_dir():
                (item.path / "_SUCCESS").unlink(missing_ok=True)  # readers know that it goes
                shutil.rmtree(item.path)
            else:
                item.path.unlink(missing_ok=True)
            if not has_bucket:  # nobody has a copy, nobody is to send one
                with state.changing_outbox():
                    state.outbox.forget(paths)


def _until(now: Callable[[], datetime], keep_s: float) -> datetime | None:
    return now() - timedelta(seconds=keep_s) if keep_s else None


def _proved(state: State) -> set[str] | None:
    """Return the files that the bucket was seen to hold; None when no bucket is used."""
    if not state.outbox.look().target:
        return None
    return {entry.path for entry in state.outbox.proved()}


def _has_copy(home: Home, path: Path, proved: set[str] | None) -> bool:
    """Tell whether the bucket, when there is one, has a proved copy of all of it."""
    if proved is None:
        return True
    return all(file.relative_to(home.root).as_posix() in proved for file in _files_of(path))


def _files_of(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _find_run_files(
    home: Home,
    kind: str,
    names: tuple[str, ...],
    until: datetime | None,
    ended: dict[str, datetime],
) -> Iterator[Spare]:
    if until is None:
        return
    for run_id, ended_at in ended.items():
        for name in names if ended_at < until else ():
            path = home.run(run_id) / name
            if path.is_file():
                yield Spare(kind, path, path.stat().st_size)


def _find_snapshots(home: Home, until: datetime | None) -> Iterator[Spare]:
    root = home.export / _TREE
    if until is None or not (root / "snapshot").is_dir():
        return
    kept = _read_latest(root)
    for folder in sorted((root / "snapshot").glob("dt=????-??-??")):
        day = folder.name.removeprefix("dt=")
        is_whole = (folder / "_SUCCESS").is_file()
        if folder != kept and is_whole and day < f"{until:%Y-%m-%d}" and folder < kept:
            size = sum(file.stat().st_size for file in _files_of(folder))
            yield Spare("rows", folder, size)


def _read_latest(root: Path) -> Path:
    path = root / "latest.json"
    try:
        latest = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        folder = root / latest["snapshot"]
    except (OSError, msgspec.DecodeError, KeyError) as error:
        raise ConfigError(
            f"{path} does not say which rows are the last ones, so no rows are removed;"
            " type hongxing export, which writes it anew"
        ) from error
    if not (folder / "_SUCCESS").is_file():
        raise ConfigError(f"{path} names {folder}, which is not whole; type hongxing export")
    return folder
