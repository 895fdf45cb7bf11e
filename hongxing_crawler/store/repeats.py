"""Evidence across pages: which blocks of text stand on which articles, and what follows from it.

One row an article, of bounded size, written with its version. Verdicts are found when a run has
ended, from all living articles at once, so that the order of visits makes no difference; they stay
for ever, so that a row does not come and go with the number of pages.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from hongxing_crawler.core.identity import utc_text
from hongxing_crawler.core.repeats import (
    KEY_BYTES,
    Verdict,
    find_keys,
    is_site_key,
)
from hongxing_crawler.core.repeats_judge import (
    LEAST_LINK_PAGES,
    SAMPLE_PAGES,
    Spread,
    judge,
    least_template_pages,
)
from hongxing_crawler.store.moments import from_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hongxing_crawler.core.row import Article
    from hongxing_crawler.store.database import Database

REPEATS_SQL = """
ALTER TABLE runs ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET judged = exported;

CREATE TABLE blocks (                    -- what an article can be compared with others by
  article_key BLOB PRIMARY KEY,
  keys BLOB NOT NULL                     -- of eight bytes each, see core.repeats
) WITHOUT ROWID;

CREATE TABLE repeats (                   -- blocks that many pages told to be no article's own
  key BLOB PRIMARY KEY,
  rule TEXT NOT NULL,
  signs TEXT NOT NULL,                   -- JSON, a list
  run_no INTEGER NOT NULL                -- the run after which it was told
) WITHOUT ROWID;
"""

_BUCKETS = 1 << 20  # 4 MB: keys are counted by their last bits first
_CANDIDATES_MAX = 500  # blocks that one round looks at, the commonest first


@dataclass(slots=True)
class _Seen:
    """The pages of one block."""

    count: int = 0
    first_seen_at: int | None = None
    sample: list[bytes] = field(default_factory=list)


class RepeatTable:
    """Keys of blocks by article, and the verdicts on them."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._verdicts: dict[bytes, Verdict] | None = None

    @property
    def verdicts(self) -> dict[bytes, Verdict]:
        """All verdicts of the runs that have ended."""
        if self._verdicts is None:
            rows = self._db.rows("SELECT key, rule, signs FROM repeats")
            self._verdicts = {
                bytes(key): Verdict(rule, tuple(msgspec.json.decode(signs)))
                for key, rule, signs in rows
            }
        return self._verdicts

    def forget(self) -> None:
        """Read the verdicts again when they are asked for: what wrote some may have been undone."""
        self._verdicts = None

    def note(self, article_key: bytes, article: Article) -> None:
        """Keep the keys of an article's blocks in place of those it had; none when it is gone."""
        if article.op == "deleted":
            self._db.execute("DELETE FROM blocks WHERE article_key = ?", (article_key,))
            return
        self._db.execute(
            "INSERT INTO blocks (article_key, keys) VALUES (?, ?)"
            " ON CONFLICT (article_key) DO UPDATE SET keys = excluded.keys",
            (article_key, find_keys(article)),
        )

    def judge_all(
        self, run_no: int, rows_of: Callable[[Iterable[bytes]], Iterable[Article]]
    ) -> list[bytes]:
        """Judge every block that stands on enough pages and has no verdict yet.

        Args:
            run_no: The run that has ended.
            rows_of: Gives living rows by the keys of their articles.

        Returns:
            The keys of the articles that hold a block with a new verdict, sorted.
        """
        of_pages = int(self._db.row("SELECT COUNT(*) FROM blocks")[0])
        wanted = self._find_candidates(least_template_pages(of_pages))
        seen = self._count(wanted) if wanted else {}
        found: set[bytes] = set()
        for key, pages in sorted(seen.items()):
            since = "" if pages.first_seen_at is None else utc_text(from_us(pages.first_seen_at))
            spread = Spread(key, pages.count, of_pages, since)
            verdict = judge(spread, list(rows_of(pages.sample)))
            if verdict is not None:
                self._keep(key, verdict, run_no)
                found.add(key)
        return list(self._articles_with(found)) if found else []

    def _keep(self, key: bytes, verdict: Verdict, run_no: int) -> None:
        self._db.execute(
            "INSERT INTO repeats (key, rule, signs, run_no) VALUES (?, ?, ?, ?)",
            (key, verdict.rule, msgspec.json.encode(verdict.signs).decode(), run_no),
        )
        self.verdicts[key] = verdict

    def missing(self) -> list[bytes]:
        """Return the keys of living articles that an older version of this software stored."""
        rows = self._db.rows(
            "SELECT a.key FROM articles a LEFT JOIN blocks b ON b.article_key = a.key"
            " WHERE a.deleted_at IS NULL AND b.article_key IS NULL ORDER BY a.key"
        )
        return [bytes(key) for (key,) in rows]

    def _find_candidates(self, least_text_pages: int) -> set[bytes]:
        """Find keys on enough pages, in memory that does not grow with the site.

        Buckets count first; what is full by chance drops out when the keys themselves are counted.
        """
        buckets = array("I", bytes(4 * _BUCKETS))
        for key in self._all_keys():
            buckets[_bucket(key)] += 1
        found: dict[bytes, int] = {}
        for key in self._all_keys():
            least = LEAST_LINK_PAGES if is_site_key(key) else least_text_pages
            if buckets[_bucket(key)] >= least and (key in found or len(found) < _BUCKETS):
                found[key] = found.get(key, 0) + 1
        often = [
            (-count, key)
            for key, count in found.items()
            if count >= (LEAST_LINK_PAGES if is_site_key(key) else least_text_pages)
            and key not in self.verdicts
        ]
        return {key for _, key in sorted(often)[:_CANDIDATES_MAX]}

    def _all_keys(self) -> Iterator[bytes]:
        for (keys,) in self._db.rows("SELECT keys FROM blocks ORDER BY article_key"):
            yield from _split(keys)

    def _count(self, wanted: set[bytes]) -> dict[bytes, _Seen]:
        seen: dict[bytes, _Seen] = {}
        for article_key, keys, first_seen_at in self._db.rows(
            "SELECT b.article_key, b.keys, a.first_seen_at FROM blocks b"
            " JOIN articles a ON a.key = b.article_key ORDER BY b.article_key"
        ):
            for key in wanted.intersection(_split(keys)):
                _add(seen.setdefault(key, _Seen()), article_key, first_seen_at)
        return seen

    def _articles_with(self, wanted: set[bytes]) -> Iterator[bytes]:
        for article_key, keys in self._db.rows(
            "SELECT article_key, keys FROM blocks ORDER BY article_key"
        ):
            if not wanted.isdisjoint(_split(keys)):
                yield bytes(article_key)


def _split(keys: Any) -> list[bytes]:
    return [bytes(keys[at : at + KEY_BYTES]) for at in range(0, len(keys), KEY_BYTES)]


def _bucket(key: bytes) -> int:
    return int.from_bytes(key[-3:], "big") % _BUCKETS


def _add(pages: _Seen, article_key: bytes, first_seen_at: int | None) -> None:
    pages.count += 1
    if first_seen_at is not None:
        pages.first_seen_at = min(pages.first_seen_at or first_seen_at, first_seen_at)
    if len(pages.sample) < SAMPLE_PAGES:
        pages.sample.append(bytes(article_key))
