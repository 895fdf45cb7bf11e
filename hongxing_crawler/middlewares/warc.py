"""Archive every exchange before anything else sees it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import responses as reason_phrases
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest

from hongxing_crawler.exceptions import ArchiveError, StateError
from hongxing_crawler.fetching.download import EXCHANGE, EXCHANGE_BODY, EXCHANGE_CODINGS
from hongxing_crawler.fetching.refusals import ArchiveStoppedError
from hongxing_crawler.items import Exchange
from hongxing_crawler.running.rendering import DOM_URN, PICTURE_URN, RENDERED, RENDERED_TYPE
from hongxing_crawler.running.run import (
    CAPTURE,
    DOCUMENT,
    KIND,
    RENDERING,
    SCREENSHOT,
    SENT_AT,
    VISIT,
    run_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from hongxing_crawler.items import Capture, Original
    from hongxing_crawler.running.run import Run
    from hongxing_crawler.store.visit import Visit

_CLOCK_LOOKS = 20
_LATENCIES_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 1e9)  # upper ends; the report draws them

logger = logging.getLogger(__name__)


class WarcWriterMiddleware:
    """Write each response to the WARC, synced, and note where it lies.

    It stands nearest to the downloader, so nothing has decompressed or redirected the response,
    and a response that cannot be archived is never parsed: the crawl stops.
    """

    def __init__(self, crawler: Crawler, run: Run) -> None:
        self.crawler = crawler
        self.run = run
        self.stats = crawler.stats
        self._clock_looks = _CLOCK_LOOKS

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, run_of(crawler))

    def process_response(self, request: Request, response: Response) -> Response:
        if request.meta.get(KIND) == RENDERING:
            self._archive_rendering(request, response)
            return response
        if "cached" not in response.flags:
            exchange = request.meta.pop(EXCHANGE, None) or _rebuild(request, response)
            self._archive(request, exchange)
        self._note_clock(response)
        self.stats.inc_value("response_received_count")  # Scrapy's own
        return self._unspool(request, response)

    def _note_clock(self, response: Response) -> None:
        """Compare our clock with the server's, as long as answers are fresh and few."""
        if not self._clock_looks:
            return
        self._clock_looks -= 1
        sent_at = _sent_at(response)
        if sent_at is None:
            return
        skew_s = round((self.run.now() - sent_at).total_seconds())
        known = self.stats.get_value("hongxing/archive/clock_skew_s")
        if known is None or abs(skew_s) < abs(known):
            self.stats.set_value("hongxing/archive/clock_skew_s", skew_s)

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Keep what came of a broken response, or that nothing came."""
        if isinstance(exception, IgnoreRequest) or request.meta.get(KIND) == RENDERING:
            return
        exchange = request.meta.pop(EXCHANGE, None)
        if exchange is not None:
            if isinstance(exchange.body, Path):
                request.meta[EXCHANGE_BODY] = exchange.body
            self._archive(request, exchange)
            _drop_spool(request)
            return
        fields = {"fetch-error": type(exception).__name__, "message": str(exception)[:500]}
        fields |= self._found_on(request)
        self._guarded(
            lambda: self.run.writer.write_metadata(
                request.url, fields, fetched_at=request.meta.get(SENT_AT) or self.run.now()
            ),
            request,
        )

    @staticmethod
    def _unspool(request: Request, response: Response) -> Response:
        """Take a page's body back from its file; that of a picture or attachment stays there.

        Its coding is then hidden from Scrapy, which would undo it for the first bytes alone.
        """
        path: Path | None = request.meta.get(EXCHANGE_BODY)
        if path is None:
            return response
        if request.meta.get(KIND) != "media":
            response = response.replace(body=path.read_bytes())
        elif response.status == 200:
            request.meta[EXCHANGE_CODINGS] = _take_codings(response)
            return response
        _drop_spool(request)
        return response

    def _archive(self, request: Request, exchange: Exchange) -> None:
        self._guarded(
            lambda: self.run.writer.write_exchange(
                exchange, original=self._original(request), metadata=self._found_on(request)
            ),
            request,
        )

    def _archive_rendering(self, request: Request, response: Response) -> None:
        """Keep a picture of the page and, last, its DOM, which rows cite and reprocess reads.

        Under addresses of their own: a replay that found the DOM in the place of the page would
        run the page's scripts on it once more, and show every item of a list twice.
        """
        origin: Capture = request.meta[DOCUMENT].meta[CAPTURE]
        moment = request.meta[SENT_AT]
        notes = {**self._found_on(request), "hongxing-kind": RENDERED}
        if picture := request.meta.pop(SCREENSHOT, b""):
            self._guarded(
                lambda: self.run.writer.write_made(
                    PICTURE_URN + origin.url,
                    "image/png",
                    picture,
                    made_at=moment,
                    made_with=origin.record_id,
                ),
                request,
            )
        self._guarded(
            lambda: self.run.writer.write_made(
                DOM_URN + origin.url,
                RENDERED_TYPE,
                response.body,
                made_at=moment,
                converted_from=origin.record_id,
                notes=notes,
            ),
            request,
        )

    def _guarded(self, write: Callable[[], Capture], request: Request) -> None:
        """Archive and note where; when either cannot be written, the crawl ends."""
        try:
            capture = write()
            self.run.note_capture(request, capture)
        except (ArchiveError, StateError) as error:
            _drop_spool(request)
            self.run.stop_for(self.crawler, error)
            raise ArchiveStoppedError(str(error)) from error
        self.stats.inc_value(f"hongxing/archive/record_count/{capture.record_type}")
        self.stats.inc_value("hongxing/archive/byte_count", capture.length)
        if latency_s := request.meta.get("download_latency"):
            upper = next(limit for limit in _LATENCIES_S if latency_s <= limit)
            self.stats.inc_value(f"hongxing/archive/latency_count/{upper:g}")

    def _original(self, request: Request) -> Original | None:
        visit: Visit | None = request.meta.get(VISIT)
        if visit is not None and request.url == visit.ticket.url:
            return visit.ticket.original
        return self.run.state.original(request.url)

    @staticmethod
    def _found_on(request: Request) -> dict[str, str]:
        visit: Visit | None = request.meta.get(VISIT)
        kind = request.meta.get(KIND, "robots")
        if visit is None:
            return {"hongxing-kind": kind}
        ticket = visit.ticket
        via = ticket.found_on if request.url == ticket.url else ticket.url
        fields = {"via": via, "hongxing-kind": kind, "hongxing-depth": str(ticket.depth)}
        return {name: value for name, value in fields.items() if value}


def _drop_spool(request: Request) -> None:
    """Delete the file of a large body that nobody will read."""
    path: Path | None = request.meta.pop(EXCHANGE_BODY, None)
    if path is not None:
        path.unlink(missing_ok=True)


def _sent_at(response: Response) -> datetime | None:
    """Read when the server itself answered; None when a cache did, or nobody says."""
    date = (response.headers.get("Date") or b"").decode("latin-1")[:40]
    if not date or "Age" in response.headers:
        return None
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _take_codings(response: Response) -> list[str]:
    values = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1").lower()
    response.headers.pop("Content-Encoding", None)
    return [name for value in values.split(",") if (name := value.strip())]


def _rebuild(request: Request, response: Response) -> Exchange:
    """Describe an exchange of a handler that keeps no wire bytes (a browser's, for instance)."""
    phrase = reason_phrases.get(response.status, "")
    status_line = f"HTTP/1.1 {response.status} {phrase}".rstrip() + "\r\n"
    return Exchange(
        url=request.url,
        fetched_at=request.meta.get(SENT_AT) or datetime.now(UTC),
        request_head=f"{request.method} {request.url} HTTP/1.1\r\n".encode()
        + _lines(request)
        + b"\r\n",
        response_head=status_line.encode() + _lines(response) + b"\r\n",
        body=response.body,
        ip_address=str(response.ip_address or ""),
        request_body=request.body,
    )


def _lines(message: Request | Response) -> bytes:
    return b"".join(
        name + b": " + value + b"\r\n"
        for name, values in message.headers.items()
        for value in values
    )
