"""Parquet beside the JSON Lines: the same rows, with a type for every field."""

import gzip
import io
import json
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_kit import ONE, TWO, Archive

from hongxing_crawler.core.schema import json_schema
from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.store.parquet import BATCH_ROWS, arrow_schema, write_parquet
from hongxing_crawler.store.rows import export_run, write_snapshot

SITE = timezone(timedelta(hours=8))
SNAPSHOT = "articles/v1/snapshot/dt=2026-11-23"


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE, TWO)
    archive.visit(ONE)
    archive.visit(TWO, body="第二篇。\n\n完。")
    yield archive
    archive.state.close()


@pytest.fixture
def exported(archive, tmp_path):
    export_run(archive.state, tmp_path / "export", archive.run_id, with_parquet=True)
    return tmp_path / "export" / SNAPSHOT


class Buffer(io.BytesIO):
    @property
    def size(self):
        return self.tell()


def _as_json(value):
    """Take a value of a Parquet file back to what stands in JSON."""
    if isinstance(value, datetime):
        if value.utcoffset():
            return value.astimezone(SITE).isoformat()
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list) else value


def _json_lines(path):
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    for line in lines:
        for name in ("date_modified", "deleted_at"):  # may be empty text there, null here
            line[name] = line[name] or None
    return lines


def test_it_holds_what_the_json_lines_hold(exported):
    table = pq.read_table(exported / "part-00000.parquet", partitioning=None)

    assert _as_json(table.to_pylist()) == _json_lines(exported / "part-00000.jsonl.gz")


def test_every_field_of_a_row_has_its_place_in_order():
    assert arrow_schema().names == list(json_schema()["properties"])


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("date_published", pa.timestamp("ms", "Asia/Shanghai")),
        ("date_modified", pa.timestamp("ms", "Asia/Shanghai")),
        ("first_seen_at", pa.timestamp("ms", "UTC")),
        ("deleted_at", pa.timestamp("ms", "UTC")),
        ("published_day", pa.date32()),
        ("breadcrumbs", pa.list_(pa.string())),
        ("char_count", pa.int64()),
        ("headline", pa.string()),
        ("content_sha256", pa.string()),
    ],
)
def test_types_are_those_of_the_field(field, kind):
    assert arrow_schema().field(field).type == kind


def test_nested_fields_are_typed_to_their_ends():
    schema = arrow_schema()
    image = schema.field("images").type.value_type
    edit = schema.field("cleaning").type.field("steps").type.value_type.field("edits").type

    assert image.field("bytes").type == image.field("width").type == pa.int64()
    assert edit.value_type.field("start").type == pa.int64()
    assert schema.field("provenance").type.field("fetched_at").type == pa.timestamp("ms", "UTC")
    assert schema.field("quality").type.field("completeness").type == pa.float64()


def test_the_file_names_the_version_of_its_rows(exported):
    metadata = pq.read_schema(exported / "part-00000.parquet").metadata

    assert metadata[b"schema_version"].decode() == json_schema()["title"]


def test_the_same_state_gives_the_same_bytes(archive, tmp_path):
    first, second = (
        write_snapshot(archive.state, tmp_path / name, archive.run_id, with_parquet=True)
        for name in "ab"
    )
    name = "part-00000.parquet"

    assert (first / name).read_bytes() == (second / name).read_bytes()


def test_an_export_by_another_pyarrow_keeps_the_file_of_the_same_rows(
    archive, exported, monkeypatch
):
    """What was published must not change because a library writes other bytes."""
    before = {path.name: path.read_bytes() for path in exported.iterdir()}
    own = pq.ParquetWriter
    monkeypatch.setattr(
        pq, "ParquetWriter", lambda target, schema, **_: own(target, schema, compression="gzip")
    )
    folder = exported.parents[3]
    write_snapshot(archive.state, folder, archive.run_id, with_parquet=True)
    assert {path.name: path.read_bytes() for path in exported.iterdir()} == before

    damaged = exported / "part-00000.parquet"
    damaged.write_bytes(before[damaged.name][:-1])
    write_snapshot(archive.state, folder, archive.run_id, with_parquet=True)
    assert damaged.read_bytes() not in {before[damaged.name], before[damaged.name][:-1]}
    assert pq.read_table(damaged).num_rows == 2


def test_the_manifest_lists_both_forms(exported):
    manifest = json.loads((exported / "_manifest.json").read_bytes())

    assert [part["name"] for part in manifest["parts"]] == ["part-00000.jsonl.gz"]
    assert [part["name"] for part in manifest["parquet"]] == ["part-00000.parquet"]
    assert manifest["parquet"][0]["rows"] == manifest["rows"] == 2
    assert manifest["parquet"][0]["bytes"] == (exported / "part-00000.parquet").stat().st_size


def test_an_export_without_parquet_leaves_no_old_one(archive, exported):
    export_run(archive.state, exported.parents[3], archive.run_id)

    assert sorted(path.name for path in exported.iterdir()) == [
        "_SUCCESS",
        "_manifest.json",
        "part-00000.jsonl.gz",
    ]


def test_no_rows_are_a_file_with_types():
    buffer = Buffer()

    assert write_parquet(buffer, []) == 0
    assert pq.read_schema(io.BytesIO(buffer.getvalue())).equals(arrow_schema())


def test_many_rows_are_many_row_groups(exported):
    line = gzip.decompress((exported / "part-00000.jsonl.gz").read_bytes()).splitlines()[0]
    buffer = Buffer()

    assert write_parquet(buffer, [line] * (BATCH_ROWS + 1)) == BATCH_ROWS + 1
    assert pq.ParquetFile(io.BytesIO(buffer.getvalue())).num_row_groups == 2


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_any_text_comes_through(texts):
    lines = [json.dumps({**_template(), "article_body": text}).encode() for text in texts]
    buffer = Buffer()
    write_parquet(buffer, lines)
    table = pq.read_table(io.BytesIO(buffer.getvalue()))

    assert table.column("article_body").to_pylist() == texts


@cache
def _template():
    """A row with nothing in it."""
    empty = {"string": "", "integer": 0, "number": 0.0, "array": [], "null": None}
    schema = json_schema()

    def fill(value):
        if "anyOf" in value or "pattern" in value:
            return None
        if "$ref" in value:
            return fill_shape(schema["$defs"][value["$ref"].rpartition("/")[2]])
        return empty[value["type"]]

    def fill_shape(shape):
        return {name: fill(value) for name, value in shape["properties"].items()}

    return fill_shape(schema)


def test_others_read_it_in_one_line(exported):
    path = str(exported / "part-00000.parquet")

    tables = {
        "pandas": pd.read_parquet(path).article_body,
        "polars": pl.read_parquet(path)["article_body"],
        "duckdb": duckdb.sql(f"SELECT article_body FROM '{path}'").df().article_body,
    }

    expected = {"正文。", "第二篇。\n\n完。"}
    assert {name: set(bodies) for name, bodies in tables.items()} == dict.fromkeys(tables, expected)


def test_without_pyarrow_the_error_says_what_to_install(archive, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigError, match="pip install"):
        write_snapshot(archive.state, tmp_path, archive.run_id, with_parquet=True)
