"""Stop before the disk is full: what is written then is torn."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import NotConfigured

from hongxing_crawler.run import run_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

_EVERY_S = 2.0


class DiskGuard:
    """Look at the free space while responses come in; end the run below the floor."""

    def __init__(self, crawler: Crawler, min_bytes: int) -> None:
        self.crawler = crawler
        self.run = run_of(crawler)
        self.min_bytes = min_bytes
        self._next_look = 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        min_bytes = crawler.settings.getint("HONGXING_DISK_MIN_BYTES")
        if not min_bytes:
            raise NotConfigured("HONGXING_DISK_MIN_BYTES is 0")
        extension = cls(crawler, min_bytes)
        crawler.signals.connect(extension.look, signal=signals.response_received)
        crawler.signals.connect(extension.look, signal=signals.spider_opened)
        return extension

    def look(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _EVERY_S
        free = shutil.disk_usage(self.run.home.root).free
        if free < self.min_bytes:
            detail = f"{free >> 20} MiB free at {self.run.home.root}, {self.min_bytes >> 20} wanted"
            self.run.stop(self.crawler, "disk_full", detail)
