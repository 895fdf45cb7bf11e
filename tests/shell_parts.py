"""Components that somebody may add to the crawler, and that misbehave; named in tests' settings."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

from scrapy import Request, signals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response

FILE_MAX_BYTES = 1 << 20


class SmallFiles:
    """No file of this process may grow beyond a megabyte: writing to the archive then fails."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls()
        crawler.signals.connect(extension.limit, signal=signals.spider_opened)
        return extension

    def limit(self) -> None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX_BYTES, hard))


class OddStats:
    """A statistic whose name is no text."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        crawler.stats.set_value(5, "five")
        return cls()


class RaisingOutput:
    """A spider's callback that fails on one page."""

    async def process_spider_output(self, response: Response, result: Any) -> AsyncIterator[Any]:
        if "raise-callback" in response.url:
            raise ZeroDivisionError("the callback fails")
        async for item in result:
            yield item


class RaisingPipeline:
    """A pipeline that fails on one page."""

    def process_item(self, item: Any) -> Any:
        if "raise-pipeline" in item.ticket.url:
            raise ZeroDivisionError("the pipeline fails")
        return item


class ForeignRequests:
    """A spider that yields requests of its own on the start page."""

    async def process_spider_output(self, response: Response, result: Any) -> AsyncIterator[Any]:
        async for item in result:
            yield item
        if response.url.endswith("/"):
            for target in ("/a/foreign.html", "/visit/9", "/a/foreign.html#again"):
                yield Request(response.urljoin(target))
            yield Request("file:///etc/passwd")
            yield Request("http://169.254.169.254/latest/meta-data/")
            yield Request("https://www.example.org/a/1.html")
