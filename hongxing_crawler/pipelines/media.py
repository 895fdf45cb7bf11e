"""Fetch an article's pictures and attachments, keep their bytes, say so when one fails.

Scrapy's own media pipelines believe torn files, forget failures and re-encode pictures, so this
one fetches through the engine (robots, delays, archive) and keeps what came.
"""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from scrapy import Request
from scrapy.exceptions import NotConfigured

from hongxing_crawler.core.record import MediaFile, media_key
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.fetching.download import EXCHANGE_BODY, EXCHANGE_CODINGS
from hongxing_crawler.fetching.refusals import RefusedError
from hongxing_crawler.running.failures import failure_reason
from hongxing_crawler.running.files import find_media_problem, media_addresses, media_urls
from hongxing_crawler.running.reading import header_address
from hongxing_crawler.running.run import KIND, VISIT, run_of
from hongxing_crawler.store.codings import decode_file
from hongxing_crawler.store.media import is_kept, keep_media
from hongxing_crawler.store.visit import Visit

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response

_REDIRECTS_MAX = 5

logger = logging.getLogger(__name__)


class MediaPipeline:
    """Put a ``MediaFile`` on the visit for every file that its article shows."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        if not settings.getbool("HONGXING_MEDIA_ENABLED"):
            raise NotConfigured("HONGXING_MEDIA_ENABLED is off")
        self.crawler = crawler
        self.stats = crawler.stats
        self.run = run_of(crawler)
        self.max_bytes = settings.getint("HONGXING_MEDIA_MAX_BYTES")
        self.timeout_s = settings.getfloat("HONGXING_MEDIA_TIMEOUT_S")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        if isinstance(item, Visit) and item.cleaned is not None:
            for url in media_urls(item.cleaned.article):
                if url not in item.media:
                    item.media[url] = await self._media(url, item)
        return item

    async def _media(self, url: str, visit: Visit) -> MediaFile:
        known = self.run.state.media(url)
        if known is not None and (is_kept(known, self.run.home.root) or self._is_elsewhere(known)):
            return known
        media = MediaFile(url, status="failed", reason="unusable_url")
        for address in media_addresses(url, self.run.profile, self.run.scope):
            media = await self._fetch(url, address, visit)
            if media.status == "stored":
                break
        self.stats.inc_value(f"hongxing/media/{media.status}_count")
        if media.status != "stored":
            self.stats.inc_value(f"hongxing/media/reason_count/{media.reason}")
        return media

    def _is_elsewhere(self, known: MediaFile) -> bool:
        kept = self.run.state.elsewhere.find(media_key(known.sha256, known.mime))
        return kept is not None and not kept.trouble

    async def _fetch(self, url: str, address: str, visit: Visit) -> MediaFile:
        try:
            response = await self._download(address, visit)
        except Exception as error:  # noqa: BLE001 - any library's error is this file's failure
            return MediaFile(url, status="failed", reason=failure_reason(error))
        if response.status != 200:
            return MediaFile(url, status="failed", reason=f"http_{response.status}")
        return self._keep(url, response)

    async def _download(self, address: str, visit: Visit) -> Response:
        for _ in range(_REDIRECTS_MAX):
            request = Request(
                address,
                meta={
                    VISIT: visit,
                    KIND: "media",
                    "download_maxsize": self.max_bytes,
                    "download_timeout": self.timeout_s,
                },
                headers={"Accept-Encoding": "gzip, deflate"},  # what decode_file can undo
                dont_filter=True,
            )
            response = await self.crawler.engine.download_async(request)
            location = response.headers.get("Location")
            if not (300 <= response.status < 400 and location):
                return response
            address = _follow(address, location)
        raise RefusedError("redirect_loop")

    def _keep(self, url: str, response: Response) -> MediaFile:
        body = response.meta.pop(EXCHANGE_BODY, None) or response.body
        try:
            if isinstance(body, Path):
                body = decode_file(body, response.meta[EXCHANGE_CODINGS], self.max_bytes)
            media = keep_media(url, body, self.run.home.root)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                self.run.stop(self.crawler, "disk_full", str(error))
            return MediaFile(url, status="failed", reason="disk")
        except ValueError:
            return MediaFile(url, status="failed", reason="too_large")
        finally:
            if isinstance(body, Path):
                body.unlink(missing_ok=True)
        problem = find_media_problem(url, media)
        return MediaFile(url, status="failed", reason=problem) if problem else media


def _follow(address: str, location: bytes) -> str:
    try:
        return canonical_url(urljoin(address, header_address(location)))
    except ValueError as error:
        raise RefusedError("redirect_unusable") from error
