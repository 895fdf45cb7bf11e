"""Gzip members of an exact length: what takes the place of removed records.

Nothing behind a removed record moves then: offsets in indexes, in the state and in rows that were
handed out long ago stay right, and the rest of the file can be compared byte for byte.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

from hongxing_crawler.archive.fields import header_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Pairs = Sequence[tuple[str, str]]

_RAW = -15
_END = b"\r\n\r\n"
_COMMENT_BIT = 0x10
_COMMENT_MAX = 1 << 15  # some readers refuse a gzip comment of more than 64 KiB
_STORED_MAX = 65_535
_SPACES = b" " * _STORED_MAX


class TooSmallError(ValueError):
    """The record does not fit into the room that is there."""


def fit_record(fields: Pairs, body: bytes, length: int) -> Iterator[bytes]:
    r"""Write a record as one gzip member of exactly ``length`` bytes.

    The room that is left over is filled by the comment field of the gzip header, which readers pass
    over, and when it is much, by spaces at the end of the record's block, stored as they are.

    Args:
        fields: The record's header without length and block digest.
        body: Its block.
        length: Of the member, in bytes.

    Raises:
        TooSmallError: The record takes more room than that.

    Source:
        RFC 1952, section 2.3; RFC 1951, section 3.2.4.
    """
    record = _record(fields, body, 0) + body + _END
    raw = _deflate(record, zlib_ng.Z_FINISH)
    room = length - _overhead(raw)
    if room < 0:
        raise TooSmallError(f"{-room} bytes too long for the room of {length}")
    if room <= _COMMENT_MAX:
        return iter((_head(room), raw, _trailer(zlib.crc32(record), len(record))))
    return _padded(fields, body, length, room)


def _padded(fields: Pairs, body: bytes, length: int, room: int) -> Iterator[bytes]:
    """Fill much room: the longer header may take some bytes more, the comment takes up the rest."""
    blocks = room // _STORED_MAX + 1
    spaces = room - 5 * (blocks + 1) - _COMMENT_MAX // 2
    front = _record(fields, body, spaces) + body
    raw = _deflate(front, zlib_ng.Z_FULL_FLUSH)
    sizes = [_STORED_MAX] * (spaces // _STORED_MAX) + [spaces % _STORED_MAX]
    stored = sum(5 + size for size in sizes) + 5 + len(_END)
    crc = zlib.crc32(front)
    yield _head(length - _overhead(raw) - stored)
    yield raw
    for size in sizes:
        crc = zlib.crc32(_SPACES[:size], crc)
        yield _stored(_SPACES[:size], is_last=False)
    yield _stored(_END, is_last=True)
    yield _trailer(zlib.crc32(_END, crc), len(front) + spaces + len(_END))


def _record(fields: Pairs, body: bytes, spaces: int) -> bytes:
    digest = hashlib.sha256(body)
    for start in range(0, spaces, _STORED_MAX):
        digest.update(_SPACES[: min(_STORED_MAX, spaces - start)])
    closing = (
        ("WARC-Block-Digest", f"sha256:{digest.hexdigest()}"),
        ("Content-Length", str(len(body) + spaces)),
    )
    return header_block((*fields, *closing))


def _deflate(data: bytes, flush: int) -> bytes:
    engine = zlib_ng.compressobj(9, zlib_ng.DEFLATED, _RAW)
    return engine.compress(data) + engine.flush(flush)


def _overhead(raw: bytes) -> int:
    return 10 + len(raw) + 8


def _head(room: int) -> bytes:
    """Write a gzip header that takes ``room`` bytes more than the shortest one."""
    flags = _COMMENT_BIT if room else 0
    comment = b" " * (room - 1) + b"\0" if room else b""
    return b"\x1f\x8b\x08" + bytes((flags, 0, 0, 0, 0, 2, 255)) + comment


def _stored(data: bytes, *, is_last: bool) -> bytes:
    return struct.pack("<BHH", is_last, len(data), len(data) ^ 0xFFFF) + data


def _trailer(crc: int, size: int) -> bytes:
    return struct.pack("<II", crc, size & 0xFFFFFFFF)
