"""Upload a home: everything that waits in its outbox, then what readers follow.

One thread works on the state, others on the network. What arrived is noted when it was read back;
a kill in between costs a look, never a second object.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import msgspec

from hongxing_crawler.exceptions import ConflictError, StorageError, UploadError
from hongxing_crawler.store.home_files import FOLDERS, describe, find_new
from hongxing_crawler.store.outbox import MUTABLE, Entry
from hongxing_crawler.store.s3.multipart import PartSender
from hongxing_crawler.store.s3.retry import GivenUpError, Patience, persist
from hongxing_crawler.store.s3.send import Bandwidth, ChangedFileError, Proof, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.outbox import Finished, SentPart
    from hongxing_crawler.store.s3.client import Bucket
    from hongxing_crawler.store.state import State

TREE: Final = "export/articles/v1"
LATEST: Final = f"{TREE}/latest.json"
DATASETS: Final = ("snapshot", "delta")
RAW_KINDS: Final = ("warc", "media", "cdxj", "wacz", "run", "report", "log")
_FIXED: Final = frozenset({"warc", "media"})  # never written again once they are finished
_MAX_AWAY_COUNT = 3  # files in a row that do not arrive: the server is away
_NOTE_COUNT, _NOTE_S = 64, 0.5  # proofs are written down so many or so often at a time
_END, _MAX_ABSENT = "\U0010ffff", 200_000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30, 3_600  # before a file is tried again by itself


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How to upload. Times in seconds."""

    threads: int = 4
    part_bytes: int = 8 << 20  # files up to this size go in one call
    max_bytes_per_s: float = 0.0  # of all threads together; 0: no limit
    deep_share: float = 0.02  # of the objects that are read back whole
    tries: int = 6
    is_deep: bool = False  # read everything back, also what was proved before

    def patience(self) -> Patience:
        return Patience(self.tries)


@dataclass(slots=True)
class UploadReport:
    """What an upload did."""

    target: str = ""
    sent_count: int = 0
    sent_bytes: int = 0
    same_count: int = 0  # found there, not sent
    compared_count: int = 0  # read back byte for byte
    lost_count: int = 0  # had arrived once and were not there any more
    waiting_count: int = 0
    waiting_bytes: int = 0
    latest_run: str = ""  # what latest.json in the bucket names now
    troubles: list[str] = field(default_factory=list)


class Running(dict["Future[Proof | None]", tuple[Entry, str]]):
    """Files that are under way, each with its key."""


class Session:
    """One upload of one home to one place; the caller holds the home's lock."""

    def __init__(
        self,
        state: State,
        home: Home,
        bucket: Bucket,
        options: UploadOptions,
        now: Callable[[], datetime],
    ) -> None:
        self.state, self.home, self.bucket = state, home, bucket
        self.options, self.now = options, now
        self.report = UploadReport(target=str(bucket))
        self.failure: UploadError | None = None
        self.patience = options.patience()
        self.pool = ThreadPoolExecutor(options.threads, "upload")
        self.readers = ThreadPoolExecutor(max(1, options.threads // 2), "read-back")
        share = 1.0 if options.is_deep else options.deep_share
        bandwidth = Bandwidth(options.max_bytes_per_s)
        self.sender = Sender(bucket, home.root, self.patience, bandwidth, share)
        self.parts = PartSender(
            self.sender, self.pool, options.threads, options.part_bytes, self._note_parts
        )
        self._proofs: list[tuple[Entry, Proof]] = []
        self._noted_s = time.monotonic()
        self._away_count = 0
        self._outer_stop = threading.Event()
        self.absent: set[int] = set()  # entries that were not listed
        self.rewritten: frozenset[str] = frozenset()  # paths that a takedown wrote again

    def stop_with(self, stop: threading.Event) -> None:
        """Begin no file any more once an event is set."""
        self._outer_stop = stop

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.patience.stop.set()
        for pool in (self.pool, self.readers):
            pool.shutdown(wait=True, cancel_futures=True)
        self.flush()

    def greet(self) -> None:
        """Make sure that the bucket can be used, and aim the outbox at it.

        Raises:
            UploadError: It cannot; the subclass says who has to act.
        """
        persist(self.bucket.list_once, str(self.bucket), self.patience)
        with self.state.changing_outbox():
            self.state.outbox.aim(str(self.bucket))

    def sweep(self, folders: Iterable[str] | None = None, held: Container[str] = ()) -> None:
        """Queue the files of the home that no transaction queued, but those that are held back."""
        batch = []
        known = self.state.outbox.known()
        for file in find_new(self.home.root, known, folders or FOLDERS):
            if file.path in held or self._is_damaged(file):
                continue  # of a damaged one, sending what was queued will say so
            batch.append(file)
            if len(batch) == 500:
                self.state.queue(batch)
                batch = []
        self.state.queue(batch)

    def named_folders(self) -> list[str]:
        """Return the folders of rows that the home's own `latest.json` names."""
        try:
            value = msgspec.json.decode((self.home.root / LATEST).read_bytes())
            return [f"{TREE}/{value[dataset]}" for dataset in DATASETS]
        except (OSError, msgspec.DecodeError, KeyError, TypeError):
            return []

    def _is_damaged(self, file: Finished) -> bool:
        is_fixed = file.kind in _FIXED and file.path not in self.rewritten
        known = self.state.outbox.find(file.path) if is_fixed else None
        return known is not None and known.sha256 != file.sha256

    def send_all(self, entries: Iterable[Entry], key_of: Callable[[Entry], str]) -> bool:
        """Send files; whether all of them arrived.

        A file that fails leaves the others alone; a bucket that refuses, or that is away, ends
        it for all.
        """
        before, running = len(self.report.troubles), Running()
        try:
            for entry in entries:
                if self.patience.stop.is_set() or self._outer_stop.is_set():
                    break
                self._send_one(entry, key_of(entry), running)
            while running:
                self._collect(running)
        finally:
            self.flush()
        return len(self.report.troubles) == before and not self.patience.stop.is_set()

    def _send_one(self, entry: Entry, key: str, running: Running) -> None:
        if self.state.elsewhere.find(entry.path) and not self.sender.path(entry).is_file():
            self._guard(entry, lambda: self._confirm(entry, key))
            return
        if entry.bytes > self.options.part_bytes:
            self._guard(entry, lambda: self.parts.send(entry, key))
            return
        while len(running) >= 2 * self.options.threads:
            self._collect(running)
        is_absent = entry.id in self.absent
        future = self.pool.submit(self.sender.deliver, entry, key, is_absent=is_absent)
        running[future] = (entry, key)

    def _confirm(self, entry: Entry, key: str) -> Proof:
        """Look for the object of a file that was pruned, and note whether it can be relied on."""
        target = str(self.bucket)
        try:
            proof = self.sender.confirm(entry, key)
        except ConflictError as error:
            kept = self.state.elsewhere.find(entry.path)
            if kept is not None and kept.target != target:
                raise ConflictError(
                    f"{entry.path} is kept in {kept.target} alone; type hongxing fetch with that"
                    f" bucket, then hongxing upload brings it to {target}"
                ) from error
            with self.state.changing_outbox():
                self.state.elsewhere.trust(entry.path, target, str(error))
            raise
        with self.state.changing_outbox():
            self.state.elsewhere.trust(entry.path, target)
        return proof

    def _collect(self, running: Running) -> None:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            entry, key = running.pop(future)
            if self._guard(entry, future.result):
                running[self.readers.submit(self._read_back, entry, key)] = (entry, key)
        self._flush_when_due()

    def _read_back(self, entry: Entry, key: str) -> Proof | None:
        return self.sender.read_back(entry, key, entry.bytes)

    def _guard(self, entry: Entry, result: Callable[[], Proof | None]) -> bool:
        """Take a proof, or note why there is none; whether the file has still to be read back."""
        try:
            proof = result()
        except GivenUpError:
            return False
        except ChangedFileError:
            self._note_changed(entry)
        except OSError as error:
            self.fail(entry, ConflictError(_missing(entry, error)))
        except UploadError as error:
            self.fail(entry, error)
        else:
            self._away_count = 0
            if proof is None:
                return True
            self.note(entry, proof)
        return False

    def note(self, entry: Entry, proof: Proof) -> None:
        """Take down a proof; it is written down soon."""
        self._proofs.append((entry, proof))
        self.report.sent_count += not proof.was_there
        self.report.sent_bytes += max(0, proof.sent_bytes)
        self.report.same_count += proof.was_there
        self.report.compared_count += proof.kind == "get"

    def _note_changed(self, entry: Entry) -> None:
        """Queue a file that may change as it is now; one that may not is damaged."""
        path = self.sender.path(entry)
        if entry.kind in MUTABLE and path.is_file():
            with suppress(OSError):
                self.state.queue([describe(self.home.root, path)])
            text = f"{entry.path} changed while it was uploaded; hongxing upload sends it as it is"
            self.fail(entry, UploadError(text))
            return
        text = (
            f"{entry.path} is not what it was when it was finished, and was not uploaded; type"
            " hongxing verify --deep, and take the file from a copy"
        )
        self.fail(entry, ConflictError(text))

    def fail(self, entry: Entry, error: UploadError) -> None:
        """Note a failure; the gravest one decides how the command ends."""
        self.report.troubles.append(str(error))
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(entry.tries, 10))
        with self.state.changing_outbox(durable=False):
            due_at = self.now() + timedelta(seconds=wait_s)
            self.state.outbox.note_failed(entry.id, str(error), due_at)
        is_away = not isinstance(error, (StorageError, ConflictError))
        self._away_count += is_away
        if isinstance(error, StorageError) or self._away_count >= _MAX_AWAY_COUNT:
            self.patience.stop.set()
        if self.failure is None or _gravity(error) > _gravity(self.failure):
            self.failure = error

    def _note_parts(self, entry: Entry, upload_id: str, parts: list[SentPart]) -> None:
        with self.state.changing_outbox(durable=False):
            self.state.outbox.note_upload(entry.id, upload_id, parts)
        self._flush_when_due()

    def _flush_when_due(self) -> None:
        if len(self._proofs) >= _NOTE_COUNT or time.monotonic() - self._noted_s > _NOTE_S:
            self.flush()

    def flush(self) -> None:
        """Write down what was proved."""
        proofs, self._proofs = self._proofs, []
        self._noted_s = time.monotonic()
        if not proofs:
            return
        with self.state.changing_outbox(durable=False):
            for entry, proof in proofs:
                self.state.outbox.note_proved(
                    entry.id, proof.key, proof.etag, proof.kind, self.now()
                )

    def finish(self) -> UploadReport:
        """Say what was done.

        Raises:
            UploadError: The gravest thing that went wrong.
        """
        self.flush()
        look = self.state.outbox.look()
        self.report.waiting_count, self.report.waiting_bytes = look.count, look.bytes
        if self.failure is not None:
            others = len(self.report.troubles) - 1
            more = f"; {others:,} more files failed, see hongxing status" if others else ""
            raise type(self.failure)(f"{self.failure}{more}")
        return self.report


def send_raw(session: Session, due_at: datetime | None = None) -> bool:
    """Send archive, media and run records; whether nothing of them waits."""
    key_of = session.bucket.place.key
    waiting = session.state.outbox.waiting(RAW_KINDS, due_at)
    return session.send_all(waiting, lambda entry: key_of(entry.path))


def recheck(session: Session) -> None:
    """Compare the outbox with what the bucket lists now; a thousand objects are one call.

    What was proved once and is not there any more, or has another ETag or size, waits again. What
    waits and is not listed needs no look of its own, where the server keeps puts from overwriting.
    """
    prefix = session.bucket.place.prefix
    listed, there = _list_all(session), ("", 0, "")
    lost: list[int] = []
    for key, number, size, etag, is_proved in session.state.outbox.expected(prefix):
        while there[0].encode() < key.encode() and there[0] != _END:
            there = next(listed, (_END, 0, ""))
        if is_proved and there != (key, size, etag):
            lost.append(number)
        elif not is_proved and there[0] != key and len(session.absent) < _MAX_ABSENT:
            session.absent.add(number)
    session.report.lost_count = len(lost)
    with session.state.changing_outbox():
        for number in lost:
            session.state.outbox.doubt(number)


def _list_all(session: Session) -> Iterator[tuple[str, int, str]]:
    """Yield key, size and ETag of every object, in the order of their keys' bytes."""
    bucket, after = session.bucket, ""
    while True:
        page = persist(partial(_list_page, bucket, after), str(bucket), session.patience)
        yield from page
        if len(page) == 0:
            return
        after = page[-1][0]


def _list_page(bucket: Bucket, after: str) -> list[tuple[str, int, str]]:
    more = {"StartAfter": after} if after else {}
    answer = bucket.client.list_objects_v2(
        Bucket=bucket.place.bucket, Prefix=bucket.place.prefix, **more
    )
    return [
        (item["Key"], int(item["Size"]), str(item["ETag"])) for item in answer.get("Contents", [])
    ]


def _missing(entry: Entry, error: OSError) -> str:
    return (
        f"{entry.path} waits to be uploaded and cannot be read ({error.strerror or error}); put it"
        " back in its place in the home, or type hongxing verify to see what else is missing"
    )


def _gravity(error: UploadError) -> int:
    if isinstance(error, ConflictError):
        return 3
    return 2 if isinstance(error, StorageError) else 1
