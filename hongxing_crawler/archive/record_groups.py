"""Records that were written together, read back together: for removing and for handing out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.archive.captures import header_notes, read_noted
from hongxing_crawler.archive.reader import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hongxing_crawler.archive.findings import Finding
    from hongxing_crawler.archive.reader import Record

_PARTS = frozenset({"request", "metadata"})


@dataclass(frozen=True, slots=True)
class RecordGroup:
    """The records of one exchange in the order of the file; the main one is the last."""

    records: tuple[Record, ...]

    @property
    def main(self) -> Record:
        """The response, revisit, resource or conversion; a lone metadata record is its own."""
        return self.records[-1]

    @property
    def noted(self) -> dict[str, str]:
        """What was known when the page was asked for: ``via``, ``hongxing-kind`` and so on."""
        found = header_notes(self.main)
        for record in self.records:
            if record.type == "metadata":
                found |= read_noted(record)
        return found

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield where the group lies, as start and end in bytes; one span when it is in a row."""
        start = end = self.records[0].offset
        for record in self.records:
            if record.offset != end:
                yield start, end
                start = record.offset
            end = record.offset + record.length
        yield start, end


def read_groups(path: Path, findings: list[Finding] | None = None) -> Iterator[RecordGroup]:
    """Yield the groups of a file; the warcinfo record is a group of its own.

    A request or note whose response is not there is passed over.

    Args:
        path: A ``.warc.gz`` file.
        findings: Where damage is noted; reading then goes on behind it.

    Raises:
        ArchiveError: Damage, when there is no list to note it in.
    """
    waiting: list[Record] = []
    for record in read_records(path, findings):
        if record.type in _PARTS and record.fields.get("warc-concurrent-to"):
            waiting.append(record)
            continue
        own = record.fields["warc-record-id"]
        mine = [part for part in waiting if own in part.fields["warc-concurrent-to"]]
        waiting = []
        yield RecordGroup((*mine, record))
