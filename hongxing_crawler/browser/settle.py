"""When a page is complete: a selector, or quiet; scrolling and clicking where the profile says."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error as PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import Page

    from hongxing_crawler.browser.gate import Job
    from hongxing_crawler.core.profile import BrowserRule

_LOOK_S = 0.05
_QUIET_S = 0.3
_QUIET_ANSWERS = 6  # of the browser, in the time that it takes for the slowest
_ELEMENTS_MAX = 200_000
_PROBLEM_CHARS = 80
_COUNT_JS = "document.getElementsByTagName('*').length"
_DOM_MAX_CHARS = 16 << 20
# The page itself could make any of these lie, but not about the length of what it hands over.
_DOM_JS = """([mostElements, mostChars]) => {
  const count = document.getElementsByTagName('*').length;
  if (count > mostElements) return [`${count} elements`, ''];
  const type = document.doctype ? new XMLSerializer().serializeToString(document.doctype) : '';
  const html = '' + type + (document.documentElement ? document.documentElement.outerHTML : '');
  return html.length > mostChars ? [`${html.length} characters of DOM`, ''] : ['', html];
}"""
_LOADED_JS = "document.readyState === 'complete'"
_SCROLL_JS = "window.scrollTo(0, document.documentElement.scrollHeight)"
_HEIGHT_JS = "Math.min(document.documentElement.scrollHeight, 16384)"


class TooLargeError(Exception):
    """A page grew beyond what is worth keeping."""


async def settle(page: Page, rule: BrowserRule, job: Job, until: float) -> None:
    """Wait until a page shows what it has, then do what the profile says.

    Args:
        page: On its way, the document has come.
        rule: What to wait for and what to do; the empty one means quiet.
        job: Knows which requests are open.
        until: Moment of the monotonic clock at which waiting ends in any case.

    Raises:
        TooLargeError: There are too many elements.
    """
    if rule.wait_for:
        left_ms = max(until - time.monotonic(), 0.1) * 1000
        with contextlib.suppress(PlaywrightError):  # it does not come: take what is there
            await page.wait_for_selector(rule.wait_for, state="attached", timeout=left_ms)
    else:
        await _wait_for_quiet(page, job, until)
    await _repeat(page, rule.scroll, lambda: _scroll(page), job, until)
    await _repeat(page, rule.clicks if rule.click else 0, lambda: _click(page, rule), job, until)


async def _wait_for_quiet(page: Page, job: Job, until: float) -> None:
    """Wait until the page is loaded, no request is open and the number of elements stays a while.

    A browser that answers slowly has little time for its pages: they get more time to be quiet.
    """
    before, since, quiet_s = -1, time.monotonic(), _QUIET_S
    while (now := time.monotonic()) < until:
        count = await _count(page)
        quiet_s = max(quiet_s, _QUIET_ANSWERS * (time.monotonic() - now))
        if job.open_count or count != before:
            before, since = count, now
        elif now - since >= quiet_s and await page.evaluate(_LOADED_JS):
            return
        await asyncio.sleep(_LOOK_S)


async def _repeat(page: Page, times: int, act: Any, job: Job, until: float) -> None:
    """Act until it brings nothing more."""
    before = await _count(page) if times else 0
    for _ in range(times):
        if time.monotonic() >= until or not await act():
            return
        await _wait_for_quiet(page, job, until)
        count = await _count(page)
        if count == before:
            return
        before = count


async def _scroll(page: Page) -> bool:
    await page.evaluate(_SCROLL_JS)
    return True


async def _click(page: Page, rule: BrowserRule) -> bool:
    button = page.locator(rule.click).first
    try:
        if not await button.is_visible():
            return False
        await button.click(timeout=1_000, no_wait_after=True)
    except PlaywrightError:
        return False
    return True


async def _count(page: Page) -> int:
    count = int(await page.evaluate(_COUNT_JS))
    if count > _ELEMENTS_MAX:
        raise TooLargeError(f"{count} elements")
    return count


async def take_dom(page: Page) -> str:
    """Take the DOM as HTML, in one exchange with the browser.

    Raises:
        TooLargeError: It has too many elements or characters; it stays in the browser.
    """
    problem, html = await page.evaluate(_DOM_JS, [_ELEMENTS_MAX, _DOM_MAX_CHARS])
    if problem:
        raise TooLargeError(str(problem)[:_PROBLEM_CHARS])
    return str(html)


async def take_screenshot(page: Page, timeout_s: float) -> bytes:
    """Take a picture of the whole page, to a height that a picture can have; empty: none."""
    with contextlib.suppress(PlaywrightError, TimeoutError):
        height = int(await page.evaluate(_HEIGHT_JS))
        clip: Any = {"x": 0, "y": 0, "width": 1280, "height": max(height, 1)}
        return await page.screenshot(full_page=True, clip=clip, timeout=timeout_s * 1000)
    return b""
