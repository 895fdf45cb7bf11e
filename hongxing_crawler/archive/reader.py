"""Read WARC files record by record, in bounded memory, past any damage.

A record that comes out is whole: its gzip member is intact and its block is as long as its
header says. Digests are another matter, ``verify`` checks those.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.archive.fields import parse_date
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.archive.header import Fields, HeaderError, parse_header
from hongxing_crawler.archive.inflate import MAGIC, BadMemberError, Member, Window, readable_start
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_KEPT_BYTES = 8 << 20  # a larger record is read again from the file when its body is asked for
_HEAD_END_RE = re.compile(rb"\n\r?\n")
_URL_RE = re.compile(rb"\r\nWARC-Target-URI: ([!-~]+)\r\n")
_HEADER_BYTES = 1 << 14
_RECORD_END = b"\r\n\r\n"
_ZERO_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """A whole record; it stays readable when the iteration has gone on."""

    path: Path
    offset: int  # bytes
    length: int  # bytes of the gzip member
    fields: Fields  # by lower-case name
    http_head: bytes  # of HTTP messages: up to and with the empty line, as stored
    payload_length: int  # bytes of the block after the head
    _payload_start: int  # in the inflated record
    _kept: bytes | None  # the inflated record, unless it is large

    @property
    def type(self) -> str:
        return self.fields["warc-type"]

    @property
    def record_id(self) -> str:
        return self.fields["warc-record-id"][1:-1]

    @property
    def url(self) -> str:
        return self.fields.get("warc-target-uri", "")

    @property
    def date(self) -> datetime:
        return parse_date(self.fields["warc-date"])

    def payload(self) -> bytes:
        """Return the block without the HTTP head, all at once."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """Yield the block without the HTTP head, 1 MiB at most at a time when it is large.

        Raises:
            ArchiveError: the file has changed since the record was found.
        """
        end = self._payload_start + self.payload_length
        if self._kept is not None:
            yield self._kept[self._payload_start : end]
            return
        with _opened(self.path) as window:
            yield from _between(Member(window, self.offset), self._payload_start, end)


def read_records(path: Path, findings: list[Finding] | None = None) -> Iterator[Record]:
    """Yield every whole record of a file.

    Args:
        path: A ``.warc.gz`` file, finished or not.
        findings: Where damage is noted; reading then goes on behind it.

    Raises:
        ArchiveError: damage, when there is no list to note it in.
    """
    for found in scan(path):
        if isinstance(found, Record):
            yield found
        elif findings is None:
            raise ArchiveError(str(found))
        else:
            findings.append(found)


def read_at(path: Path, offset: int) -> Record:
    """Read the record whose gzip member begins at ``offset``.

    Raises:
        ArchiveError: no whole record begins there.
    """
    with _opened(path) as window:
        try:
            return _read(window, path, offset)
        except (BadMemberError, _BadRecordError) as error:
            raise ArchiveError(f"no record at {path}:{offset}: {error}") from error


def scan(path: Path) -> Iterator[Record | Finding]:
    """Yield whole records and, between them, what is damaged.

    Behind damage the search goes on at the next gzip member that holds a whole record of this
    file. A WARC file that was itself archived inside this one is not taken for part of it: its
    records name another warcinfo record.
    """
    with _opened(path) as window:
        offset, warcinfo_id = 0, ""
        while offset < window.size:
            try:
                record = _read(window, path, offset)
            except _BadRecordError as error:
                yield Finding(error.kind, path.name, offset, error.end - offset, str(error))
                offset = error.end
            except BadMemberError as error:
                following = _next_start(window, path, offset + 1, warcinfo_id)
                yield _damage(window, path, error, following)
                offset = following
            else:
                if record.type == "warcinfo":
                    warcinfo_id = record.fields["warc-record-id"]
                yield record
                offset += record.length


class _BadRecordError(Exception):
    """The gzip member is intact, the record in it is not; the next one begins at ``end``."""

    def __init__(self, kind: Kind, reason: str, end: int) -> None:
        super().__init__(reason)
        self.kind = kind
        self.end = end


@contextmanager
def _opened(path: Path) -> Iterator[Window]:
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise ArchiveError(f"cannot read {path}: {error.strerror}") from error
    with file:
        yield Window(file.fileno())


def _read(window: Window, path: Path, offset: int) -> Record:
    member = Member(window, offset)
    data, total, tail = _inflate(member)
    try:
        header = parse_header(data)
    except HeaderError as error:
        raise _BadRecordError(Kind.BAD_HEADER, str(error), member.end) from error
    block_end = header.block_start + header.block_length
    if total != block_end + len(_RECORD_END) or tail != _RECORD_END:
        raise _wrong_length(data, block_end, total, member.end)
    payload_start = _payload_start(data, header.fields, header.block_start, block_end)
    return Record(
        path=path,
        offset=offset,
        length=member.end - offset,
        fields=header.fields,
        http_head=data[header.block_start : payload_start],
        payload_length=block_end - payload_start,
        _payload_start=payload_start,
        _kept=data if len(data) == total else None,
    )


def _inflate(member: Member) -> tuple[bytes, int, bytes]:
    """Inflate a member; of a large one only the start, the length and the end are kept."""
    kept, kept_bytes, total, tail = list[bytes](), 0, 0, b""
    for piece in member.pieces():
        total += len(piece)
        tail = (tail + piece[-len(_RECORD_END) :])[-len(_RECORD_END) :]
        if kept_bytes < _KEPT_BYTES:
            kept.append(piece)
            kept_bytes += len(piece)
    return (kept[0] if len(kept) == 1 else b"".join(kept)), total, tail


def _wrong_length(data: bytes, block_end: int, total: int, end: int) -> _BadRecordError:
    behind = data[block_end + len(_RECORD_END) :]
    if data[block_end : block_end + len(_RECORD_END)] == _RECORD_END and behind[:5] == b"WARC/":
        reason = "this gzip member holds several records, so none but the first can be found"
        return _BadRecordError(Kind.SHARED_MEMBER, reason, end)
    missing = block_end + len(_RECORD_END) - total
    reason = f"the record is {abs(missing)} bytes {'short' if missing > 0 else 'long'}"
    reason = reason if missing else "the record does not end in two line breaks"
    return _BadRecordError(Kind.BAD_LENGTH, reason, end)


def _payload_start(data: bytes, fields: Fields, start: int, end: int) -> int:
    """Find where the HTTP head ends: behind the first empty line, as its parser saw it."""
    if not fields.get("content-type", "").startswith("application/http"):
        return start
    found = _HEAD_END_RE.search(data, start, end)
    return found.end() if found else min(end, len(data))


def _between(member: Member, start: int, end: int) -> Iterator[bytes]:
    position = 0
    try:
        for piece in member.pieces():
            low, high = max(start - position, 0), min(end - position, len(piece))
            if low < high:
                yield piece[low:high]
            position += len(piece)
    except BadMemberError as error:
        raise ArchiveError(f"the record at {member.offset} has changed: {error}") from error


def _next_start(window: Window, path: Path, offset: int, warcinfo_id: str) -> int:
    """Find the next whole record of this file, or the end of the file."""
    while (offset := _find_magic(window, offset)) < window.size:
        try:
            record = _read(window, path, offset)
        except (BadMemberError, _BadRecordError):
            offset += 1
            continue
        if _describing_id(record, warcinfo_id) == warcinfo_id or not warcinfo_id:
            return offset
        offset += record.length
    return window.size


def _describing_id(record: Record, default: str) -> str:
    name = "warc-record-id" if record.type == "warcinfo" else "warc-warcinfo-id"
    return record.fields.get(name, default)


def _find_magic(window: Window, offset: int) -> int:
    while data := bytes(window.at(offset, _ZERO_CHUNK_BYTES)):
        found = data.find(MAGIC)
        if found >= 0:
            return offset + found
        if len(data) < len(MAGIC):
            break
        offset += len(data) - len(MAGIC) + 1
    return window.size


def _damage(window: Window, path: Path, error: BadMemberError, following: int) -> Finding:
    offset, length = error.offset, following - error.offset
    kind, reason = Kind.DAMAGED, str(error)
    if following < window.size:
        reason += "; records follow"
    elif (zeros_from := _zeros_from(window, offset)) == offset:
        kind, reason = Kind.ZERO_TAIL, f"{length} zero bytes to the end of the file"
    elif error.is_cut or zeros_from < window.size:
        kind = Kind.TORN_TAIL
    return Finding(kind, path.name, offset, length, reason, _salvage_url(window, offset))


def _salvage_url(window: Window, offset: int) -> str:
    found = _URL_RE.search(readable_start(window, offset, _HEADER_BYTES))
    return found[1].decode("ascii", "replace") if found else ""


def _zeros_from(window: Window, offset: int) -> int:
    """Find the offset from which nothing but zero bytes follow, not looking before ``offset``."""
    end = window.size
    while end > offset:
        start = max(offset, end - _ZERO_CHUNK_BYTES)
        kept = len(bytes(window.at(start, end - start)).rstrip(b"\0"))
        if kept:
            return start + kept
        end = start
    return offset
