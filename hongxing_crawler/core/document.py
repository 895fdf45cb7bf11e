"""A page as read from HTML, and the same page after cleaning: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongxing_crawler.core.edits import Edit, RemovedBlock


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image of the article. ``position``: paragraph of the body it follows, -1 before all."""

    url: str  # absolute, as on the page
    alt: str = ""
    caption: str = ""
    position: int = -1


@dataclass(frozen=True, slots=True)
class FoundAttachment:
    """A file offered for download, with the name a reader sees."""

    url: str  # absolute
    name: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What ``core.page.extract`` read, as received: damage and in-text spam still in it.

    ``body`` holds paragraphs separated by one blank line; table rows are one line each with
    cells separated by a tab. Everything that was left out on the way from the article box to
    ``body`` is in ``removed``.
    """

    url: str
    charset: str = "utf-8"
    charset_source: str = "detected"  # header | meta | bom | detected
    template: str = "generic"  # name of the template that matched, or generic
    title: str = ""
    kicker: str = ""
    subheadline: str = ""
    source: str = ""  # as printed, label removed
    source_url: str = ""
    date: str = ""  # as printed, label removed
    author: str = ""
    editor: str = ""
    channel: str = ""
    breadcrumbs: tuple[str, ...] = ()
    description: str = ""
    keywords: tuple[str, ...] = ()
    language: str = "zh-CN"
    body: str = ""
    body_html: str = ""  # sanitised subset: p, br, table, tr, td, th, img, a, strong, em
    images: tuple[FoundImage, ...] = ()
    attachments: tuple[FoundAttachment, ...] = ()
    videos: tuple[str, ...] = ()
    links: tuple[str, ...] = ()  # absolute, in page order, no duplicates, spam links left out
    next_parts: tuple[str, ...] = ()  # other pages of the same article, absolute
    next_lists: tuple[str, ...] = ()  # next pages of the same list, absolute
    list_item_count: int = 0
    removed: tuple[RemovedBlock, ...] = ()
    warnings: tuple[str, ...] = ()
    page_count: int = 1  # pages of the site that were joined into this one
    text_sample: str = ""  # all visible text of the page, bounded: what damage is learnt from


@dataclass(frozen=True, slots=True)
class Step:
    """One cleaning step on the body: its name and its edits."""

    name: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Author:
    """A person named by the page. ``role``: author | photographer | editor."""

    name: str
    name_raw: str
    role: str = "author"


@dataclass(frozen=True, slots=True)
class GlossEntry:
    """A character of the kit's table, its reading as inserted, and how often it was met."""

    char: str
    reading: str
    count: int


@dataclass(frozen=True, slots=True)
class DamagedPlace:
    """A repaired or lost place. ``start``/``end`` count in the repaired text of ``field``."""

    field: str  # article_body | headline | source_name | caption[0] …
    start: int
    end: int
    received: str
    repaired: str
    verdict: str  # proved | guessed | lossy
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restoration:
    """The verdict on a page's text damage. ``verdict``: clean | proved | guessed | lossy."""

    verdict: str = "clean"
    table: tuple[GlossEntry, ...] = ()
    places: tuple[DamagedPlace, ...] = ()
    noise_count: int = 0


@dataclass(frozen=True, slots=True)
class ArticleContent:
    """The clean article: the part of a row that the page itself decides."""

    headline: str
    article_body: str  # paragraphs separated by one blank line
    kicker: str = ""
    subheadline: str = ""
    authors: tuple[Author, ...] = ()
    source_name: str = ""
    source_raw: str = ""
    source_url: str = ""
    editor: str = ""
    date_published: str | None = None  # ISO 8601 with +08:00
    date_published_raw: str = ""
    date_precision: str = "none"  # second | minute | day | none
    in_language: str = "zh-CN"
    description: str = ""
    keywords: tuple[str, ...] = ()
    doc_type: str = "news"
    doc_number: str = ""
    article_body_html: str = ""
    channel: str = ""
    breadcrumbs: tuple[str, ...] = ()
    images: tuple[FoundImage, ...] = ()
    attachments: tuple[FoundAttachment, ...] = ()
    videos: tuple[str, ...] = ()
    page_count: int = 1


@dataclass(frozen=True, slots=True)
class CleanedPage:
    """A page after cleaning: ``replay(received, steps) == article.article_body``.

    ``field_edits`` holds the edits of the other fields (``headline``, ``source_name``,
    ``caption[0]`` …), each against the received text of that field.
    """

    page: Page
    article: ArticleContent
    received: str  # the body before the first step
    steps: tuple[Step, ...] = ()
    removed: tuple[RemovedBlock, ...] = ()
    field_edits: tuple[tuple[str, tuple[Edit, ...]], ...] = ()
    restoration: Restoration = field(default_factory=Restoration)
    warnings: tuple[str, ...] = ()
