"""Check a WACZ against its own lists: entries, digests, index order, pages."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE_BYTES = 1 << 20
_PACKAGE = "datapackage.json"
_DIGEST = "datapackage-digest.json"
_PAGES = "pages/pages.jsonl"
_BROKEN = (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, TypeError)


def verify_wacz(path: Path) -> list[Finding]:
    """Check a package: what the specification asks for is there, and every byte is as listed.

    What is inside the WARC files is for ``verify_warcs``, before they are packed.

    Args:
        path: A ``.wacz`` file.

    Raises:
        ArchiveError: the file cannot be opened.

    Source:
        WACZ 1.1.1, sections 4 and 5.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise ArchiveError(f"cannot read {path}: {error.strerror}") from error
    with file:
        try:
            with zipfile.ZipFile(file) as archive:
                return list(_PackageCheck(path.name, archive).findings())
        except _BROKEN as error:
            reason = f"the package cannot be read: {error!r}"
            return [Finding(Kind.PACKAGE, path.name, 0, 0, reason)]


class _PackageCheck:
    def __init__(self, file: str, archive: zipfile.ZipFile) -> None:
        self._file = file
        self._archive = archive
        self._names = set(archive.namelist())

    def findings(self) -> Iterator[Finding]:
        for name in (_PACKAGE, _DIGEST, _PAGES):
            if name not in self._names:
                yield self._finding(Kind.MISSING, f"{name} is missing")
        if _PACKAGE not in self._names:
            return
        description = self._archive.read(_PACKAGE)
        if _DIGEST in self._names:
            said = json.loads(self._archive.read(_DIGEST))["hash"]
            if said != f"sha256:{hashlib.sha256(description).hexdigest()}":
                yield self._finding(Kind.FIXITY, f"{_PACKAGE} is not what {_DIGEST} says")
        resources = {entry["path"]: entry for entry in json.loads(description)["resources"]}
        yield from self._resources(resources)
        yield from self._stored()
        yield from self._index_order()
        yield from self._pages()

    def _resources(self, resources: dict[str, dict[str, Any]]) -> Iterator[Finding]:
        for name, entry in resources.items():
            if name not in self._names:
                yield self._finding(Kind.MISSING, f"{name} is listed and not there")
            elif (size := self._hashed(name)) != (entry["bytes"], entry["hash"]):
                yield self._finding(Kind.FIXITY, f"{name} is not what is listed", size[0])
        for name in sorted(self._names - resources.keys() - {_PACKAGE, _DIGEST}):
            yield self._finding(Kind.UNLISTED, f"{name} is there and not listed")
        for folder, needed in (("archive/", "WARC file"), ("indexes/", "index")):
            if not any(name.startswith(folder) for name in resources):
                yield self._finding(Kind.MISSING, f"there is no {needed}")

    def _hashed(self, name: str) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        try:
            with self._archive.open(name) as entry:
                while piece := entry.read(_PIECE_BYTES):
                    digest.update(piece)
                    size += len(piece)
        except (zipfile.BadZipFile, EOFError):
            return size, "unreadable"
        return size, f"sha256:{digest.hexdigest()}"

    def _stored(self) -> Iterator[Finding]:
        for entry in self._archive.infolist():
            if entry.filename.endswith(".gz") and entry.compress_type != zipfile.ZIP_STORED:
                reason = f"{entry.filename} is compressed twice, so nobody can seek in it"
                yield self._finding(Kind.PACKAGE, reason)

    def _index_order(self) -> Iterator[Finding]:
        for name in sorted(self._names):
            if not name.endswith((".cdx", ".cdxj", ".cdx.gz")):
                continue
            before = b""
            with self._archive.open(name) as entry:
                lines = gzip.GzipFile(fileobj=entry) if name.endswith(".gz") else entry
                for number, line in enumerate(lines, 1):
                    if line < before:
                        yield self._finding(Kind.INDEX_ORDER, f"{name}, line {number}")
                        break
                    before = line

    def _pages(self) -> Iterator[Finding]:
        if _PAGES not in self._names:
            return
        with self._archive.open(_PAGES) as entry:
            for number, line in enumerate(entry, 1):
                fields = json.loads(line)
                needed = ("format", "id") if number == 1 else ("url", "ts")
                if any(not fields.get(name) for name in needed):
                    yield self._finding(Kind.PACKAGE, f"{_PAGES}, line {number} is not whole")

    def _finding(self, kind: Kind, message: str, length: int = 0) -> Finding:
        return Finding(kind, self._file, 0, length, message)
