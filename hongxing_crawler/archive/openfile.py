"""One WARC file while it is written: groups of records go in whole or not at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.archive import disk
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OPEN_SUFFIX = ".open"
_FLUSH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """Where a gzip member lies in its file."""

    offset: int  # bytes
    length: int  # bytes


class OpenFile:
    """A file named ``….open`` that becomes ``…`` when it is closed."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + OPEN_SUFFIX)
        self.length = 0
        self._handle = disk.create(self.path)
        self._broken = ""

    def append(self, members: Iterable[Iterable[bytes]], *, sync: bool) -> list[Span]:
        """Write a group of members, sync it if asked, and say where each lies.

        When anything fails the file is cut back to where it was, and the error goes on.

        Raises:
            OSError: the group could not be written; the file is as before.
            ArchiveError: an earlier failure left the file in an unknown state.
        """
        if self._broken:
            raise ArchiveError(f"{self.path} is not written any more: {self._broken}")
        try:
            spans = self._write(members)
            if sync:
                self.sync()
        except BaseException as error:
            self._roll_back(error)
            raise
        self.length = spans[-1].offset + spans[-1].length
        return spans

    def sync(self) -> None:
        """Make what is written durable; after a failed sync the file is not written any more.

        The system may drop the pages of a failed sync and report success next time, so a second
        try would prove nothing.
        """
        try:
            disk.sync_data(self._handle)
        except OSError as error:
            self._broken = f"sync failed, {disk.explain(error)}"
            raise

    def close(self) -> Path:
        """Sync, give the file its final name, and return it."""
        if self._broken:
            self.abandon()
            raise ArchiveError(f"{self.path} keeps its name, repair it: {self._broken}")
        try:
            self.sync()
            disk.rename(self.path, self.target)
        finally:
            self.abandon()
        return self.target

    def abandon(self) -> None:
        """Let go of the file under its ``.open`` name."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _write(self, members: Iterable[Iterable[bytes]]) -> list[Span]:
        spans, waiting, waiting_bytes, end = [], list[bytes](), 0, self.length
        for pieces in members:
            offset = end
            for piece in pieces:
                waiting.append(piece)
                waiting_bytes += len(piece)
                end += len(piece)
                if waiting_bytes >= _FLUSH_BYTES:
                    disk.write_all(self._handle, b"".join(waiting))
                    waiting, waiting_bytes = [], 0
            spans.append(Span(offset, end - offset))
        disk.write_all(self._handle, b"".join(waiting))
        return spans

    def _roll_back(self, error: BaseException) -> None:
        try:
            disk.cut(self._handle, self.length)
        except OSError as second:
            self._broken = f"{error}; then cutting back failed, {disk.explain(second)}"
