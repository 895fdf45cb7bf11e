"""What a run archived besides the pages that it read, for a state that a crawl goes on with.

Rows follow from pages. A home also knows robots.txt, pictures, further parts, visits that failed,
and what robots.txt forbade; a state that is made for rows alone leaves all that out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.running.failures import FINAL_REASONS, REASONS
from hongxing_crawler.running.reading import PRIORITIES
from hongxing_crawler.store.visit import Found, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hongxing_crawler.archive.captures import ArchivedExchange
    from hongxing_crawler.items import Capture
    from hongxing_crawler.reprocessing.run_files import RunFiles
    from hongxing_crawler.store.state import State

PAGE_KINDS: Final = frozenset(PRIORITIES) | {"seed"}
_DENIED, _FORBIDDEN = "robots-denied", "forbidden by robots.txt"
_AT_A_TIME = 500


def take_in_rest(state: State, run: RunFiles, only: Callable[[str], bool]) -> None:
    """Note what the replay of a run passed over; nothing that is known already is noted twice.

    A visit that failed, and was not made good in the same run, is finished as failed; what
    robots.txt forbade is finished as refused, so that it is not asked for in the next run.

    Args:
        state: The state, after the run's pages were read into it.
        run: The run and its files.
        only: Which captures count, by record id.

    Raises:
        HongxingError: As reading and state do; damage in a file is passed over.
    """
    known = {capture.record_id for capture in state.captures(run.run_id)}
    failed: dict[str, ArchivedExchange] = {}
    captures: list[tuple[str, Capture]] = []
    for exchange in _exchanges(run):
        capture = exchange.capture
        if is_unread(exchange):
            failed[capture.url] = exchange
        elif _kind(exchange) in PAGE_KINDS:
            failed.pop(capture.url, None)  # it came in the end
        if capture.record_id not in known and only(capture.record_id):
            captures.append((page_of(exchange), capture))
        if len(captures) == _AT_A_TIME:
            state.add_captures_of(run.run_id, captures)
            captures = []
    state.add_captures_of(run.run_id, captures)
    for exchange in failed.values():
        _finish(state, run.run_id, exchange)


def _exchanges(run: RunFiles) -> Iterator[ArchivedExchange]:
    for path in run.paths:
        yield from read_exchanges(path, [])


def _kind(exchange: ArchivedExchange) -> str:
    return exchange.metadata.get("hongxing-kind", "")


def is_unread(exchange: ArchivedExchange) -> bool:
    """Tell whether a visit of a page brought nothing, or a part of the answer alone."""
    is_page = _kind(exchange) in PAGE_KINDS
    is_cut = "warc-truncated" in exchange.record.fields
    return is_page and (exchange.capture.record_type == "metadata" or is_cut)


def page_of(exchange: ArchivedExchange) -> str:
    """Name the page whose visit archived this; empty for robots.txt, which is of no visit."""
    if _kind(exchange) in PAGE_KINDS:
        return exchange.capture.url
    return exchange.metadata.get("via", "")


def _finish(state: State, run_id: str, exchange: ArchivedExchange) -> None:
    capture, noted = exchange.capture, exchange.metadata
    found = Found(capture.url, _kind(exchange), 0, int(noted.get("hongxing-depth", "0")))
    visit = Visit(state.claim(found, noted.get("via", "")), finished_at=capture.fetched_at)
    if _DENIED in noted:
        visit.outcome, visit.reason = "refused", _FORBIDDEN
    else:
        error = noted.get("fetch-error", "")
        is_long = exchange.record.fields.get("warc-truncated") == "length"
        visit.reason = "too_large" if is_long else REASONS.get(error, error)
        visit.outcome = "rejected" if visit.reason in FINAL_REASONS else "failed"
    state.finish(run_id, visit)
