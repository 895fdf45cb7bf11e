"""Bring a home to its bucket: after a crawl, while it runs, or whenever somebody asks."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from hongxing_crawler.exceptions import StateError, StorageError, UploadError
from hongxing_crawler.store.home_files import FOLDERS
from hongxing_crawler.store.s3.client import Bucket
from hongxing_crawler.store.s3.publish import publish
from hongxing_crawler.store.s3.removal import begin_removals, finish_removals
from hongxing_crawler.store.s3.retry import GivenUpError
from hongxing_crawler.store.s3.upload import Session, recheck, send_raw
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.s3.client import S3Options
    from hongxing_crawler.store.s3.upload import UploadOptions, UploadReport

_PAUSE_S, _LONG_PAUSE_S = 5.0, 60.0  # between two looks into the outbox while a crawl runs
_RUN_FOLDERS = ("warc", "cdxj", "runs", "export")  # media were queued by their visits

logger = logging.getLogger(__name__)


class Last(Protocol):
    """Files that tell of an upload, and go up with it."""

    held: frozenset[str]  # paths in the home, not sent before they are written

    def write(self, state: State, report: UploadReport) -> None:
        """Write them."""


def upload_home(
    home: Home,
    s3: S3Options,
    options: UploadOptions,
    *,
    now: Callable[[], datetime],
    whole: bool = True,
    last: Last | None = None,
) -> UploadReport:
    """Upload what waits, and publish; the caller holds the home's lock.

    Args:
        home: The home.
        s3: Where to, and how.
        options: How fast, how thoroughly.
        now: The clock.
        whole: Also look for files that nothing queued, and for objects that are not there any more.
        last: Files that can only be written when everything else has arrived.

    Raises:
        UploadError: Something did not arrive; the subclass says who has to act. Everything else
            was uploaded all the same, and what is missing waits.
    """
    bucket = Bucket.open(s3)
    with (
        State.open(home.state, now=now) as state,
        Session(state, home, bucket, options, now) as session,
    ):
        session.greet()
        removals = begin_removals(session)
        session.sweep(FOLDERS if whole else _RUN_FOLDERS, last.held if last else ())
        if options.is_deep:
            doubt_all(session)
        elif whole:
            recheck(session)
        with suppress(GivenUpError):  # why is told by what the session noted
            if send_raw(session):
                publish(session)
            if not session.failure:
                finish_removals(session, removals)
            if last and not session.failure:
                last.write(state, session.report)
                session.sweep(_RUN_FOLDERS)
                send_raw(session)
        return session.finish()


def doubt_all(session: Session) -> None:
    """Make every object wait, so that each is compared byte by byte."""
    with session.state.changing_outbox():
        for entry in list(session.state.outbox.proved()):
            session.state.outbox.doubt(entry.id)


@contextmanager
def uploading(
    home: Home, s3: S3Options, options: UploadOptions, *, now: Callable[[], datetime]
) -> Iterator[None]:
    """Upload finished files in a thread of its own while the block runs.

    Rows are never published here: that is for the end of the run. A bucket that refuses or is away
    ends the thread; what it leaves is uploaded after the crawl, which then says what was wrong.
    """
    stop = threading.Event()
    worker = threading.Thread(
        target=_upload_raw, args=(home, s3, options, now, stop), name="upload", daemon=True
    )
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def _upload_raw(
    home: Home,
    s3: S3Options,
    options: UploadOptions,
    now: Callable[[], datetime],
    stop: threading.Event,
) -> None:
    pause_s, options = _PAUSE_S, replace(options, tries=2)
    try:
        bucket = Bucket.open(s3)
        while not stop.wait(pause_s):
            pause_s = _PAUSE_S
            try:
                if home.state.is_file():
                    _upload_due(home, bucket, options, now, stop)
            except StorageError:
                raise
            except UploadError as error:
                pause_s = _LONG_PAUSE_S
                logger.warning("%s", error)
    except (StorageError, StateError, OSError) as error:
        logger.warning("uploads wait for the end of the run: %s", error)


def _upload_due(
    home: Home,
    bucket: Bucket,
    options: UploadOptions,
    now: Callable[[], datetime],
    stop: threading.Event,
) -> None:
    with (
        State.open(home.state, now=now) as state,
        Session(state, home, bucket, options, now) as session,
    ):
        session.stop_with(stop)
        session.greet()
        send_raw(session, due_at=now())
        session.finish()
