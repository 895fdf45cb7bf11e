"""Read a share of all files again at each call, the longest unread first, and keep a chained log.

Called once a day with a share of 1/90, every byte is compared with its digest every 90 days. A
file that has no digest yet gets one the first time it is met. Each line of the log
(`fixity_log`) holds the digest of the line before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hongxing_crawler.archive.digests import sha256_of_file
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.archive.fixity_log import FIRST_LINK, FixityLog, Past
from hongxing_crawler.archive.manifest import verify_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime
    from fractions import Fraction
    from pathlib import Path


@dataclass(slots=True)
class FixityReport:
    """What was read this time and what is wrong."""

    file_count: int = 0  # compared with a digest, or missing
    new_count: int = 0  # read for the first time
    byte_count: int = 0
    total_bytes: int = 0
    log_digest: str = FIRST_LINK  # of the last line; a copy elsewhere protects the whole log
    findings: list[Finding] = field(default_factory=list)


def check_share(
    folder: Path,
    digests: Mapping[str, str],
    log: Path,
    share: Fraction,
    *,
    now: datetime,
    elsewhere: Collection[str] = (),
) -> FixityReport:
    """Compare a share of the files, by bytes, with their digests, and log each result.

    A file that the log knows and that is not there any more is a finding at every call.

    Args:
        folder: Where the names start from.
        digests: ``sha256:…`` by name; an empty one is taken from the log, or made now for a file
            that the log does not know.
        log: The log; it is begun when missing. A last line torn by a crash is cut off.
        share: How much of all bytes to read, more than 0 and at most 1; at least one file is read.
        now: The time for the log.
        elsewhere: Names of files that are kept in another place, and so are not missing.

    Raises:
        ArchiveError: a file or the log cannot be read or written.
        ValueError: the share is not between 0 and 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share of {share} is not more than 0 and at most 1")
    with FixityLog(log) as kept:
        report = FixityReport()
        expected = {name: digest or kept.past(name).digest for name, digest in digests.items()}
        _meet_new(folder, expected, kept, report, now)
        for name in _choose(folder, expected, kept, share, report):
            finding = verify_file(folder, name, expected[name])
            entry = kept.note(name, expected[name], finding.kind if finding else "ok", now)
            report.findings += [_dated(finding, entry)] if finding else []
        for name in kept.names() - digests.keys() - set(elsewhere):
            report.findings.append(_dated(_missing(name), kept.past(name)))
        report.findings = [*kept.findings, *report.findings]
        report.log_digest = kept.digest
    return report


def note_files(folder: Path, names: list[str], log: Path, *, now: datetime) -> None:
    """Take the digests of files that are new, so that any later change is one.

    Files that the log knows are left alone.

    Raises:
        ArchiveError: a file or the log cannot be read or written.
    """
    with FixityLog(log) as kept:
        _meet_new(folder, {name: kept.past(name).digest for name in names}, kept, None, now)


def note_replaced(folder: Path, names: list[str], log: Path, *, now: datetime) -> None:
    """Take new digests of files that were changed on purpose, or that were removed on purpose.

    Raises:
        ArchiveError: a file or the log cannot be read or written.
    """
    with FixityLog(log) as kept:
        for name in names:
            if (folder / name).is_file():
                kept.note(name, sha256_of_file(folder / name), "replaced", now)
            else:
                kept.note(name, kept.past(name).digest, "removed", now)


def verify_log(log: Path) -> list[Finding]:
    """Check that each line of a log belongs behind the one before it.

    Raises:
        ArchiveError: the log cannot be read.
    """
    with FixityLog(log, read_only=True) as kept:
        return kept.findings


def _meet_new(
    folder: Path,
    expected: dict[str, str],
    kept: FixityLog,
    report: FixityReport | None,
    now: datetime,
) -> None:
    for name in sorted(name for name, digest in expected.items() if not digest):
        expected[name] = sha256_of_file(folder / name)
        kept.note(name, expected[name], "first", now)
        if report is not None:
            report.new_count += 1
            report.byte_count += _size(folder / name)


def _choose(
    folder: Path,
    expected: Mapping[str, str],
    kept: FixityLog,
    share: Fraction,
    report: FixityReport,
) -> Iterator[str]:
    """Yield bad files, then those that were not read for longest, until the share is reached."""
    sizes = {name: _size(folder / name) for name in expected}
    report.total_bytes = sum(sizes.values())

    def turn(name: str) -> tuple[bool, str, str]:
        past = kept.past(name)
        return not past.bad_since, past.read_at, name

    for name in sorted(expected, key=turn):
        if report.file_count and report.byte_count >= share * report.total_bytes:
            return
        report.file_count += 1
        report.byte_count += sizes[name]
        yield name


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _missing(name: str) -> Finding:
    return Finding(Kind.MISSING, name, 0, 0, "the log of fixity checks knows it, it is not there")


def _dated(finding: Finding, past: Past) -> Finding:
    """Say between which two checks a file changed."""
    good = f"last good on {past.good_at[:10]}" if past.good_at else "never seen good"
    bad = f", bad since {past.bad_since[:10]}" if past.bad_since else ""
    return replace(finding, message=f"{finding.message}; {good}{bad}")
