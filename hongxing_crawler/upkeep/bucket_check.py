"""Does the bucket hold what the home holds, and what its own manifests promise."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from hongxing_crawler.store.home_files import find_new
from hongxing_crawler.store.outbox import MUTABLE
from hongxing_crawler.store.s3.client import Bucket
from hongxing_crawler.store.s3.fetch import expected_digest
from hongxing_crawler.store.s3.listing import heads, list_objects, map_names
from hongxing_crawler.store.s3.retry import Patience, persist
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from concurrent.futures import Executor
    from datetime import datetime

    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.outbox import Finished
    from hongxing_crawler.store.s3.client import Head, S3Options

TREE = "export/articles/v1/"
_CHUNK_BYTES = 1 << 20


class Difference(StrEnum):
    """How bucket, manifests and home can differ; the values are an interface."""

    MISSING = "missing"  # it arrived once, or a manifest names it, and it is not there
    DIFFERENT = "different"  # other bytes, or another size
    WAITING = "waiting"  # in the home, and not yet uploaded
    EXTRA = "extra"  # in the bucket alone
    UNPROVED = "unproved"  # nothing tells what its bytes should be


HARMFUL = frozenset({Difference.MISSING, Difference.DIFFERENT})


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One object that is not as it should be."""

    kind: Difference
    name: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}: {self.message}"


@dataclass(slots=True)
class BucketReport:
    """What was compared, and what differs."""

    target: str
    object_count: int = 0
    byte_count: int = 0
    file_count: int = 0  # of the home
    pruned_count: int = 0  # that the bucket alone keeps
    manifest_count: int = 0
    read_count: int = 0  # objects read whole
    mismatches: list[Mismatch] = field(default_factory=list)

    @property
    def is_harmed(self) -> bool:
        return any(item.kind in HARMFUL for item in self.mismatches)

    @property
    def waits(self) -> bool:
        return any(item.kind is Difference.WAITING for item in self.mismatches)


def verify_bucket(
    home: Home,
    s3: S3Options,
    *,
    now: Callable[[], datetime],
    deep: bool = False,
    tries: int = 6,
) -> BucketReport:
    """Compare a home with its bucket, and the bucket with its manifests; nothing is changed.

    Every object's size and sha256 are compared with the file's, which is read again. What a
    manifest names has to be there with those bytes, and ``latest.json`` has to name whole folders.

    Args:
        home: The home.
        s3: Its bucket.
        now: The clock.
        deep: Read every object whole, too.
        tries: How often a call is repeated.

    Raises:
        UploadError: The bucket refuses or is away.
        HongxingError: The state cannot be read.
    """
    bucket, patience = Bucket.open(s3), Patience(tries)
    report = BucketReport(str(bucket))
    with ThreadPoolExecutor(s3.threads, "verify") as pool:
        check = _Check(home, bucket, pool, patience, report)
        check.compare_home(now)
        check.compare_manifests()
        if deep:
            check.read_all()
    report.mismatches.sort(key=lambda item: (item.kind not in HARMFUL, item.kind, item.name))
    return report


class _Check:
    """One comparison."""

    def __init__(
        self, home: Home, bucket: Bucket, pool: Executor, patience: Patience, report: BucketReport
    ) -> None:
        self.home, self.bucket, self.pool = home, bucket, pool
        self.patience, self.report = patience, report
        self.listed = list_objects(bucket, patience)
        found = heads(bucket, self.listed.values(), pool, patience)
        self.heads = {name: head for name, head in found if head is not None}
        report.object_count = len(self.heads)
        report.byte_count = sum(head.size for head in self.heads.values())

    def note(self, kind: Difference, name: str, message: str) -> None:
        self.report.mismatches.append(Mismatch(kind, name, message))

    def compare_home(self, now: Callable[[], datetime]) -> None:
        """Compare every file of the home with its object."""
        mapped = {path: name for name, path in map_names(self.listed).items()}
        arrived = self._arrived(now)
        files = {file.path: file for file in find_new(self.home.root, {})}
        self.report.file_count = len(files)
        for path, file in files.items():
            name = mapped.get(path)
            head = self.heads.get(name) if name else None
            if name and head:
                self._compare(file, name, head, was_sent=arrived.get(path) == file.sha256)
            elif path in arrived:
                self.note(Difference.MISSING, path, "it was uploaded, and is not there any more")
            else:
                self.note(Difference.WAITING, path, "not uploaded yet")
        pruned = self._compare_pruned(now, files)
        for name in self.heads:
            if name not in files and name not in pruned and self._is_extra(name, files):
                self.note(Difference.EXTRA, name, "in the bucket alone")
            if not expected_digest(name, self.heads[name]):
                self.note(Difference.UNPROVED, name, "no sha256 in its metadata")

    def _compare_pruned(
        self, now: Callable[[], datetime], files: Mapping[str, Finished]
    ) -> set[str]:
        """Compare the objects of files that were pruned here: the last copies; their paths."""
        with State.open(self.home.state, now=now, read_only=True) as state:
            pruned = [kept for kept in state.elsewhere.all() if kept.path not in files]
        for kept in pruned:
            head = self.heads.get(kept.path)
            if kept.target != str(self.bucket):
                self.note(Difference.MISSING, kept.path, f"pruned here, {kept.target} keeps it")
            elif head is None:
                self.note(Difference.MISSING, kept.path, "pruned here and not there: it is lost")
            elif (head.size, expected_digest(kept.path, head)) != (kept.bytes, kept.sha256):
                self.note(Difference.DIFFERENT, kept.path, "pruned here, other bytes there")
        self.report.pruned_count = len(pruned)
        return {kept.path for kept in pruned}

    def _is_extra(self, name: str, files: Mapping[str, Finished]) -> bool:
        """Older snapshots of a day are kept in the bucket alone, by design."""
        folder = name.rpartition("/")[0].partition("/run=")[0]
        is_older = name.startswith(f"{TREE}snapshot/") and f"{folder}/_SUCCESS" in files
        return not is_older

    def _arrived(self, now: Callable[[], datetime]) -> dict[str, str]:
        """Return the files that were proved in this very bucket, with their sha256 of then."""
        with State.open(self.home.state, now=now, read_only=True) as state:
            if state.outbox.look().target != str(self.bucket):
                return {}
            return {entry.path: entry.sha256 for entry in state.outbox.proved()}

    def _compare(self, file: Finished, name: str, head: Head, *, was_sent: bool) -> None:
        expected = expected_digest(name, head)
        is_latest = file.kind == "latest"  # names folders of the bucket there
        if is_latest or (head.size == file.bytes and expected in {"", file.sha256}):
            return
        if file.kind in MUTABLE and not was_sent:
            self.note(Difference.WAITING, file.path, "written again, not uploaded yet")
            return
        there = f"{head.size:,} bytes, sha256 {expected[:12] or 'unknown'}"
        here = f"{file.bytes:,} bytes, sha256 {file.sha256[:12]}"
        self.note(Difference.DIFFERENT, name, f"{there}; in the home {here}")

    def compare_manifests(self) -> None:
        """Compare what manifests and latest.json name with what is there."""
        for name in self.heads:
            if name.endswith("/_manifest.json"):
                self.report.manifest_count += 1
                self._compare_manifest(name, name.rpartition("/")[0])
        if f"{TREE}latest.json" in self.heads:
            value = self._json(f"{TREE}latest.json")
            for dataset in ("snapshot", "delta"):
                folder = f"{TREE}{value.get(dataset, '')}"
                for mark in ("_manifest.json", "_SUCCESS"):
                    if f"{folder}/{mark}" not in self.heads:
                        message = f"latest.json names {folder}, which has none"
                        self.note(Difference.MISSING, f"{folder}/{mark}", message)

    def _compare_manifest(self, name: str, folder: str) -> None:
        manifest = self._json(name)
        for part in (*manifest.get("parts", ()), *manifest.get("parquet", ())):
            path = f"{folder}/{part['name']}"
            head = self.heads.get(path)
            if head is None:
                self.note(Difference.MISSING, path, "its manifest names it")
            elif (head.size, head.sha256 or part["sha256"]) != (part["bytes"], part["sha256"]):
                self.note(Difference.DIFFERENT, path, "its manifest says other bytes")

    def _json(self, name: str) -> dict[str, Any]:
        value: object = None
        with suppress(msgspec.DecodeError):
            value = msgspec.json.decode(self._read(name))
        if not isinstance(value, dict):
            self.note(Difference.DIFFERENT, name, "it is no JSON object")
            return {}
        return value

    def _read(self, name: str) -> bytes:
        key = self.bucket.place.key(name)

        def read() -> bytes:
            with self.bucket.get(key) as body:
                return body.read()

        return persist(read, self.bucket.where(key), self.patience)

    def read_all(self) -> None:
        """Read every object and compare its bytes with its digest."""
        expected = {
            name: digest
            for name, head in self.heads.items()
            if (digest := expected_digest(name, head))
        }
        for name, digest in _in_turn(self.pool, self._digest, expected):
            self.report.read_count += 1
            if digest != expected[name]:
                message = f"its bytes have sha256 {digest[:12]}, its metadata {expected[name][:12]}"
                self.note(Difference.DIFFERENT, name, message)

    def _digest(self, name: str) -> str:
        key = self.bucket.place.key(name)
        return persist(partial(self._digest_once, key), self.bucket.where(key), self.patience)

    def _digest_once(self, key: str) -> str:
        digest = hashlib.sha256()
        with self.bucket.get(key) as body:
            while chunk := body.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()


def _in_turn(
    pool: Executor, call: Callable[[str], str], names: Iterable[str]
) -> Iterator[tuple[str, str]]:
    names = list(names)
    yield from zip(names, pool.map(call, names), strict=True)


def count_kinds(report: BucketReport) -> Mapping[str, int]:
    """Count the mismatches by kind; kinds that do not occur are left out."""
    kinds = [item.kind for item in report.mismatches]
    return {str(kind): kinds.count(kind) for kind in Difference if kind in kinds}
