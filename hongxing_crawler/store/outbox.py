"""The outbox: every finished file of a home, and how much of it has arrived in S3.

A file comes in with the transaction that finishes it, and stays: an entry says what lies in the
bucket and how that was proved. Paths are relative to the home, so that a home may be moved.
Everything about arrival belongs to one target (bucket, prefix and server); another target finds
everything waiting again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hongxing_crawler.store.moments import from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from hongxing_crawler.store.database import Database

OUTBOX_SQL: Final = """
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,             -- below the home, parts parted by slashes
  kind TEXT NOT NULL,                    -- warc | cdxj | wacz | media | run | log | rows | …
  bytes BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  content_type TEXT NOT NULL,
  mtime_ns BIGINT,                       -- of the file when it was hashed; null: named by its hash
  queued_at BIGINT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,      -- that failed, since it was queued
  next_try_at BIGINT NOT NULL DEFAULT 0,
  trouble TEXT NOT NULL DEFAULT '',      -- why the last one failed
  target TEXT NOT NULL DEFAULT '',       -- what all below belongs to
  key TEXT NOT NULL DEFAULT '',
  upload_id TEXT NOT NULL DEFAULT '',    -- of a multipart upload that is under way
  parts TEXT NOT NULL DEFAULT '[]',      -- those that have arrived: number, ETag
  etag TEXT NOT NULL DEFAULT '',
  proof TEXT NOT NULL DEFAULT '',        -- '' | head | get: how arrival was proved
  proved_at BIGINT
);
CREATE INDEX outbox_waiting ON outbox (kind, id) WHERE proof = '';
"""

_SINCE_VERSION = 3
MUTABLE: Final = frozenset({"log", "report", "wacz", "card", "latest"})  # written again by design
_COLUMNS = (
    "id, path, kind, bytes, sha256, content_type, mtime_ns, queued_at, tries, next_try_at, trouble,"
    " key, upload_id, parts, etag, proof"
)


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished file of the home."""

    path: str
    kind: str
    bytes: int
    sha256: str
    content_type: str
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part of a multipart upload that has arrived."""

    number: int
    etag: str
    checksum: str = ""  # SHA-256 in base64, where the server is told one; not kept


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the outbox; ``proof`` is empty while it waits."""

    id: int
    path: str
    kind: str
    bytes: int
    sha256: str
    content_type: str
    mtime_ns: int | None
    queued_at: datetime
    tries: int
    next_try_at: datetime
    trouble: str
    key: str
    upload_id: str
    parts: tuple[SentPart, ...]
    etag: str
    proof: str


@dataclass(frozen=True, slots=True)
class OutboxLook:
    """How full the outbox is."""

    target: str  # where the last upload went, "" when there was none
    count: int = 0
    bytes: int = 0
    oldest_at: datetime | None = None
    failed_count: int = 0
    trouble: str = ""  # of the entry that failed most often
    proved_count: int = 0


class Outbox:
    """The table of finished files; who changes it opens the transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._target = ""

    def add(self, files: Iterable[Finished], now: datetime) -> None:
        """Queue files; one that is known with the same bytes stays as it is."""
        self._db.run_many(
            "INSERT INTO outbox (path, kind, bytes, sha256, content_type, mtime_ns, queued_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
            " mtime_ns = COALESCE(excluded.mtime_ns, outbox.mtime_ns),"
            " queued_at = CASE WHEN outbox.sha256 = excluded.sha256 THEN outbox.queued_at"
            " ELSE excluded.queued_at END,"
            " proof = CASE WHEN outbox.sha256 = excluded.sha256 THEN outbox.proof ELSE '' END,"
            " key = CASE WHEN outbox.sha256 = excluded.sha256 THEN outbox.key ELSE '' END,"
            " tries = CASE WHEN outbox.sha256 = excluded.sha256 THEN outbox.tries ELSE 0 END,"
            " next_try_at = CASE WHEN outbox.sha256 = excluded.sha256 THEN outbox.next_try_at"
            " ELSE 0 END,"
            " bytes = excluded.bytes, sha256 = excluded.sha256",
            [
                (f.path, f.kind, f.bytes, f.sha256, f.content_type, f.mtime_ns, to_us(now))
                for f in files
            ],
        )

    def forget(self, paths: Iterable[str]) -> None:
        """Drop files that are no more: of an older export, or taken down."""
        self._db.run_many("DELETE FROM outbox WHERE path = ?", [(path,) for path in paths])

    def aim(self, target: str) -> None:
        """Make everything wait that was proved somewhere else."""
        self._target = target
        self._db.execute(
            "UPDATE outbox SET target = ?, key = '', upload_id = '', parts = '[]', etag = '',"
            " proof = '', proved_at = NULL, tries = 0, next_try_at = 0, trouble = ''"
            " WHERE target <> ?",
            (target, target),
        )

    def waiting(self, kinds: Iterable[str], due_at: datetime | None = None) -> Iterator[Entry]:
        """Yield what waits, kind by kind, oldest first; only what is due when a moment is given."""
        limit = to_us(due_at) if due_at else (1 << 62)
        for kind in kinds:
            rows = self._db.rows(
                f"SELECT {_COLUMNS} FROM outbox WHERE proof = '' AND kind = ?"  # noqa: S608 - columns are ours
                " AND next_try_at <= ? ORDER BY id",
                (kind, limit),
            )
            yield from [_entry(row) for row in rows]

    def under(self, folder: str) -> list[Entry]:
        """Return all entries below a folder of the home."""
        rows = self._db.rows(
            f"SELECT {_COLUMNS} FROM outbox WHERE path >= ? AND path < ? ORDER BY path",  # noqa: S608
            (f"{folder}/", f"{folder}0"),
        )
        return [_entry(row) for row in rows]

    def find(self, path: str) -> Entry | None:
        row = self._db.row(f"SELECT {_COLUMNS} FROM outbox WHERE path = ?", (path,))  # noqa: S608
        return _entry(row) if row else None

    def proved(self) -> Iterator[Entry]:
        """Yield what has arrived, with its proof: what a retention rule may build on."""
        sql = f"SELECT {_COLUMNS} FROM outbox WHERE proof <> '' ORDER BY id"  # noqa: S608
        for row in self._db.rows(sql):
            yield _entry(row)

    def is_proved(self, path: str, sha256: str, target: str) -> bool:
        """Tell whether these very bytes were read back from the target."""
        found = self._db.row(
            "SELECT 1 FROM outbox WHERE path = ? AND sha256 = ? AND target = ? AND proof <> ''",
            (path, sha256, target),
        )
        return found is not None

    def expected(self, prefix: str) -> Iterator[tuple[str, int, int, str, bool]]:
        """Yield key, id, size, ETag and whether it was proved, sorted by the bytes of the key.

        What waits stands under the key that its path gives it.
        """
        rows = self._db.rows(
            "SELECT COALESCE(NULLIF(key, ''), ? || path) AS place, id, bytes, etag, proof"
            " FROM outbox WHERE kind <> 'latest' ORDER BY place",
            (prefix,),
        )
        for key, number, size, etag, proof in rows:
            yield key, number, size, etag, bool(proof)

    def known(self) -> dict[str, tuple[int, int | None]]:
        """Return size and time of every known file by its path."""
        rows = self._db.rows("SELECT path, bytes, mtime_ns FROM outbox")
        return {path: (size, mtime_ns) for path, size, mtime_ns in rows}

    def note_proved(self, entry_id: int, key: str, etag: str, proof: str, now: datetime) -> None:
        """Note that an object was read back and is what it should be."""
        self._db.execute(
            "UPDATE outbox SET target = ?, key = ?, etag = ?, proof = ?, proved_at = ?,"
            " upload_id = '', parts = '[]', trouble = '', tries = 0, next_try_at = 0"
            " WHERE id = ?",
            (self._target, key, etag, proof, to_us(now), entry_id),
        )

    def note_failed(self, entry_id: int, trouble: str, next_try_at: datetime) -> None:
        self._db.execute(
            "UPDATE outbox SET tries = tries + 1, trouble = ?, next_try_at = ?, proof = ''"
            " WHERE id = ?",
            (trouble, to_us(next_try_at), entry_id),
        )

    def note_upload(self, entry_id: int, upload_id: str, parts: Iterable[SentPart]) -> None:
        """Note a multipart upload that is under way, and the parts that have arrived."""
        text = msgspec.json.encode([(part.number, part.etag) for part in parts]).decode()
        self._db.execute(
            "UPDATE outbox SET target = ?, upload_id = ?, parts = ? WHERE id = ?",
            (self._target, upload_id, text, entry_id),
        )

    def doubt(self, entry_id: int) -> None:
        """Make an object wait again: it is not there any more, or not what it was."""
        self._db.execute("UPDATE outbox SET proof = '', key = '' WHERE id = ?", (entry_id,))

    def look(self) -> OutboxLook:
        """Count what waits; nothing in a state that is older than the outbox."""
        (version,) = self._db.row("SELECT value FROM meta WHERE name = 'schema_version'")
        if int(version) < _SINCE_VERSION:
            return OutboxLook("")
        aimed = self._db.row("SELECT target FROM outbox WHERE proof <> '' LIMIT 1") or self._db.row(
            "SELECT target FROM outbox ORDER BY id LIMIT 1"
        )
        if aimed is None or not aimed[0]:
            return OutboxLook("")  # nobody uploads: how much waits is of no interest
        count, size, oldest, failed = self._db.row(
            "SELECT COUNT(*), COALESCE(SUM(bytes), 0), MIN(queued_at),"
            " COALESCE(SUM(tries > 0), 0) FROM outbox WHERE proof = ''"
        )
        worst = self._db.row(
            "SELECT trouble FROM outbox WHERE proof = '' AND tries > 0 ORDER BY tries DESC LIMIT 1"
        )
        (proved,) = self._db.row("SELECT COUNT(*) FROM outbox WHERE proof <> ''")
        return OutboxLook(
            target=aimed[0],
            count=count,
            bytes=size,
            oldest_at=from_us(oldest) if oldest is not None else None,
            failed_count=failed,
            trouble=worst[0] if worst else "",
            proved_count=proved,
        )


def _entry(row: Any) -> Entry:
    values = list(row)
    queued_at, next_try_at, parts = 7, 9, 13  # places in _COLUMNS
    values[queued_at] = from_us(values[queued_at])
    values[next_try_at] = from_us(values[next_try_at])
    values[parts] = tuple(SentPart(*part) for part in msgspec.json.decode(values[parts]))
    return Entry(*values)
