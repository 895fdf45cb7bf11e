"""A state of the first version is brought to this one, rows and all."""

import re
import sqlite3
from datetime import timedelta

import pytest
from store_kit import ONE, TWO, Archive, Clock
from zlib_ng import zlib_ng

from hongxing_crawler.store.database import APPLICATION_ID
from hongxing_crawler.store.schema import VERSION, VERSION_1
from hongxing_crawler.store.state import State

_CHANGE_RE = re.compile(rb',"change":\{"kind":"[a-z]+","fields":\[[^\]]*\],"reason":""\}')


@pytest.fixture
def old(tmp_path):
    """Three runs, then everything taken away that the first version did not have."""
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE, TWO)
    archive.visit(ONE)
    archive.visit(TWO)
    archive.begin(full=True)
    archive.visit(ONE, body='新。"change":{"kind":"x"}')
    for _ in range(2):
        archive.begin(full=True)
        archive.visit(TWO, "gone", status=404)
    archive.end()
    rows = [list(archive.state.articles.versions(url)) for url in (ONE, TWO)]
    archive.state.close()
    _age(archive.path)
    return archive, rows


def _age(path):
    """Put the content into a file of the first version."""
    new = path.with_name("new.sqlite")
    path.rename(new)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.executescript(VERSION_1)
    connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    connection.execute("INSERT INTO meta VALUES ('schema_version', '1')")
    connection.execute("ATTACH ? AS new", (str(new),))
    tables = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")
    for (table,) in tables.fetchall():
        if table != "meta":
            names = connection.execute(f"SELECT name FROM pragma_table_info('{table}')")
            columns = ", ".join(name for (name,) in names.fetchall())
            connection.execute(
                f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"
            )
    for number, row in connection.execute("SELECT id, row FROM versions").fetchall():
        line, count = _CHANGE_RE.subn(b"", zlib_ng.decompress(row), count=1)
        assert count == 1
        values = (zlib_ng.compress(line), number)
        connection.execute("UPDATE versions SET row = ?, seen_at = 0 WHERE id = ?", values)
    connection.close()


def test_old_rows_say_what_changed(old):
    archive, before = old
    with State.open(archive.path, now=Clock()) as state:
        after = [list(state.articles.versions(url)) for url in (ONE, TWO)]

        assert after == before
        assert [row.change.kind for row in after[0]] == ["first", "editorial"]
        assert [row.change.kind for row in after[1]] == ["first", "removed"]


def test_tombstones_count_from_their_own_moment(old):
    archive, _ = old
    with State.open(archive.path, now=Clock()) as state:
        gone = archive.clock()
        before = [row.canonical_url for row in state.articles.as_of(gone - timedelta(seconds=1))]
        after = [row.canonical_url for row in state.articles.as_of(gone)]

        assert sorted(before) == [ONE, TWO]
        assert after == [ONE]


def test_the_version_is_written_down(old):
    archive, _ = old
    State.open(archive.path, now=Clock()).close()
    connection = sqlite3.connect(archive.path)
    (version,) = connection.execute("SELECT value FROM meta").fetchone()
    connection.close()

    assert int(version) == VERSION
