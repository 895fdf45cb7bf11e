"""robots.txt as a guest reads it: a failing one is no invitation, and a delay is a delay."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from protego import Protego
from scrapy import Request
from scrapy.exceptions import NotConfigured
from scrapy.utils.httpobj import urlparse_cached

from hongxing_crawler.exceptions import ArchiveError, StateError
from hongxing_crawler.fetching.refusals import (
    ArchiveStoppedError,
    RobotsDeniedError,
    RobotsUnreachableError,
)
from hongxing_crawler.running.reading import header_address
from hongxing_crawler.running.run import KIND, run_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response

_CRAWL_DELAY_MAX_S = 60.0
_REDIRECTS_MAX = 5
_ROBOTS_MAX_BYTES = 512 * 1024  # RFC 9309 asks for at least 500 KiB

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rules:
    """A host's rules, or why they could not be read. ``answered``: a server spoke at all."""

    parser: Protego | None = None
    problem: str = ""
    answered: bool = True


class StrictRobotsMiddleware:
    """Obey robots.txt, where Scrapy's own middleware is too easy.

    A robots.txt that answers with an error of the server, or not at all, forbids everything
    (RFC 9309, section 2.3.1.4; Scrapy allows everything then). ``Crawl-delay`` is obeyed, up to a
    minute. A denial is written to the archive, so that the gap has its reason.
    """

    def __init__(self, crawler: Crawler) -> None:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured("ROBOTSTXT_OBEY is off")
        self.crawler = crawler
        self.stats = crawler.stats
        self.run = run_of(crawler)
        self.agent = crawler.settings["ROBOTSTXT_USER_AGENT"] or crawler.settings["USER_AGENT"]
        self._rules: dict[str, asyncio.Future[_Rules]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        if request.meta.get("dont_obey_robotstxt"):
            return
        rules = await self._rules_for(request)
        if rules.problem:
            self._stop_if_main(request, rules)
            raise RobotsUnreachableError(rules.problem)
        if rules.parser is not None and not rules.parser.can_fetch(request.url, self.agent):
            self.stats.inc_value("hongxing/robots/denied_count")
            self._note_denial(request)
            raise RobotsDeniedError("forbidden by robots.txt")

    async def _rules_for(self, request: Request) -> _Rules:
        parts = urlparse_cached(request)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = asyncio.ensure_future(self._read(origin))
        return await asyncio.shield(self._rules[origin])

    async def _read(self, origin: str) -> _Rules:
        address = f"{origin}/robots.txt"
        for _ in range(_REDIRECTS_MAX + 1):
            request = Request(
                address, priority=1000, meta={"dont_obey_robotstxt": True, KIND: "robots"}
            )
            try:
                response = await self.crawler.engine.download_async(request)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is the same
                return _Rules(problem=f"{address} cannot be read: {error}", answered=False)
            self.stats.inc_value(f"hongxing/robots/status_count/{response.status}")
            if not (300 <= response.status < 400 and response.headers.get("Location")):
                return self._judge(response, origin)
            address = urljoin(address, header_address(response.headers["Location"]))
        return _Rules()  # RFC 9309, section 2.3.1.2: after five redirects there is no robots.txt

    def _judge(self, response: Response, origin: str) -> _Rules:
        if response.status >= 500 or response.status == 429:
            return _Rules(problem=f"{response.url} answers {response.status}")
        if not 200 <= response.status < 300:
            return _Rules()  # no robots.txt: everything is allowed
        text = response.body[:_ROBOTS_MAX_BYTES].decode("utf-8-sig", "replace")
        parser = Protego.parse(text)
        self._obey_delay(parser, origin)
        try:
            self.run.note_sitemaps(list(parser.sitemaps))
        except StateError as error:
            self.run.stop_for(self.crawler, error)
            raise ArchiveStoppedError(str(error)) from error
        return _Rules(parser)

    def _obey_delay(self, parser: Protego, origin: str) -> None:
        wanted = parser.crawl_delay(self.agent)
        if not wanted:
            return
        downloader = self.crawler.engine.downloader
        key = downloader.get_slot_key(Request(origin))
        base = self.crawler.settings.getfloat("DOWNLOAD_DELAY")
        delay = max(min(float(wanted), _CRAWL_DELAY_MAX_S), base)
        downloader.per_slot_settings.setdefault(key, {})["delay"] = delay
        if key in downloader.slots:
            downloader.slots[key].delay = delay
        self.stats.set_value(f"hongxing/robots/crawl_delay_s/{key}", delay)

    def _stop_if_main(self, request: Request, rules: _Rules) -> None:
        if self.run.is_main_host(request.url):
            reason = "blocked" if rules.answered else "site_down"
            self.run.stop(self.crawler, reason, rules.problem)

    def _note_denial(self, request: Request) -> None:
        fields = {"robots-denied": "robots.txt", "hongxing-kind": str(request.meta.get(KIND, ""))}
        try:
            capture = self.run.writer.write_metadata(request.url, fields, fetched_at=self.run.now())
            self.run.note_capture(request, capture)
        except (ArchiveError, StateError) as error:
            self.run.stop_for(self.crawler, error)
            raise ArchiveStoppedError(str(error)) from error
