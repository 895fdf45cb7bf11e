"""A home of every earlier version goes on with this one: after a backup, with all it knew."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from zlib_ng import zlib_ng

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.database import APPLICATION_ID
from hongxing_crawler.store.schema import MIGRATIONS, VERSION
from hongxing_crawler.store.state import State

# Keys of a row by the version of the state that brought them.
LATE_KEYS = {2: ("change",), 6: ("videos",), 7: ("video_files",)}
LATE_PROVENANCE = {6: ("rendered_record_id",)}


def make_old(source, target, version):
    """Write a state as that version would have held it, with everything that it could know."""
    with closing(sqlite3.connect(target, isolation_level=None)) as old:
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        old.execute("INSERT INTO meta VALUES ('schema_version', ?)", (str(version),))
        for migration in MIGRATIONS[:version]:
            old.executescript(migration.sql)
        old.execute("ATTACH ? AS young", (str(source),))
        tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name <> 'meta'"
        for (table,) in old.execute(tables).fetchall():
            names = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
            old.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM young.{table}")
        for number, row in old.execute("SELECT id, row FROM versions").fetchall():
            old.execute("UPDATE versions SET row = ? WHERE id = ?", (older(row, version), number))


def older(row, version):
    line = json.loads(zlib_ng.decompress(row))
    for since, keys in LATE_KEYS.items():
        for key in keys if since > version else ():
            line.pop(key, None)
    for since, keys in LATE_PROVENANCE.items():
        for key in keys if since > version else ():
            line["provenance"].pop(key, None)
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return zlib_ng.compress(text.encode(), 1)


def rows_of(path):
    with State.open(path, now=lambda: datetime.now(UTC), read_only=True) as state:
        return {row.id: row for row in state.articles.snapshot()}, state.counts(), len(state.runs())


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_run_under_an_older_home_migrates_it_after_a_backup(
    demo_home, hongxing, tmp_path, version
):
    home = Path(shutil.copytree(demo_home, tmp_path / "home"))
    known, counts, run_count = rows_of(home / "state.sqlite")
    (home / "state.sqlite").unlink()
    make_old(demo_home / "state.sqlite", home / "state.sqlite", version)
    before = (home / "state.sqlite").read_bytes()

    looked = hongxing("status", "--home", home, "--json")
    assert looked.returncode == ExitCode.OK, "a look changes nothing, and works"
    assert json.loads(looked.stdout)["urls"] == counts
    assert (home / "state.sqlite").read_bytes() == before

    ran = hongxing("demo", "--home", home, "-q")
    assert ran.returncode == ExitCode.OK, ran.stderr
    after, new_counts, new_run_count = rows_of(home / "state.sqlite")
    assert set(known) <= set(after)
    assert all(after[name].article_body == row.article_body for name, row in known.items())
    assert sum(new_counts.values()) >= sum(counts.values())
    assert new_run_count == run_count + 1

    backup = home / f"state.sqlite.v{version}.bak"
    with closing(sqlite3.connect(backup)) as kept, closing(sqlite3.connect(":memory:")) as asked:
        assert kept.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        asked.deserialize(before)
        assert list(kept.iterdump()) == list(asked.iterdump())
    record = json.loads(max(home.glob("runs/*/run.json")).read_bytes())
    assert any(backup.name in warning for warning in record["warnings"])


def test_a_new_home_and_one_of_this_version_need_no_backup(demo_home, hongxing, tmp_path):
    home = Path(shutil.copytree(demo_home, tmp_path / "home"))
    hongxing("demo", "--home", home, "-q")

    assert list(home.glob("*.bak*")) == []
