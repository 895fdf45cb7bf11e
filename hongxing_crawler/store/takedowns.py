"""What a takedown changes in the state: rows become tombstones, addresses are never asked again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.core.takedown import Takedown, decode_takedown, encode_takedown, tombstones
from hongxing_crawler.store.moments import url_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hongxing_crawler.items import Capture
    from hongxing_crawler.store.articles import ArticleTable
    from hongxing_crawler.store.captures import CaptureTable
    from hongxing_crawler.store.database import Database
    from hongxing_crawler.store.runs import RunTable

_URN = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Consequences:
    """What else follows from a takedown in the state of a home; nothing of it in a fresh one."""

    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)  # name: bytes, sha256:…
    promoted: Mapping[str, tuple[str, Capture]] = field(default_factory=dict)  # url: run, capture
    media_urls: tuple[str, ...] = ()


class TakedownTable:
    """The takedowns of a home."""

    def __init__(
        self, database: Database, runs: RunTable, captures: CaptureTable, articles: ArticleTable
    ) -> None:
        self._db = database
        self._runs = runs
        self._captures = captures
        self._articles = articles

    def all(self) -> list[Takedown]:
        """Return every takedown, oldest first."""
        rows = self._db.rows("SELECT event FROM takedowns ORDER BY id")
        return [decode_takedown(event) for (event,) in rows]

    def find(self, url: str) -> Takedown | None:
        """Find the takedown that excluded an address."""
        row = self._db.row(
            "SELECT t.event FROM excluded e JOIN takedowns t ON t.id = e.takedown_id"
            " WHERE e.key = ?",
            (url_key(url),),
        )
        return decode_takedown(row[0]) if row else None

    def excluded(self) -> Iterator[str]:
        """Yield the addresses that are never asked for again."""
        for (url,) in self._db.rows("SELECT url FROM excluded ORDER BY url"):
            yield url

    def is_known(self, takedown_id: str) -> bool:
        sql = "SELECT 1 FROM takedowns WHERE id = ?"
        return self._db.row(sql, (takedown_id,)) is not None

    def write_rows(self, takedown: Takedown, run_id: str) -> None:
        """Put the tombstones into the delta of one run, in the place of what stood there."""
        for row in tombstones(takedown):
            if row.run_id == run_id:
                self._articles.take_down(self._runs.number(run_id), row)

    def exclude(self, takedown: Takedown) -> None:
        """Note a takedown, and what must not be asked for again."""
        self._db.execute(
            "INSERT INTO takedowns (id, event) VALUES (?, ?)",
            (takedown.id, encode_takedown(takedown).decode()),
        )
        for url in takedown.urls:
            key = url_key(url)
            self._db.execute(
                "INSERT INTO excluded (key, url, takedown_id) VALUES (?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                (key, url, takedown.id),
            )
            self._db.execute(
                "INSERT INTO urls (key, url, kind, state, priority, depth)"
                " VALUES (?, ?, 'article', 'excluded', 0, 0)"
                " ON CONFLICT (key) DO UPDATE SET state = 'excluded'",
                (key, url),
            )
            self._db.execute(
                "DELETE FROM pages WHERE url_id IN (SELECT id FROM urls WHERE key = ?)", (key,)
            )

    def forget(self, takedown: Takedown, after: Consequences) -> None:
        """Let go of captures and files that are not there any more, and note the new ones."""
        self._forget_captures(set(takedown.removed_records))
        for url, (run_id, capture) in after.promoted.items():
            self._promote(url, self._runs.number(run_id), capture)
        for name, (size, sha256) in after.files.items():
            self._captures.add_file(name, size, sha256)
        keys = [(url_key(url),) for url in after.media_urls]
        self._db.run_many("DELETE FROM media WHERE key = ?", keys)

    def _forget_captures(self, record_ids: set[str]) -> None:
        rows = self._db.rows("SELECT id, record_id FROM captures")
        gone = [(number,) for number, record_id in rows if _URN + record_id in record_ids]
        for sql in (
            "DELETE FROM captures WHERE id = ?",
            "DELETE FROM originals WHERE capture_id = ?",
            "UPDATE pages SET original_id = NULL WHERE original_id = ?",
        ):
            self._db.run_many(sql, gone)

    def _promote(self, url: str, run_no: int, capture: Capture) -> None:
        """Note the new full copy of a body, as the one to refer to from now on."""
        number = self._captures.add(run_no, None, "", capture)
        self._db.execute(
            "UPDATE pages SET original_id = ? WHERE original_id IS NULL"
            " AND url_id IN (SELECT id FROM urls WHERE key = ?)",
            (number, url_key(url)),
        )
