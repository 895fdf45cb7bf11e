"""The dataset card: what the rows are, how many, what is missing, how they are loaded.

``README.md`` of the export, made from the rows and the state alone, with the head that Hugging
Face's ``datasets`` reads. The same state gives the same card.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from hongxing_crawler.core.record import SCHEMA_VERSION
from hongxing_crawler.core.schema import field_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.store.articles import Line
    from hongxing_crawler.store.state import State

CARD_NAME = "README.md"
_MAX_CHANNELS = 40
_KEPT = frozenset({"stored", "duplicate"})
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_HEAD = """\
---
pretty_name: {title}
language:
- zh
license: other
size_categories:
- {size}
configs:
- config_name: snapshot
  default: true
  data_files: {snapshot}/part-*.{form}
---

# Articles of {site}

One row for each article, in the format `{version}`, as run `{run_id}` left them.
The texts belong to their publishers; `rights` repeats what a page says of its use.

| | |
| --- | --- |
"""
_LOADERS = """\
## Loading

From this folder, or with `s3://BUCKET/PREFIX/export/articles/v1/` before the paths. `latest.json`
names the newest snapshot, `_manifest.json` in each folder its parts with their sha256; a folder
without `_SUCCESS` is not complete.

```python
import pandas
rows = pandas.{pandas}
```

```python
import polars
rows = polars.{polars}
```

```python
import duckdb
rows = duckdb.sql("FROM {duckdb}")
```

```python
import datasets
rows = datasets.load_dataset("{form_name}", data_files="{path}", split="train")
```
"""
_FORMS = {
    "jsonl.gz": {
        "form_name": "json",
        "pandas": 'read_json("{first}", lines=True, dtype=False, convert_dates=False)',
        "polars": 'scan_ndjson("{path}", infer_schema_length=None).collect()',
        "duckdb": "read_json('{path}', format='newline_delimited', sample_size=-1)",
    },
    "parquet": {
        "form_name": "parquet",
        "pandas": 'read_parquet("{first}")',
        "polars": 'read_parquet("{path}")',
        "duckdb": "read_parquet('{path}')",
    },
}


class _File(msgspec.Struct):
    status: str


class _Quality(msgspec.Struct):
    flags: tuple[str, ...]


class _Restoration(msgspec.Struct):
    verdict: str


class _Row(msgspec.Struct):
    """What the card counts of a row; the rest of the line is passed over."""

    site: str
    channel: str
    published_day: str | None
    doc_type: str
    char_count: int
    images: tuple[_File, ...]
    attachments: tuple[_File, ...]
    video_files: tuple[_File, ...]
    quality: _Quality
    restoration: _Restoration


_decoder = msgspec.json.Decoder(_Row)


@dataclass(slots=True)
class Tally:
    """Counts of the rows that pass by on their way into a file."""

    rows: int = 0
    chars: int = 0
    days: list[str] = field(default_factory=lambda: ["9999", ""])
    sites: Counter[str] = field(default_factory=Counter)
    years: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    doc_types: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    attachments: Counter[str] = field(default_factory=Counter)
    films: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Pass lines on and count them."""
        for op, line in lines:
            self._count(_decoder.decode(line))
            yield op, line

    def _count(self, row: _Row) -> None:
        self.rows += 1
        self.chars += row.char_count
        day = row.published_day
        if day:
            self.days = [min(self.days[0], day), max(self.days[1], day)]
        self.sites[row.site] += 1
        self.years[day[:4] if day else "unknown"] += 1
        self.channels[row.channel or "unknown"] += 1
        self.doc_types[row.doc_type] += 1
        self.images.update(file.status for file in row.images)
        self.attachments.update(file.status for file in row.attachments)
        self.films.update(film.status for film in row.video_files)
        self.flags.update(row.quality.flags)
        self.verdicts[row.restoration.verdict] += 1


def make_card(tally: Tally, state: State, run_id: str, snapshot: str, *, with_parquet: bool) -> str:
    """Write the card of an export as Markdown.

    Args:
        tally: The counts of the snapshot.
        state: For what is missing.
        run_id: The run that the snapshot follows.
        snapshot: Folder of the snapshot, relative to the card.
        with_parquet: Parquet lies beside the JSON Lines.
    """
    form = "parquet" if with_parquet else "jsonl.gz"
    site = ", ".join(sorted(tally.sites)) or "no site yet"
    head = _HEAD.format(
        title=json.dumps(f"Articles of {site}", ensure_ascii=False),
        size=next((name for limit, name in _SIZES if tally.rows < limit), "n>1M"),
        snapshot=snapshot,
        form=form,
        site=_cell(site),
        version=SCHEMA_VERSION,
        run_id=run_id,
    )
    parts = [head + _facts(tally), *_tables(tally), _gaps(tally, state)]
    return "\n".join((*parts, _loaders(snapshot, form), _fields()))


def _facts(tally: Tally) -> str:
    days = " to ".join(dict.fromkeys(tally.days)) if tally.days[1] else "unknown"
    facts = {
        "articles": f"{tally.rows:,}",
        "published": days,
        "characters of text": f"{tally.chars:,}",
        "images": _files(tally.images),
        "attachments": _files(tally.attachments),
        **({"films": _files(tally.films)} if tally.films else {}),
        "texts restored from damage": f"{tally.verdicts.total() - tally.verdicts['clean']:,}",
    }
    return "".join(f"| {name} | {value} |\n" for name, value in facts.items())


def _files(counts: Counter[str]) -> str:
    kept = sum(count for status, count in counts.items() if status in _KEPT)
    return f"{counts.total():,}, of which {kept:,} are kept in `media/`"


def _tables(tally: Tally) -> Iterator[str]:
    yield _table("By year", sorted(tally.years.items()))
    channels = sorted(tally.channels.items(), key=lambda item: (-item[1], item[0]))
    more = sum(count for _, count in channels[_MAX_CHANNELS:])
    rest = [("all others", more)] if more else []
    yield _table("By channel", channels[:_MAX_CHANNELS] + rest)
    yield _table("By kind", sorted(tally.doc_types.items()))


def _gaps(tally: Tally, state: State) -> str:
    waiting = {name: count for name, count in state.counts().items() if name in _WAITING}
    files = tally.images + tally.attachments + tally.films
    failed = files["failed"] + files["skipped"]
    gaps = [
        *((f"{outcome}: {reason}", count) for outcome, reason, count in state.gap_counts()),
        *((_WAITING[name], count) for name, count in sorted(waiting.items())),
        ("files that could not be had", failed),
        *((f"rows flagged `{flag}`", count) for flag, count in sorted(tally.flags.items())),
    ]
    intro = (
        "What the site has and these rows lack, as far as it is known. Pages that were never"
        " linked to are unknown.\n"
    )
    return _table("Gaps", [(name, count) for name, count in gaps if count], intro)


_WAITING = {
    "pending": "addresses found and not asked yet",
    "in_flight": "addresses found and not asked yet, in flight",
}


def _table(title: str, counts: Iterable[tuple[str, int]], intro: str = "") -> str:
    rows = [f"| {_cell(name)} | {count:,} |" for name, count in counts]
    lines = ["| | count |", "| --- | ---: |", *rows] if rows else ["None."]
    return "\n".join((f"## {title}\n", *([intro] if intro else []), *lines, ""))


def _cell(text: str) -> str:
    """Keep a word of a page from becoming Markdown or HTML."""
    flat = "".join(char if char.isprintable() else " " for char in text)[:120]
    for char, name in {"&": "&amp;", "<": "&lt;", "|": "&#124;", "[": "&#91;"}.items():
        flat = flat.replace(char, name)
    return flat


def _loaders(snapshot: str, form: str) -> str:
    places = {"path": f"{snapshot}/part-*.{form}", "first": f"{snapshot}/part-00000.{form}"}
    calls = {name: call.format(**places) for name, call in _FORMS[form].items()}
    return _LOADERS.format(**places, **calls)


def _fields() -> str:
    return f"## Fields\n\n{field_tables()}"
