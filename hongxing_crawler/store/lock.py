"""One run at a time per home: a file lock that dies with its holder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.exceptions import ConfigError, LockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL_S = 0.5
_MAX_NOTE_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a home: the process, its run, and since when (ISO 8601)."""

    process: str  # "crawl, process 4711 on archive1"
    run: str
    since: str

    def __str__(self) -> str:
        run = f", {self.run}" if self.run else ""
        return f"{self.process}{run}, since {self.since or 'unknown'}"


_NAMELESS = Holder("another process", "", "")


@contextmanager
def hold(path: Path, holder: Holder, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock file for the time of a ``with`` block.

    The lock is the kernel's (``flock``), so that a killed run leaves nothing behind that
    has to be cleared; the text in the file only tells others who it is.

    Args:
        path: The lock file; it is made when missing and never deleted.
        holder: What others are told.
        wait_s: How long to wait for another holder before giving up.

    Raises:
        LockedError: Another process holds it; the message says which, and since when.
        ConfigError: The file cannot be opened for writing.
    """
    file = _open(path)
    try:
        if not _acquire(file, wait_s):
            raise LockedError(_busy_message(path, file))
        _write_note(file, holder)
        yield
        _write_note(file, None)
    finally:
        os.close(file)


def find_holder(path: Path) -> Holder | None:
    """Find out who holds the lock, without waiting; ``None`` when nobody does."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_note(file)
    else:
        return None
    finally:
        os.close(file)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigError(
            f"cannot open the lock {path}: {error.strerror}; "
            "the home must be writable, choose another with --home or HONGXING_HOME"
        ) from error


def _acquire(file: int, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            time.sleep(min(_POLL_S, left_s))
        else:
            return True


def _write_note(file: int, holder: Holder | None) -> None:
    note = b"" if holder is None else json.dumps(asdict(holder), ensure_ascii=False).encode()
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, note, 0)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:  # the lock holds without its note
            raise


def _read_note(file: int) -> Holder:
    try:
        note = json.loads(os.pread(file, _MAX_NOTE_BYTES, 0))
        return Holder(str(note["process"]), str(note["run"]), str(note["since"]))
    except (ValueError, KeyError, TypeError):  # read in the instant before it was written
        return _NAMELESS


def _busy_message(path: Path, file: int) -> str:
    return (
        f"{path.parent} is in use by {_read_note(file)}; nothing was changed, "
        "try again later or wait with --wait-lock 10m"
    )
