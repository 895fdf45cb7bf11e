"""The demo site's contents as values, read from ``data/demo_site``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from hongxing_crawler.demo.markup import Block, Link, is_file, parse_parts
from hongxing_crawler.exceptions import ConfigError

_EVERY_NINTH = 9
DATA_FOLDER = Path(__file__).resolve().parents[2] / "data"


@dataclass(frozen=True, slots=True)
class Insert:
    """Foreign or honest HTML that stands at a place of the page's frame.

    ``place``: head | body_start | before_title | article_start | between | article_end |
    before_footer | after_footer | after_body | after_html. ``gone`` are texts that a cleaner
    has to remove, ``kept`` texts that it must not take for spam.
    """

    name: str
    html: str
    gone: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    title: str = ""  # replaces the page's title element


@dataclass(frozen=True, slots=True)
class Article:
    """One article as written. ``date`` is local time, ``2020-03-20 16:56`` with or without seconds.

    ``states`` are the states of the site in which it exists; ``second`` holds the fields that
    differ in state 2. ``inserts`` are pairs of place and insert name. ``damage`` is empty,
    or the name of a gloss table; ``captured`` means: damaged as in a text capture.
    """

    id: int
    path: str
    template: str
    channel: str
    headline: str
    date: str
    body: str
    source: str = ""
    author: str = ""
    editor: str = ""
    summary: str = ""
    charset: str = "utf-8"
    declared: str = "meta"  # meta | header | none | wrong
    listed: bool = True
    breaks: bool = False  # paragraphs separated by <br>
    verbatim: bool = False  # the body is text as captured, see the seed page
    video: str = ""
    states: tuple[int, ...] = (1, 2)
    second: dict[str, Any] | None = None
    inserts: tuple[tuple[str, str], ...] = ()
    damage: str = ""
    captured: bool = False
    exact: bool = True  # the body can be restored in full
    lying_etag: bool = False

    @property
    def parts(self) -> list[list[Block]]:
        return parse_parts(self.body)

    @property
    def blocks(self) -> list[Block]:
        return [block for part in self.parts for block in part]

    @property
    def pictures(self) -> list[Block]:
        return [block for block in self.blocks if block.kind == "picture"]

    @property
    def files(self) -> list[Link]:
        links = [link for block in self.blocks for link in block.find_links()]
        return [link for link in links if is_file(link.url)]

    def part_path(self, number: int) -> str:
        stem, dot, extension = self.path.rpartition(".")
        return self.path if number == 1 else f"{stem}_{number}{dot}{extension}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A list of articles. ``style``: news | main995 | script | fetch | scroll | more.

    The last four come without items; a script brings them at once, at once, while the reader
    scrolls, and at clicks. Nothing but the script leads to the articles of the last three.
    """

    key: str
    id: int
    name: str
    style: str = "news"

    @property
    def is_hidden(self) -> bool:
        """Tell whether a browser is needed to find its articles."""
        return self.style in {"fetch", "scroll", "more"}


@dataclass(frozen=True, slots=True)
class Topic:
    """A special page: files and links in sections. ``body`` is written in the small markup."""

    id: int
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of either host, with the headers that its server sends."""

    path: str
    file: str
    content_type: str = ""
    disposition: str = ""  # sent in GBK
    site: str = "img"


@dataclass(frozen=True, slots=True)
class Site:
    """All that the demo site holds in one state."""

    channels: tuple[Channel, ...]
    topics: tuple[Topic, ...]
    files: tuple[StoredFile, ...]
    redirects: dict[str, str]
    soft_404: tuple[str, ...]
    articles: tuple[Article, ...]
    inserts: dict[str, Insert]

    def find_channel(self, key: str) -> Channel:
        return next(channel for channel in self.channels if channel.key == key)

    def list_articles(self, channel: str = "") -> list[Article]:
        """Articles of a channel, or all that links lead to, newest first."""
        hidden = {c.key for c in self.channels if c.is_hidden} - {channel}
        chosen = [
            a
            for a in self.articles
            if a.listed and a.channel not in hidden and channel in {"", a.channel}
        ]
        return sorted(chosen, key=lambda a: (a.date, a.id), reverse=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot read the demo site ({error.strerror}); run from a clone of the project"
        ) from error


def _in_state(article: Article, state: int) -> Article | None:
    if state not in article.states:
        return None
    return replace(article, **article.second) if state == 2 and article.second else article


@cache
def load_site(state: int = 1, folder: Path = DATA_FOLDER / "demo_site") -> Site:
    """Read the demo site in one of its two states."""
    site = _read(folder / "site.toml")
    inserts = _read(folder / "inserts.toml")
    tables = [_read(path)["article"] for path in sorted((folder / "articles").glob("*.toml"))]
    articles = msgspec.convert([a for table in tables for a in table], list[Article])
    chosen = (_in_state(article, state) for article in articles)
    return Site(
        channels=msgspec.convert(site["channel"], tuple[Channel, ...]),
        topics=msgspec.convert(site["topic"], tuple[Topic, ...]),
        files=msgspec.convert(site["file"], tuple[StoredFile, ...]),
        redirects=site["redirects"],
        soft_404=tuple(site["soft_404"]),
        articles=tuple(article for article in chosen if article),
        inserts={key: Insert(name=key, **_tuples(value)) for key, value in inserts.items()},
    )


def with_shared(site: Site) -> Site:
    """Give the site what one page alone cannot show to be foreign.

    A note of the site's below nearly every article, and a row of two links below every ninth. The
    gold records stay as they are: neither is a part of any article.
    """
    plain = [a for a in site.articles if not (a.verbatim or a.damage or len(a.parts) > 1)]
    noted = {article.id for article in plain}
    linked = {article.id for article in plain[::_EVERY_NINTH] if not article.breaks}
    return replace(
        site, articles=tuple(_share(article, noted, linked) for article in site.articles)
    )


def _share(article: Article, noted: set[int], linked: set[int]) -> Article:
    more = [("article_end", "shared_shops")] if article.id in linked else []
    more += [("article_end", "shared_note")] if article.id in noted else []
    return replace(article, inserts=(*article.inserts, *more))


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}
