"""Fetch an article's films when that is wanted: streamed to disk, within limits, archived."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import Request

from hongxing_crawler.core.record import MediaFile
from hongxing_crawler.fetching.download import (
    EXCHANGE_BODY,
    EXCHANGE_CODINGS,
    FILM,
    TOO_LARGE_BYTES,
)
from hongxing_crawler.fetching.refusals import RobotsDeniedError
from hongxing_crawler.running.failures import failure_reason
from hongxing_crawler.running.films import NOT_FETCHED, FilmLimits, FilmTaker, Got, find_refusal
from hongxing_crawler.running.reading import header_address
from hongxing_crawler.running.run import KIND, VISIT, run_of
from hongxing_crawler.store.codings import decode_file
from hongxing_crawler.store.media import is_kept
from hongxing_crawler.store.visit import Visit

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from hongxing_crawler.running.films import Ask

_UNARCHIVED = (
    "IgnoreRequest",
    "RefusedError",
    "RunStoppingError",
    "HostDownError",
    "RobotsUnreachableError",
    "ArchiveStoppedError",
)


class VideoPipeline:
    """Put a ``MediaFile`` on the visit for every film that its article shows.

    Where films are not wanted, those that an earlier run has kept are still told of.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.stats = crawler.stats
        self.run = run_of(crawler)
        self.is_on = settings.getbool("HONGXING_VIDEOS_ENABLED")
        self.timeout_s = settings.getfloat("HONGXING_VIDEOS_TIMEOUT_S")
        limits = FilmLimits(
            settings.getint("HONGXING_VIDEOS_MAX_BYTES"),
            settings.getint("HONGXING_VIDEOS_MAX_PIECES"),
        )
        home = self.run.home
        self.taker = FilmTaker(self.run.profile, self.run.scope, limits, home.spool, home.root)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        if isinstance(item, Visit) and item.cleaned is not None:
            for url in item.cleaned.article.videos:
                known = self.run.state.media(url)
                if known is not None and is_kept(known, self.run.home.root):
                    item.media[url] = known
                elif self.is_on:
                    item.media[url] = await self._film(url, item)
        return item

    async def _film(self, url: str, visit: Visit) -> MediaFile:
        """Walk through the steps of a film until it is there or known not to come."""
        until = time.monotonic() + self.timeout_s
        steps = self.taker.steps(url)
        try:
            ask = next(steps)
            while True:
                ask = steps.send(await self._ask(ask, visit, until))
        except StopIteration as end:
            film: MediaFile = end.value
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                self.run.stop(self.crawler, "disk_full", str(error))
            film = MediaFile(url, status="failed", reason="disk")
        finally:
            steps.close()
        self._count(film)
        return film

    def _count(self, film: MediaFile) -> None:
        self.stats.inc_value(f"hongxing/videos/{film.status}_count")
        if film.status == "stored":
            self.stats.inc_value("hongxing/videos/byte_count", film.bytes)
        else:
            self.stats.inc_value(f"hongxing/videos/reason_count/{film.reason}")

    async def _ask(self, ask: Ask, visit: Visit, until: float) -> Got:
        left_s = until - time.monotonic()
        if reason := find_refusal(ask.url, self.run.profile, self.run.scope):
            return Got(reason=reason)
        if left_s <= 0 or self.run.is_ending(self.crawler):
            return Got(reason=NOT_FETCHED)
        request = Request(
            ask.url,
            meta={
                VISIT: visit,
                KIND: "media",
                FILM: True,
                "download_maxsize": ask.max_bytes,
                "download_timeout": left_s,
            },
            headers={"Accept-Encoding": "identity"},
            dont_filter=True,
        )
        try:
            response = await self.crawler.engine.download_async(request)
        except RobotsDeniedError:
            return Got(reason="robots_denied")
        except Exception as error:  # noqa: BLE001 - any library's error is this film's failure
            return _failed(error, request)
        return self._got(response, ask)

    @staticmethod
    def _got(response: Response, ask: Ask) -> Got:
        body = response.meta.pop(EXCHANGE_BODY, None) or response.body
        if isinstance(body, Path):
            try:
                body = decode_file(body, response.meta[EXCHANGE_CODINGS], ask.max_bytes)
            except ValueError:
                body.unlink(missing_ok=True)
                return Got(reason="too_large", size=ask.max_bytes)
        location = header_address(response.headers.get("Location"))
        return Got(response.status, location, body)


def _failed(error: Exception, request: Request) -> Got:
    if type(error).__name__ in _UNARCHIVED:
        return Got(reason=NOT_FETCHED)
    return Got(reason=failure_reason(error), size=request.meta.get(TOO_LARGE_BYTES, 0))
