"""Articles and their versions: folded in when a visit ends, read out for the export."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from zlib_ng import zlib_ng

from hongxing_crawler.core.history import Known, bury, fingerprint, fold, tell_change
from hongxing_crawler.core.record import decode, encode, relabel, utc_text
from hongxing_crawler.core.repeats import strip_repeats
from hongxing_crawler.store.moments import from_us, to_us, url_key
from hongxing_crawler.store.repeats import RepeatTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from hongxing_crawler.core.record import Article
    from hongxing_crawler.core.row import Operation
    from hongxing_crawler.store.database import Database

    Line = tuple[Operation, bytes]  # what it is, and the row as JSON

_ROUNDS_MAX = 8
_ZLIB_LEVEL = 1  # a row of 8 KB: 30 µs, and half the disk


@dataclass(frozen=True, slots=True)
class Stored:
    """An article as the database knows it."""

    known: Known
    last_seen_at: int | None
    version_id: int


class ArticleTable:
    """The articles of the site."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.repeats = RepeatTable(database)

    def take_in(self, run_no: int, run_id: str, article: Article) -> Article:
        """Fold a fresh look into the history.

        Returns:
            The stored row, ``new`` or ``changed``; or, when nothing changed, the row as the
            snapshot holds it, with ``op`` ``snapshot``.
        """
        article = strip_repeats(article, self.repeats.verdicts)
        key = article_key(article)
        stored = self._find(key)
        folded = fold(stored.known if stored else None, article, run_id)
        if folded is None:
            assert stored is not None
            self._touch(key, _us(article.last_seen_at))
            return self._current(stored.version_id, article.last_seen_at)
        return self._write(run_no, key, folded)

    def touch(self, url: str, moment: datetime) -> Article | None:
        """Note that the article of an address is there, unchanged; the row as it is."""
        key = url_key(url)
        stored = self._find(key)
        if stored is None or stored.known.is_deleted:
            return None
        self._touch(key, to_us(moment))
        return self._current(stored.version_id, utc_text(moment))

    def _touch(self, key: bytes, moment: int | None) -> None:
        self._db.execute(
            "UPDATE articles SET last_seen_at = ? WHERE key = ? AND last_seen_at < ?",
            (moment, key, moment),
        )

    def exists(self, url: str) -> bool:
        """Tell whether an address has an article that is not buried."""
        stored = self._find(url_key(url))
        return stored is not None and not stored.known.is_deleted

    def bury(self, run_no: int, run_id: str, url: str, moment: datetime) -> Article | None:
        """Give the article of an address its tombstone; None when it has no living one."""
        stored = self._find(url_key(url))
        if stored is None or stored.known.is_deleted:
            return None
        last_seen_at = _text(stored.last_seen_at)
        tombstone = bury(self._current(stored.version_id, last_seen_at), run_id, utc_text(moment))
        return self._write(run_no, url_key(url), tombstone)

    def take_down(self, run_no: int, tombstone: Article) -> None:
        """Put the tombstone of a takedown in the place of a run's row; the article is gone."""
        key = bytes.fromhex(tombstone.id.removeprefix("art_"))
        self._db.execute("DELETE FROM versions WHERE article_key = ? AND run_no = ?", (key, run_no))
        self._store(run_no, key, tombstone)

    def _find(self, key: bytes) -> Stored | None:
        row = self._db.row(
            "SELECT revision, content_sha256, fingerprint, first_seen_at, deleted_at,"
            " last_seen_at, version_id FROM articles WHERE key = ?",
            (key,),
        )
        if row is None:
            return None
        revision, content, print_, first_seen_at, deleted_at, last_seen_at, version_id = row
        known = Known(revision, content, print_, _text(first_seen_at), deleted_at is not None)
        return Stored(known, last_seen_at, version_id)

    def _current(self, version_id: int, last_seen_at: str | None) -> Article:
        (row,) = self._db.row("SELECT row FROM versions WHERE id = ?", (version_id,))
        return decode(relabel(_unpack(row), "snapshot", last_seen_at))

    def _before(self, run_no: int, key: bytes) -> Article | None:
        """Return the state that earlier runs left: what a run's own change is measured by."""
        row = self._db.row(
            "SELECT row, op FROM versions WHERE article_key = ? AND run_no < ?"
            " ORDER BY run_no DESC LIMIT 1",
            (key, run_no),
        )
        return decode(relabel(_unpack(row[0]), row[1])) if row else None

    def _write(self, run_no: int, key: bytes, article: Article) -> Article:
        """Store a state of an article, with what it changed; the row as stored."""
        return self._store(
            run_no, key, replace(article, change=tell_change(self._before(run_no, key), article))
        )

    def _store(self, run_no: int, key: bytes, article: Article) -> Article:
        line = encode(article)
        decode(line)  # a row that breaks the schema must not get in: it would stop every export
        self.repeats.note(key, article)
        version_id = self._write_version(run_no, key, article, zlib_ng.compress(line, _ZLIB_LEVEL))
        self._db.execute(
            "INSERT INTO articles (key, revision, content_sha256, fingerprint, first_seen_at,"
            " last_seen_at, deleted_at, published_day, incomplete, version_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET revision = excluded.revision,"
            " content_sha256 = excluded.content_sha256, fingerprint = excluded.fingerprint,"
            " last_seen_at = excluded.last_seen_at, deleted_at = excluded.deleted_at,"
            " published_day = excluded.published_day, incomplete = excluded.incomplete,"
            " version_id = excluded.version_id",
            (
                key,
                article.revision,
                article.content_sha256,
                fingerprint(article),
                _us(article.first_seen_at),
                _us(article.last_seen_at),
                _us(article.deleted_at),
                article.published_day,
                int(is_incomplete(article)),
                version_id,
            ),
        )
        return article

    def _write_version(self, run_no: int, key: bytes, article: Article, row: bytes) -> int:
        """Store one version a run: a second change in the same run takes the place of the first.

        What is new to this run stays new, so that the delta tells what the run did in all.
        """
        known_at = article.deleted_at or article.last_seen_at
        written = self._db.row(
            "INSERT INTO versions (article_key, run_no, revision, op, seen_at, row)"
            " VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (article_key, run_no) DO UPDATE SET revision = excluded.revision,"
            " op = CASE WHEN versions.op = 'new' AND excluded.op = 'changed' THEN 'new'"
            " ELSE excluded.op END, seen_at = excluded.seen_at, row = excluded.row RETURNING id",
            (key, run_no, article.revision, article.op, _us(known_at), row),
        )
        return int(written[0])

    def living(self, keys: Iterable[bytes]) -> Iterator[Article]:
        """Yield articles as they are, by the bytes of their ids, in the order of these."""
        for key in keys:
            stored = self._find(key)
            if stored is not None and not stored.known.is_deleted:
                yield self._current(stored.version_id, _text(stored.last_seen_at))

    def strip(self, run_no: int, run_id: str, key: bytes) -> None:
        """Take out of an article what has been judged since it was taken in.

        An article that this run did not write gets a ``changed`` row: no row changes without a
        delta. One that was changed by nothing else is as it was before this run.
        """
        for current in self.living([key]):
            stripped = strip_repeats(current, self.repeats.verdicts)
            if stripped is current:
                return
            before = self._before(run_no, key)
            is_own = current.run_id == run_id
            if is_own and before is not None and is_same(before, stripped):
                self._revert(run_no, key, before)
                return
            revision = current.revision + (not is_own)
            row = replace(stripped, op="changed", revision=revision, run_id=run_id)
            self._write(run_no, key, row)

    def _revert(self, run_no: int, key: bytes, before: Article) -> None:
        """Drop this run's version of an article, and go back to the one before it."""
        self._db.execute("DELETE FROM versions WHERE article_key = ? AND run_no = ?", (key, run_no))
        self._db.execute(
            "UPDATE articles SET revision = ?, content_sha256 = ?, fingerprint = ?,"
            " published_day = ?, incomplete = ?, version_id = (SELECT id FROM versions"
            " WHERE article_key = ? ORDER BY run_no DESC LIMIT 1) WHERE key = ?",
            (
                before.revision,
                before.content_sha256,
                fingerprint(before),
                before.published_day,
                int(is_incomplete(before)),
                key,
                key,
            ),
        )
        self.repeats.note(key, before)

    def snapshot(self) -> Iterator[Article]:
        """Yield every living article as it was last seen, sorted by id."""
        return _decoded(self.snapshot_lines())

    def snapshot_lines(self) -> Iterator[Line]:
        """Yield the lines of ``snapshot``; reading and writing each row anew costs ten times it."""
        for row, last_seen_at in self._db.rows(
            "SELECT v.row, a.last_seen_at FROM articles a JOIN versions v ON v.id = a.version_id"
            " WHERE a.deleted_at IS NULL ORDER BY a.key"
        ):
            yield "snapshot", relabel(_unpack(row), "snapshot", _text(last_seen_at))

    def delta(self, run_no: int) -> Iterator[Article]:
        """Yield what a run changed, sorted by id."""
        return _decoded(self.delta_lines(run_no))

    def delta_lines(self, run_no: int) -> Iterator[Line]:
        """Yield the lines of ``delta``."""
        for row, op in self._db.rows(
            "SELECT row, op FROM versions WHERE run_no = ? ORDER BY article_key", (run_no,)
        ):
            yield op, relabel(_unpack(row), op)

    def versions(self, url: str) -> Iterator[Article]:
        """Yield all versions of the article of an address, oldest first."""
        return self.versions_of(url_key(url))

    def versions_of(self, key: bytes) -> Iterator[Article]:
        """Yield all versions of an article by its key, the bytes of its id, oldest first."""
        sql = "SELECT row, op FROM versions WHERE article_key = ? ORDER BY run_no"
        for row, op in self._db.rows(sql, (key,)):
            yield decode(relabel(_unpack(row), op))

    @staticmethod
    def key_of(url: str) -> bytes:
        """Return the key that the article of an address has."""
        return url_key(url)

    def with_content(self, content_sha256: str) -> Iterator[tuple[str, str]]:
        """Yield id and address of the living articles that say the same."""
        for key, row in self._db.rows(
            "SELECT a.key, v.row FROM articles a JOIN versions v ON v.id = a.version_id"
            " WHERE a.content_sha256 = ? AND a.deleted_at IS NULL ORDER BY a.key",
            (content_sha256,),
        ):
            yield f"art_{key.hex()}", decode(_unpack(row)).url

    def find_texts(self, texts: Collection[str], besides: Collection[bytes]) -> set[str]:
        """Find which of some addresses or digests stand in a row of any other article.

        Reads every version of every article: 20 µs each.
        """
        wanted = {encode_text(text): text for text in texts}
        if not wanted:
            return set()
        pattern = re.compile(b"|".join(map(re.escape, sorted(wanted))))
        found: set[str] = set()
        for key, row in self._db.rows("SELECT article_key, row FROM versions"):
            if key not in besides:
                found |= {wanted[match] for match in pattern.findall(_unpack(row))}
        return found

    def as_of(self, moment: datetime) -> Iterator[Article]:
        """Yield the articles as they were known at a moment, sorted by id."""
        return _decoded(self.as_of_lines(moment))

    def as_of_lines(self, moment: datetime) -> Iterator[Line]:
        """Yield the lines of ``as_of``.

        What counts is when the answers came that the states rest on, not when their runs began.
        ``last_seen_at`` is the last look before the moment that is known: of the newest state the
        last one of all, of an older one that which found it.
        """
        until = to_us(moment)
        for row, seen_at, last_seen_at in self._db.rows(
            "SELECT v.row, v.seen_at,"
            " CASE WHEN a.version_id = v.id AND a.last_seen_at <= ? THEN a.last_seen_at END"
            " FROM versions v JOIN articles a ON a.key = v.article_key"
            " WHERE v.op <> 'deleted' AND v.id = ("
            " SELECT x.id FROM versions x WHERE x.article_key = v.article_key AND x.seen_at <= ?"
            " ORDER BY x.run_no DESC LIMIT 1) ORDER BY v.article_key",
            (until, until),
        ):
            seen = _text(seen_at if last_seen_at is None else last_seen_at)
            yield "snapshot", relabel(_unpack(row), "snapshot", seen)

    def op_counts(self, run_no: int) -> dict[str, int]:
        sql = "SELECT op, COUNT(*) FROM versions WHERE run_no = ? GROUP BY op ORDER BY op"
        return dict(self._db.rows(sql, (run_no,)))

    def count(self) -> int:
        return int(self._db.row("SELECT COUNT(*) FROM articles WHERE deleted_at IS NULL")[0])


def compare_pages(articles: ArticleTable, run_no: int, run_id: str) -> None:
    """Look for blocks that stand on many pages, and take them out of every living article.

    Taking out one may bring another to the edge of a body, so it is done until nothing is found.
    """
    repeats = articles.repeats
    for row in articles.living(repeats.missing()):
        repeats.note(article_key(row), row)
    for _ in range(_ROUNDS_MAX):
        keys = repeats.judge_all(run_no, articles.living)
        if not keys:
            return
        for key in keys:
            articles.strip(run_no, run_id, key)


def article_key(article: Article) -> bytes:
    return bytes.fromhex(article.id.removeprefix("art_"))


def is_same(before: Article, after: Article) -> bool:
    """Tell whether a state of an article says what the one before it did."""
    return before.op != "deleted" and fingerprint(before) == fingerprint(after)


def _unpack(row: Any) -> bytes:
    return zlib_ng.decompress(row)


def encode_text(text: str) -> bytes:
    """Write a text as it stands in a row, quotes included."""
    return msgspec.json.encode(text)


def _decoded(lines: Iterable[Line]) -> Iterator[Article]:
    return (decode(line) for _, line in lines)


def is_incomplete(article: Article) -> bool:
    """Tell whether a file of an article could not be had."""
    return "media_failed" in article.quality.flags


def _us(text: str | None) -> int | None:
    return to_us(datetime.fromisoformat(text)) if text else None


def _text(value: int | None) -> str | None:
    return None if value is None else utc_text(from_us(value))
