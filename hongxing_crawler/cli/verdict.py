"""From an exception to an exit code and one sentence: what, where, what next."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hongxing_crawler import exceptions
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

CODES: dict[type[BaseException], ExitCode] = {  # a class stands before those it derives from
    exceptions.DiskFullError: ExitCode.STOPPED,
    exceptions.ConfigError: ExitCode.CONFIG,
    exceptions.StateError: ExitCode.CONFIG,
    exceptions.LockedError: ExitCode.LOCKED,
    exceptions.ArchiveError: ExitCode.ARCHIVE,
    exceptions.PageError: ExitCode.PARTIAL,
    exceptions.StorageError: ExitCode.CONFIG,
    exceptions.ConflictError: ExitCode.DAMAGED,
    exceptions.UploadError: ExitCode.TEMPORARY,
}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class Verdict(NamedTuple):
    """How a command failed."""

    code: ExitCode
    sentence: str


def judge(error: BaseException) -> Verdict:
    """Judge an error that ended a command."""
    if full := next((link for link in _chain(error) if _is_disk_full(link)), None):
        return Verdict(ExitCode.STOPPED, _disk_full_sentence(error, full))
    for kind, code in CODES.items():
        if isinstance(error, kind):
            return Verdict(code, str(error))
    if isinstance(error, OSError):
        return _judge_os_error(error)
    return Verdict(ExitCode.UNEXPECTED, _unexpected_sentence(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _is_disk_full(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in _FULL


def _disk_full_sentence(error: BaseException, full: BaseException) -> str:
    what = error if isinstance(error, exceptions.HongxingError) else full
    return f"the disk is full: {what}; free some space and type the same command again"


def _judge_os_error(error: OSError) -> Verdict:
    where = f"{error.filename}: " if error.filename else ""
    what = f"{where}{error.strerror or error}"
    if error.errno in _FORBIDDEN:
        sentence = f"{what}; change its permissions, or choose another home with --home"
        return Verdict(ExitCode.CONFIG, sentence)
    if isinstance(error, ConnectionError):
        return Verdict(ExitCode.TEMPORARY, f"{what}; nothing is lost, try again later")
    return Verdict(ExitCode.UNEXPECTED, f"{what}; type the same command with -v for details")


def _unexpected_sentence(error: BaseException) -> str:
    place = ""
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = f" at {Path(code.co_filename).name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return (
        f"unexpected {type(error).__name__}{place}: {error}; this is a fault of the program, "
        "type the same command with -v and report what it prints"
    )
