"""What lies in a bucket below the prefix of a home."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hongxing_crawler.store.home_files import FILES, FOLDERS
from hongxing_crawler.store.s3.client import Head
from hongxing_crawler.store.s3.retry import Patience, persist

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor

    from hongxing_crawler.store.s3.client import Bucket

NAMED_BY_DIGEST = "media/sha256/"
SNAPSHOTS = "export/articles/v1/snapshot/"
_AT_A_TIME = 1_000  # jobs that wait for a thread: memory stays small whatever a bucket holds


@dataclass(frozen=True, slots=True)
class Listed:
    """An object: its path in the home, as listed."""

    name: str  # without the prefix
    size: int
    etag: str


def list_objects(bucket: Bucket, patience: Patience) -> dict[str, Listed]:
    """List every object below the prefix that belongs to a home, by its name.

    Raises:
        UploadError: The bucket cannot be listed; the subclass says who has to act.
    """
    prefix = bucket.place.prefix

    def list_all() -> dict[str, Listed]:
        pages = bucket.client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket.place.bucket, Prefix=prefix
        )
        items = (item for page in pages for item in page.get("Contents", ()))
        found = {
            item["Key"].removeprefix(prefix): (int(item["Size"]), str(item["ETag"]))
            for item in items
        }
        return {n: Listed(n, *rest) for n, rest in sorted(found.items()) if is_of_home(n)}

    return persist(list_all, str(bucket), patience)


def is_of_home(name: str) -> bool:
    r"""Tell whether a name can be a path of a home; others are never written to the disk.

    >>> [is_of_home(n) for n in ("warc/a.warc.gz", "warc/../../x", "etc/x", "warc/a\\b")]
    [True, False, False, False]
    """
    parts = name.split("/")
    if name in FILES:
        return True
    is_plain = all(part not in {"", ".", ".."} and not part.startswith(".") for part in parts)
    return (
        len(parts) > 1
        and parts[0] in FOLDERS
        and is_plain
        and name.isprintable()
        and ("\\" not in name)
    )


def map_names(names: Iterable[str]) -> dict[str, str]:
    """Map objects to paths of a home.

    A snapshot that was published twice on one day lies in the bucket in a folder for each run; a
    home has one folder a day, with the newest. Older ones are left out.

    >>> day = "export/articles/v1/snapshot/dt=2026-01-31"
    >>> map_names([f"{day}/_SUCCESS", f"{day}/run=run_2/_SUCCESS", "warc/a"]) == {
    ...     f"{day}/run=run_2/_SUCCESS": f"{day}/_SUCCESS", "warc/a": "warc/a"}
    True
    """
    names = list(names)
    newest: dict[str, str] = {}
    for folder in sorted(name.rpartition("/")[0] for name in names if name.endswith("/_SUCCESS")):
        if folder.startswith(SNAPSHOTS):
            day = folder.partition("/run=")[0]
            newest[day] = max(folder, newest.get(day, ""))
    mapped = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        day = folder.partition("/run=")[0]
        if not folder.startswith(SNAPSHOTS):
            mapped[name] = name
        elif newest.get(day) == folder:
            mapped[name] = f"{day}/{file}"
    return mapped


def heads(
    bucket: Bucket, listed: Iterable[Listed], pool: Executor, patience: Patience
) -> Iterator[tuple[str, Head | None]]:
    """Ask for the metadata of objects, several at a time, in the given order.

    Pictures and attachments are not asked about: their names tell the digest, the listing the size.

    Raises:
        UploadError: The bucket does not answer.
    """
    listed = list(listed)

    def ask(item: Listed) -> Head | None:
        if item.name.startswith(NAMED_BY_DIGEST):
            return Head(item.size, item.etag, "", {})
        key = bucket.place.key(item.name)
        return persist(partial(bucket.head, key), bucket.where(key), patience)

    for start in range(0, len(listed), _AT_A_TIME):
        some = listed[start : start + _AT_A_TIME]
        yield from zip((item.name for item in some), pool.map(ask, some), strict=True)
