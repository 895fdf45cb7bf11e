"""The end of a visit: everything it brought goes into the tables at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hongxing_crawler.core.record import media_key
from hongxing_crawler.store.articles import is_incomplete
from hongxing_crawler.store.captures import find_full
from hongxing_crawler.store.home_files import describe_media
from hongxing_crawler.store.revisit import PageState, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from hongxing_crawler.core.profile import Revisit
    from hongxing_crawler.core.record import Article, MediaFile
    from hongxing_crawler.store.articles import ArticleTable
    from hongxing_crawler.store.captures import CaptureTable
    from hongxing_crawler.store.frontier import Frontier
    from hongxing_crawler.store.media_table import MediaTable
    from hongxing_crawler.store.outbox import Finished, Outbox
    from hongxing_crawler.store.runs import RunTable
    from hongxing_crawler.store.visit import Visit


@dataclass(frozen=True, slots=True)
class VisitWriter:
    """The tables that a visit touches."""

    _now: Callable[[], datetime]
    _frontier: Frontier
    _captures: CaptureTable
    _media: MediaTable
    _runs: RunTable
    _articles: ArticleTable
    _outbox: Outbox

    def write(self, run_id: str, visit: Visit, revisit: Revisit) -> tuple[list[Article], list[str]]:
        """Write down all that a visit brought, inside the transaction that is open.

        Returns:
            The rows as stored, and new addresses to remember once the transaction has ended well.
        """
        _check_not_modified(visit)
        page = self._frontier.find_page(visit.ticket.id)
        if page is None:
            raise ValueError(f"no ticket of this state: {visit.ticket.url}")
        if visit.outcome == "failed" and page.state not in {"in_flight", "pending"}:
            return [], []
        run_no, ticket = self._runs.number(run_id), visit.ticket
        numbers = [
            self._captures.add(run_no, ticket.id, ticket.url, capture) for capture in visit.captures
        ]
        new = self._frontier.add(visit.links, ticket.id)
        self._media.store(visit.media)
        self._outbox.add(_stored_files(visit.media.values()), self._now())
        if visit.outcome == "failed":
            self._frontier.fail(run_no, visit, page, visit.finished_at or self._now())
            return [], new
        index = find_full(visit.captures, ticket.url)
        page = replace(
            _with_validators(page, visit),
            original_id=page.original_id if index is None else numbers[index],
        )
        return self._settle(run_id, visit, page, revisit), new

    def _settle(
        self, run_id: str, visit: Visit, page: PageState, revisit: Revisit
    ) -> list[Article]:
        run_no, url, moment = self._runs.number(run_id), visit.ticket.url, self._moment(visit)
        rows = [self._articles.take_in(run_no, run_id, row) for row in visit.articles]
        is_gone = visit.outcome == "gone" or (
            visit.reason == "redirect" and self._articles.exists(url)
        )
        if visit.outcome == "unchanged":
            touched = self._articles.touch(url, moment)
            rows += [touched] if touched else []
        changed = any(row.op != "snapshot" for row in rows)
        if visit.ticket.kind == "list" and page.seen and _is_other(visit):
            changed = True
            self._frontier.wake_next_lists(visit.ticket.id, visit.links)
        is_first = not page.seen
        page = settle(
            revisit,
            visit.ticket.kind,
            page,
            is_gone=is_gone,
            changed=changed,
            is_seen=visit.outcome != "refused",
        )
        if is_first and any(is_incomplete(row) for row in rows):
            page = replace(page, interval_s=0.0)  # the next run asks again for what failed
        if page.state == "gone":
            buried = self._articles.bury(run_no, run_id, url, moment)
            rows += [buried] if buried else []
        self._frontier.settle(run_no, visit, page, moment)
        return rows

    def _moment(self, visit: Visit) -> datetime:
        """Return when the visit's answer came, as the archive has it: rows know no other clock."""
        if visit.main is not None:
            return visit.main.fetched_at
        own = [item.fetched_at for item in visit.captures if item.url == visit.ticket.url]
        return own[-1] if own else visit.finished_at or self._now()


def _stored_files(media: Iterable[MediaFile]) -> Iterator[Finished]:
    return (
        describe_media(file, media_key(file.sha256, file.mime)) for file in media if file.sha256
    )


def _is_other(visit: Visit) -> bool:
    """Tell whether a page that was known came with other bytes than before.

    A page that a script fills may show something else although its own bytes are the same.
    """
    if visit.outcome != "done" or visit.main is None:
        return False
    return visit.rendered is not None or visit.main.record_type == "response"


def _check_not_modified(visit: Visit) -> None:
    """A server that answers 304 to a question without validators did not answer it."""
    if visit.status == 304 and not visit.ticket.conditional:
        visit.outcome, visit.reason = "failed", "not_modified_unasked"


def _with_validators(page: PageState, visit: Visit) -> PageState:
    if visit.rendered is not None:  # "not modified" would say nothing of what a script brings
        return replace(page, etag="", last_modified="")
    if visit.status == 200:
        return replace(page, etag=visit.etag, last_modified=visit.last_modified)
    if visit.status == 304:
        return replace(
            page,
            etag=visit.etag or page.etag,
            last_modified=visit.last_modified or page.last_modified,
        )
    return page
