"""One component that decides when to ask again: Retry-After, 429, 503, errors, silence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from scrapy.exceptions import DownloadCancelledError, IgnoreRequest, UnsupportedURLSchemeError
from scrapy.utils.httpobj import urlparse_cached

from hongxing_crawler.fetching.download import PrivateAddressError
from hongxing_crawler.fetching.refusals import HostDownError, RunStoppingError
from hongxing_crawler.running.run import KIND, RENDERING, run_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

ATTEMPT = "hongxing_attempt"  # request.meta: how often this request was repeated
_BESIDE_TIMES = 1  # repeats on hosts that only hold files
_SLICE_S = 0.25  # a stop waits no longer than this for a sleeping request
_SERVER_ERRORS = frozenset({408, 500, 502, 504, 520, 521, 522, 523, 524})
_SLOW_DOWN = frozenset({429, 503})
_FINAL = (IgnoreRequest, DownloadCancelledError, UnsupportedURLSchemeError, PrivateAddressError)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Host:
    """What we know of a host's mood. Times are of the monotonic clock."""

    not_before: float = 0.0
    slow_down_count: int = 0  # 429 and 503 in a row
    forbidden_count: int = 0  # 403 in a row
    error_count: int = 0  # errors and silence in a row
    answered: bool = False  # anything but an error, ever in this run


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """How patient we are. Seconds and counts."""

    base_s: float
    max_s: float
    times: int
    blocked_count: int
    down_count: int


class BackoffMiddleware:
    """Repeat what may pass, wait as long as the server asks, stop when it means no.

    ``Retry-After`` is obeyed up to the limit; a server that asks for more, or says 429, 503 or
    403 too often in a row, ends the run as ``blocked``. Silence ends it as ``site_down``. The
    URLs that were waiting stay pending, for the next run.
    """

    def __init__(self, crawler: Crawler, policy: BackoffPolicy) -> None:
        self.crawler = crawler
        self.stats = crawler.stats
        self.run = run_of(crawler)
        self.policy = policy
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        return cls(
            crawler,
            BackoffPolicy(
                base_s=settings.getfloat("HONGXING_BACKOFF_BASE_S"),
                max_s=settings.getfloat("HONGXING_BACKOFF_MAX_S"),
                times=settings.getint("HONGXING_BACKOFF_TIMES"),
                blocked_count=settings.getint("HONGXING_BACKOFF_BLOCKED_COUNT"),
                down_count=settings.getint("HONGXING_BACKOFF_DOWN_COUNT"),
            ),
        )

    async def process_request(self, request: Request) -> None:
        if request.meta.get(KIND) == RENDERING:
            return
        host = self._host(request)
        if host.error_count >= self.policy.down_count:
            raise HostDownError(f"{urlparse_cached(request).netloc} does not answer")
        while (wait_s := host.not_before - time.monotonic()) > 0:
            if self.run.is_ending(self.crawler):
                raise RunStoppingError("the run is stopping")
            await asyncio.sleep(min(wait_s, _SLICE_S))

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if request.meta.get(KIND) == RENDERING:
            return response
        host = self._host(request)
        if response.status in _SLOW_DOWN:
            return self._slow_down(host, request, response)
        if response.status in _SERVER_ERRORS:
            return self._repeat(host, request, str(response.status)) or response
        host.slow_down_count = host.error_count = 0
        host.answered = True
        host.forbidden_count = host.forbidden_count + 1 if response.status == 403 else 0
        if host.forbidden_count >= self.policy.blocked_count:
            self._stop(request, "blocked", f"403 came {host.forbidden_count} times in a row")
        return response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        if isinstance(exception, _FINAL) or request.meta.get(KIND) == RENDERING:
            return None  # a page that breaks the browser says nothing of its host
        return self._repeat(self._host(request), request, type(exception).__name__)

    def _slow_down(self, host: _Host, request: Request, response: Response) -> Request | Response:
        host.slow_down_count += 1
        attempt = request.meta.get(ATTEMPT, 0) + 1
        wait_s = retry_after_s(response, datetime.now(UTC))
        if wait_s is None:
            wait_s = self.policy.base_s * 2.0**host.slow_down_count
        self.stats.inc_value(f"hongxing/backoff/slow_down_count/{response.status}")
        if wait_s > self.policy.max_s or host.slow_down_count > self.policy.blocked_count:
            detail = f"{response.status} came {host.slow_down_count} times, wait {wait_s:.0f} s"
            self._stop(request, "blocked", detail)
            host.error_count = self.policy.down_count
            raise HostDownError(f"{request.url}: {detail}")
        if response.status == 503 and host.answered and attempt > self.policy.times:
            return response  # this page's own trouble, as long as others answer
        host.not_before = time.monotonic() + wait_s
        logger.info("%s answers %d: waiting %.0f s", request.url, response.status, wait_s)
        return request.replace(meta={**request.meta, ATTEMPT: attempt}, dont_filter=True)

    def _repeat(self, host: _Host, request: Request, reason: str) -> Request | None:
        attempt = request.meta.get(ATTEMPT, 0) + 1
        if attempt == 1 or not reason.isdigit():  # a page that is broken is no host that is down
            host.error_count += 1
        self.stats.inc_value(f"hongxing/backoff/retry_count/{reason}")
        times = self.policy.times if self.run.is_main_host(request.url) else _BESIDE_TIMES
        if reason == "CannotResolveHostError" and not self.run.is_main_host(request.url):
            times = 0  # a former host of a picture: the name is gone, waiting brings nothing
        hopeless = not host.answered and attempt > times
        if hopeless:
            host.error_count = self.policy.down_count
        if host.error_count >= self.policy.down_count or hopeless:
            if request.meta.get(KIND) != "robots":  # its own middleware judges that
                self._stop(request, "site_down", f"{reason}, {host.error_count} times in a row")
            return None
        if attempt > times:
            return None
        host.not_before = time.monotonic() + self.policy.base_s * 2.0 ** (attempt - 1)
        return request.replace(meta={**request.meta, ATTEMPT: attempt}, dont_filter=True)

    def _stop(self, request: Request, reason: str, detail: str) -> None:
        if self.run.is_main_host(request.url):
            self.run.stop(self.crawler, reason, f"{request.url}: {detail}")

    def _host(self, request: Request) -> _Host:
        return self._hosts[urlparse_cached(request).netloc]


def retry_after_s(response: Response, now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, None when it says nothing usable.

    Source: RFC 9110, section 10.2.3: delay in seconds, or an HTTP date.
    """
    value = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
