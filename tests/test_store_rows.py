"""Rows on disk: complete, sorted, the same bytes again, and read by others in one line."""

import gzip
import hashlib
import json

import duckdb
import pandas as pd
import polars as pl
import pytest
from store_kit import LIST, ONE, TWO, Archive, run_id

from hongxing_crawler.core.record import article_id, decode
from hongxing_crawler.store import files, rows
from hongxing_crawler.store.rows import export_run, write_as_of, write_snapshot
from hongxing_crawler.store.state import State


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE, TWO)
    archive.visit(ONE)
    archive.visit(TWO, body="第二篇。\n\n完。")
    yield archive
    archive.state.close()


def _read(path):
    return [decode(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def _files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_tree_is_as_promised(archive, tmp_path):
    export_run(archive.state, tmp_path / "export", archive.run_id)
    run = run_id(0)

    assert list(_files(tmp_path / "export" / "articles" / "v1")) == [
        "README.md",
        f"delta/dt=2026-11-23/run={run}/_SUCCESS",
        f"delta/dt=2026-11-23/run={run}/_manifest.json",
        f"delta/dt=2026-11-23/run={run}/part-00000.jsonl.gz",
        "latest.json",
        "snapshot/dt=2026-11-23/_SUCCESS",
        "snapshot/dt=2026-11-23/_manifest.json",
        "snapshot/dt=2026-11-23/part-00000.jsonl.gz",
    ]


def test_rows_are_sorted_by_id_and_say_what_they_are(archive, tmp_path):
    paths = export_run(archive.state, tmp_path, archive.run_id)
    snapshot, delta = (_read(tmp_path / paths[name]) for name in ("rows", "delta"))

    assert [row.id for row in snapshot] == sorted([article_id(ONE), article_id(TWO)])
    assert [row.op for row in snapshot] == ["snapshot"] * 2
    assert [row.op for row in delta] == ["new"] * 2


def test_the_manifest_tells_the_bytes(archive, tmp_path):
    export_run(archive.state, tmp_path, archive.run_id)
    folder = tmp_path / "articles/v1/snapshot/dt=2026-11-23"
    manifest = json.loads((folder / "_manifest.json").read_bytes())
    part = (folder / "part-00000.jsonl.gz").read_bytes()

    assert manifest["rows"] == 2
    assert manifest["parts"] == [
        {
            "name": "part-00000.jsonl.gz",
            "rows": 2,
            "bytes": len(part),
            "sha256": hashlib.sha256(part).hexdigest(),
        }
    ]


def test_the_same_state_gives_the_same_bytes(archive, tmp_path):
    export_run(archive.state, tmp_path / "a", archive.run_id)
    archive.clock.forward(days=300)
    archive.reopen()
    export_run(archive.state, tmp_path / "b", archive.run_id)

    assert _files(tmp_path / "a") == _files(tmp_path / "b")


def test_a_run_without_changes_has_an_empty_delta(archive, tmp_path):
    export_run(archive.state, tmp_path, archive.run_id)
    archive.begin()
    archive.visit(ONE)
    paths = export_run(archive.state, tmp_path, archive.run_id)

    assert _read(tmp_path / paths["delta"]) == []


def test_deltas_in_order_give_the_snapshot(archive, tmp_path):
    export_run(archive.state, tmp_path, archive.run_id)
    archive.begin()
    archive.visit(ONE, body="改。")
    archive.visit(TWO, "gone", status=404)
    export_run(archive.state, tmp_path, archive.run_id)
    archive.begin()
    archive.visit(TWO, "gone", status=404)
    paths = export_run(archive.state, tmp_path, archive.run_id)
    known = {}
    for path in sorted((tmp_path / "articles/v1/delta").rglob("part-*")):
        known |= {row.id: row for row in _read(path)}
    living = {key: row.article_body for key, row in known.items() if row.op != "deleted"}

    assert living == {row.id: row.article_body for row in _read(tmp_path / paths["rows"])}
    assert living == {article_id(ONE): "改。"}


def test_the_delta_of_a_killed_run_comes_with_the_next(archive, tmp_path):
    archive.reopen()
    archive.state.end_killed_runs()
    archive.begin()
    archive.visit(ONE)
    export_run(archive.state, tmp_path, archive.run_id)
    late = tmp_path / f"articles/v1/delta/dt=2026-11-23/run={run_id(0)}/part-00000.jsonl.gz"

    assert [row.op for row in _read(late)] == ["new", "new"]
    assert archive.state.runs_to_export() == []


def test_many_rows_are_many_parts_and_old_parts_go(archive, tmp_path, monkeypatch):
    folder = tmp_path / "articles/v1/snapshot/dt=2026-11-23"
    monkeypatch.setattr(rows, "ROWS_PER_PART", 1)
    write_snapshot(archive.state, tmp_path, archive.run_id)
    many = sorted(path.name for path in folder.glob("part-*"))
    monkeypatch.setattr(rows, "ROWS_PER_PART", 10)
    write_snapshot(archive.state, tmp_path, archive.run_id)

    assert many == [f"part-{index:05d}.jsonl.gz" for index in range(3)]
    assert [path.name for path in folder.glob("part-*")] == ["part-00000.jsonl.gz"]


def test_a_failed_export_leaves_no_torn_file_and_no_success(archive, tmp_path, monkeypatch):
    folder = write_snapshot(archive.state, tmp_path, archive.run_id)
    before = (folder / "part-00000.jsonl.gz").read_bytes()

    def fail(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_snapshot(archive.state, tmp_path, archive.run_id)

    assert (folder / "part-00000.jsonl.gz").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [
        "_manifest.json",
        "part-00000.jsonl.gz",
    ]


def test_a_snapshot_of_a_past_day(archive, tmp_path):
    seen_at = archive.clock()
    archive.begin()
    archive.visit(ONE, body="改。")
    folder = write_as_of(archive.state, tmp_path, seen_at, "2026-11-23")

    bodies = {row.article_body for row in _read(folder / "part-00000.jsonl.gz")}

    assert folder.name == "dt=2026-11-23"
    assert bodies == {"正文。", "第二篇。\n\n完。"}


@pytest.mark.parametrize("kind", ["rows", "delta"])
def test_others_read_the_rows_in_one_line(archive, tmp_path, kind):
    path = export_run(archive.state, tmp_path, archive.run_id)[kind]

    tables = {
        "pandas": pd.read_json(path, lines=True, dtype=False).article_body,
        "polars": pl.read_ndjson(path, infer_schema_length=None)["article_body"],
        "duckdb": duckdb.sql(f"SELECT article_body FROM '{path}'").df().article_body,
    }

    expected = {"正文。", "第二篇。\n\n完。"}
    assert {name: set(bodies) for name, bodies in tables.items()} == dict.fromkeys(tables, expected)


def test_a_state_opened_for_reading_is_enough_to_look(archive, tmp_path):
    with State.open(archive.path, now=archive.clock, read_only=True) as state:
        folder = write_snapshot(state, tmp_path / "elsewhere", archive.run_id)

    assert {row.list_url for row in _read(folder / "part-00000.jsonl.gz")} == {LIST}
