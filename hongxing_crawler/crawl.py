"""Crawl a site from start to verdict; what ``hongxing crawl`` does after reading its flags."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.monitors.limits import Limits
from hongxing_crawler.running.run import RunResult, utc_now
from hongxing_crawler.sites.profile import load_profile
from hongxing_crawler.store.home import Home
from hongxing_crawler.store.lock import Holder, hold
from hongxing_crawler.store.runs import KILLED

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy.crawler import Crawler

    from hongxing_crawler.running.run import Run

Progress = Callable[[Mapping[str, Any]], None]
Then = Callable[[RunResult], RunResult]


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """What to crawl, where to, and how far. Times in seconds, 0 means no limit."""

    home: Path
    site: str | SiteProfile = "hongxing"
    full: bool = False
    since: str = ""
    seeds: tuple[str, ...] = ()
    max_pages: int = 0
    max_duration_s: float = 0.0
    concurrency: int = 1  # requests at a time, to one host as well
    delay_s: float = 1.0
    wait_lock_s: float = 0.0
    operator: str = ""
    with_parquet: bool = False
    browser: str = "off"  # auto: pages that lack what a script brings; always; off
    videos: bool = False  # fetch films, too
    video_max_bytes: int = 1 << 30
    limits: Limits = field(default_factory=Limits)  # of the monitors
    log_level: str = "INFO"
    log_file: str | None = None
    log_format: str = "text"  # or json
    settings: Mapping[str, Any] = field(default_factory=dict)  # Scrapy's, for those who know


def crawl(
    options: CrawlOptions, progress: Progress | None = None, then: Then | None = None
) -> RunResult:
    """Run one crawl in this process; Scrapy's reactor allows only one.

    Args:
        options: What to do.
        progress: Called with Scrapy's stats after every page.
        then: What else belongs to the run (its report, its upload), done before the home is free
            for others; its result is that of the run.

    Raises:
        HongxingError: The run could not start or not be finished.
    """
    from scrapy.crawler import AsyncCrawlerProcess  # noqa: PLC0415 - half a second, only here

    from hongxing_crawler.running.run import run_of  # noqa: PLC0415
    from hongxing_crawler.spiders.news import NewsSpider  # noqa: PLC0415

    _end_takedown(options)
    tune_allocator()
    prefer_fast_loop()
    received: list[int] = []

    class Process(AsyncCrawlerProcess):
        """Scrapy's process, which also notes which signal ended it."""

        is_asked_to_stop = False

        def _signal_shutdown(self, signum: int, frame: Any) -> None:
            received.append(signum)
            super()._signal_shutdown(signum, frame)

        async def stop(self) -> None:
            """Stop when the engine runs: Scrapy drops a crawl that is starting, without an end.

            Whoever asks a second time wants no end in order.
            """
            is_first, self.is_asked_to_stop = not self.is_asked_to_stop, True
            while is_first and not (task.done() or _is_running(crawler)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await super().stop()

    process = Process(scrapy_settings(options))
    crawler = process.create_crawler(NewsSpider)
    if progress is not None:
        _report_progress(crawler, progress)
    task = process.crawl(crawler)
    process.start(install_signal_handlers=True)
    _raise_failure(task)
    run = run_of(crawler)
    try:
        return _end(run, _settle(run, received), then)
    finally:
        run.release()


def _end(run: Run, result: RunResult, then: Then | None) -> RunResult:
    """Do what else belongs to a run, and write its end into the ledger: the last thing it does.

    A run without that line was killed, however far it came.
    """
    if result.reason == KILLED:
        return result
    try:
        result = _do_then(then, result) if then else result
    except BaseException as error:
        run.note("end", reason="unfinished", sentence=str(error) or type(error).__name__)
        raise
    run.note("end", exit_code=result.exit_code, reason=result.reason, sentence=result.sentence)
    return result


def _do_then(then: Then, result: RunResult) -> RunResult:
    """Upload and report in the room that the crawl had, not beside it."""
    from hongxing_crawler.core.restore.forget import forget_tables  # noqa: PLC0415 - loaded by now

    forget_tables()
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)
    return then(result)


def _end_takedown(options: CrawlOptions) -> None:
    """Carry a takedown that was interrupted to its end, before anything is asked for."""
    home = Home(options.home.absolute())
    if not home.takedown.is_dir():
        return
    from hongxing_crawler.takedown.carry_out import resume  # noqa: PLC0415 - hardly ever

    who = Holder(f"crawl, process {os.getpid()}", "", "")
    with hold(home.lock, who, wait_s=options.wait_lock_s):
        resume(home, utc_now)


def scrapy_settings(options: CrawlOptions) -> Any:
    """Turn options into Scrapy settings; flags win over everything else."""
    from scrapy.settings import Settings  # noqa: PLC0415

    profile = options.site if isinstance(options.site, SiteProfile) else load_profile(options.site)
    settings = Settings()
    settings.setmodule("hongxing_crawler.settings", "project")
    values = {
        "HONGXING_HOME": str(options.home),
        "HONGXING_SITE": profile,
        "HONGXING_RUN_FULL": options.full,
        "HONGXING_RUN_SINCE": options.since,
        "HONGXING_RUN_SEEDS": list(options.seeds),
        "HONGXING_RUN_MAX_PAGES": options.max_pages,
        "HONGXING_RUN_WAIT_LOCK_S": options.wait_lock_s,
        "HONGXING_RUN_OPERATOR": options.operator,
        "HONGXING_RUN_IN_COMMAND": True,
        "HONGXING_BROWSER_MODE": options.browser,
        "HONGXING_VIDEOS_ENABLED": options.videos,
        "HONGXING_VIDEOS_MAX_BYTES": options.video_max_bytes,
        "HONGXING_MONITORS": asdict(options.limits),
        "HONGXING_EXPORT_PARQUET": options.with_parquet,
        "CLOSESPIDER_TIMEOUT": options.max_duration_s,
        "CONCURRENT_REQUESTS": options.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": options.concurrency,
        "DOWNLOAD_DELAY": options.delay_s,
        "AUTOTHROTTLE_ENABLED": options.delay_s > 0,
        "LOG_LEVEL": options.log_level,
        "LOG_FILE": options.log_file,
        "HONGXING_LOG_FORMAT": options.log_format,
        # RunLog installs what writes JSON: Scrapy's handler would begin with lines of text.
        "LOG_INSTALL_ROOT_HANDLER": options.log_format != "json",
    }
    settings.setdict(values | dict(options.settings), "cmdline")
    return settings


def tune_allocator() -> None:
    """Keep freed memory: each parsed tree is otherwise handed back and faulted in again.

    The values of ``MALLOC_TRIM_THRESHOLD_`` and its kin, set at run time; without glibc nothing
    happens. Halves the cost of parsing and costs a megabyte.
    """
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for option, value in (
        (trim_threshold, 1 << 30),
        (mmap_threshold, 1 << 30),
        (top_pad, 64 << 20),
    ):
        mallopt(option, value)


def prefer_fast_loop() -> None:
    """Let the crawl run on uvloop, which Scrapy finds in place: 0.3 ms of 5 ms a page.

    Where there is no uvloop, Python's own loop does the same.
    """
    try:
        import uvloop  # noqa: PLC0415 - needed for a crawl only
    except ImportError:
        return
    asyncio.set_event_loop(uvloop.new_event_loop())


def _is_running(crawler: Crawler) -> bool:
    engine = crawler._engine  # noqa: SLF001 - the public name raises before there is one
    return engine is not None and engine.running


def _report_progress(crawler: Crawler, progress: Progress) -> None:
    from scrapy import signals  # noqa: PLC0415

    def tell() -> None:
        progress(crawler.stats.get_stats())

    crawler.signals.connect(tell, signal=signals.item_scraped, weak=False)
    crawler.signals.connect(tell, signal=signals.item_dropped, weak=False)


def _raise_failure(task: asyncio.Future[None]) -> None:
    if task.done() and not task.cancelled():
        error = task.exception()
        if error is not None:
            raise error


def _settle(run: Run, received: list[int]) -> RunResult:
    """Return the run's result; a signal decides the code, a broken end raises its error."""
    if run.failure is not None:
        raise run.failure
    if run.result is None:  # a second signal: nothing was closed in order, nothing is lost
        code = ExitCode.TERMINATED if signal.SIGTERM in received else ExitCode.INTERRUPTED
        sentence = "stopped at once; the same command repairs the last file and goes on"
        run.close()
        return RunResult(run.run_id, int(code), KILLED, sentence, 0.0)
    if received and run.result.reason == "shutdown" and signal.SIGTERM in received:
        return replace(run.result, exit_code=int(ExitCode.TERMINATED))
    return run.result
