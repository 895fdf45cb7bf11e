"""Files that take their name only when they are complete and synced."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write_file(path: Path, data: bytes) -> None:
    """Write a small file so that its name never stands for half of it, a power loss included."""
    with complete_file(path) as file:
        file.write(data)


@contextmanager
def complete_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes its name when the block ends well."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force a folder's names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
