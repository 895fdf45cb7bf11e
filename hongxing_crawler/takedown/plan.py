"""From an address to a decision: what goes, what stays because others need it, and doing it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler import __version__
from hongxing_crawler.archive.fields import read_fields
from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.core.record import article_id, media_key, utc_text
from hongxing_crawler.core.takedown import RemovedArticle, Takedown
from hongxing_crawler.exceptions import ArchiveError, ConfigError, StateError
from hongxing_crawler.running.run import new_run_id
from hongxing_crawler.store.state import State
from hongxing_crawler.takedown.carry_out import archived_names, carry_out, resume
from hongxing_crawler.takedown.journal import Journal, close_journal, stage_folder, write_journal
from hongxing_crawler.takedown.stage import stage
from hongxing_crawler.takedown.survey import find_subject, survey_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from hongxing_crawler.archive.excise import Proof
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.takedown.survey import Subject, Survey

REASON_MAX_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator wants removed, and why."""

    names: tuple[str, ...]  # addresses or article ids
    reason: str
    by: str
    with_media: bool = False


@dataclass(slots=True)
class TakedownPlan:
    """What a takedown would do, or has done; ``proofs`` are there once it is done."""

    takedown: Takedown
    record_count: int
    warcs: list[str]
    redirected: list[str]  # addresses of other pages whose bodies are kept for them
    media_keys: list[str]
    kept_media: list[str]  # addresses that other pages need
    packages: list[str]
    twins: list[str]  # other articles of the same text
    warnings: list[str]
    proofs: list[Proof]


@dataclass(frozen=True, slots=True)
class _Prepared:
    plan: TakedownPlan
    survey: Survey
    at: datetime
    site: str


def plan_takedown(home: Home, order: Order, now: Callable[[], datetime]) -> TakedownPlan:
    """Say what a takedown would do; nothing is changed.

    Raises:
        HongxingError: The pages are not there, other pages show what is to go, or something
            cannot be read.
    """
    return _prepare(home, order, now).plan


def take_down(home: Home, order: Order, now: Callable[[], datetime]) -> TakedownPlan:
    """Remove pages from everything that the home holds; the caller holds the lock.

    Raises:
        HongxingError: As `plan_takedown`, or a replacement cannot be made; the home is then as it
            was. After the journal is written, an error leaves the rest to the next start.
        OSError: The disk refuses, likewise.
    """
    resume(home, now)
    prepared = _prepare(home, order, now)
    plan, survey = prepared.plan, prepared.survey
    fields = _run_fields(home, plan.takedown, prepared.site)
    try:
        staged = stage(home, stage_folder(home), survey, plan.takedown, fields, prepared.at)
    except BaseException:
        close_journal(home)
        raise
    journal = Journal(
        takedown=plan.takedown,
        site=prepared.site,
        warcs=tuple(staged.warcs),
        new_warc=staged.new_warc,
        proofs=tuple(staged.proofs),
        promoted={
            url: (plan.takedown.id, capture) for url, (_, capture) in staged.promoted.items()
        },
        media_urls=tuple(sorted(survey.media_urls)),
        media_keys=tuple(plan.media_keys),
        packages=tuple(plan.packages),
    )
    home.run(plan.takedown.id).mkdir(parents=True, exist_ok=True)
    write_journal(home, journal)
    carry_out(home, journal, now)
    plan.proofs = staged.proofs
    return plan


def _prepare(home: Home, order: Order, now: Callable[[], datetime]) -> _Prepared:
    _check_order(order)
    left_open = sorted(path.name for path in home.warc.glob(f"*{OPEN_SUFFIX}"))
    if left_open:
        raise ArchiveError(f"{left_open[0]} was left open by a killed run; type hongxing repair")
    with State.open(home.state, now=now, read_only=True) as state:
        for part in ("warc/", "media/") if order.with_media else ("warc/",):
            state.elsewhere.check_here(home.root, "takedown", part)
        at = _moment(state, now)
        site = _site_of(state) or _newest_description(home).get("hongxing-site") or "site"
        subject = find_subject(state, order.names)
        survey = survey_archive(home, state, subject, with_media=order.with_media)
        if not survey.removals and all(row.change.kind == "takedown" for row in subject.rows):
            raise ConfigError(_unknown(state, order, subject))
        _check_not_shown(state, subject)
        takedown = _decide(home, order, subject, survey, at)
        plan = TakedownPlan(
            takedown=takedown,
            record_count=survey.record_count,
            warcs=sorted(path.name for path in {*survey.removals, *survey.revisits}),
            redirected=sorted({g.main.url for found in survey.revisits.values() for g in found}),
            media_keys=sorted(set(_media_keys(subject, survey))),
            kept_media=sorted(survey.kept_media),
            packages=[],
            twins=sorted(_twins(state, subject)),
            warnings=list(_warnings(home)),
            proofs=[],
        )
        plan.packages = list(_packages(home, set(plan.warcs)))
        return _Prepared(plan, survey, at, site)


def _check_order(order: Order) -> None:
    if not order.reason.strip():
        raise ConfigError("a takedown needs a reason: --reason TEXT")
    if len(order.reason) > REASON_MAX_CHARS:
        raise ConfigError(
            f"the reason has {len(order.reason):,} characters, {REASON_MAX_CHARS:,} are allowed; "
            "name the file of the case instead"
        )


def _moment(state: State, now: Callable[[], datetime]) -> datetime:
    at = now().replace(microsecond=0)
    last = max((entry.started_at for entry in state.runs()), default=at)
    if at < last:
        raise StateError(
            f"the clock says {utc_text(at)}, but the last run began at {utc_text(last)}; "
            "set the clock right, nothing was changed"
        )
    return at


def _site_of(state: State) -> str:
    found = [entry.info.get("site", "") for entry in state.runs()]
    return next((str(site) for site in reversed(found) if site), "")


def _unknown(state: State, order: Order, subject: Subject) -> str:
    known = [t for url in sorted(subject.urls) if (t := state.takedowns.find(url)) is not None]
    if known:
        done = f"{order.names[0]} was taken down already, on {known[0].at[:10]} by {known[0].by}"
        return f"{done}; nothing of it is left to remove"
    names = ", ".join(order.names)
    return f"{state.path.parent} holds nothing of {names}; look for it with hongxing history"


def _check_not_shown(state: State, subject: Subject) -> None:
    """Refuse to take away a file that articles show: their rows would promise what is not there."""
    if subject.rows:
        return
    shown = state.articles.find_texts(subject.urls, besides=subject.keys)
    files = sorted(url for url in shown if state.media(url) is not None)
    if files:
        raise ConfigError(
            f"{files[0]} is a file that articles show; take these down as well, with --with-media"
        )


def _decide(home: Home, order: Order, subject: Subject, survey: Survey, at: datetime) -> Takedown:
    return Takedown(
        id=new_run_id(at, home),
        at=utc_text(at),
        by=order.by,
        reason=order.reason.strip(),
        requested=order.names,
        urls=tuple(sorted(subject.urls | survey.urls)),
        articles=tuple(_removed_articles(subject)),
        removed_records=tuple(sorted(survey.removed_ids)),
    )


def _removed_articles(subject: Subject) -> Iterator[RemovedArticle]:
    for name in sorted({row.id for row in subject.rows}):
        rows = [row for row in subject.rows if row.id == name]
        first = rows[0]
        runs = tuple((row.run_id, row.revision) for row in rows)
        yield RemovedArticle(name, first.url, first.canonical_url, first.site, runs)


def _media_keys(subject: Subject, survey: Survey) -> Iterator[str]:
    for file in subject.files:
        if file.sha256 in survey.media_sha256:
            yield media_key(file.sha256, file.mime)


def _twins(state: State, subject: Subject) -> Iterator[str]:
    digests = {row.content_sha256 for row in subject.rows}
    ids = {article_id(row.canonical_url) for row in subject.rows}
    for digest in digests:
        yield from (url for id_, url in state.articles.with_content(digest) if id_ not in ids)


def _packages(home: Home, warcs: set[str]) -> Iterator[str]:
    """Find the packages in the home that hold a file which changes.

    Raises:
        ArchiveError: One of them cannot be made again from the home.
    """
    for path in sorted(home.wacz.glob("*.wacz")):
        try:
            with zipfile.ZipFile(path) as package:
                names = archived_names(package)
        except (zipfile.BadZipFile, OSError) as error:
            raise ArchiveError(f"cannot read {path}: {error}; move it away first") from error
        if names & warcs:
            missing = sorted(name for name in names if not (home.warc / name).is_file())
            if missing:
                raise ArchiveError(
                    f"{path} holds {missing[0]}, which is not in the home, so it cannot be packed "
                    "again without the page; move it away first"
                )
            yield path.name


def _warnings(home: Home) -> Iterator[str]:
    for path in sorted(home.warc.glob("*.damaged")):
        yield f"{path} was kept by a repair and is not looked into; delete it if it holds the page"
    if (home.root / "reprocessed").is_dir():
        yield f"{home.root / 'reprocessed'} holds rows made earlier; delete it, or reprocess again"


def _run_fields(home: Home, takedown: Takedown, site: str) -> dict[str, str]:
    """Describe the takedown's own file as that of a run: by the newest file's own description."""
    return _newest_description(home) | {
        "software": f"hongxing_crawler/{__version__}",
        "operator": takedown.by,
        "isPartOf": takedown.id,
        "hongxing-run": takedown.id,
        "hongxing-site": site,
        "hongxing-takedown": takedown.id,
    }


def _newest_description(home: Home) -> dict[str, str]:
    """Read the warcinfo record of the newest WARC file."""
    for path in sorted(home.warc.glob("*.warc.gz"), reverse=True):
        record = next(read_records(path, []), None)
        if record is not None and record.type == "warcinfo":
            return read_fields(record.payload())
    return {}
