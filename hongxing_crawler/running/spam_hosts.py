"""Which hosts the injected links of a run advertise, and which of them no earlier run has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.monitors.spam_log import SpamLog, decode_spam, injected_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.monitors.spam_log import SpamHost
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.runs import RunEntry
    from hongxing_crawler.store.state import State


def count_new_hosts(home: Home, state: State, run_id: str) -> int:
    """Count the hosts that no run before this one has seen in injected links.

    They are those that ``spam.jsonl`` of the run will call new, but for injected texts without
    links. The first run of a home has nothing to compare with: 0.
    """
    runs = state.runs()
    started_at = next(run.started_at for run in runs if run.run_id == run_id)
    earlier = [run for run in runs if run.started_at < started_at]
    new = _hosts(_read_rows(state, run_id)) if earlier else set()
    for log in earlier_spam(home, state, reversed(earlier)):
        if not new:
            break
        new -= _hosts(log)
    return len(new)


def earlier_spam(home: Home, state: State, runs: Iterable[RunEntry]) -> Iterator[list[SpamHost]]:
    """Yield what runs found; from the state's rows when a log is pruned, old or missing."""
    for run in runs:
        try:
            yield decode_spam((home.run(run.run_id) / "spam.jsonl").read_bytes())
        except (OSError, ValueError):
            yield _read_rows(state, run.run_id)


def _read_rows(state: State, run_id: str) -> list[SpamHost]:
    log = SpamLog()
    for row in state.delta(run_id):
        log.add(row.url, row.provenance.fetched_at or "", injected_blocks(row))
    return log.hosts()


def _hosts(log: Iterable[SpamHost]) -> set[str]:
    return {host.host for host in log if host.host}
