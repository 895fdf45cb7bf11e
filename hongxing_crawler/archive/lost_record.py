"""A record in the place of bytes that were lost, as long as they were.

So the records behind it keep their offsets, and rows, index and state stay right.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from hongxing_crawler.archive.exact_member import fit_record
from hongxing_crawler.archive.fields import fields_body, format_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

LOST_BYTES = "Hongxing-Lost-Bytes"  # marks the record in its header
LOST_ID = "Hongxing-Lost-Record-ID"  # of a record that others still name


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

    Args:
        name: The file.
        offset: Where the lost bytes began.
        length: Bytes.
        made_at: When the file was repaired.
        lost_ids: Record ids, ``<urn:…>``, of lost records that others name.
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
    return fit_record(fields, fields_body(about), length)
