"""Pause before the disk is full, go on when there is room again: what is written then is torn."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import NotConfigured

from hongxing_crawler.running.run import run_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

_EVERY_S = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """When to pause, when to go on, and how long to wait for that."""

    min_bytes: int  # pause below
    resume_bytes: int  # go on above; higher, so that it does not flutter
    wait_s: float  # then end the run


class DiskGuard:
    """Look at the free space while responses come in.

    Below the floor nothing more is asked. When somebody makes room within the time given, enough
    for more than the next page, the crawl goes on; else the run ends, resumable.
    """

    def __init__(self, crawler: Crawler, limits: DiskLimits) -> None:
        self.crawler = crawler
        self.run = run_of(crawler)
        self.limits = limits
        self._next_look = 0.0
        self._waiting: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        min_bytes = settings.getint("HONGXING_DISK_MIN_BYTES")
        if not min_bytes:
            raise NotConfigured("HONGXING_DISK_MIN_BYTES is 0")
        resume_bytes = settings.getint("HONGXING_DISK_RESUME_BYTES") or 2 * min_bytes
        wait_s = settings.getfloat("HONGXING_DISK_WAIT_S")
        extension = cls(crawler, DiskLimits(min_bytes, max(resume_bytes, min_bytes), wait_s))
        crawler.signals.connect(extension.look, signal=signals.response_received)
        crawler.signals.connect(extension.look, signal=signals.spider_opened)
        crawler.signals.connect(extension.spider_closed, signal=signals.spider_closed)
        return extension

    def look(self) -> None:
        if self._waiting is not None or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _EVERY_S
        free = self._free_bytes()
        if free >= self.limits.min_bytes:
            return
        if self.limits.wait_s <= 0:
            self._stop(free)
        else:
            self._waiting = asyncio.ensure_future(self._pause(free))

    def spider_closed(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self.run.home.root).free

    async def _pause(self, free: int) -> None:
        engine, stats = self.crawler.engine, self.crawler.stats
        stats.inc_value("hongxing/disk/pause_count")
        logger.warning(
            "paused: %d MiB free at %s; goes on above %d MiB, or ends in %.0f s",
            free >> 20,
            self.run.home.root,
            self.limits.resume_bytes >> 20,
            self.limits.wait_s,
        )
        deadline = time.monotonic() + self.limits.wait_s
        while not engine.running:  # noqa: ASYNC110 - it starts within the same moment
            await asyncio.sleep(0.01)
        engine.pause()
        while engine.running and not self.run.stopping:
            free = self._free_bytes()
            if free >= self.limits.resume_bytes:
                logger.warning("goes on: %d MiB free", free >> 20)
                break
            if time.monotonic() >= deadline:
                self._stop(free)
                break
            await asyncio.sleep(min(_EVERY_S, self.limits.wait_s))
        engine.unpause()
        self._waiting = None

    def _stop(self, free: int) -> None:
        wanted = self.limits.min_bytes
        detail = f"{free >> 20} MiB free at {self.run.home.root}, {wanted >> 20} wanted"
        self.run.stop(self.crawler, "disk_full", detail)
