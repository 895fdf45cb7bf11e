"""Fetch an object into a file: whole, proved, and going on where an earlier try broke off."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hongxing_crawler.exceptions import ConflictError
from hongxing_crawler.store.files import sync_folder
from hongxing_crawler.store.s3.listing import NAMED_BY_DIGEST
from hongxing_crawler.store.s3.retry import Patience, persist

if TYPE_CHECKING:
    from hongxing_crawler.store.s3.client import Bucket, Head

_CHUNK_BYTES = 1 << 20


def digest_file(path: Path) -> str:
    """Return the sha256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expected_digest(name: str, head: Head) -> str:
    """Return the sha256 that an object should have; empty when nothing tells.

    Our metadata say it, and the names of pictures and attachments.
    """
    if head.sha256:
        return head.sha256
    return Path(name).name.partition(".")[0] if name.startswith(NAMED_BY_DIGEST) else ""


def fetch(bucket: Bucket, name: str, target: Path, head: Head, patience: Patience) -> bool:
    """Fetch an object; False when the file was there already with the same bytes.

    What an earlier, broken fetch left (``.NAME.part``) is gone on with.

    Raises:
        ConflictError: The object's bytes are not those that its metadata or name promise.
        UploadError: The bucket does not answer, or refuses.
        OSError: The disk refuses.
    """
    expected = expected_digest(name, head)
    is_there = target.is_file() and target.stat().st_size == head.size
    if is_there and (not expected or digest_file(target) == expected):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    where = bucket.where(bucket.place.key(name))
    for _ in range(2):  # what an older fetch left may be of an object that was replaced
        persist(partial(_fetch_rest, bucket, bucket.place.key(name), part, head), where, patience)
        if not expected or digest_file(part) == expected:
            part.replace(target)
            sync_folder(target.parent)
            return True
        part.unlink()
    raise ConflictError(
        f"{where} is damaged: its bytes are not those of its sha256 {expected}; it was not kept."
        " Take the file from another copy, or delete the object and type the command again"
    )


def _fetch_rest(bucket: Bucket, key: str, part: Path, head: Head) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if have > head.size:
        part.unlink()
        have = 0
    with part.open("ab") as file:
        if have < head.size:
            more = {"Range": f"bytes={have}-"} if have else {}
            answer = bucket.client.get_object(Bucket=bucket.place.bucket, Key=key, **more)
            with closing(answer["Body"]) as body:
                for chunk in body.iter_chunks(_CHUNK_BYTES):
                    file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if part.stat().st_size != head.size:
        raise ConnectionError(f"{key} arrived in part")
