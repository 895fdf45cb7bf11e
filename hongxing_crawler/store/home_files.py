"""The files of a home that belong into its outbox: what they are, and which are new."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from typing import TYPE_CHECKING, Final

from hongxing_crawler.store.outbox import Finished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hongxing_crawler.core.record import MediaFile

FOLDERS: Final = ("warc", "cdxj", "wacz", "media", "runs", "export")
FILES: Final = ("fixity.jsonl", "takedown/log.jsonl")
_KINDS: Final = {"warc": "warc", "cdxj": "cdxj", "wacz": "wacz", "media": "media"}
_RUN_FILES: Final = frozenset({"rejects.jsonl"})
_EXPORT_FILES: Final = {
    "latest.json": "latest",
    "_manifest.json": "manifest",
    "_SUCCESS": "success",
    "README.md": "card",
}
_TYPES: Final = {
    ".warc.gz": "application/warc",
    ".cdxj": "text/x-cdxj",
    ".wacz": "application/wacz",
    ".jsonl.gz": "application/gzip",  # with no Content-Encoding: pandas could not read it
    ".jsonl": "application/jsonl",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    "/log": "text/plain; charset=utf-8",
}
_UNFINISHED: Final = (".open", ".part", ".new")
_LEDGER: Final = "ledger.jsonl"  # in runs/: of this machine alone, run.json says the rest
_CHUNK_BYTES = 1 << 20


def kind_of(path: str) -> str:
    """Say what a file is, by its path in the home.

    >>> kind_of("runs/run_1/rejects.jsonl"), kind_of("export/articles/v1/latest.json")
    ('run', 'latest')
    """
    top, _, _ = path.partition("/")
    name = path.rpartition("/")[2]
    if top == "runs":
        return "run" if name in _RUN_FILES else "report"
    if top == "export":
        return _EXPORT_FILES.get(name, "rows")
    return _KINDS.get(top, "log")


def content_type_of(path: str) -> str:
    """Return the media type that an object of this path gets.

    >>> content_type_of("export/articles/v1/part-00000.jsonl.gz")
    'application/gzip'
    """
    for ending, kind in _TYPES.items():
        if path.endswith(ending):
            return kind
    return mimetypes.guess_type(path, strict=True)[0] or "application/octet-stream"


def describe(root: Path, file: Path) -> Finished:
    """Describe a finished file of a home; it is read once.

    Raises:
        OSError: It cannot be read.
    """
    path = file.relative_to(root).as_posix()
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as source:
        mtime_ns = os.fstat(source.fileno()).st_mtime_ns
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    kind = kind_of(path)
    return Finished(path, kind, size, digest.hexdigest(), content_type_of(path), mtime_ns)


def describe_media(media: MediaFile, key: str) -> Finished:
    """Describe a stored picture or attachment, whose digest is known."""
    return Finished(key, "media", media.bytes, media.sha256, content_type_of(key))


def find_new(
    root: Path, known: Mapping[str, tuple[int, int | None]], folders: Iterable[str] = FOLDERS
) -> Iterator[Finished]:
    """Yield the finished files that the outbox does not know as they are now.

    Left out are hidden and unfinished files, symbolic links, and folders of rows without
    ``_SUCCESS``, which are half written.

    Args:
        root: The home.
        known: Size and time of known files by path; a file named by its digest has no time.
        folders: Where to look.

    Raises:
        OSError: A file cannot be read.
    """
    for file in _walk(root, folders):
        path = file.relative_to(root).as_posix()
        found = file.stat()
        size, mtime_ns = known.get(path, (-1, None))
        is_same_time = mtime_ns == found.st_mtime_ns or (mtime_ns is None and "/sha256/" in path)
        if size != found.st_size or not is_same_time:
            yield describe(root, file)


def _walk(root: Path, folders: Iterable[str]) -> Iterator[Path]:
    yield from (root / name for name in FILES if (root / name).is_file())
    for top in folders:
        for folder, subfolders, names in os.walk(root / top):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            here = root / os.path.relpath(folder, root)
            if _is_half_written(names):
                continue
            for name in sorted(names):
                if not name.startswith(".") and not name.endswith((*_UNFINISHED, _LEDGER)):
                    file = here / name
                    yield from [file] if file.is_file() and not file.is_symlink() else []


def _is_half_written(names: list[str]) -> bool:
    return any(name.startswith("part-") for name in names) and "_SUCCESS" not in names
