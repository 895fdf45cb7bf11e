"""The run in progress: what the components of one crawl share."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from hongxing_crawler import __version__
from hongxing_crawler.archive.repair import repair_folder
from hongxing_crawler.archive.warc import WarcWriter
from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.core.urls import Scope, canonical_url, shifted_date
from hongxing_crawler.exceptions import (
    ArchiveError,
    DiskFullError,
    HongxingError,
    LockedError,
    StateError,
)
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.running.list_pages import ListPages
from hongxing_crawler.running.rendering import Rendering
from hongxing_crawler.running.starts import start_of
from hongxing_crawler.running.warcinfo import describe_run
from hongxing_crawler.sites.profile import load_profile
from hongxing_crawler.store.belonging import check_belonging, check_site
from hongxing_crawler.store.home import Home
from hongxing_crawler.store.lock import Holder, hold
from hongxing_crawler.store.revisit import Retry
from hongxing_crawler.store.run_ledger import find_skips, find_unended, read_lines, write_line
from hongxing_crawler.store.state import State
from hongxing_crawler.store.visit import Found, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from hongxing_crawler.core.record import Article
    from hongxing_crawler.items import Capture
    from hongxing_crawler.monitors.checks import Finding
    from hongxing_crawler.store.visit import Ticket

VISIT = "hongxing_visit"  # request.meta: the Visit that a request belongs to
KIND = (
    "hongxing_kind"  # request.meta: seed | list | topic | article | page | part | media | robots …
)
CAPTURE = "hongxing_capture"  # request.meta: where the exchange was archived
SENT_AT = "hongxing_sent_at"  # request.meta: when it was sent, aware UTC
BROWSER = "browser"  # a KIND: what a browser asks for on a page
RENDERING = "rendering"  # a KIND: a page that has come goes through the browser
DOCUMENT = "hongxing_document"  # request.meta of a rendering: the response that has come
SCREENSHOT = "hongxing_screenshot"  # request.meta of a rendering: PNG
WANTED_PAGES = "hongxing_wanted_pages"  # request.meta of a rendering: where a script wanted to go

_MAX_SKIPS = 100  # named in the record of a run
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_RETRY = Retry(max_attempts=1)  # BackoffMiddleware repeats; what still failed, the next run asks

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: its code, one sentence, what it brought and where that lies."""

    run_id: str
    exit_code: int
    reason: str
    sentence: str
    seconds: float
    counts: dict[str, int] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)  # of the monitors


def utc_now() -> datetime:
    return datetime.now(UTC)


class Run:
    """Everything that one crawl of one home shares: lock, state, archive, profile.

    Opening a run takes the home's lock, repairs what a kill left behind and fills the frontier;
    ``close`` gives all of it back. Files and rows are made by ``crawl`` from the closed state.
    """

    def __init__(self, settings: BaseSettings, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.settings = settings
        self.started_at = now()
        self.profile = _profile(settings)
        self.scope = Scope(self.profile)
        self.home = Home(Path(settings["HONGXING_HOME"]).absolute())
        self.since = _day(settings["HONGXING_RUN_SINCE"])
        self.open_visits: set[int] = set()  # ticket ids
        self.stop_reason = ""
        self.stop_detail = ""
        self.limit_reached = ""
        self.seed_digests: set[str] = set()
        self.lists = ListPages()
        self.rendering = Rendering(self.profile, settings["HONGXING_BROWSER_MODE"])
        self.warcs: list[Path] = []
        self.repaired: list[Path] = []  # files that a killed run left open
        self.notes: list[str] = []
        self.result: RunResult | None = None
        self.failure: BaseException | None = None
        self.home.prepare()
        self.run_id = new_run_id(self.started_at, self.home)
        self._held = ExitStack()
        me = f"crawl, process {os.getpid()} on {gethostname()}"
        holder = Holder(me, self.run_id, self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        wait_s = settings.getfloat("HONGXING_RUN_WAIT_LOCK_S")
        try:
            self._held.enter_context(hold(self.home.lock, holder, wait_s=wait_s))
        except LockedError as error:
            self.note("skip", exit_code=int(ExitCode.LOCKED), sentence=str(error))
            raise
        with ExitStack() as on_error:
            on_error.callback(self._held.close)
            self._start(me)
            on_error.pop_all()

    def _start(self, me: str) -> None:
        lines = read_lines(self.home.ledger)
        self.skips, self.killed_runs = find_skips(lines), find_unended(lines)
        self.note("start", process=me)
        try:
            self._open()
        except HongxingError as error:
            self.note("end", reason="refused", sentence=str(error))
            raise

    def note(self, event: str, **values: Any) -> None:
        """Write a line into the ledger; a disk that refuses it is named by what follows."""
        try:
            values = {"run_id": self.run_id} | values
            write_line(self.home.ledger, event, self.now(), **values)
        except OSError as error:
            logger.warning("%s: %s", self.home.ledger, error.strerror)

    def _open(self) -> None:
        if (self.home.takedown / "journal.json").is_file():
            raise StateError(
                f"a takedown of {self.home.root} was interrupted; type hongxing takedown --resume"
            )
        self.state = State.open(self.home.state, now=self.now, retry=_NO_RETRY)
        with ExitStack() as on_error:
            on_error.callback(self.state.close)
            check_site(self.home, self.state, self.profile)
            check_belonging(self.home, self.state)
            self._begin()
            on_error.pop_all()

    def _begin(self) -> None:
        self.home.empty_spool()
        self._repair()
        found = self.state.end_killed_runs()  # and those killed while they reported or uploaded
        self.killed_runs = sorted({*self.killed_runs, *found})
        for name in self.killed_runs:
            self.note("killed", run_id=name, sentence=f"{name} never ended")
        self.state.requeue_in_flight()
        self.state.begin_run(self.run_id, self.started_at, self._ledger_info())
        seeds = self.settings.getlist("HONGXING_RUN_SEEDS") or self.profile.seeds
        self.state.add_found(self._seeds(seeds), "")
        self.state.plan(
            self.run_id,
            self.profile,
            self.started_at,
            full=self.settings.getbool("HONGXING_RUN_FULL"),
            since=self.since,
        )
        missing = [name for name, _, _, is_missing in self.state.warc_files() if is_missing]
        if missing:
            advice = "put them back, or type hongxing repair to ask again for what lay in them"
            self.notes.append(
                f"{len(missing)} WARC files are missing, {missing[0]} first; {advice}"
            )
        self._writer: WarcWriter | None = None

    def _ledger_info(self) -> dict[str, Any]:
        info: dict[str, Any] = {"site": self.profile.name, "crawler": __version__}
        info["hosts"] = list(self.profile.hosts)
        if self.skips:
            info["skipped"] = [line.at for line in self.skips[-_MAX_SKIPS:]]
        if self.state.backup is not None:
            self.notes.append(
                f"the state was brought to the form of this version; {self.state.backup} keeps it"
                " as it was, delete it when all is well"
            )
        return info

    def _repair(self) -> None:
        for report in repair_folder(self.home.warc):
            if report.target is not None:
                self.repaired.append(report.target)
            if not report.is_clean:
                self.notes.append(f"{report.source.name}: {report.lost_bytes} torn bytes cut off")

    def _seeds(self, urls: Iterable[str]) -> list[Found]:
        seeds = [start_of(canonical_url(url), self.profile) for url in urls]
        seeds += [Found(canonical_url(url), "sitemap", 1) for url in self.profile.sitemaps]
        seeds += [Found(canonical_url(url), "feed", 1) for url in self.profile.feeds]
        return seeds

    @property
    def writer(self) -> WarcWriter:
        """The WARC writer, opened with the first record: a run without traffic leaves no file."""
        if self._writer is None:
            self._writer = WarcWriter(
                self.home.warc,
                f"{self.profile.name}-{self.run_id}",
                warcinfo=describe_run(self.settings, self.profile, self.run_id),
                max_bytes=self.settings.getint("HONGXING_ARCHIVE_MAX_BYTES"),
                sync=self.settings["HONGXING_ARCHIVE_SYNC"],
            )
        return self._writer

    def is_ours(self, url: str) -> bool:
        """Tell whether a page address belongs to the site and is not one that counts visits."""
        return self.scope.classify(url) not in {"outside", "never"}

    def enter(self, ticket: Ticket) -> Visit:
        """Begin a visit."""
        self.open_visits.add(ticket.id)
        return Visit(ticket)

    def finish(self, visit: Visit) -> list[Article]:
        """Store a visit whole; the rows it made."""
        rows = self.state.finish(self.run_id, visit)
        self.open_visits.discard(visit.ticket.id)
        return rows

    def note_capture(self, request: Request, capture: Capture) -> None:
        """Note where an exchange of a request lies: with its visit, or at once when it has none."""
        request.meta[CAPTURE] = capture
        visit: Visit | None = request.meta.get(VISIT)
        if visit is not None:
            visit.captures.append(capture)
        else:
            self.state.add_captures(self.run_id, [capture])

    def leave(self, visit: Visit) -> None:
        """Leave a visit in flight, for the next run; what it archived stays known."""
        self.state.add_captures(self.run_id, visit.captures)
        self.open_visits.discard(visit.ticket.id)

    def wants(self, found: Found) -> bool:
        """Tell whether a link is worth a visit under ``--since``: by its address, or its list."""
        if self.since is None or found.kind != "article":
            return True
        day = shifted_date(found.url, self.profile) or found.day
        return day is None or day >= self.since

    def is_main_host(self, url: str) -> bool:
        return urlsplit(url).netloc in self.profile.hosts

    def note_sitemaps(self, urls: list[str]) -> None:
        """Take sitemaps that robots.txt names into the frontier."""
        found = [Found(canonical_url(url), "sitemap", 1) for url in urls if self.is_ours(url)]
        self.state.add_found(found, "")

    @property
    def stopping(self) -> bool:
        return bool(self.stop_reason)

    def is_ending(self, crawler: Crawler) -> bool:
        """Tell whether the crawl is closing, for a reason of ours, a limit or a signal."""
        engine = crawler.engine
        slot = engine._slot  # noqa: SLF001 - nothing else tells that a time limit closes the spider
        return self.stopping or not engine.running or bool(slot and slot.closing)

    def stop(self, crawler: Crawler, reason: str, detail: str) -> None:
        """End the crawl for ``reason``; the first reason given is the one that counts."""
        if self.stopping:
            return
        self.stop_reason, self.stop_detail = reason, detail
        logger.error("stopping: %s: %s", reason, detail)
        task = asyncio.ensure_future(_close_spider(crawler, reason))
        self._stop_task = task  # kept: the loop holds only a weak reference

    def stop_for(self, crawler: Crawler, error: HongxingError) -> None:
        """End the crawl because archive or state cannot be written."""
        links = (error, error.__cause__, error.__context__)
        full = isinstance(error, DiskFullError) or any(
            isinstance(link, OSError) and link.errno in _NO_SPACE for link in links
        )
        kind = "archive_error" if isinstance(error, ArchiveError) else "state_error"
        self.stop(crawler, "disk_full" if full else kind, str(error))

    def close_archive(self) -> None:
        """Give the WARC files their final names."""
        if self._writer is not None:
            self.warcs += self._writer.close()
            self._writer = None

    @property
    def is_in_command(self) -> bool:
        """Whether a command goes on with the run when the crawl is over, and ends it."""
        return self.settings.getbool("HONGXING_RUN_IN_COMMAND")

    def close(self) -> None:
        """Close the state, and free the home unless the run goes on."""
        self.state.close()
        if not self.is_in_command:
            self.release()

    def release(self) -> None:
        """Free the home for the next run."""
        self._held.close()


async def _close_spider(crawler: Crawler, reason: str) -> None:
    """Close the spider; one that is closed before the engine runs would end without a verdict."""
    while not crawler.engine.running:  # noqa: ASYNC110 - it starts within the same moment
        await asyncio.sleep(0.01)
    await crawler.engine.close_spider_async(reason=reason)


def new_run_id(started_at: datetime, home: Home) -> str:
    """Name a run by its start, with a suffix when the second has a run already."""
    stem = started_at.strftime("run_%Y%m%dT%H%M%SZ")
    names = [stem, *(f"{stem}-{n}" for n in range(2, 1000))]
    return next(name for name in names if not home.run(name).exists())


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _profile(settings: BaseSettings) -> SiteProfile:
    site = settings["HONGXING_SITE"]
    return site if isinstance(site, SiteProfile) else load_profile(str(site))


_runs: WeakKeyDictionary[Crawler, Run] = WeakKeyDictionary()


def run_of(crawler: Crawler) -> Run:
    """Return the crawler's run, opened by the first component that asks."""
    run = _runs.get(crawler)
    if run is None:
        run = _runs[crawler] = Run(crawler.settings)
    return run
