"""Pack WARC files, their index and the list of pages into a WACZ, at any time, from disk.

Everything streams: memory does not grow with the archive. Damaged files are refused, and the
names are those that pywb's importer and ReplayWeb-style readers look for.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.cdxj import captures_in, sorted_lines
from hongxing_crawler.archive.digests import sha256_of_file
from hongxing_crawler.archive.fields import format_date, warc_uri
from hongxing_crawler.archive.members import deflate
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from hongxing_crawler.items import Capture

WACZ_VERSION = "1.1.1"
_INDEX_NAME = "index.cdx.gz"
_BLOCK_LINES = 1000  # index lines in one gzip member
_PIECE_BYTES = 1 << 20
_NOT_IN_NAMES_RE = re.compile(r"[^a-z0-9._-]")


@dataclass(frozen=True, slots=True)
class PackedPage:
    """A page that readers of the package can choose from a list or find by its text."""

    url: str
    fetched_at: datetime  # of the capture, aware
    title: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class PackageInfo:
    """What a package says about itself."""

    title: str
    created: datetime  # aware
    software: str
    description: str = ""
    main_page: PackedPage | None = None


@dataclass(frozen=True, slots=True)
class PackReport:
    """What went into a package."""

    path: Path
    byte_count: int
    sha256: str  # sha256:…, of the whole file
    page_count: int
    index_line_count: int
    missing: tuple[str, ...] = ()  # names of WARC files that should have been there


def pack(
    path: Path,
    warc_paths: Sequence[Path],
    pages: Iterable[PackedPage],
    info: PackageInfo,
    captures: Iterable[Capture] | None = None,
) -> PackReport:
    """Write a WACZ; it appears under its name when it is complete.

    The same files, pages and info give the same bytes.

    Args:
        path: ``….wacz``; an older one is replaced.
        warc_paths: Finished, whole files.
        pages: In the order in which readers list them.
        info: Title, time and software.
        captures: All captures of the files when they are known; else the files are read.

    Raises:
        ArchiveError: a file is unfinished or damaged, two have one name, or the disk refuses.

    Source:
        WACZ 1.1.1, webrecorder specs.
    """
    _check_names(warc_paths)
    try:
        with disk.replaced(path) as file:
            with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                packer = _Packer(archive, info)
                packer.write_all(warc_paths, pages, captures)
            byte_count = file.tell()
        sha256 = sha256_of_file(path)
    except OSError as error:
        raise ArchiveError(f"cannot pack {path}: {disk.explain(error)}") from error
    return PackReport(path, byte_count, sha256, packer.page_count, packer.index_line_count)


def _check_names(paths: Sequence[Path]) -> None:
    names = [path.name for path in paths]
    doubles = {name for name in names if names.count(name) > 1}
    unfinished = [name for name in names if name.endswith(OPEN_SUFFIX)]
    if doubles or unfinished:
        reason = f"two files are named {min(doubles)}" if doubles else f"{unfinished[0]} is open"
        raise ArchiveError(f"cannot pack: {reason}")


@dataclass(slots=True)
class _Packer:
    archive: zipfile.ZipFile
    info: PackageInfo
    page_count: int = 0
    index_line_count: int = 0
    _resources: list[dict[str, Any]] = field(default_factory=list)
    _index_map: list[bytes] = field(default_factory=list)  # one line a block

    def write_all(
        self,
        warc_paths: Sequence[Path],
        pages: Iterable[PackedPage],
        captures: Iterable[Capture] | None,
    ) -> None:
        for path in warc_paths:
            with path.open("rb") as file:
                self._add(f"archive/{path.name}", _pieces(file))
        found = captures_in(warc_paths) if captures is None else captures
        self._add(f"indexes/{_INDEX_NAME}", self._index_blocks(sorted_lines(found)))
        self._add("indexes/index.idx", self._index_map, is_compressed=True)
        self._add("pages/pages.jsonl", self._page_lines(pages), is_compressed=True)
        description = _json(self._datapackage())
        self._add("datapackage.json", [description], is_compressed=True)
        digest = {"path": "datapackage.json", "hash": f"sha256:{_hex(description)}"}
        self._add("datapackage-digest.json", [_json(digest)], is_compressed=True)

    def _add(self, name: str, pieces: Iterable[bytes], *, is_compressed: bool = False) -> None:
        """Stream one entry into the package and note its digest."""
        entry = zipfile.ZipInfo(name, self.info.created.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED if is_compressed else zipfile.ZIP_STORED
        entry.external_attr = 0o644 << 16
        digest, size = hashlib.sha256(), 0
        with self.archive.open(entry, "w", force_zip64=True) as target:
            for piece in pieces:
                target.write(piece)
                digest.update(piece)
                size += len(piece)
        self._resources.append(
            {
                "name": self._resource_name(name),
                "path": name,
                "hash": f"sha256:{digest.hexdigest()}",
                "bytes": size,
            }
        )

    def _resource_name(self, path: str) -> str:
        """Make a name of the few characters that data packages allow, and of only one entry."""
        name = _NOT_IN_NAMES_RE.sub("-", path.rpartition("/")[2].lower())
        taken = {resource["name"] for resource in self._resources}
        return name if name not in taken else f"{name}-{len(taken)}"

    def _index_blocks(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """Compress the index in blocks that a reader can fetch one by one."""
        self._index_map.append(
            b"!meta 0 " + _json({"format": "cdxj-gzip-1.0", "filename": _INDEX_NAME}, None) + b"\n"
        )
        offset = 0
        while block := list(itertools.islice(lines, _BLOCK_LINES)):
            self.index_line_count += len(block)
            member = deflate(b"".join(block), 6)
            place = {"offset": offset, "length": len(member), "digest": f"sha256:{_hex(member)}"}
            key = b" ".join(block[0].split(b" ", 2)[:2])
            self._index_map.append(key + b" " + _json(place, None) + b"\n")
            offset += len(member)
            yield member

    def _page_lines(self, pages: Iterable[PackedPage]) -> Iterator[bytes]:
        header = {"format": "json-pages-1.0", "id": "pages", "title": "Pages", "hasText": True}
        yield _json(header, None) + b"\n"
        for page in pages:
            self.page_count += 1
            yield _json(_page_fields(page), None) + b"\n"

    def _datapackage(self) -> dict[str, Any]:
        main = self.info.main_page
        of_main = {
            "mainPageUrl": warc_uri(main.url),
            "mainPageDate": format_date(main.fetched_at),
        } if main else {}  # fmt: skip
        return {
            "profile": "data-package",
            "resources": self._resources,
            "title": self.info.title,
            "description": self.info.description,
            **of_main,
            "created": format_date(self.info.created.replace(microsecond=0)),
            "wacz_version": WACZ_VERSION,
            "software": self.info.software,
        }


def _page_fields(page: PackedPage) -> dict[str, str]:
    moment = format_date(page.fetched_at)
    url = warc_uri(page.url)
    fields = {"id": _hex(f"{url} {moment}".encode())[:22], "url": url, "ts": moment}
    return {**fields, "title": page.title or url, "text": page.text}


def _json(value: dict[str, Any], indent: int | None = 2) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "replace")


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_PIECE_BYTES), b"")
