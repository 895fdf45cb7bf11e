"""Which records of a damaged file can stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.archive.findings import Finding
from hongxing_crawler.archive.reader import scan
from hongxing_crawler.archive.verify import check_digests

if TYPE_CHECKING:
    from pathlib import Path

    from hongxing_crawler.archive.reader import Record

_PARTS = frozenset({"request", "metadata"})


@dataclass(slots=True)
class Gap:
    """Bytes that no whole record holds, before the last whole record or behind it."""

    offset: int
    length: int
    urls: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)  # <urn:…> that whole records still name


class Survey:
    """The whole records of a file, and what lies between them.

    At the end of the file the parts of a group whose response is not there are given up: they
    are what a killed process left. Before whole records they stay, as all that is left.
    """

    def __init__(self, path: Path, *, with_digests: bool = False) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.findings: list[Finding] = []
        self.kept: list[tuple[int, int]] = []  # offset and length
        self.lost_urls: list[str] = []
        self.has_exchange = False
        self._with_digests = with_digests
        self._ids: set[str] = set()
        self._waiting: list[Record] = []
        self._waits_for = ""  # the record that they are parts of
        self._lost_ids: dict[int, list[str]] = {}  # by the end of the last part
        for found in scan(path):
            if isinstance(found, Finding):
                self._damaged(found)
            else:
                self._whole(found)
        self.lost_urls += [record.url for record in self._waiting]

    @property
    def kept_bytes(self) -> int:
        return sum(length for _, length in self.kept)

    @property
    def end(self) -> int:
        return sum(self.kept[-1]) if self.kept else 0

    @property
    def is_whole(self) -> bool:
        """Whether the kept records lie side by side from the start of the file."""
        return self.kept_bytes == self.end

    @property
    def is_sound(self) -> bool:
        """Whether nothing is lost at all."""
        return self.kept_bytes == self.size

    def gaps(self) -> list[Gap]:
        """Return what lies between the kept records, and behind the last one."""
        gaps, end = [], 0
        for offset, length in [*self.kept, (self.size, 0)]:
            if offset > end:
                inside = range(end, offset)
                urls = [item.url for item in self.findings if item.offset in inside and item.url]
                gaps.append(Gap(end, offset - end, urls, self._lost_ids.get(end, [])))
            end = offset + length
        return gaps

    def _damaged(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.lost_urls.append(finding.url)

    def _whole(self, record: Record) -> None:
        wrong = list(check_digests(record)) if self._with_digests else []
        if wrong:
            self._damaged(wrong[0])
            return
        relation = record.fields.get("warc-concurrent-to", "")
        if relation and relation not in self._ids and record.type in _PARTS:
            if relation != self._waits_for:
                self._give_up()
            self._waiting.append(record)
            self._waits_for = relation
            return
        if record.fields["warc-record-id"] != self._waits_for:
            self._give_up()
        for part in self._waiting:
            self._keep(part)
        self._waiting, self._waits_for = [], ""
        self._keep(record)

    def _keep(self, record: Record) -> None:
        self.kept.append((record.offset, record.length))
        self.has_exchange |= record.type != "warcinfo"
        self._ids.add(record.fields["warc-record-id"])

    def _give_up(self) -> None:
        """Keep the parts of a group whose response was lost, and note its id."""
        for part in self._waiting:
            self.lost_urls.append(part.url)
            self._keep(part)
        if self._waiting:
            self._lost_ids[self.end] = [self._waits_for]
        self._waiting, self._waits_for = [], ""
