"""The SQLite file of the state: opened with care, written in transactions, errors with a remedy."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from hongxing_crawler.exceptions import DiskFullError, StateError
from hongxing_crawler.store.schema import MIGRATIONS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

APPLICATION_ID = 0x68786377  # "hxcw": file(1) and we know the file by it

_BUSY_S = 5.0
_REBUILD = "move it away and build it again from the archive with `hongxing reprocess`"
_REMEDIES = {
    "SQLITE_BUSY": "is locked by another process; wait for it, or end it",
    "SQLITE_LOCKED": "is locked by another process; wait for it, or end it",
    "SQLITE_READONLY": "cannot be written; give this user the right to write to it and its folder",
    "SQLITE_PERM": "cannot be opened; give this user the right to read and write it",
    "SQLITE_CANTOPEN": "cannot be opened; look at the folder's rights",
    "SQLITE_NOTADB": f"is damaged: not a database; {_REBUILD}",
    "SQLITE_CORRUPT": f"is damaged; {_REBUILD}",
    "SQLITE_IOERR": "cannot be read or written; look at the disk",
}
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 4000",  # pages: 16 MB, so that hot pages are copied back rarely
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -49152",  # KiB: the key index of a million URLs is 40 MB
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)


class Database:
    """One connection to the state file.

    A transaction is durable: it has reached the disk when it ends, a power loss included (WAL,
    ``synchronous = FULL``: one sync each). ``durable=False`` leaves the sync to the next durable
    one, for changes that a restart would make anyway.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        *,
        durable: bool = True,
        backup: Path | None = None,
    ) -> None:
        self.path = path
        self.backup = backup  # of an older version, when one was made
        self._connection = connection
        self._durable = True  # what SQLite is set to now
        self._may_sync = durable

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, durable: bool = True) -> Database:
        """Open the file, made when missing, brought to this version when older.

        Args:
            path: The file.
            read_only: Make and change nothing.
            durable: False: no transaction waits for the disk.

        Raises:
            StateError: It is newer than this software, damaged, cut short, locked or not ours.
        """
        with _translated(path):
            if not path.exists():
                if read_only:
                    raise StateError(f"{path} is missing; `hongxing crawl` makes it")
                _create(path)
            _check_length(path)
            connection, backup = _connect(path, read_only=read_only)
            return cls(path, connection, durable=durable, backup=backup)

    def close(self) -> None:
        with _translated(self.path):
            self._connection.close()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Do all of the block or nothing of it."""
        durable = durable and self._may_sync
        if durable is not self._durable:
            self.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # a full disk has rolled back already
            self._connection.execute("ROLLBACK")

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise _explained(self.path, error) from error

    def run_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """Run a statement for each row of values; how many rows of the table it touched."""
        try:
            return self._connection.executemany(sql, rows).rowcount
        except sqlite3.Error as error:
            raise _explained(self.path, error) from error

    def row(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        """Return the first row of an answer, or None."""
        try:
            return self._connection.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise _explained(self.path, error) from error

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[Any]:
        """Yield an answer row by row, in bounded memory, even while others are asked."""
        with _translated(self.path):
            yield from self._connection.execute(sql, values)

    def checkpoint(self) -> None:
        """Move everything from the log into the file, synced."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def find_damage(self) -> list[str]:
        """Read the whole file; empty when it is sound."""
        try:
            found = [str(text) for (text,) in self.rows("PRAGMA integrity_check(20)")]
        except StateError as error:
            return [str(error)]
        return [] if found == ["ok"] else found


def _create(path: Path) -> None:
    """Make a new file under another name, so that a short file is never a young one."""
    young = path.with_name(f"{path.name}.new")
    young.unlink(missing_ok=True)
    with closing(sqlite3.connect(young, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.execute("INSERT INTO meta VALUES ('schema_version', '0')")
        connection.execute("COMMIT")
    young.replace(path)
    _sync_folder(path.parent)


def _check_length(path: Path) -> None:
    """Notice a file that was cut short, before SQLite takes it for what it is not.

    While there is a log, the pages at the end may lie there alone.
    """
    log = path.with_name(f"{path.name}-wal")
    with path.open("rb") as file:
        head = file.read(100)
    page_bytes = int.from_bytes(head[16:18], "big")
    page_bytes = 65_536 if page_bytes == 1 else page_bytes
    needed = page_bytes * int.from_bytes(head[28:32], "big")
    has_log = log.exists() and log.stat().st_size > 0
    if len(head) < 100 or (not has_log and path.stat().st_size < needed):
        size = path.stat().st_size
        raise StateError(
            f"state database {path} is cut short ({size} of {needed} bytes); {_REBUILD}"
        )


def _connect(path: Path, *, read_only: bool) -> tuple[sqlite3.Connection, Path | None]:
    backup = None
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_S)
    try:
        version = _read_version(path, connection)
        if not read_only:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            connection.execute("PRAGMA synchronous = FULL")
            if 0 < version < VERSION:
                backup = _back_up(path, connection, version)
            _migrate(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection, backup


def _back_up(path: Path, connection: sqlite3.Connection, version: int) -> Path:
    """Copy the file as it is, before it is changed; a copy of an earlier try is replaced."""
    backup = path.with_name(f"{path.name}.v{version}.bak")
    young = backup.with_name(f"{backup.name}.new")
    young.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(young)) as copy:
            connection.backup(copy)
        young.replace(backup)
    except BaseException:
        young.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return backup


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_version(path: Path, connection: sqlite3.Connection) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise StateError(f"{path} is a database of another program; choose another home")
    (text,) = connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    if int(text) > VERSION:
        raise StateError(
            f"state database {path} has version {text}, but this hongxing_crawler knows only"
            f" {VERSION}; install the newer one that made it"
        )
    return int(text)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Carry out the missing steps, each whole or not at all."""
    for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in migration.sql.split(";\n"):
            connection.execute(statement)
        if migration.fill is not None:
            migration.fill(connection)
        connection.execute(
            "UPDATE meta SET value = ? WHERE name = 'schema_version'", (str(number),)
        )
        connection.execute("COMMIT")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(path, error) from error
    except OSError as error:
        raise StateError(f"state database {path}: {error.strerror}; look at its rights") from error


def _explained(path: Path, error: sqlite3.Error) -> StateError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_FULL":
        return DiskFullError(f"state database {path}: disk full; free some space")
    stem = "_".join(name.split("_")[:2])
    return StateError(f"state database {path} {_remedy(stem, error)}")


def _remedy(name: str, error: sqlite3.Error) -> str:
    remedy = _REMEDIES.get(name)
    return f"{remedy} ({error})" if remedy else f"refused: {error}"
