"""Send one file so that it arrives once, whole, and provably: look, put, read back.

An object that is there already with the same bytes is not sent again; one with other bytes is
never overwritten, but for files that are written again by design (a report, a package), and those
only where the object was stored by us.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from hongxing_crawler.exceptions import ConflictError
from hongxing_crawler.store.outbox import MUTABLE, Entry
from hongxing_crawler.store.s3.errors import code_of, status_of
from hongxing_crawler.store.s3.retry import Patience, ReadBackError, persist

if TYPE_CHECKING:
    from pathlib import Path

    from hongxing_crawler.store.s3.client import Bucket, Head

logger = logging.getLogger(__name__)

MIN_PART_BYTES: Final = 5 << 20  # S3's own limit
_CHUNK_BYTES = 1 << 20
_LOOKS = 2
REFUSES_CONDITIONS: Final = frozenset({"NotImplemented", "InvalidArgument", "InvalidRequest"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What was read back: the object's ETag and how it was compared; whether it was sent."""

    key: str
    etag: str
    kind: str  # head | get
    sent_bytes: int = -1  # -1: it was there

    @property
    def was_there(self) -> bool:
        return self.sent_bytes < 0


@dataclass(slots=True)
class Bandwidth:
    """Keeps the average of all threads below a rate; each taker waits for its turn."""

    bytes_per_s: float = 0.0  # 0: no limit
    _next_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, size: int, stop: threading.Event) -> None:
        if not self.bytes_per_s:
            return
        with self._lock:
            now_s = time.monotonic()
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + size / self.bytes_per_s
        stop.wait(turn_s + size / self.bytes_per_s - now_s)


@dataclass(slots=True)
class Sender:
    """Sends files; used by several threads at once, so it keeps nothing of a file."""

    bucket: Bucket
    root: Path  # of the home
    patience: Patience
    bandwidth: Bandwidth
    deep_share: float = 0.0  # of objects that are read back whole
    replaceable: frozenset[str] = frozenset()  # paths that a takedown wrote again
    # What the server can do, found out at work:
    conditions: bool = True  # it takes If-None-Match and If-Match
    quotes: bool = True  # it compares ETags as it sends them; Ceph 16 knows only bare ones
    swaps: bool = True  # it compares ETags at all

    def deliver(self, entry: Entry, key: str, *, is_absent: bool = False) -> Proof | None:
        """Send a file that fits into one call; None when it has still to be read back.

        Args:
            entry: The file.
            key: Where to.
            is_absent: A listing has just told that nothing lies there.

        Raises:
            UploadError: It did not arrive; the subclass says who has to act.
            OSError: The file cannot be read.
        """
        needs_look = not (is_absent and self.condition(None))
        there = self.look(entry, key) if needs_look else None
        if there and (found := self.compare(entry, key, there)):
            return found
        data = self.read(entry)
        self.bandwidth.take(len(data), self.patience.stop)
        where = self.bucket.where(key)
        persist(lambda: self._put(entry, key, data, there), where, self.patience)
        return None

    def look(self, entry: Entry, key: str) -> Head | None:
        """Return what lies under the key.

        Raises:
            ConflictError: It is not ours, and must stay.
        """
        where = self.bucket.where(key)
        there = persist(lambda: self.bucket.head(key), where, self.patience)
        if there and not self._is_same(entry, key, there) and not self._may_replace(entry, there):
            raise self._conflict(entry, key, there)
        return there

    def confirm(self, entry: Entry, key: str) -> Proof:
        """Prove an object whose file is not here any more: it is the last copy.

        Raises:
            ConflictError: It is not there, or holds other bytes.
        """
        where = self.bucket.where(key)
        there = persist(lambda: self.bucket.head(key), where, self.patience)
        if there is None or not self._is_same(entry, key, there):
            what = "is not there any more" if there is None else "holds other bytes now"
            raise ConflictError(
                f"{where} {what}, and {entry.path} was pruned here; look for an older version of"
                " the object or a backup, hongxing repair asks the site again"
            )
        return self._deepen(entry, key, Proof(key, there.etag, "head"))

    def compare(self, entry: Entry, key: str, there: Head) -> Proof | None:
        """Tell whether an object is the file; None when it is to be replaced."""
        if not self._is_same(entry, key, there):
            return None
        return self._deepen(entry, key, Proof(key, there.etag, "head"))

    def read_back(self, entry: Entry, key: str, sent_bytes: int) -> Proof:
        """Ask the server what it has, and for a share of the objects compare every byte."""

        def ask() -> Head:
            there = self.bucket.head(key)
            if there is None:
                raise ReadBackError(key)
            return there

        there = persist(ask, self.bucket.where(key), self.patience)
        if not self._is_same(entry, key, there):
            raise self._conflict(entry, key, there)
        return self._deepen(entry, key, Proof(key, there.etag, "head", sent_bytes))

    def _deepen(self, entry: Entry, key: str, proof: Proof) -> Proof:
        if int(entry.sha256[:8], 16) >= self.deep_share * 2**32:
            return proof
        self.compare_bytes(entry, key)
        return Proof(key, proof.etag, "get", proof.sent_bytes)

    def compare_bytes(self, entry: Entry, key: str) -> None:
        """Read an object whole and compare its digest.

        Raises:
            ConflictError: It holds other bytes.
        """
        where = self.bucket.where(key)
        for _ in range(_LOOKS):  # bytes may be damaged on their way, too
            if persist(lambda: self._digest(key), where, self.patience) == entry.sha256:
                return
        raise ConflictError(
            f"{where} holds other bytes than {entry.path}, though its metadata say the same; move"
            " that object away and type hongxing upload"
        )

    def _digest(self, key: str) -> str:
        digest = hashlib.sha256()
        with self.bucket.get(key) as body:
            while chunk := body.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def _is_same(self, entry: Entry, key: str, there: Head) -> bool:
        if there.size != entry.bytes:
            return False
        if there.sha256:
            return there.sha256 == entry.sha256
        where = self.bucket.where(key)  # stored by another tool, or metadata got lost
        return persist(lambda: self._digest(key), where, self.patience) == entry.sha256

    def _put(self, entry: Entry, key: str, data: bytes, there: Head | None) -> None:
        """Put once; a put whose answer got lost is found by its condition."""
        condition = self.condition(there)
        try:
            self.bucket.put(
                key,
                data,
                sha256=entry.sha256,
                content_type=entry.content_type,
                **condition,
                **self.bucket.lock(entry.kind),
            )
        except ClientError as error:
            if condition and code_of(error) in REFUSES_CONDITIONS:
                logger.info("%s takes no conditions (%s)", self.bucket, code_of(error))
                self.conditions = False
                self._put(entry, key, data, there)
            elif status_of(error) == 412:
                self.settle(entry, key, there)
            else:
                raise

    def condition(self, there: Head | None) -> dict[str, Any]:
        """Return the header that keeps a put from overwriting what it must not."""
        if not self.conditions or not self.bucket.profile.conditional_put:
            return {}
        if there is None:
            return {"IfNoneMatch": "*"}
        return self.swap_condition(there.etag)

    def swap_condition(self, etag: str) -> dict[str, Any]:
        """Return the header by which only the object of this ETag is replaced."""
        if not (self.conditions and self.swaps and self.bucket.profile.swap):
            return {}  # under the home's lock
        return {"IfMatch": etag if self.quotes else etag.strip('"')}

    def learn_swap(self) -> None:
        """Note that the server refused an ETag that was the right one."""
        self.swaps = self.quotes
        self.quotes = False

    def settle(self, entry: Entry, key: str, before: Head | None = None) -> None:
        """After a 412: fine when our own bytes lie there.

        Raises:
            ConflictError: Other bytes do.
            ReadBackError: Nothing does: to be tried again.
        """
        there = self.bucket.head(key)
        if there is None:
            raise ReadBackError(key)
        if self._is_same(entry, key, there):
            return
        if before and before.etag == there.etag and self._may_replace(entry, there):
            self.learn_swap()
            raise ReadBackError(key)
        raise self._conflict(entry, key, there)

    def read(self, entry: Entry) -> bytes:
        """Read a file whole, and make sure that it is what was queued."""
        data = self.path(entry).read_bytes()
        if len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
            raise ChangedFileError(entry.path)
        return data

    def path(self, entry: Entry) -> Path:
        return self.root / entry.path

    def _may_replace(self, entry: Entry, there: Head) -> bool:
        is_meant = entry.kind in MUTABLE or entry.path in self.replaceable
        return is_meant and bool(there.sha256)  # it carries our mark

    def _was_repaired(self, entry: Entry) -> bool:
        """Whether a repair wrote a WARC file anew, or this is the index of such a file."""
        name = entry.path.rpartition("/")[2].removesuffix(".cdxj").removesuffix(".warc.gz")
        is_of_warc = entry.kind in {"warc", "cdxj"}
        return is_of_warc and (self.root / "warc" / f"{name}.warc.gz.damaged").exists()

    def _conflict(self, entry: Entry, key: str, there: Head) -> ConflictError:
        if self._was_repaired(entry):
            return ConflictError(
                f"{self.bucket.where(key)}: {entry.path} was damaged here and has been repaired;"
                f" the bucket holds it as it was uploaded ({there.size:,} bytes, sha256"
                f" {there.sha256[:12] or 'unknown'}), most likely the good copy, and it was not"
                " touched. Leave it there; hongxing verify --s3 --deep proves it, hongxing"
                " restore-home with this bucket makes a whole home of it in a new folder"
            )
        return ConflictError(
            f"{self.bucket.where(key)}: another object lies there ({there.size:,} bytes, sha256"
            f" {there.sha256[:12] or 'unknown'}; {entry.path} has {entry.bytes:,}, sha256"
            f" {entry.sha256[:12]}), and it was not touched; choose another prefix with --s3, or"
            " move that object away, then type hongxing upload"
        )


class ChangedFileError(Exception):
    """A file is not any more what it was when it was queued."""
