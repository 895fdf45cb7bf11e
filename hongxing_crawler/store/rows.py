"""Rows on disk: snapshot and delta as gzipped JSON Lines, a projection of the state.

A file gets its name when it is complete and synced, ``_SUCCESS`` when its folder is complete,
``latest.json`` last. The same state gives the same bytes: rows are sorted by id, gzip carries no
time, and nothing asks for the time of day.
"""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import msgspec
from zlib_ng import zlib_ng

from hongxing_crawler.core.record import SCHEMA_VERSION, utc_text
from hongxing_crawler.store.card import CARD_NAME, Tally, make_card
from hongxing_crawler.store.files import complete_file, write_file
from hongxing_crawler.store.home_files import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from hongxing_crawler.store.articles import Line
    from hongxing_crawler.store.outbox import Finished
    from hongxing_crawler.store.state import State

ROWS_PER_PART = 50_000
_GZIP_LEVEL = 6
_GZIP = 16 + 15  # a gzip member with a window of 32 KiB
_TREE = "articles/v1"
_MANIFEST = "_manifest.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A file of rows as the manifest lists it."""

    name: str
    rows: int
    bytes: int
    sha256: str


def export_run(
    state: State,
    folder: Path,
    run_id: str,
    *,
    with_parquet: bool = False,
    is_refused: bool = False,
) -> dict[str, str]:
    """Write the snapshot and every delta that is not on disk yet.

    When no row has changed, the last snapshot stays the latest one: a night on which the site
    slept costs a hundred bytes, not a copy of everything. Deltas of killed
    runs, which could not write theirs, are written as well, so that no change is missing.

    Args:
        state: The state after the run.
        folder: ``export`` of the home.
        run_id: The run that ends; its day names the snapshot.
        with_parquet: Write each part as Parquet, too.
        is_refused: A quality gate failed: write the deltas, for a person to look at, and leave
            snapshot, ``latest.json`` and bucket as they are. The next run that is not refused
            brings what is missing.

    Returns:
        Paths by what they are: ``rows``, ``delta``, ``latest``.

    Raises:
        OSError: The disk refused; what was there before is whole or has lost its ``_SUCCESS``.
    """
    state.judge_repeats()
    root = folder / _TREE
    waiting = [entry.run_id for entry in state.runs_to_export() if entry.run_id != run_id]
    for name in (*waiting, run_id):
        if name == run_id or state.op_counts(name):
            write_delta(state, folder, name, with_parquet=with_parquet)
    delta = _delta_folder(root, run_id)
    if is_refused:
        return {"delta": str(delta / _part_name(0))}
    kept = _find_kept(state, root, (*waiting, run_id), with_parquet=with_parquet)
    snapshot = kept or write_snapshot(state, folder, run_id, with_parquet=with_parquet)
    latest = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "snapshot": snapshot.relative_to(root).as_posix(),
        "delta": delta.relative_to(root).as_posix(),
    }
    write_file(root / "latest.json", _pretty(latest))
    folders = [_delta_folder(root, name) for name in (*waiting, run_id)]
    folders += [] if kept else [snapshot]
    state.mark_exported([*waiting, run_id], _written(root, folders))
    return {
        "rows": str(snapshot / _part_name(0)),
        "delta": str(delta / _part_name(0)),
        "latest": str(root / "latest.json"),
    }


def _find_kept(
    state: State, root: Path, run_ids: Iterable[str], *, with_parquet: bool
) -> Path | None:
    """Return the folder of the last snapshot when it still says all that is to be said."""
    if any(state.op_counts(name) for name in run_ids):
        return None
    try:
        latest = msgspec.json.decode((root / "latest.json").read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    folder = root / latest.get("snapshot", "")
    is_whole = latest.get("schema_version") == SCHEMA_VERSION and (folder / "_SUCCESS").is_file()
    has_formats = any(folder.glob("*.parquet")) or not with_parquet
    return folder if is_whole and has_formats else None


def _written(root: Path, folders: Iterable[Path]) -> Iterator[Finished]:
    """Describe what an export wrote, for the outbox."""
    files = [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir())]
    for file in (*files, root / CARD_NAME, root / "latest.json"):
        yield describe(root.parents[2], file)


def write_snapshot(state: State, folder: Path, run_id: str, *, with_parquet: bool = False) -> Path:
    """Write every living article as it was last seen, and the dataset card; the folder.

    Args:
        state: The state to project.
        folder: ``export`` of the home.
        run_id: The run whose day names the snapshot.
        with_parquet: Write each part as Parquet, too.
    """
    target = folder / _TREE / "snapshot" / f"dt={day_of(run_id)}"
    about, tally = {"dataset": "snapshot", "run_id": run_id}, Tally()
    lines = tally.watch(state.articles.snapshot_lines())
    write_rows(target, lines, about, with_parquet=with_parquet)
    name = target.relative_to(folder / _TREE).as_posix()
    card = make_card(tally, state, run_id, name, with_parquet=with_parquet)
    write_file(folder / _TREE / CARD_NAME, card.encode())
    return target


def write_as_of(
    state: State, folder: Path, moment: datetime, name: str, *, with_parquet: bool = False
) -> Path:
    """Write the articles as they were known at a moment; the folder.

    It lies apart from the snapshots of runs, which say what a run left.

    Args:
        state: The state to project.
        folder: ``export`` of the home, or any other.
        moment: Answers up to and with this moment count, aware.
        name: Of the folder: the day, or the moment.
        with_parquet: Write each part as Parquet, too.
    """
    target = folder / _TREE / "as_of" / f"dt={name}"
    about = {"dataset": "as_of", "as_of": utc_text(moment)}
    write_rows(target, state.articles.as_of_lines(moment), about, with_parquet=with_parquet)
    return target


def write_delta(state: State, folder: Path, run_id: str, *, with_parquet: bool = False) -> Path:
    """Write what a run changed; the folder."""
    target = _delta_folder(folder / _TREE, run_id)
    about = {"dataset": "delta", "run_id": run_id}
    write_rows(target, state.delta_lines(run_id), about, with_parquet=with_parquet)
    return target


def day_of(run_id: str) -> str:
    """Return the UTC day on which a run started.

    >>> day_of("run_20261123T080000Z-2")
    '2026-11-23'
    """
    digits = run_id.removeprefix("run_")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"


def _delta_folder(root: Path, run_id: str) -> Path:
    return root / "delta" / f"dt={day_of(run_id)}" / f"run={run_id}"


def write_rows(
    folder: Path, lines: Iterable[Line], about: dict[str, str], *, with_parquet: bool = False
) -> None:
    """Write a folder of parts with its manifest; ``_SUCCESS`` stands only while it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    parent = find_parent(folder, about["run_id"]) if "run_id" in about else None
    (folder / "_SUCCESS").unlink(missing_ok=True)
    before = _read_old(folder)
    ops: Counter[str] = Counter()
    parts = list(_write_parts(folder, lines, ops))
    typed = [
        _keep_parquet(folder, part, before) or _write_parquet(folder / part.name)
        for part in parts
        if with_parquet
    ]
    names = {part.name for part in (*parts, *typed)}
    for old in sorted(folder.glob("part-*")):
        if old.name not in names:
            old.unlink()
    manifest = {
        "schema_version": SCHEMA_VERSION,
        **about,
        "parent": parent,
        "rows": sum(part.rows for part in parts),
        "ops": dict(sorted(ops.items())),
        "parts": parts,
        "parquet": typed,
    }
    write_file(folder / _MANIFEST, _pretty(manifest))
    write_file(folder / "_SUCCESS", b"")


class _OldManifest(msgspec.Struct):
    run_id: str = ""
    parent: dict[str, str] | None = None
    schema_version: str = ""
    parts: list[Part] = []
    parquet: list[Part] = []


def _read_old(folder: Path) -> _OldManifest:
    with suppress(OSError, msgspec.DecodeError):  # a damaged one is written anew
        return msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=_OldManifest)
    return _OldManifest()


def find_parent(folder: Path, run_id: str) -> dict[str, str] | None:
    """Find the manifest that a folder's own follows: that of the folder before it.

    A snapshot that a second run of the day writes again follows the one that it replaces; a
    folder that the same run writes again keeps its parent.
    """
    own = folder / _MANIFEST
    if own.is_file():
        with suppress(msgspec.DecodeError):  # a damaged one is written anew
            old = msgspec.json.decode(own.read_bytes(), type=_OldManifest)
            return old.parent if old.run_id == run_id else _describe_parent(folder, folder)
    depth = 2 if folder.name.startswith("run=") else 1
    root = folder.parents[depth - 1]
    pattern = "/".join(("dt=*", "run=*")[:depth])
    before = [path for path in root.glob(f"{pattern}/{_MANIFEST}") if path.parent < folder]
    return _describe_parent(max(before).parent, folder) if before else None


def _describe_parent(parent: Path, folder: Path) -> dict[str, str]:
    depth = 3 if folder.name.startswith("run=") else 2
    name = parent.relative_to(folder.parents[depth - 1]).as_posix()
    return {"folder": name, "sha256": hashlib.sha256((parent / _MANIFEST).read_bytes()).hexdigest()}


def _write_parts(folder: Path, lines: Iterable[Line], ops: Counter[str]) -> Iterator[Part]:
    """Write at least one part, so that readers of no rows find a file."""
    iterator, index, count = iter(lines), 0, ROWS_PER_PART
    while index == 0 or count == ROWS_PER_PART:
        name = _part_name(index)
        with complete_file(folder / name) as file:
            sink = _Digest(file)
            count = _write_lines(sink, islice(iterator, ROWS_PER_PART), ops)
        yield Part(name, count, sink.size, sink.sha256.hexdigest())
        index += 1


def _write_lines(sink: _Digest, lines: Iterable[Line], ops: Counter[str]) -> int:
    """Write one gzip member without time and name."""
    engine = zlib_ng.compressobj(_GZIP_LEVEL, zlib_ng.DEFLATED, _GZIP)
    count = 0
    for op, line in lines:
        sink.write(engine.compress(line + b"\n"))
        ops[op] += 1
        count += 1
    sink.write(engine.flush())
    return count


def _keep_parquet(folder: Path, part: Part, old: _OldManifest) -> Part | None:
    """Find the Parquet file of a part whose rows are as they were; None when there is none.

    Other versions of pyarrow write other bytes for the same rows, and what was published once
    must not change for that.
    """
    name = _parquet_name(part.name)
    typed = next((known for known in old.parquet if known.name == name), None)
    if typed is None or part not in old.parts or old.schema_version != SCHEMA_VERSION:
        return None
    with suppress(OSError), (folder / name).open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() == typed.sha256:
            return typed
    return None


def _parquet_name(name: str) -> str:
    return name.replace(".jsonl.gz", ".parquet")


def _write_parquet(source: Path) -> Part:
    """Write the rows of a part again, as Parquet with types."""
    from hongxing_crawler.store.parquet import write_parquet  # noqa: PLC0415 - an optional extra

    name = _parquet_name(source.name)
    with gzip.open(source) as lines, complete_file(source.with_name(name)) as file:
        sink = _Digest(file)
        count = write_parquet(sink, lines)
    return Part(name, count, sink.size, sink.sha256.hexdigest())


class _Digest:
    """A file that counts and digests what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self._file.write(data)


def _part_name(index: int) -> str:
    return f"part-{index:05d}.jsonl.gz"


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
