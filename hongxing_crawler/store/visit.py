"""What passes between the frontier and the shell: tickets out, finished visits back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from hongxing_crawler.core.document import CleanedPage, Page
    from hongxing_crawler.core.record import Article, MediaFile
    from hongxing_crawler.items import Capture, Original


@dataclass(frozen=True, slots=True)
class Found:
    """A link worth visiting. ``kind``: seed | list | topic | article | page | sitemap | feed."""

    url: str  # canonical request URL, no fragment
    kind: str
    priority: int = 0  # higher first; articles above lists keep memory flat
    depth: int = 0
    day: date | None = None  # of the article, when the list that names it says so


@dataclass(frozen=True, slots=True)
class Ticket:
    """A URL taken from the frontier: in flight until its visit is finished."""

    id: int
    url: str
    kind: str
    priority: int
    depth: int
    attempts: int  # visits that failed before this one, in this run
    found_on: str  # URL of the page where it was first seen, empty for a seed
    etag: str = ""
    last_modified: str = ""
    original: Original | None = None  # last full capture, for revisit records
    conditional: bool = False  # validators are to be sent
    known: bool = False  # visited successfully in an earlier run


@dataclass(slots=True)
class Visit:
    """What a visit brought; ``State.finish`` stores all of it in one transaction.

    ``outcome``: done (content taken in) | unchanged (304 or same payload) | gone (404, 410,
    soft 404) | failed (to be tried again until attempts run out) | rejected (fetched, archived,
    not an article, with ``reason``) | refused (never asked: robots, scope, private address).
    """

    ticket: Ticket
    outcome: str = "failed"
    reason: str = ""
    status: int = 0
    finished_at: datetime | None = None
    final_url: str = ""
    etag: str = ""
    last_modified: str = ""
    captures: list[Capture] = field(default_factory=list)  # every archived exchange, in order
    links: list[Found] = field(default_factory=list)
    articles: list[Article] = field(default_factory=list)
    main: Capture | None = None  # the capture that the outcome rests on
    rendered: Capture | None = None  # the page as a browser showed it, when the text is from there
    content_type: str = ""  # header as sent
    raw_sha256: str = ""  # hex, of the body after content decoding
    page: Page | None = None  # as received, between the spider and the clean pipeline
    cleaned: CleanedPage | None = None  # between the clean and the store pipeline
    media: dict[str, MediaFile] = field(default_factory=dict)  # by URL as on the page
    warnings: list[str] = field(default_factory=list)
    retry_after_s: float = 0.0  # what the server asked for, after a failure
