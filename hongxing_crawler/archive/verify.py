"""Check WARC files against themselves and each other, more strictly than any single tool.

gzip members tile the file to its end, one record in each; headers follow the grammar; lengths
and digests hold; parts of a group, revisit records and what they refer to are there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hongxing_crawler.archive.digests import Check, UnknownDigestError
from hongxing_crawler.archive.fields import parse_date, warc_uri
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.archive.lost_record import LOST_ID
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.archive.reader import Record, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hongxing_crawler.items import Original

_LOST_ID = LOST_ID.lower()
_REFERENCE_FIELDS = (
    "warc-refers-to",
    "warc-refers-to-target-uri",
    "warc-refers-to-date",
    "warc-payload-digest",
)


@dataclass(slots=True)
class VerifyReport:
    """How much was checked and what is wrong."""

    file_count: int = 0
    record_count: int = 0
    byte_count: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify_warc(path: Path) -> list[Finding]:
    """Check one file; whether originals in other files exist is left open.

    Args:
        path: A ``.warc.gz`` file.

    Returns:
        What is wrong, in the order of the file; empty when all is well.

    Raises:
        ArchiveError: the file cannot be read at all.
    """
    report, originals = VerifyReport(), _Originals()
    _FileCheck(path, report, originals).run()
    return [*report.findings, *originals.unresolved(all_files=False)]


def verify_warcs(
    paths: Iterable[Path], *, with_digests: bool = True, elsewhere: Iterable[Original] = ()
) -> VerifyReport:
    """Check files that belong together: revisit records must find their original among them.

    Args:
        paths: All WARC files of an archive.
        with_digests: Also read every body and compare digests; without, a changed byte is
            still found by the gzip checksum, but not a record that was replaced as a whole.
        elsewhere: Records of files that are kept in another place, which revisits may refer to.

    Raises:
        ArchiveError: a file cannot be read at all.
    """
    report, originals = VerifyReport(), _Originals()
    for path in paths:
        _FileCheck(path, report, originals, with_digests=with_digests).run()
    originals.add_elsewhere(elsewhere)
    report.findings += originals.unresolved(all_files=True)
    return report


class _FileCheck:
    """The checks of one file; what concerns other files is noted in ``originals``."""

    def __init__(
        self, path: Path, report: VerifyReport, originals: _Originals, *, with_digests: bool = True
    ) -> None:
        self._path = path
        self._report = report
        self._originals = originals
        self._with_digests = with_digests
        self._relations: dict[str, Record] = {}

    def run(self) -> None:
        report, count = self._report, 0
        report.file_count += 1
        for found in scan(self._path):
            if isinstance(found, Finding):
                report.findings.append(found)
                continue
            report.findings += self._record(found, is_first=count == 0)
            report.byte_count += found.length
            count += 1
        report.record_count += count
        report.findings += self._whole_file(count)

    def _record(self, record: Record, *, is_first: bool) -> Iterator[Finding]:
        if is_first and record.type != "warcinfo":
            yield _finding(record, Kind.NO_WARCINFO, "the file does not begin with warcinfo")
        if not self._originals.add(record):
            yield _finding(record, Kind.DOUBLE_ID, f"{record.record_id} is used twice")
        if record.type == "revisit":
            yield from self._revisit(record)
        if self._with_digests:
            yield from check_digests(record)
        self._relate(record)

    def _revisit(self, record: Record) -> Iterator[Finding]:
        missing = [name for name in _REFERENCE_FIELDS if not record.fields.get(name)]
        if missing:
            names = ", ".join(missing)
            yield _finding(record, Kind.REVISIT_FIELDS, f"without {names} it cannot be replayed")
            return
        try:
            date = parse_date(record.fields["warc-refers-to-date"]).isoformat()
        except ValueError as error:
            yield _finding(record, Kind.REVISIT_FIELDS, str(error))
        else:
            self._originals.refer(record, date)

    def _relate(self, record: Record) -> None:
        """Note which records name others; only open questions are kept in memory."""
        for name in ("warc-concurrent-to", "warc-warcinfo-id"):
            for target in filter(None, record.fields.get(name, "").split("\n")):
                if not self._originals.has(target):
                    self._relations.setdefault(target, _bare(record))
        self._relations.pop(record.fields["warc-record-id"], None)
        for lost_id in record.fields.get(_LOST_ID, "").split():  # a repair has told of it
            self._relations.pop(lost_id, None)

    def _whole_file(self, count: int) -> Iterator[Finding]:
        name = self._path.name
        for target, record in self._relations.items():
            yield _finding(record, Kind.RELATION, f"belongs to {target}, which is not there")
        if not count:
            yield Finding(Kind.EMPTY, name, 0, 0, "the file holds no whole record")
        if name.endswith(OPEN_SUFFIX):
            yield Finding(Kind.UNFINISHED, name, 0, 0, "the file was never closed, repair it")


@dataclass(frozen=True, slots=True)
class _Reference:
    """A revisit record that names an original which was not seen before it."""

    finding: Finding
    target: str
    expected: bytes


class _Originals:
    """Every record by its id, as short fingerprints, and the references still unresolved."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}
        self._open: list[_Reference] = []

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
        target, url, _, digest = (record.fields[name] for name in _REFERENCE_FIELDS)
        expected = _short("original", url, date, digest)
        if self._known.get(_short(target)) != expected:
            reason = f"{target} is in none of the files"
            finding = _finding(record, Kind.REVISIT_TARGET, reason)
            self._open.append(_Reference(finding, target, expected))

    def unresolved(self, *, all_files: bool) -> Iterator[Finding]:
        """Say which originals were in no file, or were other captures than was claimed."""
        for reference in self._open:
            found = self._known.get(_short(reference.target))
            if found is None and all_files:
                yield reference.finding
            elif found not in {None, reference.expected}:
                reason = f"{reference.target} has another address, date or payload than claimed"
                yield replace(reference.finding, message=reason)


def _short(*values: str) -> bytes:
    return hashlib.blake2b("\n".join(values).encode(), digest_size=16).digest()


def check_digests(record: Record) -> Iterator[Finding]:
    """Compare block and payload of a record with the digests in its header."""
    try:
        block = _check(record, "warc-block-digest")
        payload = _check(record, "warc-payload-digest") if record.type != "revisit" else None
    except UnknownDigestError as error:
        yield _finding(record, Kind.NO_DIGEST, str(error))
        return
    if block is None:
        yield _finding(record, Kind.NO_DIGEST, "nothing to check the block against")
    checks = [check for check in (block, payload) if check is not None]
    if block is not None:
        block.update(record.http_head)
    for piece in record.pieces() if checks else ():
        for check in checks:
            check.update(piece)
    if block is not None and not block.holds:
        yield _finding(record, Kind.BLOCK_DIGEST, "the block is not what was written")
    if payload is not None and not payload.holds:
        yield _finding(record, Kind.PAYLOAD_DIGEST, "the body is not what was written")


def _bare(record: Record) -> Record:
    """Let go of the bytes of a record that has to be remembered."""
    return replace(record, http_head=b"", _kept=None)


def _check(record: Record, name: str) -> Check | None:
    label = record.fields.get(name)
    return Check(label) if label else None


def _finding(record: Record, kind: Kind, message: str) -> Finding:
    return Finding(kind, record.path.name, record.offset, record.length, message, record.url)
