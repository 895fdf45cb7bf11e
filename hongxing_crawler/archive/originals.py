"""The records of an archive by id, and the revisits that refer to them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hongxing_crawler.archive.fields import warc_uri
from hongxing_crawler.archive.findings import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.archive.reader import Record
    from hongxing_crawler.items import Original

REFERENCE_FIELDS = (
    "warc-refers-to",
    "warc-refers-to-target-uri",
    "warc-refers-to-date",
    "warc-payload-digest",
)


@dataclass(frozen=True, slots=True)
class _Reference:
    """A revisit record that names an original which was not seen before it."""

    finding: Finding
    target: str
    expected: bytes


class Originals:
    """Every record by its id, as short fingerprints, and the references still unresolved."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}
        self._open: list[_Reference] = []
        self._lost: set[bytes] = set()

    def add(self, record: Record) -> bool:
        """Note a record; False when its id was there before."""
        key = _short(record.fields["warc-record-id"])
        if key in self._known:
            return False
        digest = record.fields.get("warc-payload-digest", "")
        kind = "original" if record.type in {"response", "resource"} else "other"
        date = record.date.isoformat()
        self._known[key] = _short(kind, record.url, date, digest)
        return True

    def has(self, record_id: str) -> bool:
        return _short(record_id) in self._known

    def add_elsewhere(self, records: Iterable[Original]) -> None:
        """Take in records of other places, as far as something is still unresolved."""
        wanted = {_short(reference.target) for reference in self._open}
        for record in records if wanted else ():
            key = _short(f"<{record.record_id}>")
            if key in wanted:
                url, date = warc_uri(record.url), record.fetched_at.isoformat()
                self._known[key] = _short("original", url, date, record.payload_digest)

    def refer(self, record: Record, date: str) -> None:
        """Note what a revisit record claims about its original."""
        target, url, _, digest = (record.fields[name] for name in REFERENCE_FIELDS)
        expected = _short("original", url, date, digest)
        if self._known.get(_short(target)) != expected:
            reason = f"{target} is in none of the files"
            finding = finding_of(record, Kind.REVISIT_TARGET, reason)
            self._open.append(_Reference(finding, target, expected))

    def add_lost(self, record_ids: Iterable[str]) -> None:
        """Take in what a repair has recorded as lost: ``urn:…``."""
        self._lost.update(_short(f"<{record_id}>") for record_id in record_ids)

    def without_body(self) -> Iterator[Finding]:
        """Name the revisits whose original is recorded as lost."""
        for reference in self._open:
            key = _short(reference.target)
            if key in self._lost and key not in self._known:
                reason = f"{reference.target}, its body, is recorded as lost"
                yield replace(reference.finding, kind=Kind.LOST_ORIGINAL, message=reason)

    def unresolved(self, *, all_files: bool) -> Iterator[Finding]:
        """Say which originals were in no file, or were other captures than was claimed."""
        for reference in self._open:
            key = _short(reference.target)
            found = self._known.get(key)
            if found is None and all_files and key not in self._lost:
                yield reference.finding
            elif found not in {None, reference.expected}:
                reason = f"{reference.target} has another address, date or payload than claimed"
                yield replace(reference.finding, message=reason)


def _short(*values: str) -> bytes:
    return hashlib.blake2b("\n".join(values).encode(), digest_size=16).digest()


def finding_of(record: Record, kind: Kind, message: str) -> Finding:
    """Name a record in a finding."""
    return Finding(kind, record.path.name, record.offset, record.length, message, record.url)
