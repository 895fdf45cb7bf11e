"""Is a home sound, and what is done when it is not: verify and repair."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.archive.cdxj import captures_in, verify_index, write_index
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.archive.fixity import check_share, note_replaced, verify_log
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.archive.repair import DAMAGED_SUFFIX, repair_finished, repair_folder
from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.exceptions import StateError
from hongxing_crawler.items import Original
from hongxing_crawler.store.belonging import check_belonging, find_foreign_warcs
from hongxing_crawler.store.elsewhere import ElsewhereLook
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
    elsewhere: ElsewhereLook = field(default_factory=ElsewhereLook)  # pruned, in the bucket alone
    findings: list[Finding] = field(default_factory=list)
    known_losses: list[Finding] = field(default_factory=list)  # on record since a repair


def verify_home(home: Home, *, now: Callable[[], datetime], deep: bool = False) -> Soundness:
    """Check every WARC file and index; with ``deep`` every media file and the state too.

    What a repair has recorded as lost is no finding: nothing here brings it back. A file that a
    running crawl writes is left out.

    Raises:
        HongxingError: Something cannot be read at all.
    """
    running = find_holder(home.lock) is not None
    warcs = list_warcs(home, with_open=not running)
    with State.open(home.state, now=now, read_only=True) as state:
        kept, look = state.elsewhere.warc_names(), state.elsewhere.look()
        lost = state.lost_record_ids()
        report = verify_warcs(warcs, elsewhere=_originals(state, kept), lost_ids=lost)
    sound = Soundness(report.file_count, report.record_count, report.byte_count)
    sound.elsewhere, sound.known_losses = look, report.known_losses
    sound.findings = [*_find_missing(home, now), *report.findings]
    sound.findings += _verify_indexes(home, running=running)
    if home.fixity_log.is_file():
        sound.findings += verify_log(home.fixity_log)
    if deep:
        for path in sorted(home.media.glob("sha256/*/*")):
            sound.media_count += 1
            sound.findings += _verify_media(path)
        sound.findings += _find_missing_media(home, now)
        sound.findings += _verify_state(home, now)
    return sound


def _originals(state: State, kept: set[str]) -> Iterator[Original]:
    """Yield the records that lie in files which the bucket keeps."""
    for capture in state.captures() if kept else ():
        if capture.warc_filename in kept:
            url, at, digest = capture.url, capture.fetched_at, capture.payload_digest
            yield Original(url, at, capture.record_id, digest)


def _find_missing_media(home: Home, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Name pictures and attachments that are neither here nor kept elsewhere."""
    with State.open(home.state, now=now, read_only=True) as state:
        kept = state.elsewhere.names("media/")
        for key in state.media_keys():
            if key not in kept and not (home.root / key).is_file():
                yield Finding(Kind.MISSING, key, 0, 0, "an article shows this file, it is lost")


def _find_missing(home: Home, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Name WARC files that state or indexes know and that are not there."""
    with State.open(home.state, now=now, read_only=True) as state:
        known = {filename for filename, *_ in state.warc_files()}
        kept = state.elsewhere.warc_names()
        foreign = find_foreign_warcs(home, state)
    known |= {path.name.removesuffix(".cdxj") + _WARC for path in home.cdxj.glob("*.cdxj")}
    present = {path.name.removesuffix(OPEN_SUFFIX) for path in list_warcs(home, with_open=True)}
    for name in sorted(known - present - kept):
        yield Finding(Kind.MISSING, name, 0, 0, "state or index know this file, it is not there")
    for name in foreign:
        yield Finding(Kind.UNLISTED, name, 0, 0, "its run is not known: a file of another home?")


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
    try:
        with State.open(home.state, now=lambda: now, read_only=True) as state:
            kept = state.elsewhere.names()
    except StateError:  # hongxing verify says so; bytes can be compared all the same
        kept = set()
    return check_share(home.root, names, home.fixity_log, share, now=now, elsewhere=kept)


def _archived_names(home: Home) -> list[str]:
    paths = [*list_warcs(home), *home.warc.glob(f"*{_WARC}{DAMAGED_SUFFIX}")]
    return sorted(path.relative_to(home.root).as_posix() for path in paths)


def _verify_state(home: Home, now: Callable[[], datetime]) -> Iterator[Finding]:
    with State.open(home.state, now=now, read_only=True) as state:
        for problem in state.find_damage():
            yield Finding(Kind.DAMAGED, home.state.name, 0, 0, problem)


@dataclass(slots=True)
class Repair:
    """What was done to make a home sound, and what is lost."""

    files: list[RepairReport] = field(default_factory=list)
    indexes: list[Path] = field(default_factory=list)  # made anew
    missing: list[str] = field(default_factory=list)  # WARC files that are not there
    pending_urls: list[str] = field(default_factory=list)  # lost, to be asked again


def repair_home(home: Home, *, now: Callable[[], datetime]) -> Repair:
    """Finish the files of killed runs, copy around damage, make missing indexes.

    Every WARC file is read. What is lost is put back into the frontier, also what lay in files
    that are missing. The caller holds the lock.

    Raises:
        HongxingError: The disk refuses, or the state cannot be used.
    """
    with State.open(home.state, now=now) as state:
        check_belonging(home, state)
        state.requeue_in_flight()  # a state that cannot be written is known before files change
        repair = Repair(files=repair_folder(home.warc))
        for path in list_warcs(home):
            report = repair_finished(path, now=now(), ids_in=state.record_ids_in)
            repair.files += [report] if report is not None else []
        for report in repair.files:
            if report.target is not None and not report.is_clean:
                _take_in(home, report.target, state, repair, now)
        kept = state.elsewhere.warc_names()
        for filename, *_ in state.warc_files():
            if not (home.warc / filename).is_file() and filename not in kept:
                repair.missing.append(filename)
                repair.pending_urls += state.relocate(filename, {})
        _make_indexes(home, repair)
    return repair


def _take_in(
    home: Home, path: Path, state: State, repair: Repair, now: Callable[[], datetime]
) -> None:
    """Let index, state and the log of fixity checks follow a file that was made anew."""
    places = {item.record_id: (item.offset, item.length) for item in read_records(path, [])}
    repair.pending_urls += state.relocate(path.name, places)
    _index_of(home, path).unlink(missing_ok=True)
    note_replaced(home.root, [f"warc/{path.name}"], home.fixity_log, now=now())


def _make_indexes(home: Home, repair: Repair) -> None:
    for path in list_warcs(home):
        index = _index_of(home, path)
        if not index.is_file():
            write_index(captures_in([path], []), index)
            repair.indexes.append(index)
