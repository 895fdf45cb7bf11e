"""Spam intelligence: who was advertised, on which pages, since when, found by which rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from hongxing_crawler.core.addresses import site_of
from hongxing_crawler.core.edits import RemovedBlock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hongxing_crawler.core.record import Article

_INJECTED = ("spam.", "junk.")
_PAGES_MAX = 50  # named for each host; all are counted
_ANCHORS_MAX = 50
_ANCHORS_READ_MAX = 500  # of one block
_ANCHORS_KEPT_MAX = 5_000  # of one host
_ANCHOR_LENGTH_MAX = 60
_SEPARATORS = "|\n\t、,，;；"
_SPLIT = str.maketrans(_SEPARATORS, "\n" * len(_SEPARATORS))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamAnchor:
    """The text of an injected link, and since when it was seen with this host."""

    text: str
    page_count: int
    first_seen_at: str  # UTC


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
    anchors: tuple[SpamAnchor, ...]  # on most pages first
    first_seen_at: str  # UTC
    is_new: bool  # not seen by an earlier run


FirstSeen = dict[tuple[str, str], str]  # by host and anchor; the host itself has the anchor ""


@dataclass(slots=True)
class _Anchor:
    pages: set[str] = field(default_factory=set)
    first_seen_at: str = ""


@dataclass(slots=True)
class _Sighting:
    rules: Counter[str] = field(default_factory=Counter)
    pages: dict[str, None] = field(default_factory=dict)
    anchors: dict[str, _Anchor] = field(default_factory=dict)
    link_count: int = 0
    first_seen_at: str = ""

    def add_anchors(self, texts: Iterable[str], url: str, fetched_at: str) -> None:
        for text in texts:
            if text not in self.anchors and len(self.anchors) >= _ANCHORS_KEPT_MAX:
                return
            anchor = self.anchors.setdefault(text, _Anchor(first_seen_at=fetched_at))
            anchor.pages.add(url)
            anchor.first_seen_at = min(anchor.first_seen_at, fetched_at)


def is_injected(rule: str) -> bool:
    """Whether a rule removes what attackers put in, rather than the site's own furniture."""
    return rule.startswith(_INJECTED)


def injected_blocks(article: Article) -> Iterator[RemovedBlock]:
    """Everything that was injected into an article: blocks of HTML and passages of text."""
    for step in article.cleaning.steps:
        blocks = [block for block in step.removed_blocks if is_injected(block.rule)]
        yield from blocks
        told = {block.text for block in blocks}  # a block that an edit took out has its links
        for edit in step.edits:
            if is_injected(edit.rule) and edit.removed.strip() not in told:
                yield RemovedBlock(edit.rule, step.field, edit.removed)


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
        own = site_of(_host(url))
        links = [link for link in block.links if site_of(_host(link)) != own]
        hosts = Counter(map(_host, links)) or Counter({"": 0})
        anchors = list(islice(find_anchors(block.text), _ANCHORS_READ_MAX))
        is_paired = len(anchors) == len(block.links)  # one text a link, in the same order
        for host, link_count in hosts.items():
            sighting = self._by_host.setdefault(host, _Sighting())
            sighting.rules[block.rule] += 1
            sighting.pages[url] = None
            sighting.link_count += link_count
            pairs = zip(anchors, block.links, strict=True) if is_paired else ()
            own_texts = [text for text, link in pairs if _host(link) == host]
            sighting.add_anchors(own_texts or anchors, url, fetched_at)
            earliest = min(sighting.first_seen_at or fetched_at, fetched_at)
            sighting.first_seen_at = earliest

    def hosts(self, known: Mapping[tuple[str, str], str] | None = None) -> list[SpamHost]:
        """List the hosts, those on most pages first.

        Args:
            known: First-seen times of earlier runs, from ``first_seen``.
        """
        before = known or {}
        found = [_describe(host, sighting, before) for host, sighting in self._by_host.items()]
        return sorted(found, key=lambda host: (-host.page_count, host.host))


def _describe(host: str, sighting: _Sighting, known: Mapping[tuple[str, str], str]) -> SpamHost:
    since = known.get((host, ""))
    anchors = [
        SpamAnchor(
            text=text,
            page_count=len(anchor.pages),
            first_seen_at=min(known.get((host, text), anchor.first_seen_at), anchor.first_seen_at),
        )
        for text, anchor in sighting.anchors.items()
    ]
    anchors.sort(key=lambda anchor: (-anchor.page_count, anchor.text))
    return SpamHost(
        host=host,
        rules=tuple(sorted(sighting.rules)),
        page_count=len(sighting.pages),
        link_count=sighting.link_count,
        pages=tuple(sorted(sighting.pages)[:_PAGES_MAX]),
        anchors=tuple(anchors[:_ANCHORS_MAX]),
        first_seen_at=min(since or sighting.first_seen_at, sighting.first_seen_at),
        is_new=since is None,
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


def first_seen(logs: Iterable[Iterable[SpamHost]]) -> FirstSeen:
    """When each host, and each anchor of it, was first seen, from the logs of earlier runs."""
    times: FirstSeen = {}
    for log in logs:
        for host in log:
            _note(times, (host.host, ""), host.first_seen_at)
            for anchor in host.anchors:
                _note(times, (host.host, anchor.text), anchor.first_seen_at)
    return times


def _note(times: FirstSeen, key: tuple[str, str], moment: str) -> None:
    times[key] = min(times.get(key, moment), moment)
