"""Rows as Parquet, with a type for every field.

The types follow the JSON Schema of a row, so that no reader has to guess: times are timestamps,
days are dates, images, attachments and steps are lists of structs. pyarrow is an optional extra
and is imported when a file is written.
"""

from __future__ import annotations

import io
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from hongxing_crawler.core.record import SCHEMA_VERSION
from hongxing_crawler.core.schema import json_schema
from hongxing_crawler.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

BATCH_ROWS = 1_000  # a row group: some 8 MB of JSON in memory, and what a reader may skip

# What a pattern of the schema stands for, told by a text that it allows.
_SITE_TIME = "2026-01-31T08:00:00+08:00"
_ARCHIVE_TIME = "2026-01-31T00:00:00Z"
_DAY = "2026-01-31"


def load_pyarrow() -> ModuleType:
    """Import pyarrow.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise ConfigError(
            "Parquet needs pyarrow: type pip install 'hongxing-crawler[parquet]', "
            "or leave parquet out of export.format"
        ) from error
    return pa  # type: ignore[no-any-return, unused-ignore]


def arrow_schema() -> Any:
    """Make the Arrow schema of a row from its JSON Schema.

    Times of the site are timestamps in Asia/Shanghai, times of the archive in UTC; a time that may
    be the empty text in JSON is null here. All other texts stay texts.
    """
    pa = load_pyarrow()
    schema = json_schema()
    fields = _fields(pa, schema["properties"], schema["$defs"])
    return pa.schema(fields, metadata={"schema_version": SCHEMA_VERSION})


def _fields(pa: ModuleType, properties: Mapping[str, Any], shapes: Mapping[str, Any]) -> list[Any]:
    return [pa.field(name, _type(pa, value, shapes)) for name, value in properties.items()]


def _type(pa: ModuleType, value: Mapping[str, Any], shapes: Mapping[str, Any]) -> Any:
    if "anyOf" in value:
        (value,) = (choice for choice in value["anyOf"] if choice.get("type") != "null")
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return pa.struct(_fields(pa, shapes[name]["properties"], shapes))
    if value["type"] == "array":
        return pa.list_(_type(pa, value["items"], shapes))
    if value["type"] == "string":
        return _text_type(pa, value.get("pattern", ""))
    return {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}[value["type"]]


def _text_type(pa: ModuleType, pattern: str) -> Any:
    if pattern and re.search(pattern, _SITE_TIME):
        return pa.timestamp("ms", "Asia/Shanghai")
    if pattern and re.search(pattern, _ARCHIVE_TIME):
        return pa.timestamp("ms", "UTC")
    if pattern and re.search(pattern, _DAY):
        return pa.date32()
    return pa.string()


def write_parquet(sink: Sink, lines: Iterable[bytes]) -> int:
    """Write rows as one Parquet file, a row group for each batch.

    Args:
        sink: Where the bytes go.
        lines: One row each, as JSON; they may end with a line feed.

    Returns:
        How many rows they were.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    pa, count = load_pyarrow(), 0
    from pyarrow import parquet  # noqa: PLC0415 - an optional extra

    schema, iterator = arrow_schema(), iter(lines)
    with (
        pa.PythonFile(_Opened(sink), mode="w") as target,
        parquet.ParquetWriter(target, schema, compression="zstd") as writer,
    ):
        while batch := list(islice(iterator, BATCH_ROWS)):
            writer.write_table(_read(pa, batch, schema), row_group_size=BATCH_ROWS)
            count += len(batch)
    return count


class Sink(Protocol):
    """What bytes are written to."""

    size: int

    def write(self, data: bytes, /) -> int: ...


class _Opened:
    """A sink as pyarrow wants a file."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, data: Any) -> int:
        return self._sink.write(bytes(data))

    def tell(self) -> int:
        return self._sink.size

    def flush(self) -> None: ...

    def close(self) -> None: ...


def _read(pa: ModuleType, lines: Iterable[bytes], schema: Any) -> Any:
    from pyarrow import json  # noqa: PLC0415 - an optional extra

    data = b"\n".join(line.rstrip(b"\n") for line in lines) + b"\n"
    as_read = pa.schema([(field.name, _as_text(pa, field.type)) for field in schema])
    table = json.read_json(
        io.BytesIO(data),
        # One block in one thread: the threaded reader is known to fail now and then.
        read_options=json.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=json.ParseOptions(explicit_schema=as_read, unexpected_field_behavior="error"),
    ).combine_chunks()
    columns = [
        _convert(pa, table.column(field.name).combine_chunks(), field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _as_text(pa: ModuleType, kind: Any) -> Any:
    """Return a type with texts in place of times, as they stand in JSON."""
    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([(f.name, _as_text(pa, f.type)) for f in kind])
    if pa.types.is_list(kind):
        return pa.list_(_as_text(pa, kind.value_type))
    return kind


def _convert(pa: ModuleType, array: Any, kind: Any) -> Any:
    """Turn texts into times, at any depth; an empty text is no time."""
    if array.type == kind:
        return array
    if pa.types.is_struct(kind):
        children = [_convert(pa, array.field(i), kind.field(i).type) for i in range(len(kind))]
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    if pa.types.is_list(kind):
        values = _convert(pa, array.values, kind.value_type)
        return pa.ListArray.from_arrays(array.offsets, values, type=kind, mask=array.is_null())
    import pyarrow.compute as pc  # noqa: PLC0415 - an optional extra

    return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array).cast(kind)
