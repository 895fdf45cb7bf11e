"""What of a page lies where: addresses, records, files, and who else needs them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hongxing_crawler.archive.excise import refers_to
from hongxing_crawler.archive.fields import warc_uri
from hongxing_crawler.archive.index_lookup import find_files, find_revisit_files
from hongxing_crawler.archive.record_groups import RecordGroup, read_groups
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hongxing_crawler.core.record import Article
    from hongxing_crawler.core.row import AttachmentRow, ImageRow, VideoRow
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.state import State

_REMOVABLE = frozenset({"response", "revisit", "resource", "conversion"})
# What was fetched for a page: its further parts, what a browser asked for to show it, its files.
_COMPANIONS = {"part": "part", "browser": "part", "media": "media"}
_SHA256_RE = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Subject:
    """A page to be removed, with all that is known of it."""

    keys: set[bytes] = field(default_factory=set)  # of articles
    urls: set[str] = field(default_factory=set)
    rows: list[Article] = field(default_factory=list)  # every stored state, oldest first

    @property
    def files(self) -> list[ImageRow | AttachmentRow | VideoRow]:
        """The pictures, attachments and films that the pages ever showed."""
        found: list[ImageRow | AttachmentRow | VideoRow] = []
        for row in self.rows:
            found += [*row.images, *row.attachments, *row.video_files]
        return found


@dataclass(slots=True)
class Survey:
    """What the archive holds of the pages, and what refers to it."""

    urls: set[str] = field(default_factory=set)  # whose captures go
    removals: dict[Path, list[RecordGroup]] = field(default_factory=dict)
    revisits: dict[Path, list[RecordGroup]] = field(default_factory=dict)  # of other pages
    media_urls: set[str] = field(default_factory=set)  # of rows, whose files go
    media_sha256: set[str] = field(default_factory=set)
    kept_media: set[str] = field(default_factory=set)  # addresses that others need as well

    @property
    def removed_ids(self) -> set[str]:
        groups = (group for found in self.removals.values() for group in found)
        return {record.record_id for group in groups for record in group.records}

    @property
    def record_count(self) -> int:
        return len(self.removed_ids)


def find_subject(state: State, names: Iterable[str]) -> Subject:
    """Find the pages that are meant, by address or by article id.

    Raises:
        ConfigError: One of them is no address, or an article that is not there.
    """
    subject = Subject()
    for name in names:
        urls, key = _read_name(state, name)
        subject.urls |= urls
        keys = {key} if key else {state.articles.key_of(url) for url in urls}
        for known in keys:
            rows = list(state.articles.versions_of(known))
            subject.keys |= {known} if rows else set()
            subject.rows += rows
    for row in subject.rows:
        subject.urls |= {row.url, row.canonical_url, row.requested_url} - {""}
    subject.urls |= {_twin(url) for url in subject.urls}
    return subject


def _read_name(state: State, name: str) -> tuple[set[str], bytes | None]:
    if re.fullmatch(r"art_[0-9a-f]{32}", name):
        key = bytes.fromhex(name.removeprefix("art_"))
        if not any(True for _ in state.articles.versions_of(key)):
            raise ConfigError(f"{state.path.parent} knows no article {name}")
        return set(), key
    try:
        return {name, canonical_url(name)}, None
    except ValueError as error:
        raise ConfigError(f"{name!r} is neither an address nor an article's id") from error


def _twin(url: str) -> str:
    """The same address under the other of the two schemes: one page to an archive."""
    scheme, found, rest = url.partition("://")
    return f"{'http' if scheme == 'https' else 'https'}{found}{rest}"


def survey_archive(home: Home, state: State, subject: Subject, *, with_media: bool) -> Survey:
    """Find every record of the pages, of their further parts, and of their files if asked.

    A part or file that another page shows as well stays.

    Raises:
        ArchiveError: An index is missing or a file cannot be read.
    """
    pages = {warc_uri(url) for url in subject.urls}
    files = find_files(home.warc, home.cdxj, pages) | {
        home.warc / name for url in subject.urls for name in state.capture_files(url)
    }
    parts, media = find_companions((path for path in files if path.is_file()), pages)
    survey = Survey(urls=set(pages))
    wanted = parts | (media if with_media else set())
    if with_media:
        wanted |= {warc_uri(file.url) for file in subject.files}
    kept = _needed_by_others(home, state, subject, wanted, pages)
    survey.urls |= wanted - kept
    if with_media:
        _choose_media(state, subject, survey, kept)
    for path in sorted(find_files(home.warc, home.cdxj, survey.urls)):
        groups = [group for group in read_groups(path) if _is_of(group, survey.urls)]
        if groups:
            survey.removals[path] = [_bare(group) for group in groups]
    _find_revisits(home, survey)
    return survey


def find_companions(paths: Iterable[Path], pages: set[str]) -> tuple[set[str], set[str]]:
    """Find what was fetched for the pages: what they are made of, and their files."""
    found: dict[str, set[str]] = {"part": set(), "media": set()}
    for path in sorted(paths):
        for group in read_groups(path):
            noted = group.noted
            kind = noted.get("hongxing-kind", "")
            if kind in _COMPANIONS and warc_uri(noted.get("via", "")) in pages:
                found[_COMPANIONS[kind]].add(group.main.url)
    return found["part"] - pages, found["media"] - pages


def _needed_by_others(
    home: Home, state: State, subject: Subject, urls: set[str], pages: set[str]
) -> set[str]:
    """Find which of the addresses other pages need: fetched for them, or shown by their rows."""
    needed = {url for url in urls if state.articles.exists(url)}
    for path in sorted(find_files(home.warc, home.cdxj, urls)):
        for group in read_groups(path):
            via = group.noted.get("via", "")
            if group.main.url in urls and via and warc_uri(via) not in pages:
                needed.add(group.main.url)
    written = urls | {file.url for file in subject.files if warc_uri(file.url) in urls}
    shown = state.articles.find_texts(written, besides=subject.keys)
    return needed | {warc_uri(url) for url in shown}


def _choose_media(state: State, subject: Subject, survey: Survey, kept: set[str]) -> None:
    """Choose the stored files that no other article shows, by address or by bytes."""
    files = subject.files
    digests = {file.sha256 for file in files} - {""}
    shared = state.articles.find_texts(digests, besides=subject.keys)
    for file in files:
        if file.sha256 in shared or warc_uri(file.url) in kept:
            survey.kept_media.add(file.url)
            survey.urls.discard(warc_uri(file.url))
    for file in files:
        if file.url not in survey.kept_media:
            survey.media_urls.add(file.url)
            survey.media_sha256 |= {file.sha256} - {""}


def _is_of(group: RecordGroup, urls: set[str]) -> bool:
    """Tell whether a group is a capture of an address, or was made of it (a screenshot, a text)."""
    main = group.main
    if main.type not in _REMOVABLE:
        return False
    if main.url in urls:
        return True
    is_made = main.type in {"resource", "conversion"}
    return is_made and any(main.url.endswith(f":{url}") for url in urls)


def _find_revisits(home: Home, survey: Survey) -> None:
    """Find records of other pages that stand for a body which is about to go."""
    ids = survey.removed_ids
    mains = [group.main for groups in survey.removals.values() for group in groups]
    digests = {main.fields.get("warc-payload-digest", "") for main in mains} - {""}
    for path in sorted(find_revisit_files(home.warc, home.cdxj, digests)):
        groups = [
            _bare(group)
            for group in read_groups(path)
            if group.main.type == "revisit"
            and refers_to(group.main) in ids
            and group.main.record_id not in ids
        ]
        if groups:
            survey.revisits[path] = groups


def _bare(group: RecordGroup) -> RecordGroup:
    """Let go of the bytes of records that have to be remembered."""
    return RecordGroup(tuple(replace(record, _kept=None) for record in group.records))
