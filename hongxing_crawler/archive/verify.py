"""Check WARC files against themselves and each other, more strictly than any single tool.

gzip members tile the file to its end, one record in each; headers follow the grammar; lengths
and digests hold; parts of a group, revisit records and what they refer to are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hongxing_crawler.archive.digests import Check, UnknownDigestError
from hongxing_crawler.archive.fields import parse_date
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.archive.lost_record import LostPlace
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.archive.originals import REFERENCE_FIELDS, Originals, finding_of
from hongxing_crawler.archive.reader import Record, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hongxing_crawler.items import Original


@dataclass(slots=True)
class VerifyReport:
    """How much was checked, what is wrong, and what a repair has recorded as lost."""

    file_count: int = 0
    record_count: int = 0
    byte_count: int = 0
    findings: list[Finding] = field(default_factory=list)
    known_losses: list[Finding] = field(default_factory=list)  # no repair brings these back


def verify_warc(path: Path) -> list[Finding]:
    """Check one file; whether originals in other files exist is left open.

    Args:
        path: A ``.warc.gz`` file.

    Returns:
        What is wrong, in the order of the file; empty when all is well.

    Raises:
        ArchiveError: the file cannot be read at all.
    """
    report, originals = VerifyReport(), Originals()
    _FileCheck(path, report, originals).run()
    return [*report.findings, *originals.unresolved(all_files=False)]


def verify_warcs(
    paths: Iterable[Path],
    *,
    with_digests: bool = True,
    elsewhere: Iterable[Original] = (),
    lost_ids: Iterable[str] = (),
) -> VerifyReport:
    """Check files that belong together: revisit records must find their original among them.

    Args:
        paths: All WARC files of an archive.
        with_digests: Also read every body and compare digests; without, a changed byte is
            still found by the gzip checksum, but not a record that was replaced as a whole.
        elsewhere: Records of files that are kept in another place, which revisits may refer to.
        lost_ids: Records, ``urn:…``, that a repair could not keep, beside those that the files
            themselves name. A revisit of one is a known loss and no finding.

    Raises:
        ArchiveError: a file cannot be read at all.
    """
    report, originals = VerifyReport(), Originals()
    for path in paths:
        _FileCheck(path, report, originals, with_digests=with_digests).run()
    originals.add_elsewhere(elsewhere)
    originals.add_lost(lost_ids)
    report.findings += originals.unresolved(all_files=True)
    report.known_losses += originals.without_body()
    return report


class _FileCheck:
    """The checks of one file; what concerns other files is noted in ``originals``."""

    def __init__(
        self, path: Path, report: VerifyReport, originals: Originals, *, with_digests: bool = True
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
            yield finding_of(record, Kind.NO_WARCINFO, "the file does not begin with warcinfo")
        if not self._originals.add(record):
            yield finding_of(record, Kind.DOUBLE_ID, f"{record.record_id} is used twice")
        if record.type == "revisit":
            yield from self._revisit(record)
        if self._with_digests:
            yield from check_digests(record)
        self._relate(record)

    def _revisit(self, record: Record) -> Iterator[Finding]:
        missing = [name for name in REFERENCE_FIELDS if not record.fields.get(name)]
        if missing:
            names = ", ".join(missing)
            yield finding_of(record, Kind.REVISIT_FIELDS, f"without {names} it cannot be replayed")
            return
        try:
            date = parse_date(record.fields["warc-refers-to-date"]).isoformat()
        except ValueError as error:
            yield finding_of(record, Kind.REVISIT_FIELDS, str(error))
        else:
            self._originals.refer(record, date)

    def _relate(self, record: Record) -> None:
        """Note which records name others; only open questions are kept in memory."""
        for name in ("warc-concurrent-to", "warc-warcinfo-id"):
            for target in filter(None, record.fields.get(name, "").split("\n")):
                if not self._originals.has(target):
                    self._relations.setdefault(target, _bare(record))
        self._relations.pop(record.fields["warc-record-id"], None)
        if (lost := LostPlace.of(record)) is not None:  # a repair has told of it
            self._report.known_losses.append(lost.finding())
            self._originals.add_lost(lost.record_ids)
            for lost_id in lost.record_ids:
                self._relations.pop(f"<{lost_id}>", None)

    def _whole_file(self, count: int) -> Iterator[Finding]:
        name = self._path.name
        for target, record in self._relations.items():
            yield finding_of(record, Kind.RELATION, f"belongs to {target}, which is not there")
        if not count:
            yield Finding(Kind.EMPTY, name, 0, 0, "the file holds no whole record")
        if name.endswith(OPEN_SUFFIX):
            yield Finding(Kind.UNFINISHED, name, 0, 0, "the file was never closed, repair it")


def check_digests(record: Record) -> Iterator[Finding]:
    """Compare block and payload of a record with the digests in its header."""
    try:
        block = _check(record, "warc-block-digest")
        payload = _check(record, "warc-payload-digest") if record.type != "revisit" else None
    except UnknownDigestError as error:
        yield finding_of(record, Kind.NO_DIGEST, str(error))
        return
    if block is None:
        yield finding_of(record, Kind.NO_DIGEST, "nothing to check the block against")
    checks = [check for check in (block, payload) if check is not None]
    if block is not None:
        block.update(record.http_head)
    for piece in record.pieces() if checks else ():
        for check in checks:
            check.update(piece)
    if block is not None and not block.holds:
        yield finding_of(record, Kind.BLOCK_DIGEST, "the block is not what was written")
    if payload is not None and not payload.holds:
        yield finding_of(record, Kind.PAYLOAD_DIGEST, "the body is not what was written")


def _bare(record: Record) -> Record:
    """Let go of the bytes of a record that has to be remembered."""
    return replace(record, http_head=b"", _kept=None)


def _check(record: Record, name: str) -> Check | None:
    label = record.fields.get(name)
    return Check(label) if label else None
