"""Look at the table of contents of ZIP and OLE2 files: names only, bounded, never raising."""

from __future__ import annotations

import struct
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_ZIP_DIRECTORY_MAX_BYTES = 1 << 20  # some 10,000 members; office files have under 500
_ZIP_TAIL_BYTES = 22 + 65_535  # end record and the longest comment
_ZIP_HEAD_BYTES = 1 << 16
_ZIP_END = struct.Struct("<4s8xII2x")
_ZIP_MEMBER = struct.Struct("<4s24x3H12x")  # name, extra, comment lengths at 28
_ZIP_LOCAL = struct.Struct("<4s22x2H")

_OLE_MAX_SECTORS = 256  # of the directory: at least 1,024 entries
_OLE_END = 0xFFFFFFFA  # this and above: no sector
_OLE_NO_ENTRY = 0xFFFFFFFF
_OLE_ENTRY = struct.Struct("<64sHBxIII48x")


class _OleEntry(NamedTuple):
    raw_name: bytes
    name_bytes: int
    kind: int
    left: int
    right: int
    child: int

    @property
    def name(self) -> str:
        used = self.raw_name[: max(0, min(64, self.name_bytes) - 2)]
        return used.decode("utf-16-le", "replace")


def _read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _names_in_directory(directory: bytes) -> Iterator[str]:
    at = 0
    while at + _ZIP_MEMBER.size <= len(directory):
        magic, name_length, *rest = _ZIP_MEMBER.unpack_from(directory, at)
        if magic != b"PK\x01\x02":
            return
        yield directory[at + 46 : at + 46 + name_length].decode("utf-8", "replace")
        at += 46 + name_length + sum(rest)


def _names_in_local_headers(head: bytes) -> Iterator[str]:
    at = head.find(b"PK\x03\x04")
    while 0 <= at <= len(head) - 30:
        _, name_length, _ = _ZIP_LOCAL.unpack_from(head, at)
        yield head[at + 30 : at + 30 + name_length].decode("utf-8", "replace")
        at = head.find(b"PK\x03\x04", at + 30)


def zip_names(file: BinaryIO) -> frozenset[str]:
    """List the member names of a ZIP file, from its directory or, if cut off, its beginning.

    Reads at most 1 MB of the directory: a bomb's further members are not named.

    Args:
        file: Seekable; its position is moved.
    """
    size = file.seek(0, 2)
    tail = _read_at(file, max(0, size - _ZIP_TAIL_BYTES), _ZIP_TAIL_BYTES)
    at = tail.rfind(b"PK\x05\x06")
    if 0 <= at <= len(tail) - 22:
        _, length, _ = _ZIP_END.unpack_from(tail, at)
        start = size - len(tail) + at - length  # of the directory, even behind foreign bytes
        if start >= 0:
            directory = _read_at(file, start, min(length, _ZIP_DIRECTORY_MAX_BYTES))
            return frozenset(_names_in_directory(directory))
    return frozenset(_names_in_local_headers(_read_at(file, 0, _ZIP_HEAD_BYTES)))


def _ole_directory(file: BinaryIO) -> Iterator[_OleEntry]:
    header = _read_at(file, 0, 512)
    sector_bytes = 1 << struct.unpack_from("<H", header, 30)[0]
    if sector_bytes not in {512, 4096}:
        return
    (sector,) = struct.unpack_from("<I", header, 48)
    allocation_sectors = struct.unpack_from("<109I", header, 76)
    per_sector = sector_bytes // 4
    for _ in range(_OLE_MAX_SECTORS):
        if sector >= _OLE_END or sector // per_sector >= len(allocation_sectors):
            return
        data = _read_at(file, (sector + 1) * sector_bytes, sector_bytes)
        whole = len(data) // _OLE_ENTRY.size * _OLE_ENTRY.size
        yield from map(_OleEntry._make, _OLE_ENTRY.iter_unpack(data[:whole]))
        table = allocation_sectors[sector // per_sector]
        offset = (table + 1) * sector_bytes + sector % per_sector * 4
        (sector,) = struct.unpack("<I", _read_at(file, offset, 4))


def ole_names(file: BinaryIO) -> frozenset[str]:
    """List the names at the top level of an OLE2 file (``WordDocument``, ``Workbook`` …).

    Deeper levels are left alone: a sheet embedded in a letter does not make it a table.

    Args:
        file: Seekable; its position is moved.

    Returns:
        The names; empty when the file is cut off before its directory or is none.

    Source:
        [MS-CFB] 2.2 header, 2.3 allocation table, 2.6 directory entries.
    """
    entries: list[_OleEntry] = []
    with suppress(struct.error):  # cut off: what was read before is still true
        entries.extend(islice(_ole_directory(file), _OLE_MAX_SECTORS * 32))
    open_ids = [entries[0].child] if entries else []
    seen: set[int] = set()
    while open_ids:
        entry_id = open_ids.pop()
        if entry_id == _OLE_NO_ENTRY or entry_id >= len(entries) or entry_id in seen:
            continue
        seen.add(entry_id)
        open_ids += (entries[entry_id].left, entries[entry_id].right)
    return frozenset(entries[entry_id].name for entry_id in seen)
