"""Hand out a part of the archive: the captures of pages, or of some days, as one WARC file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from hongxing_crawler import __version__
from hongxing_crawler.archive.excerpt import write_excerpt
from hongxing_crawler.archive.fields import warc_uri
from hongxing_crawler.archive.index_lookup import find_files, find_originals, index_lines
from hongxing_crawler.core.record import utc_text
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.exceptions import ArchiveError, ConfigError
from hongxing_crawler.store.state import State
from hongxing_crawler.takedown.survey import find_companions, find_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from hongxing_crawler.archive.excerpt import ExcerptReport
    from hongxing_crawler.archive.reader import Record
    from hongxing_crawler.archive.record_groups import RecordGroup
    from hongxing_crawler.items import Original
    from hongxing_crawler.store.home import Home

    Wanted = Callable[[RecordGroup], bool]

_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """What of an archive: the captures of some pages, or of all, within a time."""

    names: tuple[str, ...] = ()  # addresses or article ids; none: all pages
    since: datetime | None = None  # with it
    until: datetime | None = None  # with it
    with_media: bool = False  # of the named pages; without names files are in
    with_text: bool = False  # what was read from the pages, as conversion records

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The time that is meant in UTC, open ends filled."""
        since, until = self.since or _FIRST, self.until or _LAST
        return since.astimezone(UTC), until.astimezone(UTC)


def export_warc(
    home: Home, selection: Selection, path: Path, now: Callable[[], datetime], operator: str
) -> ExcerptReport:
    """Write what is selected to one WARC file that stands by itself; the home is only read.

    Raises:
        ConfigError: Nothing of it is in the archive.
        ArchiveError: The archive is damaged there, or the disk refuses.
    """
    if selection.names:
        files, wanted = _of_pages(home, selection, now)
    else:
        with State.open(home.state, now=now, read_only=True) as state:
            state.elsewhere.check_here(home.root, "export-warc")
        files, wanted = _of_days(home, selection)
    if not files:
        raise ConfigError(_nothing(home, selection))
    about = {
        "software": f"hongxing_crawler/{__version__}",
        "operator": operator or "unknown",
        "description": _describe(selection),
        "hongxing-source": ", ".join(file.name for file in files[:20]),
    }

    def find(needed: Mapping[str, Original]) -> Mapping[str, tuple[Path, int]]:
        return _find_originals(home, needed, lost)

    with State.open(home.state, now=now, read_only=True) as state:
        lost = state.lost_record_ids()
        text_of = partial(_text_of, state) if selection.with_text else None
        report = write_excerpt(path, files, wanted, find, about, now(), text_of)
    if not report.exchange_count:
        path.unlink()
        raise ConfigError(_nothing(home, selection))
    return report


def _describe(selection: Selection) -> str:
    what = f"captures of {', '.join(selection.names)}" if selection.names else "all captures"
    since, until = selection.since, selection.until
    when = f" since {utc_text(since)}" if since else ""
    return what + when + (f" until {utc_text(until)}" if until else "")


def _nothing(home: Home, selection: Selection) -> str:
    return f"{home.root} holds no {_describe(selection).removeprefix('all ')}"


def _of_pages(
    home: Home, selection: Selection, now: Callable[[], datetime]
) -> tuple[list[Path], Wanted]:
    """Choose the captures of pages, of their further parts, and of their files if asked."""
    with State.open(home.state, now=now, read_only=True) as state:
        state.elsewhere.check_here(home.root, "export-warc")
        subject = find_subject(state, selection.names)
        names = {name for url in subject.urls for name in state.capture_files(url)}
    pages = {warc_uri(url) for url in subject.urls}
    visited = find_files(home.warc, home.cdxj, pages) | {home.warc / name for name in names}
    parts, media = find_companions((path for path in visited if path.is_file()), pages)
    urls = pages | parts
    if selection.with_media:
        urls |= media | {warc_uri(file.url) for file in subject.files}
    files = find_files(home.warc, home.cdxj, urls)
    begin, end = selection.span

    def wanted(group: RecordGroup) -> bool:
        return group.main.url in urls and begin <= group.main.date <= end

    return sorted(files), wanted


def _of_days(home: Home, selection: Selection) -> tuple[list[Path], Wanted]:
    begin, end = selection.span
    first, last = (f"{moment:%Y%m%d%H%M%S}".zfill(14).encode() for moment in (begin, end))
    files = {
        path
        for path, line in index_lines(home.warc, home.cdxj)
        if first <= line.split(b" ", 2)[1] <= last
    }

    def wanted(group: RecordGroup) -> bool:
        return group.main.type != "warcinfo" and begin <= group.main.date <= end

    return sorted(files), wanted


def _text_of(state: State, record: Record) -> str:
    """Return headline and body of the article version that was read from a record."""
    for article in state.articles.versions(canonical_url(record.url)):
        origin = article.provenance
        read_from = origin.rendered_record_id or origin.warc_record_id
        if article.op != "deleted" and record.record_id == read_from:
            return f"{article.headline}\n\n{article.article_body}\n"
    return ""


def _find_originals(
    home: Home, needed: Mapping[str, Original], lost: Collection[str]
) -> dict[str, tuple[Path, int]]:
    """Look originals up in the indexes.

    Raises:
        ArchiveError: One of them is not there.
    """
    found = find_originals(home.warc, home.cdxj, needed)
    for record_id in sorted(needed.keys() - found.keys()):
        if record_id in lost:
            raise ArchiveError(
                f"the body of {needed[record_id].url} is lost, a repair has recorded it: choose"
                " other pages or days, or take the WARC file of"
                f" {needed[record_id].fetched_at:%Y-%m-%d %H:%M} UTC from the bucket or a backup"
            )
        raise ArchiveError(
            f"the body of {needed[record_id].url} is in none of the WARC files; "
            "hongxing verify tells whether that is new or a known loss"
        )
    return found
