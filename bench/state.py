"""Measure the state database: its size on disk, its memory, and how fast visits pass through.

    python bench/state.py                    # 1,000,000 URLs, 20,000 visits of each kind
    python bench/state.py --visit-all        # every URL visited: the largest state

Each visit stores what a crawl stores: one capture, the URL's new state and 100 links; visits of
articles also store a row of 8 KB. One link is new, because a crawl finds each of its URLs once:
that is one a page on average (`--fresh 5`: five).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from hongxing_crawler.core.document import ArticleContent, CleanedPage, Page
from hongxing_crawler.core.record import Origin, build_article
from hongxing_crawler.items import Capture
from hongxing_crawler.store.state import State
from hongxing_crawler.store.visit import Found, Ticket, Visit

RUN = "run_20260101T000000Z"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 32
NAVIGATION = 60  # links that every page has
TEXT = "".join(chr(0x4E00 + Random(7).randrange(3000)) for _ in range(1_800))  # 5.4 KB in UTF-8


def address(number: int) -> str:
    """Return an address as long as those of the site."""
    day = f"{number % 12 + 1:02}/{number % 28 + 1:02}"
    return f"https://www.hxw.gov.cn/content/2020/{day}/{number}.html"


def fill(state: State, count: int) -> None:
    for start in range(0, count, 10_000):
        numbers = range(start, min(start + 10_000, count))
        state.add_found([Found(address(number), "article", 10, 3) for number in numbers], "")


def links_of(number: int, count: int, random: Random, new: int) -> list[Found]:
    """60 links of the navigation, ``new`` that nobody has seen, the rest to any known pages."""
    others = 100 - NAVIGATION - new
    known = [*range(NAVIGATION), *(random.randrange(count) for _ in range(others))]
    fresh = range(count + number * new, count + (number + 1) * new)
    return [Found(address(other), "article", 10, 4) for other in (*known, *fresh)]


def capture_of(ticket: Ticket) -> Capture:
    digest = hashlib.sha256(ticket.url.encode()).hexdigest()
    return Capture(
        warc_filename=f"hongxing-{RUN}-00000.warc.gz",
        offset=ticket.id * 9_000,
        length=9_000,
        record_id=f"urn:uuid:{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}",
        record_type="response",
        payload_digest=f"sha256:{digest}",
        url=ticket.url,
        fetched_at=NOW + timedelta(seconds=ticket.id),
        status=200,
        mime="text/html",
    )


def visit_of(ticket: Ticket, links: list[Found], *, with_article: bool) -> Visit:
    capture = capture_of(ticket)
    visit = Visit(
        ticket,
        outcome="done",
        status=200,
        finished_at=capture.fetched_at,
        etag=f'"{ticket.id:x}-5e1"',
        last_modified="Fri, 20 Mar 2020 08:56:00 GMT",
        captures=[capture],
        links=links,
        main=capture,
    )
    if with_article:
        body = f"{ticket.id} {TEXT}"
        content = ArticleContent(headline="永州江华", article_body=body)
        cleaned = CleanedPage(Page(ticket.url), content, received=body)
        origin = Origin(ticket.url, run_id=RUN)
        visit.articles = [build_article(cleaned, origin=origin, capture=capture)]
    return visit


def measure(
    state: State, visits: int, urls: int, *, new: int | None, with_article: bool
) -> dict[str, float]:
    """Take and finish; times are of the state alone, not of making the visits. None: no links."""
    random, taking_s, finishing_s, cpu_s, done = Random(1), 0.0, 0.0, 0.0, 0
    while done < visits:
        before, cpu = time.perf_counter(), time.process_time()
        tickets = state.take(BATCH)
        taking_s += time.perf_counter() - before
        cpu_s += time.process_time() - cpu
        made = [
            visit_of(
                ticket,
                [] if new is None else links_of(ticket.id, urls, random, new),
                with_article=with_article,
            )
            for ticket in tickets
        ]
        before, cpu = time.perf_counter(), time.process_time()
        for visit in made:
            state.finish(RUN, visit)
        finishing_s += time.perf_counter() - before
        cpu_s += time.process_time() - cpu
        done += len(tickets)
        if not tickets:
            break
    return {
        "visits": done,
        "take_per_s": round(done / taking_s),
        "finish_per_s": round(done / finishing_s),
        "take_and_finish_per_s": round(done / (taking_s + finishing_s)),
        "cpu_ms_per_visit": round(cpu_s / done * 1000, 3),
    }


def disk_mb(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1)


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--visits", type=int, default=20_000)
    parser.add_argument("--fresh", type=int, default=1, help="links of each page that are new")
    parser.add_argument("--visit-all", action="store_true")
    arguments = parser.parse_args()
    figures: dict[str, object] = {"urls": arguments.urls}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "state.sqlite"
        with State.open(path, now=lambda: NOW, durable=False) as state:
            state.begin_run(RUN, NOW, {})
            started = time.perf_counter()
            fill(state, arguments.urls)
            figures["fill_per_s"] = round(arguments.urls / (time.perf_counter() - started))
            state.end_run(RUN, NOW, 0, "", {})
        figures["disk_mb_pending"] = disk_mb(folder)
        kinds = {
            "bare": {"new": None, "with_article": False},
            "links": {"new": arguments.fresh, "with_article": False},
            "links_and_article": {"new": arguments.fresh, "with_article": True},
        }
        for sync in (True, False):
            for kind, content in kinds.items():
                with State.open(path, now=lambda: NOW, durable=sync) as state:
                    result = measure(state, arguments.visits, arguments.urls, **content)
                figures[f"{kind}, synchronous={'FULL' if sync else 'NORMAL'}"] = result
        if arguments.visit_all:
            with State.open(path, now=lambda: NOW) as state:
                rest = 10 * arguments.urls
                result = measure(state, rest, arguments.urls, new=None, with_article=False)
                figures["the rest, synchronous=FULL"] = result
                state.end_run(RUN, NOW, 0, "", {})
            figures["disk_mb_visited"] = disk_mb(folder)
        figures["rss_mb"] = rss_mb()
        figures["rss_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
