"""Make files whole again after a crash: cut a torn tail, copy around a torn middle."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.findings import Finding
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.archive.reader import scan
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hongxing_crawler.archive.reader import Record

DAMAGED_SUFFIX = ".damaged"
_PARTS = frozenset({"request", "metadata"})
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair kept and what it could not keep."""

    source: Path
    target: Path | None  # None: there was no exchange in the file, nothing is left of it
    record_count: int  # records kept, warcinfo included
    lost_bytes: int
    findings: tuple[Finding, ...]
    lost_urls: tuple[str, ...]  # as far as they could still be read; to be fetched again

    @property
    def is_clean(self) -> bool:
        """Whether nothing had to be left out."""
        return self.lost_bytes == 0


def repair_open_file(path: Path) -> RepairReport:
    """Finish a file that a process left behind under its ``.open`` name.

    What is torn at its end is cut off, together with the parts of a group whose response is
    not there; the file then gets its final name. When whole records follow damage, the whole
    ones are copied to the final name, and the file stays as it was under ``….damaged``.
    A file without any exchange is removed.

    Raises:
        ArchiveError: a running process writes the file, or the disk refuses.
    """
    with _errors_named(path), _taken_over(path) as handle:
        survey = _Survey(path)
        target = path.with_name(path.name.removesuffix(OPEN_SUFFIX))
        if not survey.has_exchange:
            path.unlink()
            disk.sync_folder(path.parent)
            return survey.report(None)
        if survey.is_whole:
            disk.cut(handle, survey.end)
            disk.sync_data(handle)
            disk.rename(path, target)
        else:
            if not _is_copied(survey, target):
                _copy(survey, target)
            disk.rename(path, path.with_name(target.name + DAMAGED_SUFFIX))
        return survey.report(target)


def repair_folder(folder: Path) -> list[RepairReport]:
    """Finish every file in a folder that is left from a process that has ended."""
    return [repair_open_file(path) for path in sorted(folder.glob("*" + OPEN_SUFFIX))]


def repair_file(path: Path, target: Path) -> RepairReport:
    """Copy the whole records of a damaged file to a new one; the damaged one is only read.

    Offsets change, so indexes have to be made again.

    Raises:
        ArchiveError: ``target`` exists, there is nothing to copy, or the disk refuses.
    """
    with _errors_named(path):
        survey = _Survey(path)
        if not survey.kept:
            raise ArchiveError(f"{path} holds no whole exchange, nothing to repair")
        _copy(survey, target)
        return survey.report(target)


class _Survey:
    """Which records of a file can stay: the whole ones whose group is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.findings: list[Finding] = []
        self.kept: list[tuple[int, int]] = []  # offset and length
        self.lost_urls: list[str] = []
        self.has_exchange = False
        self._ids: set[str] = set()
        self._waiting: list[tuple[Record, str]] = []
        for found in scan(path):
            if isinstance(found, Finding):
                self._damaged(found)
            else:
                self._whole(found)
        self._drop_waiting()

    @property
    def kept_bytes(self) -> int:
        return sum(length for _, length in self.kept)

    @property
    def end(self) -> int:
        return sum(self.kept[-1]) if self.kept else 0

    @property
    def is_whole(self) -> bool:
        """Whether the kept records lie side by side from the start of the file."""
        return self.kept_bytes == self.end

    def report(self, target: Path | None) -> RepairReport:
        lost = self.size - self.kept_bytes
        urls = tuple(dict.fromkeys(url for url in self.lost_urls if url))
        return RepairReport(self.path, target, len(self.kept), lost, tuple(self.findings), urls)

    def _damaged(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.lost_urls.append(finding.url)

    def _whole(self, record: Record) -> None:
        relation = record.fields.get("warc-concurrent-to", "")
        if relation and relation not in self._ids and record.type in _PARTS:
            self._drop_waiting(unless=relation)
            self._waiting.append((record, relation))
            return
        self._drop_waiting(unless=record.fields["warc-record-id"])
        for part, _ in self._waiting:
            self._keep(part)
        self._waiting = []
        self._keep(record)

    def _keep(self, record: Record) -> None:
        self.kept.append((record.offset, record.length))
        self.has_exchange |= record.type != "warcinfo"
        self._ids.add(record.fields["warc-record-id"])

    def _drop_waiting(self, unless: str = "") -> None:
        """Give up the parts of groups whose response is not there."""
        self.lost_urls += [record.url for record, to in self._waiting if to != unless]
        self._waiting = [(record, to) for record, to in self._waiting if to == unless]


def _is_copied(survey: _Survey, target: Path) -> bool:
    """Whether an interrupted repair got as far as the copy; serial numbers are never reused."""
    return target.exists() and target.stat().st_size == survey.kept_bytes


def _copy(survey: _Survey, target: Path) -> None:
    part = target.with_name(target.name + disk.PART_SUFFIX)
    part.unlink(missing_ok=True)  # of a repair that was itself interrupted
    if target.exists():
        raise ArchiveError(f"{target} exists and is never replaced")
    handle = disk.create(part)
    try:
        with survey.path.open("rb") as source:
            for offset, length in survey.kept:
                for start in range(offset, offset + length, _COPY_BYTES):
                    source.seek(start)
                    piece = source.read(min(_COPY_BYTES, offset + length - start))
                    disk.write_all(handle, piece)
        disk.sync_data(handle)
    finally:
        os.close(handle)
    disk.rename(part, target)


@contextmanager
def _taken_over(path: Path) -> Iterator[int]:
    try:
        handle = disk.take_over(path)
    except BlockingIOError as error:
        raise ArchiveError(f"{path} is being written by a running process") from error
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"cannot repair {path}: {disk.explain(error)}") from error
