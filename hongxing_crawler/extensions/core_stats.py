"""Scrapy's core stats, counted where things happen instead of by signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.extensions.corestats import CoreStats

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler


class QuietCoreStats(CoreStats):
    """Count times and dropped items; responses and rows are counted by those who handle them.

    A listener to ``item_scraped`` costs a task and two turns of the loop for every page.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler.stats)
        connect = crawler.signals.connect
        connect(extension.spider_opened, signal=signals.spider_opened)
        connect(extension.spider_closed, signal=signals.spider_closed)
        connect(extension.item_dropped, signal=signals.item_dropped)
        return extension
