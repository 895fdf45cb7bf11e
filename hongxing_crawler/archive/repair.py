"""Make files whole again after a crash: cut a torn tail, copy around a torn middle."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.exact_member import TooSmallError
from hongxing_crawler.archive.lost_record import fill
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.archive.survey import Survey
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from hongxing_crawler.archive.findings import Finding
    from hongxing_crawler.archive.survey import Gap

    IdsIn = Callable[[str], Mapping[int, str]]

DAMAGED_SUFFIX = ".damaged"
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
    lost_spans: tuple[tuple[int, int], ...] = ()  # offset and length of what was lost

    @property
    def is_clean(self) -> bool:
        """Whether nothing had to be left out."""
        return self.lost_bytes == 0


def repair_open_file(path: Path, now: datetime | None = None) -> RepairReport:
    """Finish a file that a process left behind under its ``.open`` name.

    What is torn at its end is cut off, together with the parts of a group whose response is
    not there; the file then gets its final name. When whole records follow damage, the whole
    ones are copied to the final name, and the file stays as it was under ``….damaged``.
    A file without any exchange is removed.

    Raises:
        ArchiveError: a running process writes the file, or the disk refuses.
    """
    with _errors_named(path), _taken_over(path) as handle:
        survey, now = Survey(path), now or datetime.now(UTC)
        target = path.with_name(path.name.removesuffix(OPEN_SUFFIX))
        if not survey.has_exchange:
            path.unlink()
            disk.sync_folder(path.parent)
            return _report(survey, None)
        if survey.is_whole:
            disk.cut(handle, survey.end)
            disk.sync_data(handle)
            disk.rename(path, target)
        else:
            if not _is_copied(survey, target):
                _copy(survey, target, now)
            disk.rename(path, path.with_name(target.name + DAMAGED_SUFFIX))
        return _report(survey, target)


def repair_folder(folder: Path) -> list[RepairReport]:
    """Finish every file in a folder that is left from a process that has ended."""
    return [repair_open_file(path) for path in sorted(folder.glob("*" + OPEN_SUFFIX))]


def repair_file(path: Path, target: Path, now: datetime | None = None) -> RepairReport:
    """Copy the whole records of a damaged file to a new one; the damaged one is only read.

    Whole records keep their offsets, as in ``repair_finished``.

    Raises:
        ArchiveError: ``target`` exists, there is nothing to copy, or the disk refuses.
    """
    with _errors_named(path):
        survey = Survey(path)
        if not survey.kept:
            raise ArchiveError(f"{path} holds no whole exchange, nothing to repair")
        _copy(survey, target, now or datetime.now(UTC))
        return _report(survey, target)


def repair_finished(
    path: Path, *, now: datetime, ids_in: IdsIn | None = None
) -> RepairReport | None:
    """Put whole records in the place of a damaged, finished file; None when it is sound.

    Every record is read and compared with its digests. The damaged file is kept, byte for byte,
    under ``….damaged``; the new one has its name, and a record that tells of the loss in the place
    of each loss, so that all other records keep their offsets.

    Args:
        path: A ``.warc.gz`` file.
        now: When.
        ids_in: Gives the records, offset to id, that are known to lie in a file of this name; so
            the loss of a whole group, request and notes too, is recorded by its id.

    Raises:
        ArchiveError: the disk refuses; the damaged file is as it was.
    """
    with _errors_named(path):
        survey = Survey(path, with_digests=True)
        if survey.is_sound:
            return None
        if not survey.has_exchange:
            return _report(survey, None)
        part = path.with_name(path.name + disk.PART_SUFFIX)
        part.unlink(missing_ok=True)
        _write_copy(survey, part, path.name, now, ids_in(path.name) if ids_in else {})
        disk.keep_beside(path, _free_name(path))
        disk.replace(part, path)
        return _report(survey, path)


def _free_name(path: Path) -> Path:
    """Find a name for a damaged file; one that a broken-off repair gave it already serves again."""
    target = path.with_name(path.name + DAMAGED_SUFFIX)
    number = 2
    while target.exists() and not target.samefile(path):
        target = path.with_name(f"{path.name}-{number}{DAMAGED_SUFFIX}")
        number += 1
    return target


def _report(survey: Survey, target: Path | None) -> RepairReport:
    lost = survey.size - survey.kept_bytes
    urls = tuple(dict.fromkeys(url for url in survey.lost_urls if url))
    spans = tuple((gap.offset, gap.length) for gap in survey.gaps())
    found = tuple(survey.findings)
    return RepairReport(survey.path, target, len(survey.kept), lost, found, urls, spans)


def _is_copied(survey: Survey, target: Path) -> bool:
    """Whether an interrupted repair got as far as the copy; serial numbers are never reused."""
    return target.exists() and target.stat().st_size in {survey.end, survey.kept_bytes}


def _copy(survey: Survey, target: Path, now: datetime) -> None:
    part = target.with_name(target.name + disk.PART_SUFFIX)
    part.unlink(missing_ok=True)  # of a repair that was itself interrupted
    if target.exists():
        raise ArchiveError(f"{target} exists and is never replaced")
    _write_copy(survey, part, target.name, now)
    disk.rename(part, target)


def _write_copy(
    survey: Survey, part: Path, name: str, now: datetime, known: Mapping[int, str] | None = None
) -> None:
    gaps = {gap.offset + gap.length: gap for gap in survey.gaps()}
    handle = disk.create(part)
    try:
        with survey.path.open("rb") as source:
            for offset, length in survey.kept:
                if offset in gaps:
                    _fill(handle, gaps[offset], name, now, known or {})
                for start in range(offset, offset + length, _COPY_BYTES):
                    source.seek(start)
                    piece = source.read(min(_COPY_BYTES, offset + length - start))
                    disk.write_all(handle, piece)
        disk.sync_data(handle)
    finally:
        os.close(handle)


def _fill(handle: int, gap: Gap, name: str, now: datetime, known: Mapping[int, str]) -> None:
    """Write a record as long as the gap, with less in it when it is short.

    A gap too short for any record is closed.
    """
    place = name, gap.offset, gap.length
    inside = range(gap.offset, gap.offset + gap.length)
    ids = [record_id for offset, record_id in known.items() if offset in inside]
    for known_ids, urls in ((ids, gap.urls), (ids, []), ([], gap.urls), ([], [])):
        with suppress(TooSmallError):
            pieces = fill(
                *place, made_at=now, lost_ids=gap.ids, known_ids=known_ids, lost_urls=urls
            )
            for piece in pieces:
                disk.write_all(handle, piece)
            return


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
