"""Files that the bucket alone keeps: pruned here on purpose, after a fresh proof.

A file that is there is never looked for elsewhere, whatever its mark says: a kill between mark and
removal leaves both, and the next run drops the mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.store.moments import to_us

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from hongxing_crawler.store.database import Database

ELSEWHERE_SQL: Final = """
CREATE TABLE elsewhere (                 -- files that were pruned; see docs/s3.md
  path TEXT PRIMARY KEY,                 -- below the home
  bytes BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  target TEXT NOT NULL,                  -- the bucket that was seen to hold it
  pruned_at BIGINT NOT NULL,
  trouble TEXT NOT NULL DEFAULT ''       -- why it is not believed to be there any more
);
"""
_SINCE_VERSION = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that the bucket keeps; with ``trouble`` it was not there any more."""

    path: str
    bytes: int
    sha256: str
    target: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ElsewhereLook:
    """How much the bucket alone keeps."""

    target: str = ""
    count: int = 0
    bytes: int = 0
    lost_count: int = 0


class Elsewhere:
    """The table of pruned files; who changes it opens the transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def note(self, files: Iterable[Kept], now: datetime) -> None:
        """Note files, before they are removed here."""
        self._db.run_many(
            "INSERT INTO elsewhere (path, bytes, sha256, target, pruned_at, trouble)"
            " VALUES (?, ?, ?, ?, ?, '') ON CONFLICT (path) DO UPDATE SET"
            " bytes = excluded.bytes, sha256 = excluded.sha256, target = excluded.target,"
            " pruned_at = excluded.pruned_at, trouble = ''",
            [(file.path, file.bytes, file.sha256, file.target, to_us(now)) for file in files],
        )

    def forget(self, paths: Iterable[str]) -> None:
        """Drop the marks of files that are back, or that are lost for good."""
        self._db.run_many("DELETE FROM elsewhere WHERE path = ?", [(path,) for path in paths])

    def trust(self, path: str, target: str, trouble: str = "") -> None:
        """Note what a look into a bucket told of a file: there, or why not."""
        self._db.execute(
            "UPDATE elsewhere SET target = ?, trouble = ? WHERE path = ?", (target, trouble, path)
        )

    def heal(self, root: Path) -> None:
        """Drop the marks of files that are there: a kill came before they were removed."""
        self.forget([kept.path for kept in self.all() if (root / kept.path).is_file()])

    def all(self, top: str = "") -> list[Kept]:
        """Return all marks, or those below a folder of the home, by path."""
        if not self._is_there():
            return []
        rows = self._db.rows(
            "SELECT path, bytes, sha256, target, trouble FROM elsewhere ORDER BY path"
        )
        return [Kept(*row) for row in rows if row[0].startswith(top)]

    def names(self, top: str = "") -> set[str]:
        """Return the paths that the bucket is believed to keep."""
        return {kept.path for kept in self.all(top) if not kept.trouble}

    def warc_names(self) -> set[str]:
        """Return the names of WARC files that the bucket is believed to keep."""
        return {path.rpartition("/")[2] for path in self.names("warc/")}

    def find(self, path: str) -> Kept | None:
        if not self._is_there():
            return None
        row = self._db.row(
            "SELECT path, bytes, sha256, target, trouble FROM elsewhere WHERE path = ?", (path,)
        )
        return Kept(*row) if row else None

    def check_here(self, root: Path, what: str, part: str = "warc/") -> None:
        """Refuse work that needs files which the bucket alone keeps.

        Args:
            root: The home.
            what: Who needs them.
            part: Of their paths: a folder, a run, a name.

        Raises:
            ConfigError: It says how many, where, and how they come back.
        """
        away = [file for file in self.all() if part in file.path]
        away = [file for file in away if not (root / file.path).is_file()]
        if away:
            size = sum(file.bytes for file in away)
            raise ConfigError(
                f"{what} needs {len(away):,} files ({size:,} bytes) that {away[0].target}"
                f" alone keeps; type hongxing fetch {part}, then the same command again"
            )

    def look(self) -> ElsewhereLook:
        """Count what the bucket keeps; nothing in a state that is older than this table."""
        if not self._is_there():
            return ElsewhereLook()
        count, size, lost, target = self._db.row(
            "SELECT COUNT(*), COALESCE(SUM(bytes), 0), COALESCE(SUM(trouble <> ''), 0),"
            " COALESCE(MIN(target), '') FROM elsewhere"
        )
        return ElsewhereLook(target, count, size, lost)

    def _is_there(self) -> bool:
        (version,) = self._db.row("SELECT value FROM meta WHERE name = 'schema_version'")
        return int(version) >= _SINCE_VERSION
