"""What a run report shows: plain values, gathered by ``collect``, drawn by ``run_report``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from hongxing_crawler.core.document import DamagedPlace
    from hongxing_crawler.monitors.spam_log import SpamHost
    from hongxing_crawler.report.weave import Span

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """The first entries of a list, and how many there are in all."""

    entries: tuple[T, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """The run: when, with what, and how it ended."""

    run_id: str
    site: str = ""
    started_at: datetime
    ended_at: datetime | None = None
    exit_code: int = 0
    reason: str = ""
    sentence: str = ""
    crawler: str = ""
    warnings: tuple[str, ...] = ()
    findings: tuple[tuple[str, str, bool], ...] = ()  # of monitors: name, sentence, is it a gate


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleEntry:
    """An article that is new, changed or gone. ``diff`` compares the body with the one before."""

    url: str
    headline: str
    date: str = ""
    channel: str = ""
    source: str = ""
    excerpt: str = ""
    images: int = 0
    attachments: int = 0
    thumbnail: str = ""  # data URI
    headline_diff: tuple[Span, ...] = ()
    diff: tuple[Span, ...] = ()
    other_changes: tuple[str, ...] = ()  # fields besides headline and body


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedPage:
    """A page that something was injected into.

    ``blocks`` are parts of the HTML that were taken out whole: rule, place and text. ``body`` is
    the article's text around the passages that were taken out of it; empty when none was.
    """

    url: str
    headline: str = ""
    blocks: tuple[tuple[str, str, str], ...] = ()
    body: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredEntry:
    """An article whose text was damaged, with the places that a person may want to see."""

    url: str
    headline: str
    verdict: str  # proved | guessed | lossy
    glosses: int = 0
    places: tuple[DamagedPlace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """A page that brought no article, and why."""

    url: str
    reason: str
    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """URLs of one channel or kind, by where they stand in the frontier."""

    name: str
    known: int = 0
    done: int = 0
    pending: int = 0
    failed: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run of the history, oldest first in a report."""

    run_id: str
    started_at: datetime
    exit_code: int = 0
    reason: str = ""
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything that the page of one run shows."""

    run: RunInfo
    counts: dict[str, int] = field(default_factory=dict)
    new: Listing[ArticleEntry] = field(default_factory=Listing)
    changed: Listing[ArticleEntry] = field(default_factory=Listing)
    gone: Listing[ArticleEntry] = field(default_factory=Listing)
    spam_hosts: Listing[SpamHost] = field(default_factory=Listing)
    injected: Listing[InjectedPage] = field(default_factory=Listing)
    restored: Listing[RestoredEntry] = field(default_factory=Listing)
    rejects: Listing[PageEntry] = field(default_factory=Listing)
    reject_reasons: dict[str, int] = field(default_factory=dict)
    failures: Listing[PageEntry] = field(default_factory=Listing)
    coverage: tuple[Coverage, ...] = ()
    status_codes: dict[int, int] = field(default_factory=dict)
    response_times: tuple[tuple[str, int], ...] = ()  # label of a range, pages in it
    templates: dict[str, int] = field(default_factory=dict)  # articles by template
    history: tuple[PastRun, ...] = ()  # oldest first, this run last
