"""Remove WARC files and media that the bucket is seen to hold, at the very moment of removal.

A file goes only when it is here what was queued, and its object has its size and sha256 now. Its
mark is on the disk before it goes. Indexes, rows, run records and the newest run stay.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from hongxing_crawler.exceptions import ConfigError, ConflictError, DiskFullError
from hongxing_crawler.store.elsewhere import Kept
from hongxing_crawler.store.files import sync_folder
from hongxing_crawler.store.s3.client import Bucket
from hongxing_crawler.store.s3.fetch import digest_file, fetch
from hongxing_crawler.store.s3.retry import Patience, persist
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.outbox import Entry
    from hongxing_crawler.store.s3.client import S3Options

_AT_A_TIME = 50  # files of one transaction
_SPARE_BYTES = 256 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchiveRetention:
    """How long archived files are kept here once the bucket has them, in seconds; 0: for ever."""

    warc_s: float = 0.0
    media_s: float = 0.0

    def until(self, kind: str, now: datetime) -> datetime | None:
        keep_s = {"warc": self.warc_s, "media": self.media_s}.get(kind, 0.0)
        return now - timedelta(seconds=keep_s) if keep_s else None


@dataclass(slots=True)
class Pruned:
    """What was removed, and what the bucket did not prove."""

    removed: list[Kept] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # path and reason


def find_proved(
    home: Home, retention: ArchiveRetention, *, now: Callable[[], datetime]
) -> list[Kept]:
    """Find what the rules let go, by what the state knows of the bucket; nothing is changed.

    Raises:
        HongxingError: The state cannot be read.
    """
    with State.open(home.state, now=now, read_only=True) as state:
        target = state.outbox.look().target
        return [_kept(entry, target) for entry in _find(home, state, retention, now())]


def prune_proved(
    home: Home,
    retention: ArchiveRetention,
    s3: S3Options,
    *,
    now: Callable[[], datetime],
    deep: bool = False,
    tries: int = 6,
) -> Pruned:
    """Ask the bucket for each file, and remove what it holds; the caller holds the lock.

    Args:
        home: The home.
        retention: The rules.
        s3: The bucket.
        now: The clock.
        deep: Read every object whole before its file goes.
        tries: How often a call is repeated.

    Raises:
        UploadError: The bucket refuses or is away; what was removed until then is marked.
        OSError: The disk refuses.
    """
    bucket, patience, done = Bucket.open(s3), Patience(tries), Pruned()
    with State.open(home.state, now=now) as state:
        entries = _find(home, state, retention, now())
        if entries and state.outbox.look().target != str(bucket):
            raise ConfigError(
                f"the files were proved in {state.outbox.look().target}, not in {bucket}; name"
                " that one, or type hongxing upload first"
            )
        for start in range(0, len(entries), _AT_A_TIME):
            proved = []
            for entry in entries[start : start + _AT_A_TIME]:
                if reason := _find_doubt(home, bucket, entry, patience, deep=deep):
                    done.refused.append(f"{entry.path}: {reason}")
                    with state.changing_outbox():
                        state.outbox.doubt(entry.id)
                else:
                    proved.append(_kept(entry, str(bucket)))
            _remove(home, state, proved, now())
            done.removed += proved
    return done


def _find(home: Home, state: State, retention: ArchiveRetention, now: datetime) -> list[Entry]:
    runs = state.runs()
    last = f"-{runs[-1].run_id}-" if runs else ""
    found = []
    for entry in state.outbox.proved():
        until = retention.until(entry.kind, now)
        is_old = until is not None and entry.queued_at < until
        is_newest = bool(last) and last in entry.path
        if is_old and not is_newest and (home.root / entry.path).is_file():
            found.append(entry)
    return found


def _kept(entry: Entry, target: str) -> Kept:
    return Kept(entry.path, entry.bytes, entry.sha256, target)


def _find_doubt(home: Home, bucket: Bucket, entry: Entry, patience: Patience, *, deep: bool) -> str:
    """Say why a file must stay; empty when file and object are the same now."""
    path = home.root / entry.path
    if path.stat().st_size != entry.bytes or digest_file(path) != entry.sha256:
        return "it is not what it was when it was finished; type hongxing verify --deep"
    key = bucket.place.key(entry.path)
    head = persist(partial(bucket.head, key), bucket.where(key), patience)
    if head is None:
        return "the bucket does not hold it any more; type hongxing upload"
    if (head.size, head.sha256) != (entry.bytes, entry.sha256):
        return "the bucket holds other bytes under its name; type hongxing verify --s3"
    if deep or head.etag != entry.etag:
        digest = persist(partial(_digest, bucket, key), bucket.where(key), patience)
        if digest != entry.sha256:
            return "its object holds other bytes; type hongxing verify --s3 --deep"
    return ""


def _digest(bucket: Bucket, key: str) -> str:
    digest = hashlib.sha256()
    with bucket.get(key) as body:
        while chunk := body.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _remove(home: Home, state: State, files: list[Kept], now: datetime) -> None:
    """Mark files, durably, then remove them."""
    if not files:
        return
    with state.changing_outbox():
        state.elsewhere.note(files, now)
    for file in files:
        (home.root / file.path).unlink(missing_ok=True)
    for folder in {(home.root / file.path).parent for file in files}:
        sync_folder(folder)


def fetch_back(
    home: Home,
    s3: S3Options,
    names: Collection[str],
    *,
    now: Callable[[], datetime],
    tries: int = 6,
) -> list[Kept]:
    """Bring pruned files back, each proved by its sha256; the caller holds the lock.

    Args:
        home: The home.
        s3: The bucket.
        names: Paths, names or runs; none: everything that was pruned.
        now: The clock.
        tries: How often a call is repeated.

    Raises:
        ConfigError: A name is none of a pruned file, or another bucket keeps them.
        DiskFullError: There is not enough room.
        UploadError: The bucket is away, refuses, or does not hold a file any more.
    """
    bucket, patience = Bucket.open(s3), Patience(tries)
    with State.open(home.state, now=now) as state:
        wanted = _choose(home, state, names)
        _check_place(home, wanted, str(bucket))
        for kept in wanted:
            _fetch_one(home, bucket, kept, patience)
            with state.changing_outbox():
                state.elsewhere.forget([kept.path])
    return wanted


def _choose(home: Home, state: State, names: Collection[str]) -> list[Kept]:
    pruned = [kept for kept in state.elsewhere.all() if not (home.root / kept.path).is_file()]
    for name in names:
        if not any(name in kept.path for kept in pruned):
            raise ConfigError(
                f"no file that was pruned is named {name}; hongxing status counts them"
            )
    return [kept for kept in pruned if not names or any(name in kept.path for name in names)]


def _check_place(home: Home, wanted: list[Kept], target: str) -> None:
    for kept in wanted:
        if kept.target != target:
            raise ConfigError(
                f"{kept.path} is kept in {kept.target}, not in {target}; name that one"
            )
    free, needed = shutil.disk_usage(home.root).free, sum(kept.bytes for kept in wanted)
    if needed + _SPARE_BYTES > free:
        raise DiskFullError(
            f"{home.root} has room for {free / 1e9:,.1f} GB, {needed / 1e9:,.1f} GB are to be"
            " fetched; name some of them, hongxing fetch RUN"
        )


def _fetch_one(home: Home, bucket: Bucket, kept: Kept, patience: Patience) -> None:
    key = bucket.place.key(kept.path)
    head = persist(partial(bucket.head, key), bucket.where(key), patience)
    if head is None or (head.size, head.sha256) != (kept.bytes, kept.sha256):
        what = "is not there any more" if head is None else "holds other bytes now"
        raise ConflictError(
            f"{bucket.where(key)} {what}, and it was the last copy of {kept.path}; look for an"
            " older version of the object, or a backup"
        )
    fetch(bucket, kept.path, home.root / kept.path, head, patience)
