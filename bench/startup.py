"""Measure how long a crawl of a large home takes to begin: open the state, plan, first request.

    python bench/startup.py                  # 1,000,000 URLs, all visited, one in a hundred due

The pages' table is filled by one statement, as the visits of a year would leave it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from state import NOW, RUN, fill

from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.store.state import State

_VISITED = """
INSERT INTO pages (url_id, run_no, visited_at, outcome, reason, status, etag, last_modified,
  interval_s, due_at, gone_count, seen)
SELECT id, 1, ?1, 'done', '', 200, '"' || hex(key) || '"', '', 86400,
  ?1 + (id % 100) * 86400000000, 0, 1 FROM urls
"""


def make_visited(path: Path, count: int) -> None:
    with State.open(path, now=lambda: NOW, durable=False) as state:
        state.begin_run(RUN, NOW, {})
        fill(state, count)
        state.end_run(RUN, NOW, 0, "", {})
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_VISITED, (int(NOW.timestamp() * 1e6),))
        database.execute("UPDATE urls SET state = 'done'")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--urls", type=int, default=1_000_000)
    count = parser.parse_args().urls
    later = NOW + timedelta(hours=12)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "state.sqlite"
        make_visited(path, count)
        started, cpu = time.perf_counter(), time.process_time()
        with State.open(path, now=lambda: later) as state:
            opened = time.perf_counter()
            state.requeue_in_flight()
            state.begin_run("run_20260101T120000Z", later, {})
            due = state.plan("run_20260101T120000Z", SiteProfile("bench"), later)
            planned = time.perf_counter()
            first = len(state.take(1))
            taken = time.perf_counter()
        figures = {
            "urls": count,
            "due": due,
            "open_s": round(opened - started, 3),
            "plan_s": round(planned - opened, 3),
            "first_request_s": round(taken - planned, 3),
            "requests": first,
            "cpu_s": round(time.process_time() - cpu, 3),
            "rss_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
