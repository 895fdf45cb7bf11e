"""Ask the browser for a page that has come without one; the first one asked starts it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy import Request

from hongxing_crawler.browser.find import NoBrowserError, what_is_missing
from hongxing_crawler.running.rendering import BESIDE_MAX
from hongxing_crawler.running.run import DOCUMENT, KIND, RENDERING, VISIT, run_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from hongxing_crawler.store.visit import Visit

_SLOT = "hongxing_browser"  # of its own: the page's host is asked by what the page asks for
_TRIES = 2

logger = logging.getLogger(__name__)


async def render_page(crawler: Crawler, response: Response, visit: Visit) -> Response | None:
    """Render a page; None when there is no browser, or it could not.

    A browser that ended on the way, by whatever, is tried once more.
    """
    run = run_of(crawler)
    if missing := what_is_missing():
        run.rendering.missing = f"pages need a browser, and {missing}"
        logger.warning("%s", run.rendering.missing)
        return None
    _prepare_slot(crawler)
    run.rendering.waiting.add(visit.ticket.id)
    try:
        return await _try_twice(crawler, response, visit)
    finally:
        run.rendering.waiting.discard(visit.ticket.id)


async def _try_twice(crawler: Crawler, response: Response, visit: Visit) -> Response | None:
    run, stats = run_of(crawler), crawler.stats
    failure = ""
    for _ in range(_TRIES):
        request = Request(
            response.url,
            meta={
                VISIT: visit,
                KIND: RENDERING,
                DOCUMENT: response,
                "download_slot": _SLOT,
                "autothrottle_dont_adjust_delay": True,
            },
            dont_filter=True,
        )
        try:
            rendered = await crawler.engine.download_async(request)
        except NoBrowserError as error:
            if not run.rendering.missing:
                run.rendering.missing = f"pages need a browser, and {error}"
                logger.warning("%s", run.rendering.missing)
            return None
        except Exception as error:  # noqa: BLE001 - whatever it was, the page as it came stands
            stats.inc_value(f"hongxing/browser/failed_count/{type(error).__name__}")
            failure = str(error).removeprefix(f"{response.url}: ")
            logger.warning("%s", error)
            if run.is_ending(crawler):
                return None
            if not _is_worth_another_try(error):
                break
        else:
            stats.inc_value("hongxing/browser/page_count")
            return rendered
    run.rendering.note_failure(response.url, failure)
    return None


def _is_worth_another_try(error: BaseException) -> bool:
    """Tell a browser that ended for another page's sake from a page that breaks it."""
    return "closed" in str(error)


def _prepare_slot(crawler: Crawler) -> None:
    """Let pages wait for a place in the browser, which knows how many it has; not for a delay."""
    crawler.engine.downloader.per_slot_settings.setdefault(
        _SLOT, {"concurrency": BESIDE_MAX, "delay": 0, "jitter": 0}
    )
