"""Write WARC 1.1: every exchange as one synced group of records, exact to the byte."""

from __future__ import annotations

import contextlib
import re
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.fields import warc_uri
from hongxing_crawler.archive.groups import Group, GroupBuilder, extra_of, warcinfo
from hongxing_crawler.archive.openfile import OpenFile
from hongxing_crawler.exceptions import ArchiveError
from hongxing_crawler.items import Capture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from hongxing_crawler.items import Exchange, Original

SyncPolicy = Literal["record", "interval", "close"]

_SYNC_INTERVAL_S = 1.0


def new_record_id() -> str:
    """Make a fresh record id."""
    return f"urn:uuid:{uuid.uuid4()}"


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


class WarcWriter:
    """Append exchanges to ``<prefix>-00000.warc.gz``, ``-00001`` and so on.

    A file carries ``.open`` behind its name until it is closed. A group that cannot be written
    in whole is cut off again, so the file ends with a whole record at any time but a crash;
    ``repair.repair_open_file`` handles that. Methods may be called from several threads.

    >>> from pathlib import Path
    >>> WarcWriter(Path("warc"), "demo", warcinfo={"operator": "a library"}).close()
    []

    Args:
        folder: Where the files go; it is made when missing.
        prefix: Start of the file names, ``<site>-<run>``.
        warcinfo: Named values for the first record of every file: software, operator, robots …
        max_bytes: A file that has reached this size is closed before the next group.
        sync: When bytes are forced to the medium: after every group, at most once a second,
            or when a file is closed. Only ``record`` keeps the promise that what is parsed is
            archived, even when the power fails.
        level: Deflate level.
        now: The clock, for the dates of warcinfo records and the sync interval.
        new_id: Source of record ids, ``urn:uuid:…``.

    Source:
        ISO 28500:2017, WARC 1.1.
    """

    def __init__(  # noqa: PLR0913 - one value each, all named
        self,
        folder: Path,
        prefix: str,
        *,
        warcinfo: Mapping[str, str],
        max_bytes: int = 1 << 30,
        sync: SyncPolicy = "record",
        level: int = 6,
        now: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = new_record_id,
    ) -> None:
        self._folder = folder
        self._prefix = prefix
        self._warcinfo = dict(warcinfo)
        self._max_bytes = max_bytes
        self._sync = sync
        self._level = level
        self._now = now
        self._new_id = new_id
        self._lock = threading.Lock()
        self._file: OpenFile | None = None
        self._builder = GroupBuilder("", new_id)
        self._synced_at = now()
        self._finished: list[Path] = []

    def write_exchange(
        self,
        exchange: Exchange,
        *,
        original: Original | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Capture:
        """Archive what was sent and what came back; it is on the medium when this returns.

        A revisit record stands for the response when the payload is that of ``original``, or
        when the server answered 304 and there is an original. A truncated response is always
        written in full. Cookies and authorization are redacted; nothing else is changed but
        the name of ``Transfer-Encoding``.

        Raises:
            ArchiveError: nothing of this exchange was written; the file is as before.
        """
        with self._lock:
            file = self._ready(exchange.url)
            try:
                group = self._builder.exchange(exchange, original, metadata)
            except OSError as error:
                raise _failure(exchange.url, file, error) from error
            return self._append(file, group, exchange.url, exchange.fetched_at)

    def write_metadata(
        self, url: str, fields: Mapping[str, str], *, fetched_at: datetime
    ) -> Capture:
        """Archive that there was no answer: a failed fetch, a robots denial.

        Raises:
            ArchiveError: nothing was written; the file is as before.
        """
        with self._lock:
            file = self._ready(url)
            draft = self._builder.metadata(url, fields, fetched_at)
            return self._append(file, Group((draft,), "metadata", ""), url, fetched_at)

    def write_made(
        self,
        url: str,
        content_type: str,
        body: bytes | Path,
        *,
        made_at: datetime,
        converted_from: str = "",
        made_with: str = "",
        notes: Mapping[str, str] | None = None,
    ) -> Capture:
        """Archive what we made ourselves: a screenshot, the cleaned text of a page.

        Args:
            url: The address it belongs to; for what is not the page itself a prefix such as
                ``urn:screenshot:`` keeps it from being served in the place of the page.
            content_type: Of the body.
            body: Bytes, or the file that holds them.
            made_at: Aware time.
            converted_from: Id of the record it was made from: a ``conversion`` record; without
                one it is a ``resource`` record.
            made_with: Id of the record that it was made together with.
            notes: Named values for its header, each behind ``Hongxing-Note-``.

        Raises:
            ArchiveError: nothing was written; the file is as before.
        """
        with self._lock:
            file = self._ready(url)
            try:
                group = self._builder.made(
                    url,
                    content_type,
                    body,
                    made_at,
                    converted_from,
                    made_with=made_with,
                    notes=notes,
                )
            except OSError as error:
                raise _failure(url, file, error) from error
            return self._append(file, group, url, made_at)

    def close(self) -> list[Path]:
        """Give the last file its final name and return the names of all, in order.

        Raises:
            ArchiveError: the last file keeps its ``.open`` name.
        """
        with self._lock:
            self._finish()
            return list(self._finished)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, file: OpenFile, group: Group, url: str, fetched_at: datetime) -> Capture:
        members = [draft.members(self._level) for draft in group.drafts]
        try:
            spans = file.append(members, sync=self._sync_is_due())
        except OSError as error:
            raise _failure(url, file, error) from error
        return Capture(
            warc_filename=file.target.name,
            offset=spans[-1].offset,
            length=spans[-1].length,
            record_id=group.drafts[-1].record_id,
            record_type=group.record_type,
            payload_digest=group.payload_digest,
            url=warc_uri(url),
            fetched_at=fetched_at,
            status=group.status,
            mime=group.mime,
            extra=extra_of(group.truncated),
        )

    def _sync_is_due(self) -> bool:
        if self._sync != "interval":
            return self._sync == "record"
        moment = self._now()
        if abs((moment - self._synced_at).total_seconds()) < _SYNC_INTERVAL_S:
            return False
        self._synced_at = moment
        return True

    def _ready(self, url: str) -> OpenFile:
        """Return the file that takes the next group: the present one, or the next in line."""
        if self._file is not None and self._file.length >= self._max_bytes:
            self._finish()
        if self._file is None:
            self._file = self._start(url)
        return self._file

    def _start(self, url: str) -> OpenFile:
        target = self._folder / self._prefix
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            target = self._folder / f"{self._prefix}-{self._next_serial():05}.warc.gz"
            file = OpenFile(target)
        except OSError as error:
            raise ArchiveError(f"cannot archive {url}: {target}: {disk.explain(error)}") from error
        record_id = self._new_id()
        head = warcinfo(record_id, target.name, self._now(), self._warcinfo)
        try:
            file.append([head.members(self._level)], sync=False)
        except BaseException as error:
            file.abandon()
            with contextlib.suppress(OSError):  # an empty file does no harm, repair removes it
                file.path.unlink()
            if isinstance(error, OSError):
                raise _failure(url, file, error) from error
            raise
        self._builder = GroupBuilder(record_id, self._new_id)
        return file

    def _next_serial(self) -> int:
        """Never use a name twice, whatever an earlier process left behind."""
        name_re = re.compile(re.escape(self._prefix) + r"-(\d{5,})\.warc\.gz(?:\.open)?")
        found = (name_re.fullmatch(path.name) for path in self._folder.iterdir())
        return max((int(match[1]) for match in found if match), default=-1) + 1

    def _finish(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            self._finished.append(file.close())
        except OSError as error:
            raise ArchiveError(
                f"cannot finish {file.path}, it keeps its name: {disk.explain(error)}"
            ) from error


def _failure(url: str, file: OpenFile, error: OSError) -> ArchiveError:
    return ArchiveError(f"cannot append {url} to {file.path.name}: {disk.explain(error)}")
