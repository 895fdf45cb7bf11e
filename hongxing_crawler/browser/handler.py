"""Render pages with scrapy-playwright: its browser, contexts and pages; our gate and our end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error as PlaywrightError
from scrapy.http import HtmlResponse
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from hongxing_crawler.browser import processes
from hongxing_crawler.browser.aside import later
from hongxing_crawler.browser.find import NoBrowserError, is_root, why_not_started
from hongxing_crawler.browser.gate import Gate, Job, Shelf, answer_of
from hongxing_crawler.browser.launch import context_options, launch_options
from hongxing_crawler.browser.memory import LOOK_S, MemoryWatch
from hongxing_crawler.browser.settle import TooLargeError, settle, take_dom, take_screenshot
from hongxing_crawler.core.profile import BrowserRule
from hongxing_crawler.running.rendering import RENDERED_TYPE
from hongxing_crawler.running.run import DOCUMENT, SCREENSHOT, SENT_AT, VISIT, WANTED_PAGES, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.async_api import Page
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

_NO_RULE = BrowserRule("")
_END_S = 5.0  # for a page or the browser to close before it is killed
_SHOT_S = 5.0

logger = logging.getLogger(__name__)
_job: ContextVar[Job] = ContextVar("job")


class RenderError(Exception):
    """A page could not be rendered; the page as it came without a browser stands."""


class BrowserHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc] # it ships no types
    """Turn a page that has come into the page that a reader sees.

    The page itself and everything it asks for come from the crawl; the browser has no way to the
    network. A page has its time and the browser its memory; what takes more is ended, and the
    crawl goes on with the next page.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        self._crawler_ref = crawler
        self._run = run_of(crawler)
        self._timeout_s = settings.getfloat("HONGXING_BROWSER_TIMEOUT_S")
        self._memory_max = settings.getint("HONGXING_BROWSER_MEMORY_MB") << 20
        self._pages_max = settings.getint("HONGXING_BROWSER_RESTART_PAGES")
        self._with_screenshot = settings.getbool("HONGXING_BROWSER_SCREENSHOT")
        self._context = context_options(settings["USER_AGENT"])
        self.config.browser_type_name = "chromium"
        self.config.launch_options = launch_options()
        self.config.max_pages_per_context = settings.getint("HONGXING_BROWSER_PAGES")
        self.config.target_closed_max_retries = 1
        self._shelf = Shelf()
        self._places = asyncio.Semaphore(self.config.max_pages_per_context)
        self._entry = asyncio.Lock()
        self._active = 0
        self._idle = asyncio.Event()
        self._since_start = 0
        self._memory_kills = 0
        self._driver_started = False
        self._watch: asyncio.Task[None] | None = None

    async def render(self, request: Request) -> Response:
        """Render the page of ``request.meta[DOCUMENT]``.

        Raises:
            RenderError: It took too long, too much memory, or the browser ended.
            NoBrowserError: The browser cannot be started.
        """
        with self._beside_others(request):
            async with self._places:
                return await self._render(request)

    @contextlib.contextmanager
    def _beside_others(self, request: Request) -> Iterator[None]:
        """Let other pages be asked for meanwhile: a rendering is no request to the site."""
        engine = self._crawler_ref.engine
        engine.downloader.active.discard(request)
        if slot := engine._slot:  # noqa: SLF001 - nothing public says that there is room
            slot.nextcall.schedule()
        try:
            yield
        finally:
            engine.downloader.active.add(request)  # Scrapy takes it out

    async def _render(self, request: Request) -> Response:
        await self._enter()
        request.meta[SENT_AT] = datetime.now(UTC)
        kills_before = self._memory_kills
        document: Response = request.meta[DOCUMENT]
        job = Job(document.url, answer_of(document), request.meta[VISIT])
        _job.set(job)
        request.meta["playwright_context"] = self._run.profile.name
        request.meta["playwright_context_kwargs"] = dict(self._context)
        try:
            async with asyncio.timeout(self._timeout_s):
                response: Response = await self._download_request(request)
        except (PlaywrightError, TimeoutError, TooLargeError, OSError) as error:
            why = self._say_why(error, is_heavy=self._memory_kills > kills_before)
            raise RenderError(f"{request.url}: {why}") from error
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()
        request.meta[WANTED_PAGES] = job.wanted_pages
        return response

    def _say_why(self, error: BaseException, *, is_heavy: bool) -> str:
        if is_heavy:
            return f"ended, more than {self._memory_max >> 20} MiB of memory; {_first_line(error)}"
        if isinstance(error, TimeoutError):
            return f"not done within {self._timeout_s:g} s"
        return _first_line(error)

    async def _enter(self) -> None:
        """Start what is not running yet; start anew after so many pages, when none is open."""
        async with self._entry:
            if not self._driver_started:
                await self._start()
            if self._since_start >= self._pages_max:
                await self._idle.wait()
                await self._end_browser()
            self._since_start += 1
            self._active += 1
            self._idle.clear()

    async def _start(self) -> None:
        if is_root():
            logger.warning("the browser runs without its sandbox, because this is root")
        await self._launch()
        self._driver_started = True
        self._watch = asyncio.ensure_future(self._watch_memory())

    async def _maybe_launch_browser(self) -> None:
        try:
            await super()._maybe_launch_browser()
        except PlaywrightError as error:
            if reason := why_not_started(str(error)):
                raise NoBrowserError(reason) from error
            raise

    def _make_request_handler(self, *_: Any, **__: Any) -> Callable[..., Any]:
        """Put our gate in the place of what would let requests out."""
        return Gate(self._crawler_ref, _job.get(), self._shelf)

    async def _create_page(self, request: Request, spider: Any) -> Page:
        page: Page = await super()._create_page(request, spider)
        page.on("popup", lambda popup: later(popup.close()))
        page.on("dialog", lambda dialog: later(dialog.dismiss()))
        page.on("download", lambda download: later(download.cancel()))
        return page

    async def _create_browser_context(self, *arguments: Any, **options: Any) -> Any:
        wrapper = await super()._create_browser_context(*arguments, **options)
        await wrapper.context.route("**", lambda route: later(route.abort()))  # of popups
        return wrapper

    async def _download_request_with_page(
        self, request: Request, page: Page, spider: Any
    ) -> Response:
        del spider
        job = _job.get()
        job.is_served = False
        until = time.monotonic() + self._timeout_s * 0.6  # the rest is for taking it down
        try:
            await page.goto(job.url, wait_until="commit", timeout=self._timeout_s * 1000)
            rule = self._run.rendering.find_rule(job.url) or _NO_RULE
            await settle(page, rule, job, until)
            body = (await take_dom(page)).encode("utf-8", "replace")
            if self._with_screenshot:
                request.meta[SCREENSHOT] = await take_screenshot(page, _SHOT_S)
        finally:
            await self._close_page(page)
        return HtmlResponse(job.url, headers={"Content-Type": RENDERED_TYPE}, body=body)

    async def _close_page(self, page: Page) -> None:
        """Close a page; one that does not let itself be closed takes the browser with it."""
        try:
            await asyncio.shield(asyncio.wait_for(page.close(), _END_S))
        except TimeoutError:
            processes.kill(self._browser_pids())
        except PlaywrightError:
            return
        self.stats.inc_value("playwright/page_count/closed")

    async def _watch_memory(self) -> None:
        """End the largest process when all of them hold too much: it is the page's."""
        watch = MemoryWatch(self._memory_max)
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._active:
                continue
            heaviest = watch.find_heaviest()
            self.stats.set_value("hongxing/browser/memory_peak_byte_count", watch.peak_bytes)
            if heaviest:
                self.stats.inc_value("hongxing/browser/memory_kill_count")
                self._memory_kills += 1
                processes.kill([heaviest])

    def _browser_pids(self) -> list[int]:
        return [pid for pid in processes.children_of(os.getpid()) if processes.is_browser(pid)]

    async def _end_browser(self) -> None:
        """Close the browser; the next page starts a fresh one."""
        browser = getattr(self, "browser", None)
        self._since_start = 0
        if browser is None:
            return
        with contextlib.suppress(PlaywrightError, TimeoutError):
            await asyncio.wait_for(browser.close(), _END_S)
        while hasattr(self, "browser") and self.browser is browser:
            processes.kill(self._browser_pids())
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """End browser and driver; what does not end by itself is killed."""
        if self._watch is not None:
            self._watch.cancel()
        ours = processes.children_of(os.getpid()) if self._driver_started else []
        ours = [pid for pid in ours if processes.is_browser(pid)]
        with contextlib.suppress(PlaywrightError, TimeoutError, AttributeError):
            await asyncio.wait_for(super().close(), _END_S)
        processes.kill([pid for pid in ours if processes.is_browser(pid)])


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200].strip()
