"""What monitors look at: the counts of a run, those of earlier runs, and the machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SITE_ZONE = timezone(timedelta(hours=8))  # the site's day
_WHOLE = frozenset({ExitCode.OK, ExitCode.PARTIAL, ExitCode.QUALITY})
_BASELINE_RUNS = 20


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run that ended. ``counts`` are those of ``runs/<run>/run.json``."""

    run_id: str
    started_at: datetime
    exit_code: int
    counts: Mapping[str, int] = field(default_factory=dict)
    did_crawl: bool = False  # whatever its exit code says: its upload failed, not its crawl

    @property
    def day(self) -> date:
        """The day in the site's zone."""
        return self.started_at.astimezone(SITE_ZONE).date()

    @property
    def is_whole(self) -> bool:
        """Whether it saw all that it wanted to see: neither stopped nor turned away."""
        return self.did_crawl or self.exit_code in _WHOLE

    def count(self, *names: str) -> int:
        return sum(int(self.counts.get(name, 0)) for name in names)


@dataclass(frozen=True, slots=True)
class Facts:
    """A run and what surrounds it. ``history`` is oldest first, without the run itself."""

    run: RunFacts
    history: tuple[RunFacts, ...] = ()
    free_bytes: int | None = None
    outbox_age_s: float = 0.0  # of the file that waits longest
    outbox_files: int = 0
    clock_skew_s: float = 0.0  # ours minus the site's
    killed_runs: tuple[str, ...] = ()  # that this run found without an end

    @property
    def whole_runs(self) -> list[RunFacts]:
        return [run for run in self.history if run.is_whole]

    def usual_share(self, part: str, whole: str) -> float | None:
        """Return a share over the last runs together; None without any to compare with."""
        recent = self.whole_runs[-_BASELINE_RUNS:]
        total = sum(run.count(whole) for run in recent)
        return sum(run.count(part) for run in recent) / total if total else None

    def days(self) -> dict[date, int]:
        """Count new articles by day, over the days on which a run saw everything."""
        totals: dict[date, int] = {}
        for run in self.whole_runs:
            totals[run.day] = totals.get(run.day, 0) + run.count("articles_new")
        return totals


def working_days(first: date, last: date) -> Iterator[date]:
    """Yield the days from Monday to Friday after ``first``, up to and with ``last``."""
    day = first + timedelta(days=1)
    while day <= last:
        if day.weekday() < 5:
            yield day
        day += timedelta(days=1)
