"""A record in the place of bytes that were lost, as long as they were.

So the records behind it keep their offsets, and rows, index and state stay right.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.archive.exact_member import fit_record
from hongxing_crawler.archive.fields import fields_body, format_date
from hongxing_crawler.archive.findings import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from hongxing_crawler.archive.reader import Record

LOST_BYTES = "Hongxing-Lost-Bytes"  # marks the record in its header
LOST_ID = "Hongxing-Lost-Record-ID"  # of a record that others still name
_LOST_URL_RE = re.compile(rb"^lost-url: (\S+)", re.MULTILINE)
_LOST_ID_RE = re.compile(rb"^lost-record-id: (urn:\S+)", re.MULTILINE)


def fill(
    name: str,
    offset: int,
    length: int,
    *,
    made_at: datetime,
    lost_ids: Iterable[str] = (),
    known_ids: Iterable[str] = (),
    lost_urls: Iterable[str] = (),
) -> Iterator[bytes]:
    """Make a gzip member of ``length`` bytes with a metadata record that tells of the loss.

    Args:
        name: The file.
        offset: Where the lost bytes began.
        length: Bytes.
        made_at: When the file was repaired.
        lost_ids: Record ids, ``<urn:…>``, of lost records that others name.
        known_ids: Record ids, ``urn:…``, of what is known to have lain here.
        lost_urls: What was lost, as far as it can still be read.

    Raises:
        TooSmallError: so few bytes hold no record.
    """
    ids = " ".join(lost_ids)
    fields = [
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", f"<{uuid.uuid5(uuid.NAMESPACE_URL, f'{name}#{offset}').urn}>"),
        ("WARC-Date", format_date(made_at)),
        (LOST_BYTES, str(length)),
        *([(LOST_ID, ids)] if ids else []),
        ("Content-Type", "application/warc-fields"),
    ]
    about = [("damage", f"{length} bytes at {offset} were no whole record")]
    about += [("lost-url", url) for url in lost_urls]
    about += [("lost-record-id", record_id) for record_id in known_ids]
    return fit_record(fields, fields_body(about), length)


@dataclass(frozen=True, slots=True)
class LostPlace:
    """A loss that is on record: where it was and, as far as is known, of what."""

    record: Record
    record_ids: tuple[str, ...]  # urn:…

    @classmethod
    def of(cls, record: Record) -> LostPlace | None:
        """Read what ``fill`` wrote; None for any other record."""
        if LOST_BYTES.lower() not in record.fields:
            return None
        named = record.fields.get(LOST_ID.lower(), "").split()
        ids = [record_id.strip("<>") for record_id in named]
        ids += [found[1].decode() for found in _LOST_ID_RE.finditer(_told(record))]
        return cls(record, tuple(dict.fromkeys(ids)))

    def finding(self) -> Finding:
        """Tell of the loss as of damage that is known."""
        record = self.record
        found = _LOST_URL_RE.search(_told(record))
        url = found[1].decode("utf-8", "replace") if found else ""
        reason = f"a repair on {record.date:%Y-%m-%d} could not keep what lay here"
        return Finding(Kind.KNOWN_LOSS, record.path.name, record.offset, record.length, reason, url)


def _told(record: Record) -> bytes:
    """Read what was written; spaces that fill the rest of a long loss are left alone."""
    return next(record.pieces(), b"")
