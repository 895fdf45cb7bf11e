"""Spam intelligence: who was advertised, on which pages, since when, found by which rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hongxing_crawler.core.edits import RemovedBlock

_INJECTED = ("spam.", "junk.")
_PAGES_MAX = 50  # named for each host; all are counted
_ANCHORS_MAX = 50
_ANCHOR_LENGTH_MAX = 60
_SEPARATORS = "|\n\t、,，;；"
_SPLIT = str.maketrans(_SEPARATORS, "\n" * len(_SEPARATORS))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamHost:
    """A host that injected links led to, or ``""`` for injected texts without links.

    ``first_seen_at`` is the time of the earliest page in this archive that showed it.
    """

    host: str
    rules: tuple[str, ...]
    page_count: int
    link_count: int
    pages: tuple[str, ...]  # the first of them
    anchors: tuple[str, ...]  # most frequent first
    first_seen_at: str  # UTC
    is_new: bool  # not seen by an earlier run


@dataclass(slots=True)
class _Sighting:
    rules: Counter[str] = field(default_factory=Counter)
    pages: dict[str, None] = field(default_factory=dict)
    anchors: Counter[str] = field(default_factory=Counter)
    link_count: int = 0
    first_seen_at: str = ""


def is_injected(rule: str) -> bool:
    """Whether a rule removes what attackers put in, rather than the site's own furniture."""
    return rule.startswith(_INJECTED)


def _host(link: str) -> str:
    try:
        return urlsplit(link).hostname or ""
    except ValueError:
        return ""


def find_anchors(text: str) -> Iterator[str]:
    """Split the text of a link wheel into its items.

    >>> list(find_anchors("湘西|凉山| 中超 |"))
    ['湘西', '凉山', '中超']
    """
    items = (item.strip() for item in text.translate(_SPLIT).split("\n"))
    return (item for item in items if 0 < len(item) <= _ANCHOR_LENGTH_MAX)


class SpamLog:
    """Gathers the injected blocks of one run, page by page."""

    def __init__(self) -> None:
        self._by_host: dict[str, _Sighting] = {}
        self._pages: set[str] = set()

    @property
    def page_count(self) -> int:
        """Pages on which something was injected."""
        return len(self._pages)

    def add(self, url: str, fetched_at: str, blocks: Iterable[RemovedBlock]) -> None:
        """Note what was injected into one page; other removed blocks are left alone.

        Args:
            url: The page.
            fetched_at: When it was fetched, UTC as text that sorts by time.
            blocks: What cleaning removed from it.
        """
        for block in blocks:
            if is_injected(block.rule):
                self._pages.add(url)
                self._add_block(url, fetched_at, block)

    def _add_block(self, url: str, fetched_at: str, block: RemovedBlock) -> None:
        hosts = Counter(_host(link) for link in block.links) or Counter({"": 0})
        for host, link_count in hosts.items():
            sighting = self._by_host.setdefault(host, _Sighting())
            sighting.rules[block.rule] += 1
            sighting.pages[url] = None
            sighting.link_count += link_count
            sighting.anchors.update(islice(find_anchors(block.text), 500))
            earliest = min(sighting.first_seen_at or fetched_at, fetched_at)
            sighting.first_seen_at = earliest

    def hosts(self, known: Mapping[str, str] | None = None) -> list[SpamHost]:
        """List the hosts, those on most pages first.

        Args:
            known: First-seen times of earlier runs by host.
        """
        before = known or {}
        found = [self._describe(host, s, before.get(host)) for host, s in self._by_host.items()]
        return sorted(found, key=lambda host: (-host.page_count, host.host))

    @staticmethod
    def _describe(host: str, sighting: _Sighting, known_since: str | None) -> SpamHost:
        return SpamHost(
            host=host,
            rules=tuple(sorted(sighting.rules)),
            page_count=len(sighting.pages),
            link_count=sighting.link_count,
            pages=tuple(sorted(sighting.pages)[:_PAGES_MAX]),
            anchors=tuple(anchor for anchor, _ in sighting.anchors.most_common(_ANCHORS_MAX)),
            first_seen_at=min(known_since or sighting.first_seen_at, sighting.first_seen_at),
            is_new=known_since is None,
        )


def encode_spam(hosts: Iterable[SpamHost]) -> bytes:
    """JSON Lines, one host a line."""
    return b"".join(msgspec.json.encode(host) + b"\n" for host in hosts)


def decode_spam(data: bytes) -> list[SpamHost]:
    """Read ``spam.jsonl`` back.

    Raises:
        ValueError: A line is no such row.
    """
    return [msgspec.json.decode(line, type=SpamHost) for line in data.splitlines() if line]


def first_seen(logs: Iterable[Iterable[SpamHost]]) -> dict[str, str]:
    """When each host was first seen, from the logs of earlier runs."""
    times: dict[str, str] = {}
    for log in logs:
        for host in log:
            times[host.host] = min(times.get(host.host, host.first_seen_at), host.first_seen_at)
    return times
