"""From records back to captures and exchanges, for indexes and for working through a run again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.archive.fields import parse_date, read_fields, unescape_head
from hongxing_crawler.archive.groups import HEAD_FIELD, NOT_MODIFIED, NOTE_PREFIX, extra_of
from hongxing_crawler.archive.heads import media_type, mime_of, status_of, unmask_transfer_coding
from hongxing_crawler.archive.lost_record import LOST_BYTES
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.items import Capture, Original

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hongxing_crawler.archive.findings import Finding
    from hongxing_crawler.archive.reader import Record

_MAIN_TYPES = frozenset({"response", "revisit"})


@dataclass(frozen=True, slots=True)
class ArchivedExchange:
    """One group of records as it was written: the answer, what was asked, what was noted."""

    capture: Capture
    record: Record  # response, revisit, conversion, or the metadata record of a failed fetch
    request: Record | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def response_head(self) -> bytes:
        """The response head as received, but for redacted values; also that of a 304."""
        if HEAD_FIELD in self.metadata:
            return unmask_transfer_coding(unescape_head(self.metadata[HEAD_FIELD]))
        return unmask_transfer_coding(self.record.http_head)

    @property
    def original(self) -> Original | None:
        """The capture whose body a revisit record stands for."""
        return original_of(self.record) if self.record.type == "revisit" else None


def read_exchanges(path: Path, findings: list[Finding] | None = None) -> Iterator[ArchivedExchange]:
    """Yield the groups of a file in the order in which they were written.

    A request or note whose response was lost is passed over. A conversion record stands for
    itself. Records of other kinds are left to ``reader.read_records``.

    Args:
        path: A ``.warc.gz`` file, finished or not.
        findings: Where damage is noted; reading then goes on behind it.

    Raises:
        ArchiveError: damage, when there is no list to note it in.
    """
    waiting: list[Record] = []
    for record in read_records(path, findings):
        if record.type in _MAIN_TYPES:
            yield _exchange(record, waiting)
            waiting = []
        elif LOST_BYTES.lower() in record.fields:
            continue  # in the place of lost bytes: nothing was fetched
        elif record.type == "metadata" and "warc-concurrent-to" not in record.fields:
            yield ArchivedExchange(capture_of(record), record, None, read_noted(record))
        elif record.type == "conversion":
            yield ArchivedExchange(capture_of(record), record, None, header_notes(record))
        elif record.type in {"request", "metadata"}:
            waiting.append(record)


def _exchange(main: Record, waiting: list[Record]) -> ArchivedExchange:
    own = f"<{main.record_id}>"
    request, metadata = None, header_notes(main)
    for record in waiting:
        if record.fields.get("warc-concurrent-to") != own:
            continue
        if record.type == "request":
            request = record
        else:
            metadata |= read_noted(record)
    return ArchivedExchange(capture_of(main), main, request, metadata)


def header_notes(record: Record) -> dict[str, str]:
    """Read the values that a header holds in the place of a metadata record."""
    if record.type not in {"revisit", "conversion"}:
        return {}
    prefix = NOTE_PREFIX.lower()
    pairs = record.fields.items()
    return {name.removeprefix(prefix): text for name, text in pairs if name.startswith(prefix)}


def read_noted(record: Record) -> dict[str, str]:
    """Read the named values of a metadata record."""
    return read_fields(record.payload())


def capture_of(record: Record) -> Capture:
    """Make of a record the capture that the writer returned for it."""
    not_modified = record.fields.get("warc-profile") == NOT_MODIFIED
    return Capture(
        warc_filename=record.path.name.removesuffix(OPEN_SUFFIX),
        offset=record.offset,
        length=record.length,
        record_id=record.record_id,
        record_type=record.type,
        payload_digest=record.fields.get("warc-payload-digest", ""),
        url=record.url,
        fetched_at=record.date,
        status=304 if not_modified else status_of(record.http_head),
        mime=_mime(record),
        extra=extra_of(record.fields.get("warc-truncated", "")),
    )


def _mime(record: Record) -> str:
    if record.type in {"resource", "conversion"}:
        return media_type(record.fields.get("content-type", ""))
    return mime_of(record.http_head)


def original_of(record: Record) -> Original:
    """Read from a revisit record what it refers to.

    Raises:
        KeyError: it does not say.
        ValueError: its date cannot be read.
    """
    return Original(
        url=record.fields["warc-refers-to-target-uri"],
        fetched_at=parse_date(record.fields["warc-refers-to-date"]),
        record_id=record.fields["warc-refers-to"][1:-1],
        payload_digest=record.fields["warc-payload-digest"],
    )
