"""The history of a page: every look at it, read again from the archive, and how they differ.

Both sides of each comparison are read by the program of today, so that what differs is the site's
doing: a change of the program between two runs is never taken for one of the page.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from scrapy.exceptions import IgnoreRequest

from hongxing_crawler.archive.captures import ArchivedExchange, capture_of, original_of
from hongxing_crawler.archive.index_lookup import find_originals
from hongxing_crawler.archive.reader import read_at
from hongxing_crawler.core.history import compare, removals
from hongxing_crawler.core.record import received_body, utc_text
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.exceptions import ArchiveError, ConfigError
from hongxing_crawler.reprocessing.reprocess import read_again
from hongxing_crawler.reprocessing.run_files import RunFiles, find_runs
from hongxing_crawler.sites.profile import load_profile
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from hongxing_crawler.core.edits import Edit
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.record import Article
    from hongxing_crawler.core.takedown import Takedown
    from hongxing_crawler.items import Capture
    from hongxing_crawler.store.home import Home

_HTML = frozenset({"text/html", "application/xhtml+xml", "text/plain", ""})


@dataclass(slots=True)
class Look:
    """One look at a page. ``kind`` as in ``change`` of a row, or what came in place of a page.

    ``same``: the same bytes; ``not_modified``: so the server says; ``gone``, ``rejected``,
    ``redirect``, ``failed``; ``unreadable``: the capture cannot be read.
    """

    at: str  # UTC
    run_id: str
    kind: str
    status: int
    record_type: str
    warc_filename: str
    warc_offset: int
    row: str = ""  # what the run's delta says: new, changed, deleted
    revision: int = 0  # of the article from then on, 0 when there is none
    template: str = ""
    fields: tuple[str, ...] = ()  # that differ from the look before
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # of fields but the body
    text_edits: tuple[Edit, ...] = ()  # from the body before to this one
    rules_came: dict[str, int] = field(default_factory=dict)  # removals that are new, by rule
    rules_went: dict[str, int] = field(default_factory=dict)
    note: str = ""


@dataclass(slots=True)
class PageHistory:
    """All looks at a page, oldest first; bodies beside those of which the text changed."""

    id: str
    url: str
    headline: str
    revision: int
    deleted_at: str
    looks: list[Look]
    bodies: list[tuple[str, str]] = field(default_factory=list)  # before and after, by look
    taken_down: Takedown | None = None


def read_history(home: Home, name: str, now: Callable[[], Any]) -> PageHistory:
    """Read the history of a page.

    Args:
        home: The home, which may be read-only.
        name: The page's address, or its article's id.
        now: The clock.

    Raises:
        ConfigError: The home knows no such page, or it is none that was ever looked at.
        HongxingError: The state or an index cannot be read.
    """
    with State.open(home.state, now=now, read_only=True) as state:
        rows = _rows(state, name)
        url = rows[-1].url if rows else name
        if rows and rows[-1].change.kind == "takedown":
            return _taken_down(state, rows)
        captures = list(_captures(state, url, rows))
        if not captures:
            raise ConfigError(_unknown(state, name))
        for file in dict.fromkeys(capture.warc_filename for _, capture in captures):
            state.elsewhere.check_here(home.root, "history", file)
        reader = _Reader(home, state, url)
        told = _told(reader.looks(captures), rows)
        looks = [look for look, _ in told]
        last = rows[-1] if rows else None
        return PageHistory(
            id=last.id if last else "",
            url=url,
            headline=last.headline if last else "",
            revision=last.revision if last else 0,
            deleted_at=last.deleted_at if last else "",
            looks=looks,
            bodies=[bodies for _, bodies in told],
        )


def _rows(state: State, name: str) -> list[Article]:
    if name.startswith("art_"):
        try:
            return list(state.articles.versions_of(bytes.fromhex(name.removeprefix("art_"))))
        except ValueError as error:
            raise ConfigError(f"{name!r} is neither an address nor an article's id") from error
    for url in dict.fromkeys((name, _canonical(name))):
        if rows := list(state.articles.versions(url)):
            return rows
    return []


def _canonical(name: str) -> str:
    try:
        return canonical_url(name)
    except ValueError as error:
        raise ConfigError(f"{name!r} is neither an address nor an article's id") from error


def _captures(state: State, url: str, rows: list[Article]) -> Iterator[tuple[str, Capture]]:
    urls = [url, *(row.canonical_url for row in rows), *(row.requested_url for row in rows)]
    if not url.startswith("art_"):
        urls.append(_canonical(url))
    for address in dict.fromkeys(urls):
        yield from state.captures_of(address)


def _unknown(state: State, name: str) -> str:
    home = state.path.parent
    event = None if name.startswith("art_") else state.takedowns.find(_canonical(name))
    if event is not None:
        return f"{name} was taken down on {event.at[:10]} by {event.by}: {event.reason}"
    return f"{home} has never looked at {name}; addresses are written as in the rows"


def _taken_down(state: State, rows: list[Article]) -> PageHistory:
    last = rows[-1]
    event = next((t for t in state.takedowns.all() if t.id == last.run_id), None)
    return PageHistory(
        last.id, last.url, last.headline, last.revision, last.deleted_at, [], taken_down=event
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """A look, and the article as it reads today."""

    look: Look
    article: Article | None
    digest: str = ""


class _Reader:
    """Reads captures of one page again."""

    def __init__(self, home: Home, state: State, url: str) -> None:
        self._home = home
        self._state = state
        self._kind = state.kind_of(url) or "article"
        self._runs: dict[str, RunFiles] = {}
        self._located: dict[str, tuple[Path, int]] = {}

    def looks(self, captures: list[tuple[str, Capture]]) -> Iterator[_Read]:
        """Yield the looks at the page in the order in which they were taken."""
        own = captures[0][1].url
        addresses = {own, *(capture.url for _, capture in captures if capture.url == own)}
        for _, capture in captures:
            if capture.record_type == "response":
                place = self._home.warc / capture.warc_filename, capture.offset
                self._located[capture.record_id] = place
        ordered = sorted(captures, key=lambda pair: pair[1].fetched_at)
        for run_id, capture in ordered:
            if capture.url in addresses:
                parts = [c for run, c in captures if run == run_id and c.url not in addresses]
                yield self._look(run_id, capture, parts)

    def _look(self, run_id: str, capture: Capture, parts: list[Capture]) -> _Read:
        look = Look(
            at=utc_text(capture.fetched_at),
            run_id=run_id,
            kind=_answer_kind(capture),
            status=capture.status,
            record_type=capture.record_type,
            warc_filename=capture.warc_filename,
            warc_offset=capture.offset,
        )
        if look.kind:
            return _Read(look, None, capture.payload_digest)
        try:
            return self._read(look, capture, parts)
        except (ArchiveError, ConfigError, IgnoreRequest, OSError) as error:
            return _Read(replace(look, kind="unreadable", note=str(error)), None)

    def _read(self, look: Look, capture: Capture, parts: list[Capture]) -> _Read:
        run = self._run(capture)
        exchanges = [self._exchange(capture, self._kind, "")]
        exchanges += [
            self._exchange(part, "part", capture.url)
            for part in parts
            if part.status == 200 and part.mime in _HTML
        ]
        profile = run.profile or load_profile(run.site)
        digests = self._seed_digests(profile)
        (visit,) = read_again(self._state, run, profile, exchanges, self._located, digests)
        if not visit.articles:
            kind = "gone" if visit.outcome == "gone" else "rejected"
            look = replace(look, kind=kind, note=visit.reason)
            return _Read(look, None, capture.payload_digest)
        article = visit.articles[0]
        look = replace(look, template=article.provenance.template)
        return _Read(look, article, capture.payload_digest)

    def _seed_digests(self, profile: SiteProfile) -> set[str]:
        """Payloads of the start pages at any time: what a soft 404 shows in the place of a page."""
        captures = [
            capture
            for seed in profile.seeds
            for _, capture in self._state.captures_of(canonical_url(seed))
        ]
        return {capture.payload_digest for capture in captures if capture.status == 200} - {""}

    def _exchange(self, capture: Capture, kind: str, via: str) -> tuple[ArchivedExchange, Path]:
        path = self._home.warc / capture.warc_filename
        if capture.offset < 0:
            raise ArchiveError(
                f"a repair of {path.name} has recorded the bytes of this look as lost"
            )
        record = read_at(path, capture.offset)
        if record.record_id != capture.record_id:
            raise ArchiveError(f"{path}:{capture.offset} is another record than the state says")
        if record.type == "revisit":
            original = original_of(record)
            if original.record_id not in self._located:
                self._state.elsewhere.check_here(self._home.root, "history")
                wanted = {original.record_id: original}
                self._located |= find_originals(self._home.warc, self._home.cdxj, wanted)
        noted = {"hongxing-kind": kind, "hongxing-depth": "0", "via": via}
        return ArchivedExchange(capture_of(record), record, None, noted), path

    def _run(self, capture: Capture) -> RunFiles:
        name = capture.warc_filename
        if name not in self._runs:
            (self._runs[name],) = find_runs([self._home.warc / name])
        return self._runs[name]


def _answer_kind(capture: Capture) -> str:
    """Say what an answer was when it is no page; empty for one that has to be read."""
    if capture.record_type == "metadata":
        return "failed"
    if capture.status == 304:
        return "not_modified"
    if capture.status in {404, 410}:
        return "gone"
    if 300 <= capture.status < 400:
        return "redirect"
    return "" if capture.status == 200 else "failed"


def _told(reads: Iterable[_Read], rows: list[Article]) -> list[tuple[Look, tuple[str, str]]]:
    """Compare each look with the last one that showed the article."""
    stored = {row.run_id: row for row in rows}
    before: _Read | None = None
    told: list[tuple[Look, tuple[str, str]]] = []
    revision, was_gone = 0, False
    for read in reads:
        look, bodies = read.look, ("", "")
        row = stored.get(look.run_id)
        if row is not None and look.kind not in {"redirect", "failed", "unreadable"}:
            look.row, revision = row.op, row.revision
        if read.article is not None:
            if before is None:
                look.kind = "first"
            elif read.digest and read.digest == before.digest:
                look.kind = "same"
            else:
                look, bodies = _compared(look, before, read.article)
            if was_gone and look.kind in {"same", "none"}:
                look.kind = "returned"
            before = read
        was_gone = look.row == "deleted"
        look.revision = revision
        told.append((look, bodies))
    return told


def _compared(look: Look, before: _Read, after: Article) -> tuple[Look, tuple[str, str]]:
    old = before.article
    assert old is not None
    found = compare(old, after)
    came, went = Counter(removals(after)), Counter(removals(old))
    note = ""
    if found.kind == "none":
        note = "its bytes differ outside the article"
    elif found.kind == "spam" and received_body(old) == received_body(after):
        note = "beside the text"
    look = replace(
        look,
        kind=found.kind,
        fields=found.fields,
        changes={
            name: (getattr(old, name), getattr(after, name))
            for name in found.fields
            if name not in {"article_body", "article_body_html", "content_sha256", "char_count"}
        },
        text_edits=found.text_edits,
        rules_came=_by_rule(came - went),
        rules_went=_by_rule(went - came),
        note=note,
    )
    return look, (old.article_body, after.article_body) if found.text_edits else ("", "")


def _by_rule(removed: Counter[tuple[str, str]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (rule, _), count in removed.items():
        counts[rule] += count
    return dict(sorted(counts.items()))
