"""What a home holds, and what a run would ask: read from indexes, at once, changing nothing.

It imports little, so that ``hongxing status`` answers before one wonders.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from hongxing_crawler.archive.openfile import OPEN_SUFFIX
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.running.starts import start_of
from hongxing_crawler.store.belonging import check_site
from hongxing_crawler.store.elsewhere import ElsewhereLook
from hongxing_crawler.store.frontier import Preview
from hongxing_crawler.store.lock import Holder, find_holder
from hongxing_crawler.store.run_ledger import LedgerLine, find_skips, read_lines
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from pathlib import Path

    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.outbox import OutboxLook
    from hongxing_crawler.store.runs import RunEntry

_SUCCESSES = frozenset({ExitCode.OK, ExitCode.PARTIAL})


@dataclass(slots=True)
class Look:
    """What a home holds."""

    home: Path
    holder: Holder | None
    articles: int
    urls: dict[str, int]
    warc_count: int
    warc_bytes: int
    unfinished: list[str]  # WARC files that a killed run left open
    last_runs: list[RunEntry]
    free_bytes: int
    outbox: OutboxLook
    last_success_at: datetime | None = None  # end of the last run that did all or nearly all
    next_due_at: datetime | None = None  # when the next known page is to be asked again
    skips: list[LedgerLine] = field(default_factory=list)  # starts that found the home in use
    elsewhere: ElsewhereLook = field(default_factory=ElsewhereLook)  # pruned, in the bucket alone
    findings: dict[str, str] = field(default_factory=dict)  # of the last run's monitors


def look_at(home: Home, *, now: Callable[[], datetime], run_count: int = 5) -> Look:
    """Look at a home without changing anything.

    Raises:
        StateError: Its state cannot be read.
    """
    holder = find_holder(home.lock)
    sizes = [path.stat().st_size for path in home.warc.glob("*.warc.gz")]
    left_open = [] if holder else sorted(p.name for p in home.warc.glob(f"*{OPEN_SUFFIX}"))
    with State.open(home.state, now=now, read_only=True) as state:
        runs = state.runs()
        return Look(
            home=home.root,
            holder=holder,
            articles=state.articles.count(),
            urls=state.counts(),
            warc_count=len(sizes),
            warc_bytes=sum(sizes),
            unfinished=left_open,
            last_runs=runs[max(0, len(runs) - run_count) :],
            free_bytes=shutil.disk_usage(home.root).free,
            outbox=state.outbox.look(),
            elsewhere=state.elsewhere.look(),
            last_success_at=max(
                (run.ended_at for run in runs if run.ended_at and run.exit_code in _SUCCESSES),
                default=None,
            ),
            next_due_at=state.next_due_at(),
            skips=find_skips(read_lines(home.ledger)),
            findings=_findings_of(home, runs[-1].run_id) if runs else {},
        )


def _findings_of(home: Home, run_id: str) -> dict[str, str]:
    """Return what monitors said of a run; nothing when its record is not there."""
    try:
        record = msgspec.json.decode((home.run(run_id) / "run.json").read_bytes())
        return {finding["name"]: finding["sentence"] for finding in record.get("findings", [])}
    except (OSError, msgspec.DecodeError, TypeError, KeyError):
        return {}


def preview_run(
    home: Home,
    profile: SiteProfile,
    *,
    now: Callable[[], datetime],
    full: bool = False,
    since: date | None = None,
) -> Preview:
    """Tell what a run would ask; nothing is written, and the home need not be there yet.

    Raises:
        StateError: Its state cannot be read.
    """
    seeds = [start_of(canonical_url(url), profile) for url in profile.seeds]
    starts = {seed.url: seed.kind for seed in seeds}
    starts |= {canonical_url(url): "sitemap" for url in profile.sitemaps}
    starts |= {canonical_url(url): "feed" for url in profile.feeds}
    if not home.state.is_file():
        first = [(kind, url) for url, kind in starts.items()]
        return Preview(dict(sorted(Counter(starts.values()).items())), first)
    with State.open(home.state, now=now, read_only=True) as state:
        check_site(home, state, profile)
        return state.preview(full=full, since=since, starts=starts)
