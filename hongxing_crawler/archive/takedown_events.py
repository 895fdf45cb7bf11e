"""Takedowns as the archive keeps them: the second record of a WARC file of their own."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from hongxing_crawler.archive.captures import read_noted
from hongxing_crawler.archive.reader import read_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

EVENT_FIELD = "takedown-event"


def read_events(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield the takedowns that WARC files tell of, as JSON, each with its file.

    Only the first two records of a file are read.

    Args:
        paths: Any WARC files.

    Raises:
        ArchiveError: A file cannot be read at all.
    """
    for path in paths:
        for record in islice(read_records(path, []), 1, 2):
            if record.type == "metadata" and EVENT_FIELD in (noted := read_noted(record)):
                yield path, noted[EVENT_FIELD]
