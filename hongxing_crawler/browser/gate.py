"""What the browser asks for goes through the crawl: scope, robots.txt, delays and archive hold."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from playwright.async_api import Error as PlaywrightError
from scrapy import Request

from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.running.reading import header_address
from hongxing_crawler.running.run import BROWSER, KIND, VISIT, run_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Request as PageRequest
    from playwright.async_api import Route
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from hongxing_crawler.store.visit import Visit

_KEPT_BYTES = 32 << 20
_REQUESTS_MAX = 300  # of one page
_WANTED_MAX = 3  # pages that scripts of one page want to go to
_REDIRECTS_MAX = 5
_MAX_BYTES = 16 << 20
_METHODS = frozenset({"GET", "HEAD", "POST"})
_NEVER_TYPES = frozenset({"ping", "media", "eventsource", "websocket", "manifest", "other"})
_DATA_TYPES = frozenset({"xhr", "fetch"})
_KEPT_TYPES = frozenset({"script", "stylesheet", "font", "image"})
_OUR_HEADERS = ("accept", "content-type", "x-requested-with")
_HOP_HEADERS = frozenset(
    {"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"}
)


class Refused(Exception):  # noqa: N818 - no error: the answer to a page that asks too much
    """The browser does not get this; the reason goes into the stats."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser gets. Header values of the same name are joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Job:
    """One page in the browser: what it came as, and what it asked for."""

    url: str
    document: Answer
    visit: Visit
    is_served: bool = False  # the document was given to the browser
    request_count: int = 0
    open_count: int = 0  # requests that wait for their answer
    wanted_pages: list[str] = field(default_factory=list)  # where a script wanted to go


class Shelf:
    """Scripts, styles and pictures that pages share: asked for once in a run."""

    def __init__(self, max_bytes: int = _KEPT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Answer] = OrderedDict()

    def find(self, url: str) -> Answer | None:
        answer = self._kept.get(url)
        if answer is not None:
            self._kept.move_to_end(url)
        return answer

    def keep(self, url: str, answer: Answer) -> None:
        self._kept[url] = answer
        self._bytes += len(answer.body)
        while self._bytes > self._max_bytes:
            _, old = self._kept.popitem(last=False)
            self._bytes -= len(old.body)


class Gate:
    """Answer each request of one page, or refuse it."""

    def __init__(self, crawler: Crawler, job: Job, shelf: Shelf) -> None:
        self.crawler = crawler
        self.job = job
        self.shelf = shelf
        self._rendering = run_of(crawler).rendering

    async def __call__(self, route: Route, request: PageRequest) -> None:
        job = self.job
        job.open_count += 1
        try:
            answer = await self._answer(request)
        except Refused as reason:
            self.crawler.stats.inc_value(f"hongxing/browser/refused_count/{reason}")
            await _give(route, None, is_page=request.is_navigation_request())
        else:
            await _give(route, answer)
        finally:
            job.open_count -= 1

    async def _answer(self, request: PageRequest) -> Answer:
        job = self.job
        job.request_count += 1
        if request.is_navigation_request() and _is_main_frame(request):
            return self._page(request.url)
        if job.request_count > _REQUESTS_MAX:
            raise Refused("too_many")
        if request.resource_type in _NEVER_TYPES or request.method not in _METHODS:
            raise Refused("kind")
        is_shared = request.resource_type in _KEPT_TYPES and request.method == "GET"
        if is_shared and (kept := self.shelf.find(request.url)):
            return kept
        answer = await self._fetch(request)
        if request.resource_type in _DATA_TYPES and answer.status == 200:
            self._rendering.note_data(
                job.url, request.url, answer.body, answer.headers.get("content-type", "")
            )
        if is_shared and answer.status == 200:
            self.shelf.keep(request.url, answer)
        return answer

    def _page(self, url: str) -> Answer:
        """Give the page itself, once; other pages are the frontier's to visit."""
        job = self.job
        if not job.is_served and url.partition("#")[0] == job.url.partition("#")[0]:
            job.is_served = True
            return job.document
        is_itself = url.partition("?")[0] == job.url.partition("?")[0]  # a loop, or a reload
        if not is_itself and len(job.wanted_pages) < _WANTED_MAX:
            job.wanted_pages.append(url)
        raise Refused("other_page")

    async def _fetch(self, request: PageRequest) -> Answer:
        url, method, body = request.url, request.method, request.post_data_buffer or b""
        headers = {name: request.headers[name] for name in _OUR_HEADERS if name in request.headers}
        for _ in range(_REDIRECTS_MAX):
            response = await self._ask(url, method, headers, body)
            location = response.headers.get("Location")
            if not (300 <= response.status < 400 and location):
                return answer_of(response)
            try:
                url = canonical_url(urljoin(url, header_address(location)))
            except ValueError as error:
                raise Refused("redirect_unusable") from error
            method, body = "GET", b""
        raise Refused("redirect_loop")

    async def _ask(self, url: str, method: str, headers: dict[str, str], body: bytes) -> Response:
        meta = {VISIT: self.job.visit, KIND: BROWSER, "download_maxsize": _MAX_BYTES}
        try:
            request = Request(
                url, method=method, headers=headers, body=body, meta=meta, dont_filter=True
            )
            return await self.crawler.engine.download_async(request)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise Refused(str(error) if " " not in str(error) else type(error).__name__) from error


def answer_of(response: Response) -> Answer:
    """Turn a response, decoded from its content coding, into what the browser gets."""
    pairs: dict[str, str] = {}
    for name, values in response.headers.items():
        key = name.decode("latin-1").lower()
        if key not in _HOP_HEADERS:
            separator = "\n" if key == "set-cookie" else ", "
            pairs[key] = separator.join(value.decode("latin-1") for value in values)
    return Answer(response.status, pairs, response.body)


def _is_main_frame(request: PageRequest) -> bool:
    with contextlib.suppress(PlaywrightError):
        return request.frame.parent_frame is None
    return True  # a frame that is not there yet: the answer is no


async def _give(route: Route, answer: Answer | None, *, is_page: bool = False) -> None:
    """Answer the browser; a page that has been closed since asks no more.

    A navigation is refused with "no content": the page that wanted to go stays as it is.
    """
    options: dict[str, Any] = {"status": 204}
    if answer is not None:
        options = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    with contextlib.suppress(PlaywrightError):
        if answer is None and not is_page:
            await route.abort("blockedbyclient")
        else:
            await route.fulfill(**options)
