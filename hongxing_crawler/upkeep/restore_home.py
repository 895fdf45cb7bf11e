"""A working home again from its bucket alone: files fetched and proved, state and index made anew.

The WARC files are the log of what happened, so the state follows from them; rows come as they were
published, and are compared with those that the archive gives. Typed again after any stop, it goes
on where it was.
"""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from hongxing_crawler.archive.cdxj import captures_in, write_index
from hongxing_crawler.exceptions import ConfigError, DiskFullError
from hongxing_crawler.reprocessing.reprocess import reprocess
from hongxing_crawler.reprocessing.run_files import find_runs
from hongxing_crawler.sites.profile import load_profile
from hongxing_crawler.store.files import write_file
from hongxing_crawler.store.s3.client import Bucket
from hongxing_crawler.store.s3.fetch import expected_digest, fetch
from hongxing_crawler.store.s3.listing import heads, list_objects, map_names
from hongxing_crawler.store.s3.retry import Patience
from hongxing_crawler.store.state import State
from hongxing_crawler.upkeep.home import compare_exports
from hongxing_crawler.upkeep.soundness import list_warcs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.reprocessing.run_files import RunFiles
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.s3.client import S3Options
    from hongxing_crawler.store.s3.listing import Listed

    Progress = Callable[[str], None]

_SCRATCH = ".restored"
_LATEST = "export/articles/v1/latest.json"
_RUN_FOLDER_RE = re.compile(r"(?<=dt=\d{4}-\d\d-\d\d)/run=[^/]+")
_SPARE_BYTES = 256 << 20  # for the state


@dataclass(slots=True)
class Restored:
    """What a restore did."""

    source: str
    file_count: int = 0
    byte_count: int = 0
    fetched_count: int = 0  # the others were there from an earlier try
    unproved: list[str] = field(default_factory=list)  # nothing tells what their bytes should be
    runs: list[str] = field(default_factory=list)
    article_count: int = 0
    same_rows_count: int = 0  # files of rows that the archive gives byte for byte
    other_rows: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def restore_home(
    home: Home,
    s3: S3Options,
    *,
    tries: int = 6,
    tell: Progress = lambda _text: None,
) -> Restored:
    """Fetch a home from its bucket and make its state anew; the caller holds its lock.

    Args:
        home: Where to; an empty folder, or one of a restore that was stopped.
        s3: Where from.
        tries: How often a call is repeated.
        tell: Told what is being done, for people.

    Raises:
        ConfigError: The folder holds a home already, or the bucket holds none.
        DiskFullError: There is not enough room.
        UploadError: The bucket refuses, is away, or holds damaged objects.
        HongxingError: As reading the archive does.
    """
    claim_target(home)
    bucket, patience = Bucket.open(s3), Patience(tries)
    listed = list_objects(bucket, patience)
    if not any(name.startswith("warc/") for name in listed):
        raise ConfigError(
            f"{bucket} holds no home: there is nothing below warc/; look at the prefix"
        )
    names = {n: p for n, p in map_names(listed).items() if p != _LATEST}
    wanted = [listed[name] for name in names]
    _check_room(home, wanted)
    done = Restored(str(bucket))
    tell(f"fetching {len(names):,} files")
    _fetch_all(home, bucket, names, wanted, s3.threads, patience, done)
    tell("making the state from the archive")
    _make_state(home, done)
    _write_latest(home, bucket, listed, patience)
    home.restoring.unlink()
    return done


def claim_target(home: Home) -> None:
    """Take an empty folder for a restore, or that of a restore that was stopped.

    Raises:
        ConfigError: The folder is a home, or holds other things.
    """
    if home.restoring.is_file():
        return
    if home.root.is_dir() and any(p.name != home.lock.name for p in home.root.iterdir()):
        raise ConfigError(
            f"{home.root} is not empty; a home is restored into a new folder, name one with --home"
        )
    home.prepare()
    home.restoring.touch()


def abandon_target(home: Home, *, was_there: bool) -> None:
    """Remove what ``claim_target`` made, as long as no file has been fetched into it.

    The caller holds the lock, which goes as well.
    """
    own = {home.restoring, home.lock}
    if any(path.is_file() and path not in own for path in home.root.rglob("*")):
        return
    for path in home.root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if not was_there:
        home.root.rmdir()


def _check_room(home: Home, objects: list[Listed]) -> None:
    have = sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file())
    needed = sum(item.size for item in objects) - have + _SPARE_BYTES
    free = shutil.disk_usage(home.root).free
    if needed > free:
        raise DiskFullError(
            f"{home.root} has room for {free / 1e9:,.1f} GB, {needed / 1e9:,.1f} GB are needed;"
            " choose a larger disk with --home"
        )


def _fetch_all(
    home: Home,
    bucket: Bucket,
    names: Mapping[str, str],
    listed: list[Listed],
    threads: int,
    patience: Patience,
    done: Restored,
) -> None:
    """Fetch files, several at a time; the first failure ends it."""
    with ThreadPoolExecutor(threads, "restore") as pool:
        found = list(heads(bucket, listed, pool, patience))
        jobs = []
        for name, head in found:
            if head is None:  # deleted since it was listed
                continue
            done.file_count += 1
            done.byte_count += head.size
            if not expected_digest(name, head):
                done.unproved.append(name)
            jobs.append(pool.submit(fetch, bucket, name, home.root / names[name], head, patience))
        try:
            done.fetched_count = sum(job.result() for job in jobs)
        except BaseException:
            patience.stop.set()
            for job in jobs:
                job.cancel()
            raise


def _make_state(home: Home, done: Restored) -> None:
    """Read the archive into a fresh state, and compare the rows that it gives."""
    scratch = home.root / _SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for path in list_warcs(home):
        index = home.cdxj / f"{path.name.removesuffix('.warc.gz')}.cdxj"
        if not index.is_file():
            write_index(captures_in([path], []), index)
    state, export = scratch / home.state.name, scratch / "export"
    result = reprocess(find_runs(list_warcs(home)), _profile_of, state, export, with_links=True)
    _take_over_records(home, state, result.runs)
    comparison = compare_exports(home.export, export)
    done.runs, done.article_count = result.runs, result.article_count
    done.problems = result.problems
    done.same_rows_count = len(comparison.same)
    done.other_rows = [*comparison.different, *comparison.missing]
    for path in sorted(path for path in export.rglob("*") if path.is_file()):
        target = home.export / path.relative_to(export)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    for path in scratch.glob(f"{home.state.name}*"):
        path.replace(home.root / path.name)
    shutil.rmtree(scratch)


def _take_over_records(home: Home, path: Path, run_ids: Iterable[str]) -> None:
    """Let the ledger say how each run ended, as its run record does."""
    with State.open(path, now=lambda: datetime.now(UTC), durable=False) as state:
        entries = {entry.run_id: entry for entry in state.runs()}
        for run_id in run_ids:
            record = _read_record(home.run(run_id) / "run.json")
            if record is not None:
                entry = entries[run_id]
                ended_at = entry.started_at + timedelta(seconds=record.seconds)
                state.end_run(run_id, ended_at, record.exit_code, record.reason, record.counts)


class _Record(msgspec.Struct):
    """What the ledger keeps of a run record."""

    exit_code: int
    reason: str
    seconds: float
    counts: dict[str, int]


def _read_record(path: Path) -> _Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Record)
    except (OSError, msgspec.DecodeError):
        return None  # of a killed run, which wrote none


def _profile_of(run: RunFiles) -> SiteProfile:
    return run.profile or load_profile(run.site)


def _write_latest(
    home: Home, bucket: Bucket, listed: Mapping[str, Listed], patience: Patience
) -> None:
    """Let the home's latest.json name folders of the home, as those of the bucket were mapped."""
    if _LATEST not in listed:
        return
    path = home.root / _LATEST
    head = bucket.head(bucket.place.key(_LATEST))
    if head is None:
        return
    fetch(bucket, _LATEST, path, head, patience)
    value = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    value["snapshot"] = _RUN_FOLDER_RE.sub("", value.get("snapshot", ""))
    write_file(path, msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
