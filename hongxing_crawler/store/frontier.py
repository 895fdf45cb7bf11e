"""The frontier: which URL is asked next, which one when, and which one never again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hongxing_crawler.items import Original
from hongxing_crawler.store.moments import from_us, to_us, url_key
from hongxing_crawler.store.recent import RecentUrls
from hongxing_crawler.store.revisit import PageState, Retry, is_sampled
from hongxing_crawler.store.visit import Ticket

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date, datetime

    from hongxing_crawler.store.database import Database
    from hongxing_crawler.store.visit import Found, Visit

_TAKE = """
SELECT u.id, u.url, u.kind, u.priority, u.depth, u.attempts, f.url,
  p.etag, p.last_modified, p.seen, a.incomplete,
  COALESCE(c.url, u.url), c.fetched_at, c.record_id, c.payload_digest
FROM urls u
LEFT JOIN urls f ON f.id = u.found_on
LEFT JOIN pages p ON p.url_id = u.id
LEFT JOIN articles a ON a.key = u.key
LEFT JOIN captures c ON c.id = p.original_id
  AND EXISTS (SELECT 1 FROM warc_files w WHERE w.no = c.warc_no AND w.missing = 0)
"""
_PLAN_FAILED = """
UPDATE urls SET state = 'pending', attempts = 0, not_before = 0 WHERE state = 'failed'
"""
_PLAN_DUE = """
UPDATE urls SET state = 'pending', attempts = 0, not_before = 0
WHERE state IN ('done', 'gone')
  AND (? = 1 OR id IN (SELECT url_id FROM pages WHERE due_at <= ?))
  AND (? = 1 OR kind IN ('seed', 'list', 'topic', 'sitemap', 'feed')
    OR key IN (SELECT key FROM articles WHERE published_day >= ? OR published_day IS NULL))
"""
_COUNT = """
SELECT 'pending', COUNT(*) FROM urls WHERE state = 'pending'
UNION ALL SELECT 'in_flight', COUNT(*) FROM urls WHERE state = 'in_flight'
UNION ALL SELECT state, COUNT(*) FROM urls WHERE state IN ('failed', 'gone', 'excluded')
  GROUP BY state
"""
_WOULD_ASK = """
u.state IN ('pending', 'in_flight', 'failed') OR (u.state IN ('done', 'gone')
  AND (? = 1 OR u.id IN (SELECT url_id FROM pages WHERE due_at <= ?))
  AND (? = 1 OR u.kind IN ('seed', 'list', 'topic', 'sitemap', 'feed')
    OR u.key IN (SELECT key FROM articles WHERE published_day >= ? OR published_day IS NULL)))
"""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would ask: how many URLs of each kind, and the first ones, kind and address."""

    kinds: dict[str, int] = field(default_factory=dict)
    first: list[tuple[str, str]] = field(default_factory=list)


class Frontier:
    """URLs and what their last visits found."""

    def __init__(self, database: Database, retry: Retry) -> None:
        self._db = database
        self._retry = retry
        self._recent = RecentUrls()

    def add(self, found: Iterable[Found], found_on: int | None) -> list[str]:
        """Store links that are not known yet, inside the transaction that is open.

        Returns:
            Addresses to hand to `remember` when the transaction has ended well.
        """
        new = [link for link in found if link.url not in self._recent]
        if new:
            self._db.run_many(
                "INSERT INTO urls (key, url, kind, state, priority, depth, found_on)"
                " VALUES (?, ?, ?, 'pending', ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                [
                    (url_key(link.url), link.url, link.kind, link.priority, link.depth, found_on)
                    for link in new
                ],
            )
        return [link.url for link in new]

    def count_new(self, found: Iterable[Found], found_on: int | None) -> int:
        """Store links one by one; how many were not known."""
        before = self._db.row("SELECT COALESCE(MAX(id), 0) FROM urls")[0]
        self.add(found, found_on)
        return int(self._db.row("SELECT COUNT(*) FROM urls WHERE id > ?", (before,))[0])

    def wake(self, urls: Iterable[str]) -> None:
        """Make known URLs pending, due or not."""
        self._db.run_many(
            "UPDATE urls SET state = 'pending', attempts = 0, not_before = 0"
            " WHERE key = ? AND state IN ('done', 'failed', 'gone')",
            [(url_key(url),) for url in urls],
        )

    def remember(self, urls: Iterable[str]) -> None:
        self._recent.add(urls)

    def find_id(self, url: str) -> int | None:
        row = self._db.row("SELECT id FROM urls WHERE key = ?", (url_key(url),))
        return row[0] if row else None

    def find_number(self, url: str) -> int | None:
        row = self._db.row("SELECT id FROM urls WHERE key = ?", (url_key(url),))
        return int(row[0]) if row else None

    def find_kind(self, url: str) -> str:
        row = self._db.row("SELECT kind FROM urls WHERE key = ?", (url_key(url),))
        return str(row[0]) if row else ""

    def find_next(
        self, limit: int, now: datetime, run_id: str, unasked_share: float
    ) -> list[Ticket]:
        """Find the best pending URLs; `mark_in_flight` is another step."""
        rows = self._db.rows(
            f"{_TAKE} WHERE u.state = 'pending' AND u.not_before <= ?"
            " ORDER BY u.priority DESC, u.id LIMIT ?",
            (to_us(now), limit),
        )
        return [_ticket(row, run_id, unasked_share) for row in rows]

    def claim(self, url: str, found_on: str) -> Ticket:
        """Hand out one known URL, whatever its state, as found on the page that is named."""
        row = self._db.row(f"{_TAKE} WHERE u.key = ?", (url_key(url),))
        ticket = replace(_ticket(row, "", 0.0), found_on=found_on)
        self.mark_in_flight([ticket.id])
        return ticket

    def mark_in_flight(self, ids: Iterable[int]) -> None:
        self._db.run_many(
            "UPDATE urls SET state = 'in_flight' WHERE id = ?", [(number,) for number in ids]
        )

    def release(self, ids: Iterable[int]) -> None:
        self._db.run_many(
            "UPDATE urls SET state = 'pending' WHERE id = ? AND state = 'in_flight'",
            [(number,) for number in ids],
        )

    def requeue_in_flight(self) -> int:
        sql = "UPDATE urls SET state = 'pending' WHERE state = 'in_flight'"
        return self._db.execute(sql).rowcount

    def has_pending(self, besides: Collection[int]) -> bool:
        sql = "SELECT id FROM urls WHERE state = 'pending' LIMIT ?"
        return any(number not in besides for (number,) in self._db.rows(sql, (len(besides) + 1,)))

    def ask_again(self, captures: Iterable[int]) -> list[str]:
        """Put the URLs of lost captures back, to be asked without conditions; their addresses."""
        urls: dict[str, None] = {}
        for number in captures:
            row = self._db.row(
                "SELECT u.id, u.url, COALESCE(c.url, u.url), c.payload_digest FROM captures c"
                " JOIN urls u ON u.id = c.url_id WHERE c.id = ?",
                (number,),
            )
            self._db.execute("DELETE FROM originals WHERE capture_id = ?", (number,))
            if row is None:  # robots.txt, which every run asks for
                continue
            url_id, url, own, digest = row
            self._db.execute(
                "DELETE FROM media WHERE url = ? OR sha256 = ?", (own, digest.rpartition(":")[2])
            )
            self._db.execute(
                "UPDATE urls SET state = 'pending', attempts = 0, not_before = 0 WHERE id = ?",
                (url_id,),
            )
            self._db.execute(
                "UPDATE pages SET original_id = NULL, etag = '', last_modified = ''"
                " WHERE url_id = ? AND (original_id = ? OR ? <> ?)",
                (url_id, number, own, url),
            )
            urls[url] = None
        return list(urls)

    def counts(self) -> dict[str, int]:
        """Count URLs by state, from indexes alone; what is in none of them is done."""
        counts = {name: number for name, number in self._db.rows(_COUNT) if number}
        (total,) = self._db.row("SELECT COALESCE(MAX(id), 0) FROM urls")  # none is ever deleted
        done = total - sum(counts.values())
        return dict(sorted((counts | ({"done": done} if done else {})).items()))

    def next_due_at(self) -> datetime | None:
        """Tell when the next page that was visited is to be asked again."""
        (due_at,) = self._db.row("SELECT MIN(due_at) FROM pages")
        return None if due_at is None else from_us(due_at)

    def preview(
        self,
        now: datetime,
        *,
        full: bool,
        since: date | None,
        starts: Mapping[str, str],
        limit: int,
    ) -> Preview:
        """Tell what a run that starts now would ask; nothing is changed.

        Args:
            now: When it would start.
            full: As for `plan`.
            since: As for `plan`.
            starts: Kinds of start pages by address; seeds are asked in any case.
            limit: How many URLs to name, in the order of asking.
        """
        seeds = [url_key(url) for url, kind in starts.items() if kind == "seed"]
        where = f"{_WOULD_ASK} OR u.key IN ({','.join('?' * len(seeds))})"
        day = since.isoformat() if since else ""
        values = (int(full), to_us(now), int(since is None), day, *seeds)
        counted = f"SELECT u.kind, COUNT(*) FROM urls u WHERE {where} GROUP BY u.kind ORDER BY 1"  # noqa: S608 - question marks
        named = f"SELECT u.kind, u.url FROM urls u WHERE {where} ORDER BY u.priority DESC, u.id"  # noqa: S608
        kinds = Counter(dict(self._db.rows(counted, values)))
        new = [(kind, url) for url, kind in starts.items() if self.find_id(url) is None]
        kinds.update(kind for kind, _ in new)
        known = list(self._db.rows(f"{named} LIMIT ?", (*values, limit)))
        return Preview(dict(sorted(kinds.items())), (new + known)[:limit])

    def counts_by_origin(self) -> Iterator[tuple[str, str, str, int]]:
        """Yield the page where URLs were found, their kind, their state, and how many they are."""
        yield from self._db.rows(
            "SELECT COALESCE(f.url, ''), u.kind, u.state, COUNT(*)"
            " FROM urls u LEFT JOIN urls f ON f.id = u.found_on"
            " GROUP BY u.found_on, f.url, u.kind, u.state ORDER BY 1, 2, 3"
        )

    def plan(self, now: datetime, *, full: bool, since: date | None) -> int:
        """Put back what failed, and what is due again; how many that are."""
        failed = self._db.execute(_PLAN_FAILED).rowcount
        day = since.isoformat()[:10] if since else ""
        values = (int(full), to_us(now), int(since is None), day)
        return failed + self._db.execute(_PLAN_DUE, values).rowcount

    def find_page(self, url_id: int) -> PageState | None:
        """Read what is known of a URL; None for an unknown number."""
        row = self._db.row(
            "SELECT u.state, u.attempts, COALESCE(p.interval_s, 0), COALESCE(p.gone_count, 0),"
            " COALESCE(p.seen, 0), p.original_id, COALESCE(p.etag, ''),"
            " COALESCE(p.last_modified, ''), COALESCE(f.kind, '')"
            " FROM urls u LEFT JOIN pages p ON p.url_id = u.id"
            " LEFT JOIN urls f ON f.id = u.found_on WHERE u.id = ?",
            (url_id,),
        )
        return PageState(*row) if row else None

    def wake_next_lists(self, url_id: int, links: Iterable[Found]) -> None:
        """Ask the lists that hang on a list which has changed, unless they are waiting anyway."""
        self._db.run_many(
            "UPDATE urls SET state = 'pending', attempts = 0, not_before = 0"
            " WHERE key = ? AND found_on = ? AND state = 'done'",
            [(url_key(link.url), url_id) for link in links if link.kind == "list"],
        )

    def settle(self, run_no: int, visit: Visit, page: PageState, moment: datetime) -> None:
        """Write down what a visit found, and that the URL is not in flight any more."""
        due_at = to_us(moment) + int(page.interval_s * 1_000_000)
        self._db.execute(
            "UPDATE urls SET state = ?, attempts = 0, not_before = 0 WHERE id = ?",
            (page.state, visit.ticket.id),
        )
        self._write_page(run_no, visit, page, (to_us(moment), due_at))

    def fail(self, run_no: int, visit: Visit, page: PageState, now: datetime) -> None:
        """Count a failed visit: tried again later in this run, or by the next run."""
        attempts = page.attempts + 1
        state = "failed" if attempts >= self._retry.max_attempts else "pending"
        wait_s = max(self._retry.wait_s(attempts), visit.retry_after_s)
        not_before = to_us(now) + int(wait_s * 1_000_000)
        self._db.execute(
            "UPDATE urls SET state = ?, attempts = ?, not_before = ? WHERE id = ?",
            (state, attempts, not_before, visit.ticket.id),
        )
        self._write_page(run_no, visit, page, (to_us(now), to_us(now)))

    def _write_page(
        self, run_no: int, visit: Visit, page: PageState, times: tuple[int, int]
    ) -> None:
        self._db.execute(
            "INSERT INTO pages (url_id, run_no, visited_at, due_at, outcome, reason, status, etag,"
            " last_modified, interval_s, gone_count, seen, original_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (url_id) DO UPDATE SET run_no = excluded.run_no,"
            " visited_at = excluded.visited_at, due_at = excluded.due_at,"
            " outcome = excluded.outcome, reason = excluded.reason, status = excluded.status,"
            " etag = excluded.etag, last_modified = excluded.last_modified,"
            " interval_s = excluded.interval_s, gone_count = excluded.gone_count,"
            " seen = excluded.seen, original_id = excluded.original_id",
            (
                visit.ticket.id,
                run_no,
                *times,
                visit.outcome,
                visit.reason,
                visit.status,
                page.etag,
                page.last_modified,
                page.interval_s,
                page.gone_count,
                int(page.seen),
                page.original_id,
            ),
        )


def _ticket(row: Any, run_id: str, unasked_share: float) -> Ticket:
    (
        number,
        url,
        kind,
        priority,
        depth,
        attempts,
        found_on,
        etag,
        modified,
        seen,
        incomplete,
        *cited,
    ) = row
    original = None
    if cited[2] is not None:
        original = Original(cited[0], from_us(cited[1]), f"urn:uuid:{cited[2]}", cited[3])
    # Without the content at hand, or with files still missing, the page itself is needed.
    has_validators = bool(etag or modified) and original is not None and not incomplete
    return Ticket(
        id=number,
        url=url,
        kind=kind,
        priority=priority,
        depth=depth,
        attempts=attempts,
        found_on=found_on or "",
        etag=etag or "",
        last_modified=modified or "",
        original=original,
        conditional=has_validators and not is_sampled(url, run_id, unasked_share),
        known=bool(seen),
    )
