"""Rows that an older version of the program stored, brought to the fields of this one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

from hongxing_crawler.core.history import tell_change
from hongxing_crawler.core.record import decode, encode, relabel
from hongxing_crawler.store.moments import to_us

if TYPE_CHECKING:
    import sqlite3

    from hongxing_crawler.core.record import Article

_ZLIB_LEVEL = 1
_NEXT_FIELD = b',"provenance":{"fetched_at":'  # a quote inside a text carries a backslash
_CHANGE = b',"change":{"kind":"none","fields":[],"reason":""}'
# Fields that came later, each before the one that stands behind it.
_LATE = (
    (b',"videos":[]', b',"content_sha256":"'),
    (b',"video_files":[]', b',"content_sha256":"'),
    (b',"rendered_record_id":""', b',"crawler":"'),
)


def add_late_fields(connection: sqlite3.Connection) -> None:
    """Give every stored row the fields that came later, empty."""
    numbers = connection.execute("SELECT id FROM versions").fetchall()
    for (number,) in numbers:
        (row,) = connection.execute("SELECT row FROM versions WHERE id = ?", (number,)).fetchone()
        line = _with_late_fields(zlib_ng.decompress(row))
        connection.execute(
            "UPDATE versions SET row = ? WHERE id = ?",
            (zlib_ng.compress(line, _ZLIB_LEVEL), number),
        )


def _with_late_fields(line: bytes) -> bytes:
    for added, following in _LATE:
        if added[: added.index(b":")] not in line:
            line = line.replace(following, added + following, 1)
    return line


def tell_changes(connection: sqlite3.Connection) -> None:
    """Give every stored row its ``change``, and tombstones the moment of which they tell.

    One article after the other: memory grows with the number of articles by their keys alone.
    """
    keys = connection.execute("SELECT DISTINCT article_key FROM versions").fetchall()
    for (key,) in keys:
        _tell_changes_of(connection, key)


def _tell_changes_of(connection: sqlite3.Connection, key: bytes) -> None:
    before: Article | None = None
    for number, op, row in connection.execute(
        "SELECT id, op, row FROM versions WHERE article_key = ? ORDER BY run_no", (key,)
    ).fetchall():
        line = zlib_ng.decompress(row).replace(_NEXT_FIELD, _CHANGE + _NEXT_FIELD, 1)
        article = decode(relabel(_with_late_fields(line), op))
        article = replace(article, change=tell_change(before, article))
        connection.execute(
            "UPDATE versions SET row = ?, seen_at = ? WHERE id = ?",
            (zlib_ng.compress(encode(article), _ZLIB_LEVEL), _known_at(article), number),
        )
        before = article


def _known_at(article: Article) -> int | None:
    text = article.deleted_at or article.last_seen_at
    return to_us(datetime.fromisoformat(text)) if text else None
