"""CDXJ indexes: one line a capture, sorted in byte order, from captures or from WARC files."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.captures import capture_of
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.archive.reader import Record, read_records
from hongxing_crawler.core.surt import surt
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hongxing_crawler.items import Capture

_INDEXED = frozenset({"response", "revisit", "resource"})
_REVISIT_MIME = "warc/revisit"
_RUN_LINES = 50_000  # sorted in memory at a time


def cdxj_line(capture: Capture) -> bytes:
    r"""Write the index line of a capture, with its line break.

    Nothing of the request goes into it, so no cookie can.

    >>> from datetime import UTC, datetime
    >>> from hongxing_crawler.items import Capture
    >>> at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    >>> cdxj_line(Capture("a.warc.gz", 9, 5, "", "response", "sha256:0", "http://a.cn/", at))[:38]
    b'cn,a)/ 20261123080000 {"url": "http://'
    """
    is_revisit = capture.record_type == "revisit"
    mime = _REVISIT_MIME if is_revisit else capture.mime
    status = "" if capture.status in {0, 304} else str(capture.status)
    fields = {
        "url": capture.url,
        **({"mime": mime} if mime else {}),
        **({"status": status} if status else {}),
        "digest": capture.payload_digest,
        "length": str(capture.length),
        "offset": str(capture.offset),
        "filename": capture.warc_filename,
    }
    moment = capture.fetched_at.strftime("%Y%m%d%H%M%S")
    return f"{surt(capture.url)} {moment} {json.dumps(fields)}\n".encode()


def write_index(captures: Iterable[Capture], path: Path) -> int:
    """Write a sorted index in constant memory; it appears under its name when it is complete.

    Args:
        captures: In any order; those that no reader can replay are left out.
        path: ``….cdxj``; an older index there is replaced.

    Returns:
        The number of lines.

    Raises:
        ArchiveError: the disk refuses; an older index is as before.
    """
    count = 0
    try:
        with disk.replaced(path) as file:
            for line in sorted_lines(captures):
                file.write(line)
                count += 1
    except OSError as error:
        raise ArchiveError(f"cannot write {path}: {disk.explain(error)}") from error
    return count


def captures_in(paths: Iterable[Path], findings: list[Finding] | None = None) -> Iterator[Capture]:
    """Read the captures of WARC files, for an index or for counting.

    Args:
        paths: Finished files.
        findings: Where damage is noted; reading then goes on behind it.

    Raises:
        ArchiveError: damage, when there is no list to note it in.
    """
    for path in paths:
        for record in read_records(path, findings):
            if record.type in _INDEXED:
                yield capture_of(record)


def sorted_lines(captures: Iterable[Capture]) -> Iterator[bytes]:
    """Yield the index lines of captures in byte order; long lists are sorted through files."""
    lines = (cdxj_line(capture) for capture in captures if capture.record_type in _INDEXED)
    with ExitStack() as stack:
        runs: list[Iterable[bytes]] = []
        while run := sorted(itertools.islice(lines, _RUN_LINES)):
            if len(run) < _RUN_LINES:
                runs.append(run)
                break
            file = stack.enter_context(tempfile.TemporaryFile())
            file.writelines(run)
            file.seek(0)
            runs.append(file)
        yield from heapq.merge(*runs)


class _Entry(NamedTuple):
    """What an index line says about a record, as a short fingerprint."""

    said: bytes
    line_number: int


def verify_index(path: Path, warc_paths: Iterable[Path]) -> list[Finding]:
    """Check that an index is sorted, that each line lands on its record, and that none is missing.

    Args:
        path: A ``.cdxj`` file.
        warc_paths: All the files that it is the index of.

    Raises:
        ArchiveError: a file cannot be read at all.
    """
    findings: list[Finding] = []
    entries = _read_entries(path, findings)
    for warc in warc_paths:
        for record in read_records(warc, []):
            if record.type in _INDEXED:
                findings += _compare(path, record, entries)
    for (filename, offset), entry in entries.items():
        reason = f"no record begins at {filename}:{offset}"
        findings.append(Finding(Kind.INDEX_TARGET, path.name, entry.line_number, 0, reason))
    return findings


def _read_entries(path: Path, findings: list[Finding]) -> dict[tuple[str, int], _Entry]:
    entries: dict[tuple[str, int], _Entry] = {}
    before = b""
    for number, line in enumerate(_lines(path), 1):
        if line < before:
            reason = "this line sorts before the one above it"
            findings.append(Finding(Kind.INDEX_ORDER, path.name, number, 0, reason))
        before = line
        try:
            fields = json.loads(line.split(b" ", 2)[2])
            place = fields["filename"], int(fields["offset"])
            entries[place] = _Entry(_said(line, fields), number)
        except (ValueError, IndexError, KeyError, TypeError) as error:
            reason = f"this line cannot be read: {error!r}"
            findings.append(Finding(Kind.INDEX_LINE, path.name, number, 0, reason))
    return entries


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise ArchiveError(f"cannot read {path}: {disk.explain(error)}") from error


def _compare(
    path: Path, record: Record, entries: dict[tuple[str, int], _Entry]
) -> Iterator[Finding]:
    capture = capture_of(record)
    entry = entries.pop((capture.warc_filename, capture.offset), None)
    place = f"{capture.warc_filename}:{capture.offset}"
    if entry is None:
        reason = f"the record at {place} is not listed"
        yield Finding(Kind.INDEX_GAP, path.name, 0, 0, reason, capture.url)
        return
    line = cdxj_line(capture)
    if entry.said != _said(line, json.loads(line.split(b" ", 2)[2])):
        reason = f"the record at {place} is another one than this line says"
        yield Finding(Kind.INDEX_TARGET, path.name, entry.line_number, 0, reason, capture.url)


def _said(line: bytes, fields: dict[str, Any]) -> bytes:
    moment = line.split(b" ", 2)[1].decode()
    values = (moment, fields["url"], fields.get("digest", ""), str(fields["length"]))
    return hashlib.blake2b("\n".join(values).encode(), digest_size=16).digest()
