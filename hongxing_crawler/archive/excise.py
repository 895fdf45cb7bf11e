"""Take records out of a WARC file: a copy in which tombstones of the same length stand for them.

Every byte outside the removed records is the one that was there, at its old offset; that is proved
by comparing both files, not assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.digests import sha256_of, sha256_of_file
from hongxing_crawler.archive.exact_member import TooSmallError, fit_record
from hongxing_crawler.archive.fields import fields_body, format_date, parse_date, warc_uri
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from hongxing_crawler.archive.reader import Record

_COPY_BYTES = 1 << 20
_REASON_CHARS = (2_000, 500, 120, 30, 0)  # tried in turn, until the tombstone fits


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of a file, and what is written in its place; both of one length."""

    start: int  # bytes
    end: int
    pieces: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Proof:
    """That a file is as it was, but for the stretches that were cut."""

    filename: str
    bytes: int
    before: str  # sha256:…, of the whole file
    after: str
    record_count: int  # records that stayed
    kept_sha256: str  # over all bytes outside the cuts, the same in both files
    cuts: tuple[tuple[int, int], ...]  # start and end in bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """What the tombstones of one takedown say."""

    takedown_id: str
    at: datetime
    by: str
    reason: str
    new_id: Callable[[], str]


def tombstone_cut(records: Sequence[Record], span: tuple[int, int], notice: Notice) -> Cut:
    """Plan the tombstone that stands for records lying side by side.

    It is a metadata record: readers show nothing for it. When the room is small the reason is
    shortened; the log of takedowns has it whole.

    Raises:
        ArchiveError: Not even the shortest one fits.
    """
    record_id = notice.new_id()
    length = span[1] - span[0]
    for reason_chars in _REASON_CHARS:
        fields, body = _tombstone(records, notice, record_id, reason_chars)
        try:
            fit_record(fields, body, length)
        except TooSmallError:
            continue
        return Cut(*span, partial(fit_record, fields, body, length))
    place = f"{records[0].path.name}:{span[0]}"
    raise ArchiveError(f"{place}: {length} bytes are no room for a tombstone; nothing was changed")


def _tombstone(
    records: Sequence[Record], notice: Notice, record_id: str, reason_chars: int
) -> tuple[list[tuple[str, str]], bytes]:
    last, reason = records[-1], notice.reason
    short = reason if len(reason) <= reason_chars else f"{reason[:reason_chars]}…"
    said = [
        ("takedown", notice.takedown_id),
        ("takedown-reason", short),
        ("takedown-by", notice.by),
        ("removed-record", " ".join(f"<{record.record_id}>" for record in records)),
    ]
    fields = [
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", f"<{record_id}>"),
        ("WARC-Date", format_date(notice.at)),
        ("WARC-Target-URI", warc_uri(last.url)),
        ("Content-Type", "application/warc-fields"),
    ]
    if described_by := last.fields.get("warc-warcinfo-id"):
        fields.insert(4, ("WARC-Warcinfo-ID", described_by))
    return fields, fields_body(said)


@dataclass(frozen=True, slots=True)
class NewOriginal:
    """The record that revisits refer to from now on."""

    record_id: str
    url: str
    date: str  # as in WARC-Refers-To-Date


def redirect_cut(revisit: Record, new: NewOriginal) -> Cut:
    """Plan the same revisit record with another original, in the room of the old one.

    Raises:
        TooSmallError: It takes more bytes than the old one; another record id may take fewer.
    """
    changes = {
        "warc-refers-to": f"<{new.record_id}>",
        "warc-refers-to-target-uri": warc_uri(new.url),
        "warc-refers-to-date": new.date,
    }
    fields = [
        (name, changes.get(name.lower(), value))
        for name, value in header_lines(revisit)
        if name.lower() not in {"warc-block-digest", "content-length"}
    ]
    body = revisit.http_head + revisit.payload()
    fit_record(fields, body, revisit.length)
    span = revisit.offset, revisit.offset + revisit.length
    return Cut(*span, partial(fit_record, fields, body, revisit.length))


_SPELLINGS = {
    "warc-record-id": "WARC-Record-ID",
    "warc-target-uri": "WARC-Target-URI",
    "warc-refers-to-target-uri": "WARC-Refers-To-Target-URI",
    "warc-warcinfo-id": "WARC-Warcinfo-ID",
    "warc-ip-address": "WARC-IP-Address",
}


def header_lines(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the header of a record as lines, in their order, names spelled as usual."""
    for name, values in record.fields.items():
        spelled = _SPELLINGS.get(name) or name.title().replace("Warc-", "WARC-")
        for value in values.split("\n"):
            yield spelled, value


def copy_with_cuts(source: Path, target: Path, cuts: Sequence[Cut]) -> Proof:
    """Write a copy of a file with other bytes in some stretches, synced, and prove it.

    Raises:
        ArchiveError: The disk refuses, or the copy is not what it should be.
    """
    cuts = sorted(cuts, key=lambda cut: cut.start)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as old, disk.replaced(target) as new:
            for piece in _merged(old, cuts):
                new.write(piece)
        return prove(source, target, [(cut.start, cut.end) for cut in cuts])
    except OSError as error:
        raise ArchiveError(f"cannot write {target}: {disk.explain(error)}") from error


def _merged(old: BinaryIO, cuts: Sequence[Cut]) -> Iterator[bytes]:
    position = 0
    for cut in cuts:
        yield from _stretch(old, position, cut.start)
        yield from cut.pieces()
        position = cut.end
    yield from _stretch(old, position, None)


def _stretch(file: BinaryIO, start: int, end: int | None) -> Iterator[bytes]:
    file.seek(start)
    left = end - start if end is not None else None
    while left is None or left > 0:
        piece = file.read(_COPY_BYTES if left is None else min(_COPY_BYTES, left))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def prove(before: Path, after: Path, spans: Sequence[tuple[int, int]]) -> Proof:
    """Compare two files outside some stretches, and count the records that stayed.

    Raises:
        ArchiveError: They differ elsewhere, or the new one is not whole.
    """
    digests = [_kept_digest(path, spans) for path in (before, after)]
    sizes = [path.stat().st_size for path in (before, after)]
    starts = {start for start, _ in spans}
    old = [_place(record) for record in read_records(before) if not _is_in(record, spans)]
    new = [_place(record) for record in read_records(after) if record.offset not in starts]
    if digests[0] != digests[1] or sizes[0] != sizes[1] or old != new:
        raise ArchiveError(
            f"{after} differs from {before.name} where it should not; nothing was changed"
        )
    was, became = sha256_of_file(before), sha256_of_file(after)
    return Proof(before.name, sizes[0], was, became, len(old), digests[0], tuple(spans))


def _kept_digest(path: Path, spans: Sequence[tuple[int, int]]) -> str:
    with path.open("rb") as file:
        edges = [0, *(edge for span in spans for edge in span)]
        ends = [*edges[1:], None]
        kept = zip(edges[::2], ends[::2], strict=True)
        return sha256_of(piece for start, end in kept for piece in _stretch(file, start, end))


def _place(record: Record) -> tuple[int, int, str]:
    return record.offset, record.length, record.record_id


def _is_in(record: Record, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= record.offset < end for start, end in spans)


def refers_to(record: Record) -> str:
    """Return the id of the record that a revisit stands for, ``urn:uuid:…``."""
    return record.fields.get("warc-refers-to", "")[1:-1]


def new_original_of(revisit: Record, record_id: str) -> NewOriginal:
    """Name the full copy of a revisit as the original of it and of others."""
    date = format_date(parse_date(revisit.fields["warc-date"]))
    return NewOriginal(record_id, revisit.url, date)
