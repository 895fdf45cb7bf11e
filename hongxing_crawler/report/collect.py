"""Gather the report of a run from its home: state, run record, earlier runs; and write it."""

from __future__ import annotations

import os
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from hongxing_crawler.exceptions import StateError
from hongxing_crawler.monitors.spam_log import encode_spam, first_seen
from hongxing_crawler.report.gather import Gatherer
from hongxing_crawler.report.run_data import (
    Coverage,
    Listing,
    PageEntry,
    PastRun,
    RunInfo,
    RunReport,
)
from hongxing_crawler.report.run_report import write_run_report
from hongxing_crawler.running.spam_hosts import earlier_spam

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hongxing_crawler.core.record import Article
    from hongxing_crawler.monitors.spam_log import SpamHost
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.runs import RunEntry
    from hongxing_crawler.store.state import State

_PAGES_MAX = 300
_HOSTS_MAX = 200
_HISTORY_MAX = 60
_COVERAGE_MAX = 60
_LIST_MIN = 3  # articles that make a page a list worth a line of its own
_ELSEWHERE = "文中链接 · linked by articles"
_STATUS_PREFIX = "downloader/response_status_count/"
_LATENCY_PREFIX = "hongxing/archive/latency_count/"  # then the upper end of a range, seconds
_PAGE_NUMBER_RE = re.compile(r"_\d{1,6}(\.s?html?)$")


def report_run(home: Home, state: State, run_id: str) -> dict[str, str]:
    """Write ``spam.jsonl`` and ``report.html`` of a run.

    Args:
        home: The home directory; ``run.json`` is read if it is there.
        state: Of this home.
        run_id: A run of its ledger.

    Returns:
        The path of each file by its name.

    Raises:
        StateError: The state knows no such run.
    """
    report, hosts = collect(home, state, run_id)
    folder = home.run(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    _write_spam(folder / "spam.jsonl", hosts)
    write_run_report(folder / "report.html", report)
    return {"report": str(folder / "report.html"), "spam": str(folder / "spam.jsonl")}


def collect(home: Home, state: State, run_id: str) -> tuple[RunReport, list[SpamHost]]:
    """Gather what the report of a run shows, and the hosts that were advertised.

    Only the rows that the run wrote are looked at: spam in articles that did not change is in
    the log of the run that found it.
    """
    ledger = state.runs()
    entry = _find_run(ledger, run_id)
    earlier = [run for run in ledger if run.started_at < entry.started_at]
    gathered = Gatherer(home.root, lambda article: _previous(state, article))
    for article in state.delta(run_id):
        gathered.add(article)
    hosts = gathered.spam.hosts(first_seen(earlier_spam(home, state, earlier)))
    record = _read_record(home.run(run_id) / "run.json")
    rejects, failures, reasons = _sort_pages(state.rejects(run_id))
    report = RunReport(
        run=_run_info(entry, record),
        counts={name: value for name, value in entry.counts.items() if isinstance(value, int)},
        new=gathered.new.listing(),
        changed=gathered.changed.listing(),
        gone=gathered.gone.listing(),
        spam_hosts=Listing(tuple(hosts[:_HOSTS_MAX]), len(hosts)),
        injected=gathered.injected.listing(),
        restored=gathered.restored.listing(),
        rejects=rejects,
        reject_reasons=dict(reasons.most_common()),
        failures=failures,
        coverage=_coverage(state.url_counts(), gathered.channels),
        status_codes=_counts_by_number(record, _STATUS_PREFIX),
        response_times=_response_times(record),
        templates=dict(gathered.templates.most_common()),
        history=tuple(map(_past_run, [*earlier[-_HISTORY_MAX:], entry])),
    )
    return report, hosts


def _find_run(ledger: Iterable[RunEntry], run_id: str) -> RunEntry:
    for entry in ledger:
        if entry.run_id == run_id:
            return entry
    raise StateError(f"the state knows no run {run_id}; `hongxing status` lists the last ones")


def _write_spam(path: Path, hosts: Iterable[SpamHost]) -> None:
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        file.write(encode_spam(hosts))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _previous(state: State, article: Article) -> Article | None:
    """The version of an article before this one."""
    before = None
    for version in state.articles.versions(article.canonical_url):
        if version.run_id == article.run_id:
            return before
        before = version
    return before


def _read_record(path: Path) -> dict[str, Any]:
    """The run record; empty when the run was killed before it was written."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return {}


def _run_info(entry: RunEntry, record: Mapping[str, Any]) -> RunInfo:
    return RunInfo(
        run_id=entry.run_id,
        site=str(entry.info.get("site", "")),
        started_at=entry.started_at,
        ended_at=entry.ended_at,
        exit_code=entry.exit_code or 0,
        reason=entry.reason,
        sentence=str(record.get("sentence", "")),
        crawler=str(record.get("crawler", "")),
        warnings=tuple(map(str, record.get("warnings", ()))),
        findings=tuple(_findings(record.get("findings", ()))),
    )


def _findings(found: Any) -> Iterator[tuple[str, str, bool]]:
    """What the monitors said, gates first."""
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    for row in sorted(rows, key=lambda row: not row.get("is_gate")):
        yield str(row.get("name", "")), str(row.get("sentence", "")), bool(row.get("is_gate"))


def _past_run(entry: RunEntry) -> PastRun:
    counts = {name: value for name, value in entry.counts.items() if isinstance(value, int)}
    return PastRun(
        run_id=entry.run_id,
        started_at=entry.started_at,
        exit_code=entry.exit_code or 0,
        reason=entry.reason,
        counts=counts,
    )


def _sort_pages(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[Listing[PageEntry], Listing[PageEntry], Counter[str]]:
    """Part the pages without content: rejected, refused or not there, and failed."""
    rejects: list[PageEntry] = []
    failures: list[PageEntry] = []
    reasons: Counter[str] = Counter()
    totals: Counter[bool] = Counter()
    for row in rows:
        failed = row["outcome"] == "failed"
        totals[failed] += 1
        if not failed:
            reasons[row["reason"]] += 1
        entries = failures if failed else rejects
        if len(entries) < _PAGES_MAX:
            entries.append(PageEntry(url=row["url"], reason=row["reason"], status=row["status"]))
    rejected, failed_pages = (
        Listing(tuple(entries), totals[failed])
        for entries, failed in ((rejects, False), (failures, True))
    )
    return rejected, failed_pages, reasons


def _coverage(
    rows: Iterable[tuple[str, str, str, int]], channels: Mapping[str, str]
) -> tuple[Coverage, ...]:
    """Add up URLs by the list on which articles were found, and all others by their kind."""
    names = {_PAGE_NUMBER_RE.sub(r"\1", url): name for url, name in channels.items()}
    states: dict[str, Counter[str]] = {}
    for found_on, kind, state, count in rows:
        place = _PAGE_NUMBER_RE.sub(r"\1", found_on) if kind == "article" and found_on else kind
        states.setdefault(names.get(place, place), Counter())[state] += count
    for place in [place for place in states if "://" in place]:
        if states[place].total() < _LIST_MIN:  # articles that other articles link to
            states.setdefault(_ELSEWHERE, Counter()).update(states.pop(place))
    ordered = sorted(states.items(), key=lambda item: (-item[1].total(), item[0]))
    return tuple(
        Coverage(
            name=name,
            known=counts.total(),
            done=counts["done"],
            pending=counts["pending"] + counts["in_flight"],
            failed=counts["failed"],
            gone=counts["gone"],
        )
        for name, counts in islice(ordered, _COVERAGE_MAX)
    )


def _stats(record: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, int]]:
    stats = record.get("stats", {})
    for name, value in stats.items() if isinstance(stats, dict) else ():
        if name.startswith(prefix) and isinstance(value, int):
            yield name.removeprefix(prefix), value


def _counts_by_number(record: Mapping[str, Any], prefix: str) -> dict[int, int]:
    return {int(name): value for name, value in _stats(record, prefix) if name.isdigit()}


def _response_times(record: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    ranges = sorted((float(name), name, value) for name, value in _stats(record, _LATENCY_PREFIX))
    return tuple((f"≤ {name} s" if top < 1e9 else "> s", value) for top, name, value in ranges)
