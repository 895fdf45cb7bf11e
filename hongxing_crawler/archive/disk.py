"""The few calls that change what is on disk, in one place: tests make each one fail."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

PART_SUFFIX = ".part"


def create(path: Path) -> int:
    """Create a file that must not exist yet, lock it for this process, and sync its folder."""
    handle = _locked(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        sync_folder(path.parent)
    except BaseException:
        os.close(handle)
        raise
    return handle


def take_over(path: Path) -> int:
    """Open and lock a file that another process left behind.

    Raises:
        BlockingIOError: that process still writes it.
    """
    return _locked(path, os.O_RDWR)


def _locked(path: Path, flags: int) -> int:
    handle = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(handle)
        raise
    return handle


def write_all(handle: int, data: bytes) -> None:
    """Write every byte; a disk that fills up may take only a part at first."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def sync_data(handle: int) -> None:
    """Return when the bytes and the length of the file are on the medium."""
    os.fdatasync(handle)


def cut(handle: int, length: int) -> None:
    """Shorten a file to ``length`` bytes and go on writing there."""
    os.ftruncate(handle, length)
    os.lseek(handle, length, os.SEEK_SET)


def rename(source: Path, target: Path) -> None:
    """Give a finished file its final name; the folder is synced, so the name survives too."""
    if target.exists():
        raise FileExistsError(f"{target} exists and is never replaced")
    source.rename(target)
    sync_folder(target.parent)


def keep_beside(path: Path, name: Path) -> None:
    """Give a file a second name, under which it stays when the first is taken by another."""
    if not name.exists():
        os.link(path, name)
    sync_folder(name.parent)


def replace(source: Path, target: Path) -> None:
    """Put a finished file in the place of another one, which has to have a second name."""
    source.replace(target)
    sync_folder(target.parent)


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears under its name when it is complete, in place of an older one.

    When the block raises, nothing remains and an older file stays as it is.
    """
    part = path.with_name(path.name + PART_SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            sync_data(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def explain(error: OSError) -> str:
    """Say what went wrong in the system's words, without the path that the caller names."""
    return error.strerror or str(error)
