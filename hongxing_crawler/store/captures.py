"""Captures, the WARC files that hold them, and which of them a revisit record may refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hongxing_crawler.items import Capture, Original
from hongxing_crawler.store.moments import from_us, to_us, url_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hongxing_crawler.store.database import Database

_URN = "urn:uuid:"
_LOST = -1  # offset of a capture that is in its file no more
_SELECT = """
SELECT w.filename, c.file_offset, c.length, c.record_id, c.record_type, c.payload_digest,
  COALESCE(c.url, u.url), c.fetched_at, c.status, c.mime, c.extra
FROM captures c JOIN warc_files w ON w.no = c.warc_no LEFT JOIN urls u ON u.id = c.url_id
"""
_IS_ORIGINAL = """
WHERE w.missing = 0 AND c.id = COALESCE(
  (SELECT p.original_id FROM pages p JOIN urls x ON x.id = p.url_id WHERE x.key = ?),
  (SELECT o.capture_id FROM originals o WHERE o.key = ?))
"""
_IS_OF_RUN = "WHERE c.run_no = COALESCE(?, c.run_no) ORDER BY c.id"


class CaptureTable:
    """The captures of all runs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run_no: int, url_id: int | None, url: str, capture: Capture) -> int:
        """Note a capture of the visit of ``url``; its number."""
        (number,) = self._db.row(
            "INSERT INTO captures (run_no, url_id, url, warc_no, file_offset, length, record_id,"
            " record_type, payload_digest, fetched_at, status, mime, extra)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                run_no,
                url_id,
                None if url_id and capture.url == url else capture.url,
                self._warc_no(capture.warc_filename),
                capture.offset,
                capture.length,
                capture.record_id.removeprefix(_URN),
                capture.record_type,
                capture.payload_digest,
                to_us(capture.fetched_at),
                capture.status,
                capture.mime,
                msgspec.json.encode(capture.extra).decode() if capture.extra else None,
            ),
        )
        if capture.url != url and is_full(capture):
            self._db.execute(
                "INSERT INTO originals (key, capture_id) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET capture_id = excluded.capture_id",
                (url_key(capture.url), number),
            )
        return int(number)

    def _warc_no(self, filename: str) -> int:
        sql = "SELECT no FROM warc_files WHERE filename = ?"
        row = self._db.row(sql, (filename,))
        if row is None:
            self.add_file(filename)
            row = self._db.row(sql, (filename,))
        return int(row[0])

    def add_file(self, filename: str, size: int | None = None, sha256: str = "") -> None:
        """Note a WARC file, and its size and digest once it is complete."""
        self._db.execute(
            "INSERT INTO warc_files (filename, bytes, sha256) VALUES (?, ?, ?)"
            " ON CONFLICT (filename) DO UPDATE SET"
            " bytes = COALESCE(excluded.bytes, warc_files.bytes),"
            " sha256 = COALESCE(NULLIF(excluded.sha256, ''), warc_files.sha256)",
            (filename, size, sha256),
        )

    def find_missing_files(self, folder: Path, kept: Iterable[str] = ()) -> list[str]:
        """Look for the WARC files; what is not there is no original any more.

        ``kept`` are files that the bucket keeps, which is as good as here.
        """
        present = {path.name.removesuffix(".open") for path in folder.iterdir()} | set(kept)
        known = list(self._db.rows("SELECT no, filename, missing FROM warc_files ORDER BY no"))
        changes = [
            (int(filename not in present), number)
            for number, filename, missing in known
            if (filename not in present) != bool(missing)
        ]
        self._db.run_many("UPDATE warc_files SET missing = ? WHERE no = ?", changes)
        return [filename for _, filename, _ in known if filename not in present]

    def relocate(self, filename: str, places: Mapping[str, tuple[int, int]]) -> list[int]:
        """Note where the captures of a repaired file lie; the numbers of those lost since.

        Args:
            filename: The file.
            places: Offset and length by record id, ``urn:uuid:…``; empty for a file that is gone.
        """
        rows = self._db.rows(
            "SELECT c.id, c.record_id, c.file_offset, c.length FROM captures c"
            " JOIN warc_files w ON w.no = c.warc_no WHERE w.filename = ?",
            (filename,),
        )
        lost, moved = [], []
        for number, record_id, *old in rows:
            place = places.get(_URN + record_id)
            if place is None and old[0] != _LOST:
                lost.append(number)
            if list(place or (_LOST, 0)) != old:
                moved.append((*(place or (_LOST, 0)), number))
        self._db.run_many("UPDATE captures SET file_offset = ?, length = ? WHERE id = ?", moved)
        return lost

    def ids_in(self, filename: str) -> dict[int, str]:
        """Return the records of a file: offset to ``urn:uuid:…``."""
        rows = self._db.rows(
            "SELECT c.file_offset, c.record_id FROM captures c"
            " JOIN warc_files w ON w.no = c.warc_no WHERE w.filename = ?",
            (filename,),
        )
        return {offset: _URN + record_id for offset, record_id in rows if offset != _LOST}

    def lost_ids(self) -> list[str]:
        """Return the records that a repair found no more: ``urn:uuid:…``."""
        rows = self._db.rows("SELECT record_id FROM captures WHERE file_offset = ?", (_LOST,))
        return [_URN + record_id for (record_id,) in rows]

    def files(self) -> Iterator[tuple[str, int | None, str, bool]]:
        """Yield name, bytes, sha256 and whether it is missing, in the order of their writing."""
        for filename, size, sha256, missing in self._db.rows(
            "SELECT filename, bytes, sha256, missing FROM warc_files ORDER BY no"
        ):
            yield filename, size, sha256, bool(missing)

    def of_run(self, run_no: int | None) -> Iterator[Capture]:
        """Yield the captures of a run, or of all runs, in the order of their writing."""
        yield from map(_capture, self._db.rows(_SELECT + _IS_OF_RUN, (run_no,)))

    def files_of(self, url: str) -> list[str]:
        """Return the WARC files that hold what visits of an address archived."""
        rows = self._db.rows(
            "SELECT DISTINCT w.filename FROM urls u JOIN captures c ON c.url_id = u.id"
            " JOIN warc_files w ON w.no = c.warc_no WHERE u.key = ? ORDER BY w.filename",
            (url_key(url),),
        )
        return [filename for (filename,) in rows]

    def of_url(self, url: str) -> Iterator[tuple[str, Capture]]:
        """Yield what visits of an address archived, each with its run, in order."""
        for run_id, *row in self._db.rows(
            _SELECT.replace("SELECT ", "SELECT r.run_id, ", 1)
            + "JOIN runs r ON r.no = c.run_no WHERE u.key = ? ORDER BY c.id",
            (url_key(url),),
        ):
            yield run_id, _capture(row)

    def original(self, url: str) -> Original | None:
        """Find the last full capture of an address, if its WARC file is there."""
        key = url_key(url)
        row = self._db.row(_SELECT + _IS_ORIGINAL, (key, key))
        return _original(_capture(row)) if row else None


def is_full(capture: Capture) -> bool:
    """Tell whether a capture holds content that a revisit record may stand for."""
    return (
        capture.record_type == "response"
        and capture.status == 200
        and bool(capture.payload_digest)
        and "truncated" not in capture.extra
    )


def find_full(captures: Iterable[Capture], url: str) -> int | None:
    """Return the index of the last full capture of an address."""
    found = [index for index, item in enumerate(captures) if item.url == url and is_full(item)]
    return found[-1] if found else None


def _capture(row: Any) -> Capture:
    *head, record_id, record_type, digest, url, fetched_at, status, mime, extra = row
    filename, offset, length = head
    return Capture(
        warc_filename=filename,
        offset=offset,
        length=length,
        record_id=_URN + record_id,
        record_type=record_type,
        payload_digest=digest,
        url=url,
        fetched_at=from_us(fetched_at),
        status=status,
        mime=mime,
        extra=msgspec.json.decode(extra, type=dict[str, str]) if extra else {},
    )


def _original(capture: Capture) -> Original:
    return Original(capture.url, capture.fetched_at, capture.record_id, capture.payload_digest)
