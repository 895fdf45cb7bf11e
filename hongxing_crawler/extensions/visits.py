"""No visit without an end: an error in our own code is an outcome too."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from scrapy import signals

from hongxing_crawler.exceptions import StateError
from hongxing_crawler.running.run import VISIT, run_of
from hongxing_crawler.store.visit import Visit

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

logger = logging.getLogger(__name__)


class UnfinishedVisits:
    """Give a visit whose callback or pipeline raised its outcome, and go on."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = run_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_error, signal=signals.spider_error)
        crawler.signals.connect(extension.item_error, signal=signals.item_error)
        return extension

    def spider_error(self, failure: Failure, response: Any) -> None:
        meta = getattr(response, "meta", None) or getattr(failure, "request", response).meta
        if VISIT in meta:
            self._end(meta[VISIT], failure)

    def item_error(self, item: Any, failure: Failure) -> None:
        if isinstance(item, Visit):
            self._end(item, failure)

    def _end(self, visit: Visit, failure: Failure) -> None:
        if isinstance(failure.value, StateError):
            self.run.stop_for(self.crawler, failure.value)
            return
        visit.outcome, visit.reason = "failed", f"error_{type(failure.value).__name__}"
        visit.articles = []
        visit.finished_at = self.run.now()
        stats = self.crawler.stats
        stats.inc_value("hongxing/visit/outcome_count/failed")
        stats.inc_value(f"hongxing/visit/reason_count/{visit.reason}")
        self.run.finish(visit)
