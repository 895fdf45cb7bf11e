"""A record in the place of bytes that were lost, as long as they were.

So the records behind it keep their offsets, and rows, index and state stay right.
"""

from __future__ import annotations

import hashlib
import uuid
import zlib
from typing import TYPE_CHECKING

from hongxing_crawler.archive.fields import fields_body, format_date, header_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

LOST_BYTES = "Hongxing-Lost-Bytes"  # marks the record in its header
LOST_ID = "Hongxing-Lost-Record-ID"  # of a record that others still name

_HAS_COMMENT = 0x10
_PAD_BYTES = 1 << 20


def fill(
    name: str,
    offset: int,
    length: int,
    *,
    made_at: datetime,
    lost_ids: Iterable[str] = (),
    lost_urls: Iterable[str] = (),
) -> Iterator[bytes]:
    """Make a gzip member of ``length`` bytes with a metadata record that tells of the loss.

    What the record does not need is padding in the comment of the gzip header.

    Args:
        name: The file.
        offset: Where the lost bytes began.
        length: Bytes.
        made_at: When the file was repaired.
        lost_ids: Record ids, ``<urn:…>``, of lost records that others name.
        lost_urls: What was lost, as far as it can still be read.

    Raises:
        ValueError: so few bytes hold no record.

    Source:
        RFC 1952, section 2.3.
    """
    record = _record(name, offset, length, made_at, list(lost_ids), list(lost_urls))
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = engine.compress(record) + engine.flush()
    trailer = zlib.crc32(record).to_bytes(4, "little") + len(record).to_bytes(4, "little")
    padding = length - 10 - len(deflated) - len(trailer)
    if padding < 0:
        raise ValueError(f"{length} bytes are too few for a record")
    yield b"\x1f\x8b\x08" + bytes((_HAS_COMMENT if padding else 0, 0, 0, 0, 0, 0, 255))
    for start in range(0, padding - 1, _PAD_BYTES):
        yield b" " * min(_PAD_BYTES, padding - 1 - start)
    yield (b"\0" if padding else b"") + deflated + trailer


def _record(
    name: str, offset: int, length: int, made_at: datetime, ids: list[str], urls: list[str]
) -> bytes:
    about = [("damage", f"{length} bytes at {offset} were no whole record")]
    block = fields_body([*about, *(("lost-url", url) for url in urls)])
    header = header_block(
        [
            ("WARC-Type", "metadata"),
            ("WARC-Record-ID", f"<{uuid.uuid5(uuid.NAMESPACE_URL, f'{name}#{offset}').urn}>"),
            ("WARC-Date", format_date(made_at)),
            (LOST_BYTES, str(length)),
            *((LOST_ID, " ".join(ids)) for _ in ids[:1]),
            ("WARC-Block-Digest", f"sha256:{hashlib.sha256(block).hexdigest()}"),
            ("Content-Type", "application/warc-fields"),
            ("Content-Length", str(len(block))),
        ]
    )
    return header + block + b"\r\n\r\n"
