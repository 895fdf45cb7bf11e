"""Rows again from the archive, without the network.

The WARC files are the log of what happened; state and rows are its projection. Each run's
exchanges go, in their order, through the functions that the crawl used, into a fresh state with
the same run names; the export of that state is, byte for byte, what the crawl exported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.archive.takedown_events import read_events
from hongxing_crawler.core.takedown import decode_takedown
from hongxing_crawler.reprocessing.replay import Replay, ReprocessResult
from hongxing_crawler.reprocessing.replay_rest import take_in_rest
from hongxing_crawler.store.rows import export_run
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from hongxing_crawler.archive.captures import ArchivedExchange
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.takedown import Takedown
    from hongxing_crawler.reprocessing.run_files import RunFiles
    from hongxing_crawler.store.visit import Visit


def reprocess(
    runs: Iterable[RunFiles],
    profile_of: Callable[[RunFiles], SiteProfile],
    state_path: Path,
    export: Path,
    only: Callable[[str], bool] = lambda _record_id: True,
    *,
    with_links: bool = False,
) -> ReprocessResult:
    """Make rows from WARC files.

    Args:
        runs: From ``find_runs``.
        profile_of: The profile to read a run's pages by; that of ``RunFiles`` gives its rows again.
        state_path: Where the fresh state goes; there must be none.
        export: Where the rows go, in the tree of a home's ``export``.
        only: Which captures count, by record id; a home knows which visits were never finished.
        with_links: Take in the links of pages, too, and all that came beside them (robots.txt,
            parts, pictures, failures): for a state to crawl on with.

    Raises:
        HongxingError: As reading, state and export do. Damage in a WARC is a problem in the
            result, and the rest is read.
    """
    result = ReprocessResult()
    runs = list(runs)
    located: dict[str, tuple[Path, int]] = {}
    takedowns = _read_takedowns(runs, located)
    times: list[datetime] = []
    state = State.open(state_path, now=lambda: times[-1], durable=False)
    try:
        for run in runs:
            times.append(run.started_at)
            profile = profile_of(run)
            info = {"site": run.site, "hosts": list(profile.hosts)}
            state.begin_run(run.run_id, run.started_at, info)
            state.plan(run.run_id, profile, run.started_at)  # the rules that tombstones follow
            replay = Replay(profile, state, run, located, only, result)
            replay.with_links = with_links
            replay.replay()
            if with_links:
                take_in_rest(state, run, only)
            _honour(takedowns, state, run.run_id)
            times.append(replay.ended_at)
            state.end_run(run.run_id, replay.ended_at, 0, "reprocessed", {})
            result.paths |= export_run(state, export, run.run_id)
            result.runs.append(run.run_id)
    finally:
        state.close()
    return result


def _read_takedowns(
    runs: Iterable[RunFiles], located: dict[str, tuple[Path, int]]
) -> list[Takedown]:
    """Read what was taken down later, and where the bodies lie that other pages still need."""
    takedowns = []
    for path, event in read_events(path for run in runs for path in run.paths):
        takedowns.append(decode_takedown(event))
        located |= {
            record.record_id: (path, record.offset)
            for record in read_records(path, [])
            if record.type == "response"
        }
    return takedowns


def _honour(takedowns: Iterable[Takedown], state: State, run_id: str) -> None:
    """Write the tombstones that a run's delta holds in the place of rows."""
    for takedown in takedowns:
        if run_id in takedown.run_ids:
            state.write_tombstones(takedown, run_id)
        if run_id == takedown.id:
            state.take_down(takedown, {})


def read_again(
    state: State,
    run: RunFiles,
    profile: SiteProfile,
    exchanges: Iterable[tuple[ArchivedExchange, Path]],
    located: dict[str, tuple[Path, int]],
    seed_digests: set[str],
) -> Iterator[Visit]:
    """Read archived pages again, one after the other; nothing is stored.

    Args:
        state: A home's state, for what is known of its files.
        run: The run that archived them.
        profile: The site's profile.
        exchanges: Pages with their further parts, each with its file.
        located: Where the bodies lie that revisits stand for, by record id.
        seed_digests: Payload digests of the start pages, to know a soft 404 by.

    Raises:
        ArchiveError: A record cannot be read, or the body of a revisit is nowhere.
        IgnoreRequest: A body is larger than the run allowed when it is decoded.
    """
    replay = Replay(profile, state, run, located, lambda _record_id: True, ReprocessResult())
    yield from replay.visits(exchanges, seed_digests)
