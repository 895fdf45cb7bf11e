"""The log of fixity checks: one JSON line a check, each with the digest of the line before it.

A line that is changed, taken out or put in later is noticed. (Somebody who rewrites the log from
there to its end is noticed only by a copy of its last digest kept elsewhere.)
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.fields import format_date
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.exceptions import ArchiveError, ConfigError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

FIRST_LINK = "0" * 64
_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_GOOD = frozenset({"first", "ok", "replaced"})


@dataclass(frozen=True, slots=True)
class Past:
    """What the log says of a file. Times as written there, empty for never."""

    digest: str = ""  # of the last good look
    read_at: str = ""
    good_at: str = ""
    bad_since: str = ""  # of the first bad check after it

    def after(self, digest: str, result: str, at: str) -> Past:
        if result in _GOOD:
            return Past(digest, at, at)
        return replace(
            self, digest=self.digest or digest, read_at=at, bad_since=self.bad_since or at
        )


class FixityLog:
    """The log, held against other processes until it is closed; a torn last line is cut off.

    Raises:
        ConfigError: this user has no right to write it.
        ArchiveError: it cannot be opened, read or written.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.digest = FIRST_LINK
        self.findings: list[Finding] = []
        self._path = path
        self._files: dict[str, Past] = {}
        self._read_only = read_only
        flags = os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT
        try:
            self._handle = os.open(path, flags | os.O_CLOEXEC, 0o644)
        except OSError as error:
            reason = disk.explain(error)
            if error.errno in _NO_RIGHT:
                raise ConfigError(f"cannot write {path}: {reason}; the log needs it") from error
            raise ArchiveError(f"cannot open {path}: {reason}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_SH if read_only else fcntl.LOCK_EX)
            self._read()
        except OSError as error:
            os.close(self._handle)
            raise ArchiveError(f"cannot read {path}: {disk.explain(error)}") from error

    def past(self, name: str) -> Past:
        return self._files.get(name, Past())

    def names(self) -> set[str]:
        """Return the files that should be there."""
        return set(self._files)

    def note(self, name: str, digest: str, result: str, now: datetime) -> Past:
        """Write one check down; what the log now says of the file."""
        entry = {
            "at": format_date(now),
            "name": name,
            "digest": digest,
            "result": str(result),
            "previous": self.digest,
        }
        line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            disk.write_all(self._handle, line)
        except OSError as error:
            raise ArchiveError(f"cannot write {self._path}: {disk.explain(error)}") from error
        before = self.past(name)
        self._take_in(line)
        return self._files.get(name, before)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if not self._read_only:
                disk.sync_data(self._handle)
        except OSError as problem:
            raise ArchiveError(f"cannot write {self._path}: {disk.explain(problem)}") from problem
        finally:
            os.close(self._handle)

    def _read(self) -> None:
        end = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                end += len(line)
                if _parse(line).get("previous") != self.digest:
                    reason = "this line does not belong behind the one before it"
                    finding = Finding(Kind.LOG_CHAIN, self._path.name, number, len(line), reason)
                    self.findings.append(finding)
                self._take_in(line)
        if not self._read_only:
            disk.cut(self._handle, end)

    def _take_in(self, line: bytes) -> None:
        entry = _parse(line)
        self.digest = hashlib.sha256(line).hexdigest()
        name, digest, result, at = (str(entry.get(key, "")) for key in _KEYS)
        if result == "removed":
            self._files.pop(name, None)
        elif name:
            self._files[name] = self.past(name).after(digest, result, at)


_KEYS = ("name", "digest", "result", "at")


def _parse(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
