"""One run again: its archived exchanges go through the functions that the crawl used."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.statscollectors import DummyStatsCollector

from hongxing_crawler.addons import SCRAPY_SETTINGS
from hongxing_crawler.archive.captures import ArchivedExchange, read_exchanges
from hongxing_crawler.core.clean import clean, join_parts
from hongxing_crawler.core.page import extract
from hongxing_crawler.core.record import MediaFile
from hongxing_crawler.core.urls import Scope, canonical_url
from hongxing_crawler.exceptions import ArchiveError, PageError
from hongxing_crawler.fetching.refusals import PartFailedError
from hongxing_crawler.reprocessing.replay_films import FilmReplay, body_record
from hongxing_crawler.reprocessing.response_heads import read_headers
from hongxing_crawler.running.failures import FINAL_REASONS, REASONS
from hongxing_crawler.running.files import find_media_problem, media_addresses, media_urls
from hongxing_crawler.running.parts import PartQueue, sort_parts
from hongxing_crawler.running.reading import (
    PRIORITIES,
    Answer,
    header_address,
    read_answer,
    rendered_answer,
)
from hongxing_crawler.running.rendering import RENDERED
from hongxing_crawler.running.rows import article_of
from hongxing_crawler.running.starts import START_PRIORITIES
from hongxing_crawler.spiders.news import NewsSpider
from hongxing_crawler.store.media import keep_media
from hongxing_crawler.store.visit import Found, Ticket, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from hongxing_crawler.archive.findings import Finding
    from hongxing_crawler.core.document import Page
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.reprocessing.run_files import RunFiles
    from hongxing_crawler.store.state import State

_FRONTIER_KINDS = frozenset(PRIORITIES) | {"seed"}
_REDIRECTS_MAX = 5


@dataclass(slots=True)
class ReprocessResult:
    """What came of it: rows per run, what was damaged, and where the export lies."""

    runs: list[str] = field(default_factory=list)
    page_count: int = 0
    article_count: int = 0
    problems: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)


class Replay:
    """One run, from its exchanges."""

    def __init__(
        self,
        profile: SiteProfile,
        state: State,
        run: RunFiles,
        located: dict[str, tuple[Path, int]],
        only: Callable[[str], bool],
        result: ReprocessResult,
    ) -> None:
        self.profile = profile
        self.scope = Scope(profile)
        self.state = state
        self.run = run
        self.located = located
        self.only = only
        self.result = result
        self.ended_at = run.started_at
        self.with_links = False
        self._findings: list[Finding] = []
        self._pages: list[ArchivedExchange] = []
        self._beside: dict[tuple[str, str], ArchivedExchange] = {}  # (page, URL): parts and media
        self._rendered: dict[str, ArchivedExchange] = {}  # by record id of the page as it came
        self._last: dict[tuple[str, str], ArchivedExchange] = {}  # of files, whole or not
        self._failed_parts: set[tuple[str, str]] = set()
        self._seed_digests: set[str] = set()
        self._decoder = _make_decoder()

    def replay(self) -> None:
        for path in self.run.paths:
            for exchange in read_exchanges(path, self._findings):
                self._take_in(exchange, path)
        if self.with_links:
            self.state.add_found(self._starts(), "")
        for exchange in self._pages:
            self._visit(exchange)
        self.result.problems += [str(finding) for finding in self._findings]

    def _starts(self) -> Iterator[Found]:
        """Find the start pages, which a crawl knows before any link, and asks in their rank."""
        for exchange in self._pages:
            kind = exchange.metadata["hongxing-kind"]
            if "via" not in exchange.metadata and kind in START_PRIORITIES:
                yield Found(exchange.capture.url, kind, START_PRIORITIES[kind])

    def visits(
        self, exchanges: Iterable[tuple[ArchivedExchange, Path]], seed_digests: set[str]
    ) -> Iterator[Visit]:
        """Read given pages, each with what came beside it."""
        self._seed_digests |= seed_digests
        for exchange, path in exchanges:
            self._take_in(exchange, path)
        for exchange in self._pages:
            noted = exchange.metadata
            kind, depth = noted["hongxing-kind"], int(noted.get("hongxing-depth", "0"))
            via = noted.get("via", "")
            yield self.read(exchange, Ticket(0, exchange.capture.url, kind, 0, depth, 0, via))

    def _take_in(self, exchange: ArchivedExchange, path: Path) -> None:
        capture, kind = exchange.capture, exchange.metadata.get("hongxing-kind", "")
        self.ended_at = max(self.ended_at, capture.fetched_at)
        if capture.record_type == "response":
            self.located[capture.record_id] = (path, capture.offset)
        if not self.only(capture.record_id):
            return
        if capture.record_type == "conversion":
            if kind == RENDERED:
                self._rendered[exchange.record.fields["warc-refers-to"][1:-1]] = exchange
            return
        place = exchange.metadata.get("via", ""), capture.url
        if kind == "media":
            self._last[place] = exchange
        self._failed_parts.discard(place)
        if capture.record_type == "metadata" or "warc-truncated" in exchange.record.fields:
            if kind == "part" and not _is_final(exchange):
                self._failed_parts.add(place)
            return  # nothing came, or a part of it, which the crawl does not read
        if kind in _FRONTIER_KINDS:
            self._pages.append(exchange)
        elif kind in {"part", "media"}:
            self._beside[place] = exchange

    def _visit(self, exchange: ArchivedExchange) -> None:
        capture, metadata = exchange.capture, exchange.metadata
        kind, depth = metadata["hongxing-kind"], int(metadata.get("hongxing-depth", "0"))
        ticket = self.state.claim(Found(capture.url, kind, 0, depth), metadata.get("via", ""))
        try:
            visit = self.read(exchange, ticket)
        except (IgnoreRequest, ArchiveError) as error:
            self.result.problems.append(f"{capture.url}: {error}")
            return
        self.result.page_count += 1
        self.result.article_count += len(self.state.finish(self.run.run_id, visit))

    def read(self, exchange: ArchivedExchange, ticket: Ticket) -> Visit:
        """Read a page as the crawl did; nothing is stored."""
        capture = exchange.capture
        visit = Visit(ticket, finished_at=capture.fetched_at, captures=[capture], main=capture)
        response = self._response(exchange)
        kind, depth = ticket.kind, ticket.depth
        answer = self._answer(response, visit)
        visit.raw_sha256 = hashlib.sha256(answer.body).hexdigest()
        if rendered := self._rendered.get(capture.record_id):
            visit.rendered = rendered.capture
            answer = rendered_answer(answer, rendered.record.payload())
        reading = read_answer(answer, kind, depth, self.profile, self.scope, self._seed_digests)
        if kind == "seed" and answer.status == 200:
            self._seed_digests.add(answer.payload_digest)
        visit.outcome, visit.reason = reading.outcome, reading.reason
        visit.links = [*reading.links, *reading.lists] if self.with_links else []
        if reading.page is not None:
            try:
                self._article(visit, reading.page)
            except PartFailedError:
                visit.outcome, visit.reason = "failed", "part_failed"
        return visit

    def _answer(self, response: Response, visit: Visit) -> Answer:
        header = response.headers.get
        visit.status, visit.final_url = response.status, response.url
        visit.etag, visit.last_modified = _text(header("ETag")), _text(header("Last-Modified"))
        visit.content_type = _text(header("Content-Type"))
        assert visit.main is not None
        return Answer(
            url=response.url,
            status=response.status,
            content_type=visit.content_type,
            location=header_address(header("Location")),
            body=response.body,
            payload_digest=visit.main.payload_digest,
            found_on=visit.ticket.found_on,
        )

    def _article(self, visit: Visit, page: Page) -> None:
        visit.cleaned = clean(self._with_parts(page, visit), self.profile)
        for url in media_urls(visit.cleaned.article):
            visit.media[url] = self._media(url, visit)
        visit.media |= self._films(visit)
        try:
            visit.articles = [article_of(visit, self.run.run_id, self.profile, self.scope)]
        except PageError as error:
            visit.outcome, visit.reason = "rejected", str(error)

    def _with_parts(self, first: Page, visit: Visit) -> Page:
        parts, queue = {first.url: first}, PartQueue(first)
        for url in queue:
            page = self._part(url, visit)
            if page is None:
                visit.warnings.append(f"part_missing {url}")
            else:
                parts[url] = page
                queue.add(page)
        return join_parts(sort_parts(parts.values())) if len(parts) > 1 else first

    def _part(self, url: str, visit: Visit) -> Page | None:
        place = visit.ticket.url, url
        exchange = self._beside.get(place)
        if place in self._failed_parts:
            raise PartFailedError(url)
        if exchange is None:
            return None
        try:
            response = self._response(exchange)
        except IgnoreRequest:  # too large once it was unpacked
            return None
        if response.status >= 500:
            raise PartFailedError(url)
        if response.status != 200:
            return None
        content_type = _text(response.headers.get("Content-Type"))
        return extract(response.body, url, self.profile, content_type=content_type)

    def _media(self, url: str, visit: Visit) -> MediaFile:
        known = self.state.media(url)
        if known is not None and known.sha256:
            return known
        for address in media_addresses(url, self.profile, self.scope):
            exchange = self._final(visit.ticket.url, address)
            if exchange is None or exchange.capture.status != 200:
                continue
            with contextlib.suppress(IgnoreRequest, ArchiveError):  # too large, or lost
                media = keep_media(url, self._response(exchange).body, None)
                if not find_media_problem(url, media):
                    return media
        return MediaFile(url, status="failed", reason="not in the archive")

    def _films(self, visit: Visit) -> dict[str, MediaFile]:
        """Take the films that the run took, and tell of those that an earlier one has kept."""
        assert visit.cleaned is not None
        found: dict[str, MediaFile] = {}
        for url in visit.cleaned.article.videos:
            known = self.state.media(url)
            if known is not None and known.sha256:
                found[url] = known
            elif self.run.video_max_bytes:
                films = FilmReplay(self._last, self.located, visit.ticket.url)
                found[url] = films.take(url, self.profile, self.scope, self.run)
        return found

    def _final(self, page: str, address: str) -> ArchivedExchange | None:
        """Follow the archived redirects of a file."""
        for _ in range(_REDIRECTS_MAX):
            exchange = self._beside.get((page, address))
            if exchange is None or not 300 <= exchange.capture.status < 400:
                return exchange
            location = header_address(read_headers(exchange.response_head).get("Location"))
            try:
                address = canonical_url(urljoin(address, location))
            except ValueError:
                return None
        return None

    def _response(self, exchange: ArchivedExchange) -> Response:
        """Rebuild Scrapy's response, decoded by the middleware that the crawl uses."""
        capture = exchange.capture
        response = Response(
            capture.url,
            status=capture.status,
            headers=read_headers(exchange.response_head),
            body=self._body(exchange),
        )
        is_media = exchange.metadata.get("hongxing-kind", "") == "media"
        limit = self.run.media_max_bytes if is_media else self.run.page_max_bytes
        request = Request(capture.url, meta={"download_maxsize": limit})
        decoded = self._decoder.process_response(request, response)
        assert isinstance(decoded, Response)
        return decoded

    def _body(self, exchange: ArchivedExchange) -> bytes:
        is_empty = exchange.original is not None and exchange.capture.status == 304
        return b"" if is_empty else body_record(exchange, self.located).payload()


def _is_final(exchange: ArchivedExchange) -> bool:
    """Tell whether the crawl gave a page up for good rather than for now."""
    if exchange.capture.record_type == "metadata":
        error = exchange.metadata.get("fetch-error", "")
        return not error or REASONS.get(error, "") in FINAL_REASONS
    return exchange.record.fields["warc-truncated"] == "length"


def _make_decoder() -> HttpCompressionMiddleware:
    limits = {name: SCRAPY_SETTINGS[name] for name in ("DOWNLOAD_MAXSIZE", "DOWNLOAD_WARNSIZE")}
    crawler = Crawler(NewsSpider, limits)
    crawler.stats = DummyStatsCollector(crawler)
    return HttpCompressionMiddleware(crawler=crawler)


def _text(value: bytes | None) -> str:
    return value.decode("latin-1") if value else ""
