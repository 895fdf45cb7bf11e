"""One spider for every site: what a page is and where it leads comes from the site's profile."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider

from hongxing_crawler.core.clean import join_parts
from hongxing_crawler.core.page import extract
from hongxing_crawler.fetching.refusals import (
    HostDownError,
    PartFailedError,
    RefusedError,
    RobotsDeniedError,
    RobotsUnreachableError,
    RunStoppingError,
)
from hongxing_crawler.running.failures import FINAL_REASONS, failure_reason
from hongxing_crawler.running.parts import PartQueue, sort_parts
from hongxing_crawler.running.reading import (
    Answer,
    choose_links,
    header_address,
    impression_of,
    read_answer,
    rendered_answer,
)
from hongxing_crawler.running.run import CAPTURE, KIND, VISIT, WANTED_PAGES, run_of
from hongxing_crawler.spiders.render import render_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from scrapy.http import Response
    from twisted.python.failure import Failure

    from hongxing_crawler.core.document import Page
    from hongxing_crawler.running.reading import Reading
    from hongxing_crawler.running.rendering import Impression
    from hongxing_crawler.running.run import Run
    from hongxing_crawler.store.visit import Ticket, Visit

_REFUSALS = (RobotsDeniedError, RefusedError)
_SCRIPT_REDIRECT_DEPTH = 15  # counts as so many links: a chain of them ends soon
# The URL is not to blame: it stays pending.
_NOT_OURS = (RobotsUnreachableError, HostDownError, RunStoppingError)


class NewsSpider(Spider):
    """Turn responses into finished visits; the frontier decides what is asked next.

    A visit leaves the spider as an item: with a page when it is an article, with links when it
    has any, and always with an outcome. The store pipeline writes all of it at once.
    """

    name = "hongxing"

    @property
    def run(self) -> Run:
        """The run in progress; settings are complete only after the spider is made."""
        return run_of(self.crawler)

    async def start(self) -> AsyncIterator[Any]:
        """Yield nothing: the seeds are in the frontier."""
        nothing: tuple[Any, ...] = ()
        for request in nothing:
            yield request

    def parse(self, response: Response) -> list[Visit] | Coroutine[Any, Any, list[Visit]]:
        """Read a response; only an article of several pages has to wait (a task costs 0.1 ms)."""
        visit: Visit = response.meta[VISIT]
        run, ticket = self.run, visit.ticket
        answer = self._answer(response, visit)
        reading = self._read(answer, ticket)
        if ticket.kind == "seed" and answer.status == 200:
            run.seed_digests.add(answer.payload_digest)
        visit.raw_sha256 = hashlib.sha256(answer.body).hexdigest()
        seen = self._look(answer, ticket, reading)
        if seen is not None and run.rendering.is_wanted(answer.url, seen):
            return self._render(response, visit, answer, reading)
        return self._take(reading, visit)

    def _read(self, answer: Answer, ticket: Ticket) -> Reading:
        run = self.run
        return read_answer(
            answer, ticket.kind, ticket.depth, run.profile, run.scope, run.seed_digests
        )

    def _look(self, answer: Answer, ticket: Ticket, reading: Reading) -> Impression | None:
        """Look at a page as a reader would; a start page may be a list or an article."""
        kind = self.run.scope.classify(answer.url) if ticket.kind == "seed" else ticket.kind
        return impression_of(answer, kind, reading)

    def _take(
        self, reading: Reading, visit: Visit
    ) -> list[Visit] | Coroutine[Any, Any, list[Visit]]:
        """Put what was read on the visit."""
        run, ticket = self.run, visit.ticket
        if reading.blocked:
            run.stop(self.crawler, "blocked", f"{ticket.url} shows a block page")
        visit.outcome, visit.reason = reading.outcome, reading.reason
        chosen = (*run.lists.choose(ticket, reading.links), *reading.lists)
        visit.links = [link for link in chosen if run.wants(link)]
        visit.page = page = reading.page
        if page is not None and page.next_parts:
            return self._add_parts(page, visit)
        return [visit]

    async def _render(
        self, response: Response, visit: Visit, answer: Answer, reading: Reading
    ) -> list[Visit]:
        """Look at a page in the browser; when that fails, the page as it came stands."""
        rendered = await render_page(self.crawler, response, visit)
        if rendered is None and self.run.is_ending(self.crawler):
            self.run.leave(visit)
            return []
        if rendered is not None:
            visit.rendered = rendered.meta[CAPTURE]
            shown = rendered_answer(answer, rendered.body)
            reading = self._read(shown, visit.ticket)
            seen = self._look(shown, visit.ticket, reading)
            if seen is not None:
                self.run.rendering.note(answer.url, seen)
            wanted = choose_links(
                rendered.meta[WANTED_PAGES],
                visit.ticket.depth + _SCRIPT_REDIRECT_DEPTH,
                self.run.profile,
                self.run.scope,
            )
            reading = replace(reading, links=tuple(dict.fromkeys((*reading.links, *wanted))))
        taken = self._take(reading, visit)
        return taken if isinstance(taken, list) else await taken

    async def _add_parts(self, first: Page, visit: Visit) -> list[Visit]:
        visit.page = None
        try:
            visit.page = await self._with_parts(first, visit)
        except PartFailedError as error:
            if self.run.stopping or isinstance(error.__cause__, _NOT_OURS):
                self.run.leave(visit)
                return []
            visit.outcome, visit.reason = "failed", "part_failed"
        return [visit]

    def _answer(self, response: Response, visit: Visit) -> Answer:
        header = response.headers.get
        visit.status = response.status
        visit.final_url = response.url
        visit.etag = _text(header("ETag"))
        visit.last_modified = _text(header("Last-Modified"))
        visit.finished_at = self.run.now()
        visit.content_type = _text(header("Content-Type"))
        visit.main = capture = response.meta.get(CAPTURE)
        return Answer(
            url=response.url,
            status=response.status,
            content_type=visit.content_type,
            location=header_address(header("Location")),
            body=response.body,
            payload_digest=capture.payload_digest if capture else "",
            found_on=visit.ticket.found_on,
        )

    async def _with_parts(self, first: Page, visit: Visit) -> Page:
        """Fetch the article's other pages now, so that it is stored whole or not at all."""
        parts, queue = {first.url: first}, PartQueue(first)
        limit = self.crawler.settings.getint("HONGXING_PARTS_MAX_COUNT")
        for url in queue:
            page = await self._part(url, visit) if len(parts) < limit else None
            if page is None:
                visit.warnings.append(f"part_missing {url}")
            else:
                parts[url] = page
                queue.add(page)
        return join_parts(sort_parts(parts.values())) if len(parts) > 1 else first

    async def _part(self, url: str, visit: Visit) -> Page | None:
        """Fetch one more page of an article; None when there is none to be had.

        Raises:
            PartFailedError: It may be had another time; half an article is not stored.
        """
        if not self.run.is_ours(url):
            return None
        request = Request(url, meta={VISIT: visit, KIND: "part"}, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
        except _REFUSALS:
            return None
        except Exception as error:
            if failure_reason(error) in FINAL_REASONS:
                return None
            raise PartFailedError(url) from error
        if response.status >= 500:
            raise PartFailedError(url)
        if response.status != 200:
            return None
        content_type = _text(response.headers.get("Content-Type"))
        return extract(response.body, url, self.run.profile, content_type=content_type)

    def on_failure(self, failure: Failure) -> list[Visit]:
        """Give a visit that got no response its outcome."""
        visit: Visit = failure.request.meta[VISIT]  # type: ignore[attr-defined] # Scrapy sets it
        error: BaseException = failure.value  # type: ignore[assignment] # never None in an errback
        visit.finished_at = self.run.now()
        if isinstance(error, _REFUSALS):
            visit.outcome, visit.reason = "refused", str(error)
        elif isinstance(error, _NOT_OURS) or self.run.stopping:
            self.run.leave(visit)
            return []
        else:
            visit.reason = failure_reason(error)
            visit.outcome = "rejected" if visit.reason in FINAL_REASONS else "failed"
        return [visit]


def _text(value: bytes | None) -> str:
    return value.decode("latin-1") if value else ""
