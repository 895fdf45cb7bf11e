"""Show a run that ends to the monitors."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from hongxing_crawler.monitors.checks import Finding, watch
from hongxing_crawler.monitors.facts import Facts, RunFacts
from hongxing_crawler.monitors.limits import Limits
from hongxing_crawler.store.runs import UPLOAD_FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hongxing_crawler.running.run import Run


def watch_run(
    run: Run, counts: Mapping[str, int], exit_code: int, stats: Mapping[str, Any]
) -> list[Finding]:
    """Gather what monitors look at, and ask all of them.

    Args:
        run: The run; its state is still open.
        counts: What it brought.
        exit_code: How it ended, before the monitors say anything.
        stats: Scrapy's.
    """
    limits = Limits(**run.settings.getdict("HONGXING_MONITORS"))
    outbox = run.state.outbox.look()
    oldest_at = outbox.oldest_at if outbox.target else None
    facts = Facts(
        run=RunFacts(run.run_id, run.started_at, exit_code, counts),
        history=_history(run),
        free_bytes=shutil.disk_usage(run.home.root).free,
        outbox_age_s=(run.now() - oldest_at).total_seconds() if oldest_at else 0.0,
        outbox_files=outbox.count,
        clock_skew_s=float(stats.get("hongxing/archive/clock_skew_s", 0)),
        killed_runs=tuple(run.killed_runs),
    )
    return watch(facts, limits)


def _history(run: Run) -> tuple[RunFacts, ...]:
    """Return the runs before this one that ended; one that was killed counted nothing."""
    return tuple(
        RunFacts(
            entry.run_id,
            entry.started_at,
            entry.exit_code,
            entry.counts,
            did_crawl=entry.reason == UPLOAD_FAILED,
        )
        for entry in run.state.runs()
        if entry.run_id != run.run_id and entry.exit_code is not None and entry.counts
    )
