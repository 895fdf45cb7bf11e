"""Read a share of all files again at each call, the longest unread first, and keep a chained log.

Called once a day with a share of 1/90, every byte is compared with its manifest every 90 days.
Each line of the log holds the digest of the line before it, so a line that is changed, taken out
or put in later is noticed. (Somebody who rewrites the log from there to its end is noticed only
by a copy of its last digest kept elsewhere: ``FixityReport.log_digest``.)
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.fields import format_date
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.archive.manifest import verify_file
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from fractions import Fraction
    from pathlib import Path

_FIRST = "0" * 64


@dataclass(slots=True)
class FixityReport:
    """What was read this time and what is wrong."""

    file_count: int = 0
    byte_count: int = 0
    total_bytes: int = 0
    log_digest: str = _FIRST  # of the last line; a copy elsewhere protects the whole log
    findings: list[Finding] = field(default_factory=list)


def check_share(
    folder: Path, digests: Mapping[str, str], log: Path, share: Fraction, *, now: datetime
) -> FixityReport:
    """Compare a share of the files, by bytes, with their digests, and log each result.

    Args:
        folder: Where the names start from.
        digests: ``sha256:…`` by name, from a manifest.
        log: The log; it is begun when missing. A last line torn by a crash is cut off.
        share: How much of all bytes to read, more than 0 and at most 1; at least one file is read.
        now: The time for the log.

    Raises:
        ArchiveError: a file or the log cannot be read or written.
        ValueError: the share is not between 0 and 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share of {share} is not more than 0 and at most 1")
    report = FixityReport()
    try:
        handle = os.open(log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ArchiveError(f"cannot open {log}: {disk.explain(error)}") from error
    try:
        history = _read_log(log, handle, report)
        for name in _choose(folder, digests, history, share, report):
            finding = verify_file(folder, name, digests[name])
            report.findings += [finding] if finding else []
            _note(handle, report, name, digests[name], finding, now)
        disk.sync_data(handle)
    except OSError as error:
        raise ArchiveError(f"cannot write {log}: {disk.explain(error)}") from error
    finally:
        os.close(handle)
    return report


def verify_log(log: Path) -> list[Finding]:
    """Check that each line of a log belongs behind the one before it.

    Raises:
        ArchiveError: the log cannot be read.
    """
    report = FixityReport()
    for _ in _entries(log, report):
        pass
    return report.findings


def _read_log(log: Path, handle: int, report: FixityReport) -> dict[str, str]:
    """Return when each file was last read, and cut off a torn last line."""
    history, end = {}, 0
    for line_end, entry in _entries(log, report):
        history[entry.get("name", "")] = entry.get("at", "")
        end = line_end
    disk.cut(handle, end)
    return history


def _entries(log: Path, report: FixityReport) -> Iterator[tuple[int, dict[str, Any]]]:
    end = 0
    try:
        with log.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                entry = _parse(line)
                if entry.get("previous") != report.log_digest:
                    reason = "this line does not belong behind the one before it"
                    finding = Finding(Kind.LOG_CHAIN, log.name, number, len(line), reason)
                    report.findings.append(finding)
                report.log_digest = hashlib.sha256(line).hexdigest()
                yield end, entry
    except OSError as error:
        raise ArchiveError(f"cannot read {log}: {disk.explain(error)}") from error


def _parse(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _choose(
    folder: Path,
    digests: Mapping[str, str],
    history: Mapping[str, str],
    share: Fraction,
    report: FixityReport,
) -> Iterator[str]:
    """Yield the names that were not read for longest until the share is reached."""
    sizes = {name: _size(folder / name) for name in digests}
    report.total_bytes = sum(sizes.values())
    for name in sorted(digests, key=lambda name: (history.get(name, ""), name)):
        if report.file_count and report.byte_count >= share * report.total_bytes:
            return
        report.file_count += 1
        report.byte_count += sizes[name]
        yield name


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _note(
    handle: int,
    report: FixityReport,
    name: str,
    digest: str,
    finding: Finding | None,
    now: datetime,
) -> None:
    entry = {
        "at": format_date(now),
        "name": name,
        "digest": digest,
        "result": finding.kind if finding else "ok",
        "previous": report.log_digest,
    }
    line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    disk.write_all(handle, line)
    report.log_digest = hashlib.sha256(line).hexdigest()
