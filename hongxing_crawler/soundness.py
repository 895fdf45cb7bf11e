"""Is a home sound, and what is done when it is not: verify and repair."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.archive.cdxj import captures_in, verify_index, write_index
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.archive.fixity import check_share, verify_log
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.archive.repair import DAMAGED_SUFFIX, repair_folder
from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.store.lock import find_holder
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from fractions import Fraction
    from pathlib import Path

    from hongxing_crawler.archive.fixity import FixityReport
    from hongxing_crawler.archive.repair import RepairReport
    from hongxing_crawler.store.home import Home

_WARC = ".warc.gz"
_PIECE_BYTES = 1 << 20


@dataclass(slots=True)
class Soundness:
    """How much of a home was checked, and what is wrong with it."""

    file_count: int = 0
    record_count: int = 0
    byte_count: int = 0
    media_count: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify_home(home: Home, *, now: Callable[[], datetime], deep: bool = False) -> Soundness:
    """Check every WARC file and index; with ``deep`` every digest, media file and the state too.

    A file that a running crawl writes is left out.

    Raises:
        HongxingError: Something cannot be read at all.
    """
    running = find_holder(home.lock) is not None
    warcs = list_warcs(home, with_open=not running)
    report = verify_warcs(warcs, with_digests=deep)
    sound = Soundness(report.file_count, report.record_count, report.byte_count)
    sound.findings = [*report.findings, *_verify_indexes(home, running=running)]
    if home.fixity_log.is_file():
        sound.findings += verify_log(home.fixity_log)
    if deep:
        for path in sorted(home.media.glob("sha256/*/*")):
            sound.media_count += 1
            sound.findings += _verify_media(path)
        sound.findings += _verify_state(home, now)
    return sound


def list_warcs(home: Home, *, with_open: bool = False) -> list[Path]:
    names = [_WARC, _WARC + OPEN_SUFFIX] if with_open else [_WARC]
    return sorted(path for name in names for path in home.warc.glob(f"*{name}"))


def _verify_indexes(home: Home, *, running: bool) -> Iterator[Finding]:
    """Check the index of each file; a running crawl makes those of its files at its end."""
    warcs = list_warcs(home)
    for path in warcs:
        index = _index_of(home, path)
        if index.is_file():
            yield from verify_index(index, [path])
        elif not (running and run_of(path) == run_of(warcs[-1])):
            yield Finding(Kind.MISSING, index.name, 0, 0, f"no index of {path.name}")


def _index_of(home: Home, warc: Path) -> Path:
    return home.cdxj / f"{warc.name.removesuffix(_WARC)}.cdxj"


def run_of(warc: Path) -> str:
    """Site and run of a file named ``<site>-<run>-<number>.warc.gz``."""
    return warc.name.removesuffix(_WARC).rpartition("-")[0]


def _verify_media(path: Path) -> Iterator[Finding]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    if digest.hexdigest() != path.name.partition(".")[0]:
        reason = "the bytes are not those that the name promises"
        yield Finding(Kind.FIXITY, path.name, 0, path.stat().st_size, reason)


def check_fixity(home: Home, share: Fraction, *, now: datetime) -> FixityReport:
    """Compare a share of what cannot be made again with its digests, and log the results.

    That is finished WARC files, damaged ones that a repair kept, and media files; the name of a
    media file is its digest. A running crawl is no hindrance.

    Raises:
        ArchiveError: A file or the log cannot be read or written.
    """
    names = dict.fromkeys(_archived_names(home), "")
    for path in sorted(home.media.glob("sha256/*/*")):
        names[path.relative_to(home.root).as_posix()] = f"sha256:{path.name.partition('.')[0]}"
    return check_share(home.root, names, home.fixity_log, share, now=now)


def _archived_names(home: Home) -> list[str]:
    paths = [*list_warcs(home), *home.warc.glob(f"*{_WARC}{DAMAGED_SUFFIX}")]
    return sorted(path.relative_to(home.root).as_posix() for path in paths)


def _verify_state(home: Home, now: Callable[[], datetime]) -> Iterator[Finding]:
    with State.open(home.state, now=now, read_only=True) as state:
        for problem in state.find_damage():
            yield Finding(Kind.DAMAGED, home.state.name, 0, 0, problem)


def repair_home(home: Home) -> tuple[list[RepairReport], list[Path]]:
    """Finish the files of killed runs and make every missing index; the caller holds the lock.

    Returns:
        What was repaired, and the indexes that were made.

    Raises:
        ArchiveError: The disk refuses.
    """
    reports = repair_folder(home.warc)
    made = []
    for path in list_warcs(home):
        index = _index_of(home, path)
        if not index.is_file():
            write_index(captures_in([path], []), index)
            made.append(index)
    return reports, made
