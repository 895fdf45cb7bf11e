"""Scrapy's scheduler interface over the frontier in the state database.

The default scheduler's queue is lost by a kill, silently. Here a URL is in flight in the
database until its visit is finished, so the next run knows what the last one did not end.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler

from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.exceptions import StateError
from hongxing_crawler.running.run import KIND, VISIT, run_of
from hongxing_crawler.store.visit import Found

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Spider
    from scrapy.crawler import Crawler

    from hongxing_crawler.store.visit import Ticket

logger = logging.getLogger(__name__)


class FrontierScheduler(BaseScheduler):
    """Hand out the frontier's URLs as requests, best first.

    A URL is taken when a visit has ended, not when a download has, so that the links of one page
    are known before the next page is chosen: the order of a crawl is then the same whether or not
    it was interrupted (with one request at a time, as is the default).
    """

    def __init__(self, crawler: Crawler, visits_max: int, max_pages: int) -> None:
        self._crawler = crawler
        self.run = run_of(crawler)
        self._is_full = crawler.settings.getbool("HONGXING_RUN_FULL")
        self._visits_max = visits_max or sys.maxsize  # Scrapy: 0 means no limit
        self._pages_left = max_pages or None
        self._again: deque[Request] = deque()  # retries: their URL is in flight already
        self._spider: Spider | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(
            crawler,
            crawler.settings.getint("CONCURRENT_REQUESTS"),
            crawler.settings.getint("HONGXING_RUN_MAX_PAGES"),
        )

    def open(self, spider: Spider) -> None:
        self._spider = spider

    def close(self, reason: str) -> None:  # noqa: ARG002 - Scrapy's interface
        with contextlib.suppress(StateError):  # a full disk: the next start does it
            self.run.state.requeue_in_flight()

    def has_pending_requests(self) -> bool:
        if self._again:
            return True
        if self._pages_left == 0:
            return False
        return self.run.state.has_pending()

    def enqueue_request(self, request: Request) -> bool:
        """Take a retry back, or a request that a spider of somebody else's yields."""
        if VISIT in request.meta:
            self._again.append(request)
            return True
        try:
            url = canonical_url(request.url)
        except ValueError:
            logger.warning("not an address of the web: %s", request.url)
            return False
        kind = self.run.scope.classify(url)
        found = Found(url, kind, request.priority)
        return self.run.state.add_found([found], "") > 0

    def next_request(self) -> Request | None:
        if self._again:
            return self._again.popleft()
        try:
            ticket = self._next_ticket()
        except StateError as error:
            self.run.stop_for(self._crawler, error)
            return None
        return self._request(ticket) if ticket else None

    def _next_ticket(self) -> Ticket | None:
        if self._pages_left == 0:
            self.run.limit_reached = "max_pages" if self.run.state.has_pending() else ""
            return None
        if len(self.run.open_visits) - self.run.rendering.beside_count >= self._visits_max:
            return None
        for ticket in self.run.state.take(1):
            if self._pages_left is not None:
                self._pages_left -= 1
            is_whole = self._is_full or self.run.rendering.is_known(ticket.url)
            return replace(ticket, conditional=False) if is_whole else ticket
        return None

    def _request(self, ticket: Ticket) -> Request:
        return Request(
            ticket.url,
            headers=_validators(ticket),
            errback=getattr(self._spider, "on_failure", None),
            meta={VISIT: self.run.enter(ticket), KIND: ticket.kind},
            dont_filter=True,
        )


def _validators(ticket: Ticket) -> dict[str, str]:
    if not ticket.conditional:
        return {}
    pairs = {"If-None-Match": ticket.etag, "If-Modified-Since": ticket.last_modified}
    return {name: value for name, value in pairs.items() if value}
