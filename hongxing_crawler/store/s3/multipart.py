"""Send a large file in parts: in bounded memory, and from where it was after a kill."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from hongxing_crawler.exceptions import UploadError
from hongxing_crawler.store.outbox import MUTABLE, SentPart
from hongxing_crawler.store.s3.client import SHA256_META
from hongxing_crawler.store.s3.errors import FAILURES, code_of, status_of
from hongxing_crawler.store.s3.retry import persist
from hongxing_crawler.store.s3.send import ChangedFileError, Proof

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future
    from typing import Self

    from hongxing_crawler.store.outbox import Entry
    from hongxing_crawler.store.s3.send import Sender

_MAX_PARTS: Final = 9_000  # S3 takes 10,000
_START_OVER: Final = frozenset(
    {"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall", "NoSuchKey"}
)
_DIGEST_BEHIND = 2  # parts: they wait in memory
_ROUNDS = 3  # how often an upload that the server forgot is begun again


Result = TypeVar("Result")


class LostUploadError(Exception):
    """The server does not know the upload any more."""


@dataclass(slots=True)
class _Digest:
    """SHA-256 of a file, in a thread of its own beside the sending; a few parts behind at most."""

    _sha256: Any = field(default_factory=hashlib.sha256)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "digest"))
    _waiting: deque[Future[None]] = field(default_factory=deque)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def update(self, data: bytes) -> None:
        self._waiting.append(self._pool.submit(self._sha256.update, data))
        while len(self._waiting) > _DIGEST_BEHIND:
            self._waiting.popleft().result()

    def hexdigest(self) -> str:
        while self._waiting:
            self._waiting.popleft().result()
        return str(self._sha256.hexdigest())


@dataclass(slots=True)
class PartSender:
    """Sends one large file at a time; its parts by several threads."""

    sender: Sender
    pool: Executor
    threads: int
    part_bytes: int
    note: Callable[[Entry, str, list[SentPart]], None]  # keeps upload id and parts

    def send(self, entry: Entry, key: str) -> Proof:
        """Send a file, or what is missing of it.

        Raises:
            UploadError: It did not arrive; what did is kept for the next time.
            ChangedFileError: The file changed meanwhile; nothing appears under the key.
            OSError: The file cannot be read.
        """
        upload_id = entry.upload_id
        for _ in range(_ROUNDS):
            there = self.sender.look(entry, key)
            if there and (found := self.sender.compare(entry, key, there)):
                return self._locked(entry, found)
            try:
                return self._locked(entry, self._send(entry, key, upload_id))
            except LostUploadError:
                upload_id = ""
                self.note(entry, "", [])
        raise UploadError(
            f"{self.sender.bucket.where(key)}: the server forgets uploads in parts; everything"
            " waits in the outbox, hongxing upload goes on"
        )

    def _locked(self, entry: Entry, proof: Proof) -> Proof:
        """Lock an object as the settings ask; Ceph 16 forgets what its upload began with."""
        bucket = self.sender.bucket
        if bucket.lock(entry.kind):
            lock = partial(bucket.lock_stored, proof.key, entry.kind)
            persist(lock, bucket.where(proof.key), self.sender.patience)
        return proof

    def _send(self, entry: Entry, key: str, upload_id: str) -> Proof:
        listed: dict[int, tuple[int, str]] = {}
        if upload_id:
            listed = self._list(key, upload_id)
        else:
            upload_id = self._begin(entry, key)
            self.note(entry, upload_id, [])
        with _Digest() as digest:
            done, sent_bytes = self._send_parts(entry, key, upload_id, listed, digest)
            is_same = digest.hexdigest() == entry.sha256
        if not is_same:
            self._abort(key, upload_id)
            self.note(entry, "", [])
            raise ChangedFileError(entry.path)
        self._complete(entry, key, upload_id, [done[number] for number in sorted(done)])
        return self.sender.read_back(entry, key, sent_bytes)

    def _send_parts(
        self,
        entry: Entry,
        key: str,
        upload_id: str,
        listed: dict[int, tuple[int, str]],
        digest: _Digest,
    ) -> tuple[dict[int, SentPart], int]:
        """Send the parts that the server has not listed; all parts, and how many bytes went."""
        done, sent_bytes = dict[int, SentPart](), 0
        running: set[Future[SentPart]] = set()
        try:
            for number, data in self._read(entry):
                digest.update(data)
                if number in listed and _is_sent(data, *listed[number]):
                    done[number] = self._part(number, data, listed[number][1])
                    continue
                sent_bytes += len(data)
                running.add(self.pool.submit(self._put, key, upload_id, number, data))
                if len(running) > self.threads:  # one waits, so that no thread has to
                    self._take(entry, upload_id, running, done)
            while running:
                self._take(entry, upload_id, running, done)
        except BaseException:
            for future in running:
                future.cancel()
            raise
        return done, sent_bytes

    def _read(self, entry: Entry) -> Iterator[tuple[int, bytes]]:
        size = part_bytes_for(entry.bytes, self.part_bytes)
        with self.sender.path(entry).open("rb") as source:
            number = 1
            while data := source.read(size):
                yield number, data
                number += 1

    def _part(self, number: int, data: bytes, etag: str) -> SentPart:
        return SentPart(number, etag, self.sender.bucket.checksum(data).get("ChecksumSHA256", ""))

    def _take(
        self,
        entry: Entry,
        upload_id: str,
        running: set[Future[SentPart]],
        done: dict[int, SentPart],
    ) -> None:
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        running -= finished
        parts = [future.result() for future in finished]
        done |= {part.number: part for part in parts}
        self.note(entry, upload_id, list(done.values()))

    def _put(self, key: str, upload_id: str, number: int, data: bytes) -> SentPart:
        sender = self.sender
        bucket, client = sender.bucket, sender.bucket.client
        sender.bandwidth.take(len(data), sender.patience.stop)
        checksum = bucket.checksum(data)

        def put() -> SentPart:
            answer = client.upload_part(
                Bucket=bucket.place.bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=data,
                **checksum,
            )
            return SentPart(number, str(answer["ETag"]), checksum.get("ChecksumSHA256", ""))

        return self._call(put, f"{bucket.where(key)}, part {number}")

    def _begin(self, entry: Entry, key: str) -> str:
        bucket = self.sender.bucket
        self._abort_orphans(key)
        more = {"ChecksumAlgorithm": bucket.profile.algorithm} if bucket.profile.algorithm else {}

        def begin() -> str:
            answer = bucket.client.create_multipart_upload(
                Bucket=bucket.place.bucket,
                Key=key,
                ContentType=entry.content_type,
                Metadata={SHA256_META: entry.sha256},
                **more,
                **bucket.lock(entry.kind),
            )
            return str(answer["UploadId"])

        return persist(begin, bucket.where(key), self.sender.patience)

    def _abort_orphans(self, key: str) -> None:
        """Abort uploads of this key that a kill left before they were noted; best effort."""
        bucket = self.sender.bucket
        try:
            answer = bucket.client.list_multipart_uploads(Bucket=bucket.place.bucket, Prefix=key)
            for upload in answer.get("Uploads", []):
                if upload["Key"] == key:
                    self._abort(key, upload["UploadId"])
        except FAILURES:
            return  # the bucket's own rule for stale uploads ends them

    def _abort(self, key: str, upload_id: str) -> None:
        bucket = self.sender.bucket
        try:
            bucket.client.abort_multipart_upload(
                Bucket=bucket.place.bucket, Key=key, UploadId=upload_id
            )
        except FAILURES:
            return

    def _list(self, key: str, upload_id: str) -> dict[int, tuple[int, str]]:
        """Return size and ETag of the parts that the server has, by number."""
        bucket = self.sender.bucket

        def list_parts() -> dict[int, tuple[int, str]]:
            pages = bucket.client.get_paginator("list_parts").paginate(
                Bucket=bucket.place.bucket, Key=key, UploadId=upload_id
            )
            return {
                int(part["PartNumber"]): (int(part["Size"]), str(part["ETag"]))
                for page in pages
                for part in page.get("Parts", [])
            }

        return self._call(list_parts, bucket.where(key))

    def _complete(self, entry: Entry, key: str, upload_id: str, parts: list[SentPart]) -> None:
        sender, bucket = self.sender, self.sender.bucket
        is_conditional = bucket.profile.conditional_complete and entry.kind not in MUTABLE
        condition = {"IfNoneMatch": "*"} if is_conditional else {}

        def complete() -> None:
            try:
                bucket.client.complete_multipart_upload(
                    Bucket=bucket.place.bucket,
                    Key=key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": [_described(part) for part in parts]},
                    **condition,
                )
            except ClientError as error:
                if status_of(error) != 412:
                    raise
                sender.settle(entry, key)

        self._call(complete, bucket.where(key))

    def _call(self, call: Callable[[], Result], where: str) -> Result:
        """Persist; an upload that the server does not know is another matter."""

        def checked() -> Result:
            try:
                return call()
            except ClientError as error:
                if code_of(error) in _START_OVER:
                    raise LostUploadError(where) from error
                raise

        return persist(checked, where, self.sender.patience)


def part_bytes_for(size: int, part_bytes: int) -> int:
    """Return the size of parts, in whole MiB, so that their number stays within the limit.

    >>> part_bytes_for(200 << 20, 8 << 20) >> 20, part_bytes_for(1 << 40, 8 << 20) >> 20
    (8, 117)
    """
    needed = -(-size // _MAX_PARTS)
    return max(part_bytes, -(-needed // (1 << 20)) << 20)


def _described(part: SentPart) -> dict[str, Any]:
    checksum = {"ChecksumSHA256": part.checksum} if part.checksum else {}
    return {"PartNumber": part.number, "ETag": part.etag, **checksum}


def _is_sent(data: bytes, there_size: int, etag: str) -> bool:
    """Tell whether the server has a part; one whose ETag is no MD5 is sent again."""
    md5 = hashlib.md5(data, usedforsecurity=False)
    return there_size == len(data) and etag.strip('"') == md5.hexdigest()
