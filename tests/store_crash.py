"""Kill crawls of the state with SIGKILL and count what is lost, doubled or damaged.

    python tests/store_crash.py --kills 500 --seed 20261123

A child process crawls a tree of 127 pages, one durable transaction each, and says the number of
each page after it is stored. It is killed at random moments and started again until the tree is
done; then another tree is begun. Whatever a child said must be in the state for ever.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from store_kit import Archive, Clock

from hongxing_crawler.store.state import State
from hongxing_crawler.store.visit import Found

PAGES = 127
MAX_WAIT_S = 0.12


def crawl(folder: Path, number: int) -> None:
    """Take up the crawl where the last child left it, and say each page that is stored."""
    archive = Archive(folder)
    archive.state.end_killed_runs()
    archive.state.requeue_in_flight()
    archive.run_id = f"run_20261123T{number:06}Z"
    archive.state.begin_run(archive.run_id, archive.clock(), {})
    _say("ready")
    while tickets := archive.state.take(4):
        archive.state.release(ticket.id for ticket in tickets)
        page = int(tickets[0].url.rpartition("/")[2])
        children = (2 * page, 2 * page + 1) if 2 * page < PAGES else ()
        links = [Found(f"http://a.cn/{child}", "article", 10) for child in children]
        archive.visit(tickets[0].url, body=f"正文 {page}", links=links)
        _say(page)


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _run_child(folder: Path, number: int, wait_s: float) -> tuple[list[int], bool]:
    """Let a child crawl for a moment; the pages it said, and whether it was killed."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--child", str(folder), str(number)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()  # ready: from here on a kill hits the crawl, not the imports
    try:
        process.wait(timeout=wait_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    said = process.stdout.read().split()
    process.stdout.close()
    return [int(word) for word in said], process.wait() == -signal.SIGKILL


def _crawl_tree(folder: Path, chance: random.Random) -> Counter[str]:
    figures, said, number, was_killed = Counter(trees=1), [], 0, True
    archive = Archive(folder)
    archive.add("http://a.cn/1")
    archive.state.close()
    while was_killed:
        number += 1
        pages, was_killed = _run_child(folder, number, chance.uniform(0.0, MAX_WAIT_S))
        said += pages
        with State.open(folder / "state.sqlite", now=Clock()) as state:
            stored = {row.article_body for row in state.articles.snapshot()}
            figures["damaged"] += bool(state.find_damage())
        figures["lost"] += len({f"正文 {page}" for page in said} - stored)
        figures["kills"] += was_killed
    figures["doubled"] += len(said) - len(set(said))
    with State.open(folder / "state.sqlite", now=Clock()) as state:
        news = [row.id for entry in state.runs() for row in state.delta(entry.run_id)]
        figures["lost"] += PAGES - state.counts()["done"]
    figures["doubled"] += len(news) - len(set(news))
    figures["lost"] += PAGES - len(set(news))
    return figures


def run_campaign(kills: int, seed: int) -> Counter[str]:
    """Kill until the number is reached; what was lost, doubled and damaged, in all."""
    chance, figures = random.Random(seed), Counter(lost=0, doubled=0, damaged=0)
    while figures["kills"] < kills:
        with tempfile.TemporaryDirectory() as name:
            figures.update(_crawl_tree(Path(name), chance))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "NUMBER"))
    arguments = parser.parse_args()
    if arguments.child:
        crawl(Path(arguments.child[0]), int(arguments.child[1]))
    else:
        _say(json.dumps(run_campaign(arguments.kills, arguments.seed)))


if __name__ == "__main__":
    main()
