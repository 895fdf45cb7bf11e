"""A part of an archive as one WARC file that stands by itself.

Records are copied as they are, member by member, behind the warcinfo record of the file they come
from. Only a revisit whose original is not in the excerpt is written anew: the first one becomes a
full response with the original's body, the next ones refer to that.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.captures import original_of
from hongxing_crawler.archive.draft import Block, Draft
from hongxing_crawler.archive.excise import header_lines, refers_to
from hongxing_crawler.archive.fields import fields_body, format_date, parse_date
from hongxing_crawler.archive.groups import warcinfo
from hongxing_crawler.archive.reader import read_at, read_records
from hongxing_crawler.archive.record_groups import RecordGroup, read_groups
from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.archive.warc import new_record_id
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import BinaryIO

    from hongxing_crawler.archive.reader import Record
    from hongxing_crawler.items import Original

    Finder = Callable[[Mapping[str, Original]], Mapping[str, tuple[Path, int]]]
    Texts = Callable[[Record], str]

_LEVEL = 6
_COPY_BYTES = 1 << 20
_OWN = frozenset({"warc-block-digest", "content-length"})
_OF_REVISITS = frozenset(
    {"warc-profile", "warc-refers-to", "warc-refers-to-target-uri", "warc-refers-to-date"}
)
_TEXT_PREFIX = "urn:text:"  # readers would serve the text in the page's place at its own address
PROMOTED_FIELD = "promoted-from"  # a copy that a takedown made; its revisit is exported in full


@dataclass(slots=True)
class ExcerptReport:
    """What went into an excerpt."""

    path: Path
    byte_count: int = 0
    record_count: int = 0
    exchange_count: int = 0
    resolved_count: int = 0  # revisits that became full responses
    text_count: int = 0  # conversion records
    source_count: int = 0  # WARC files


class _Stand(NamedTuple):
    """The record in the excerpt that stands for an original which is not in it."""

    record_id: str
    url: str
    date: str


def write_excerpt(
    path: Path,
    sources: Iterable[Path],
    wanted: Callable[[RecordGroup], bool],
    find_originals: Finder,
    about: Mapping[str, str],
    now: datetime,
    text_of: Texts | None = None,
) -> ExcerptReport:
    """Write the wanted groups of some files to one file, and verify it before it gets its name.

    Args:
        path: ``….warc.gz``; what is there is replaced.
        sources: Files in the order in which they were written; they are read twice.
        wanted: Which groups go in.
        find_originals: Given originals by record id, says in which file and where they lie.
        about: Named values for the warcinfo record.
        now: The time for it.
        text_of: Gives the text that was read from a record, which goes in behind it as a
            conversion record; empty for a record of which there is none.

    Raises:
        ArchiveError: An original is not to be found, a source is damaged, or the disk refuses.
    """
    paths = list(sources)
    needed = _needed_originals(paths, wanted)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            writer = _Excerpt(file, path, find_originals(needed), about, now, text_of)
            for source in paths:
                for group in read_groups(source):
                    if wanted(group) and not _is_promoted(group):
                        writer.add(group)
            file.flush()
            os.fsync(file.fileno())
        _verify(part, path)
        part.replace(path)
        disk.sync_folder(path.parent)
    except OSError as error:
        raise ArchiveError(f"cannot write {path}: {disk.explain(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    report = writer.report
    report.byte_count = path.stat().st_size
    return report


def _verify(part: Path, path: Path) -> None:
    if findings := verify_warcs([part]).findings:
        raise ArchiveError(f"{path} was not written, it would not be sound: {findings[0]}")


def _is_promoted(group: RecordGroup) -> bool:
    return PROMOTED_FIELD in group.noted


def _needed_originals(
    paths: Iterable[Path], wanted: Callable[[RecordGroup], bool]
) -> dict[str, Original]:
    """Find the originals that wanted revisits refer to and that are not wanted themselves."""
    there: set[str] = set()
    needed: dict[str, Original] = {}
    for path in paths:
        for group in read_groups(path):
            if not wanted(group) or _is_promoted(group):
                continue
            there.add(group.main.record_id)
            if group.main.type == "revisit" and refers_to(group.main) not in there:
                original = original_of(group.main)
                needed.setdefault(original.record_id, original)
    return needed


class _Excerpt:
    def __init__(
        self,
        file: BinaryIO,
        path: Path,
        originals: Mapping[str, tuple[Path, int]],
        about: Mapping[str, str],
        now: datetime,
        text_of: Texts | None,
    ) -> None:
        self._file = file
        self._now = now
        self._text_of = text_of
        self._originals = originals
        self._stands: dict[str, _Stand] = {}
        self._sources: set[Path] = set()
        self._warcinfo_id = new_record_id()
        self.report = ExcerptReport(path)
        self._write(warcinfo(self._warcinfo_id, path.name, now, about))

    def add(self, group: RecordGroup) -> None:
        """Write a group, and before the first one of a file what describes that file."""
        main = group.main
        if main.path not in self._sources:
            self._sources.add(main.path)
            self.report.source_count += 1
            first = next(read_records(main.path))
            if first.type == "warcinfo":
                self._copy(first)
        if main.type == "warcinfo":
            return
        self.report.exchange_count += 1
        written_id = main.record_id
        if main.type == "revisit" and refers_to(main) in self._originals:
            written_id = self._resolve(group)
        else:
            for record in group.records:
                self._copy(record)
        if self._text_of is not None and (text := self._text_of(main)):
            self._write_text(main.url, written_id, text)

    def _write_text(self, url: str, read_from: str, text: str) -> None:
        record_id = new_record_id()
        block = Block(b"", text.encode())
        fields = (
            ("WARC-Type", "conversion"),
            ("WARC-Record-ID", f"<{record_id}>"),
            ("WARC-Date", format_date(self._now)),
            ("WARC-Target-URI", f"{_TEXT_PREFIX}{url}"),
            ("WARC-Warcinfo-ID", f"<{self._warcinfo_id}>"),
            ("WARC-Refers-To", f"<{read_from}>"),
            ("WARC-Payload-Digest", block.payload_digest),
            ("Content-Type", "text/plain; charset=utf-8"),
        )
        self._write(Draft(record_id, fields, block))
        self.report.text_count += 1

    def _copy(self, record: Record) -> None:
        with record.path.open("rb") as source:
            source.seek(record.offset)
            left = record.length
            while left:
                piece = source.read(min(_COPY_BYTES, left))
                if not piece:
                    raise ArchiveError(f"{record.path}:{record.offset} has become shorter")
                self._file.write(piece)
                left -= len(piece)
        self.report.record_count += 1

    def _resolve(self, group: RecordGroup) -> str:
        """Write a revisit whose original stays behind: in full once, then as a revisit of that.

        Returns:
            The id of what was written.
        """
        main = group.main
        stand = self._stands.get(refers_to(main))
        new_id = new_record_id()
        note = {**group.noted, "resolved-from": f"<{main.record_id}>"}
        self._write(self._note(main, new_id, fields_body(note.items())))
        for record in group.records[:-1]:
            if record.type == "request":
                self._write(self._rewritten(record, {"warc-concurrent-to": f"<{new_id}>"}))
        if stand is not None:
            changes = {
                "warc-record-id": f"<{new_id}>",
                "warc-refers-to": f"<{stand.record_id}>",
                "warc-refers-to-target-uri": stand.url,
                "warc-refers-to-date": stand.date,
            }
            self._write(self._rewritten(main, changes))
            return new_id
        original = read_at(*self._originals[refers_to(main)])
        if original.record_id != refers_to(main):
            raise ArchiveError(
                f"{original.path.name}:{original.offset} is not the original of {main.url}; "
                "type hongxing verify --deep"
            )
        self._write_full(main, original, new_id)
        date = format_date(parse_date(main.fields["warc-date"]))
        self._stands[refers_to(main)] = _Stand(new_id, main.url, date)
        self.report.resolved_count += 1
        return new_id

    def _note(self, main: Record, new_id: str, body: bytes) -> Draft:
        record_id = new_record_id()
        fields = (
            ("WARC-Type", "metadata"),
            ("WARC-Record-ID", f"<{record_id}>"),
            ("WARC-Date", main.fields["warc-date"]),
            ("WARC-Target-URI", main.url),
            ("WARC-Warcinfo-ID", f"<{self._warcinfo_id}>"),
            ("WARC-Concurrent-To", f"<{new_id}>"),
            ("Content-Type", "application/warc-fields"),
        )
        return Draft(record_id, fields, Block(body))

    def _rewritten(self, record: Record, changes: Mapping[str, str]) -> Draft:
        """Repeat a record with other values in its header, under an id of its own."""
        new_id = changes.get("warc-record-id", f"<{new_record_id()}>")
        values = {**changes, "warc-record-id": new_id, "warc-warcinfo-id": f"<{self._warcinfo_id}>"}
        fields = tuple(
            (name, values.get(name.lower(), value))
            for name, value in header_lines(record)
            if name.lower() not in _OWN
        )
        return Draft(new_id[1:-1], fields, Block(record.http_head, record.payload()))

    def _write_full(self, main: Record, original: Record, new_id: str) -> None:
        values = {
            "warc-type": "response",
            "warc-record-id": f"<{new_id}>",
            "warc-warcinfo-id": f"<{self._warcinfo_id}>",
        }
        fields = tuple(
            (name, values.get(name.lower(), value))
            for name, value in header_lines(main)
            if name.lower() not in _OWN | _OF_REVISITS
        )
        head = main.http_head or original.http_head
        with TemporaryDirectory() as folder:
            body = Path(folder) / "body"
            with body.open("wb") as file:
                file.writelines(original.pieces())
            self._write(Draft(new_id, fields, Block(head, body)))

    def _write(self, draft: Draft) -> None:
        for piece in draft.members(_LEVEL):
            self._file.write(piece)
        self.report.record_count += 1
