"""``kill -9`` at any moment of a crawl, then the same command again: nothing lost, nothing twice.

The short form kills a few times; ``make crash`` sets TEST_KILLS for the long one.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from crawl_kit import crawl, snapshot, start_crawl

from hongxing_crawler.archive.verify import verify_warc
from hongxing_crawler.demo.site import DemoSite

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("TEST_KILLS", "3"))
SEED = int(os.environ.get("TEST_SEED", "20261123"))
OF_THE_RUN = ("run_id", "first_seen_at", "last_seen_at", "provenance")  # when, not what


@pytest.fixture(scope="module")
def site():
    with DemoSite() as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(site, tmp_path_factory):
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    begun = time.monotonic()
    assert crawl(site.profile, home).code == 0
    return snapshot(home), time.monotonic() - begun


def content(rows):
    return {
        path: {name: value for name, value in row.items() if name not in OF_THE_RUN}
        for path, row in rows.items()
    }


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_crawl_and_its_successor_give_what_one_crawl_gives(
    site, undisturbed, tmp_path, number
):
    expected, seconds = undisturbed
    rng = random.Random(SEED + number)
    home = tmp_path / "home"
    for _ in range(rng.randint(1, 2)):
        process = start_crawl(site.profile, home)
        time.sleep(rng.uniform(0.2, 1.0) * seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    ended = crawl(site.profile, home)

    assert ended.code == 0, ended.log
    assert ended.result["counts"]["pending"] == 0
    assert content(snapshot(home)) == content(expected)
    assert not list((home / "warc").glob("*.open"))
    for path in (home / "warc").glob("*.warc.gz"):
        assert verify_warc(path) == []
        check = [sys.executable, "-m", "warcio.cli", "check", path]
        assert subprocess.run(check, capture_output=True, check=False).returncode == 0


def test_ctrl_c_saves_and_the_next_run_goes_on(site, undisturbed, tmp_path):
    expected, _ = undisturbed
    home = tmp_path / "home"
    process = start_crawl(site.profile, home, delay_s=0.1, settings={"AUTOTHROTTLE_ENABLED": False})
    wait_for_warc(home)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    ended = crawl(site.profile, home)

    assert process.returncode == 130
    assert ended.code == 0, ended.log
    assert content(snapshot(home)) == content(expected)


@pytest.mark.parametrize("moment", ["component_made", "spider_opened", "engine_started"])
def test_ctrl_c_before_the_first_request_is_an_end_in_order(site, tmp_path, moment):
    home = tmp_path / "home"
    early = {"EXTENSIONS": {"early_signal.EarlySignal": 1}, "TEST_EARLY_SIGNAL": moment}
    stopped = crawl(site.profile, home, settings=early)
    ledger = (home / "runs/ledger.jsonl").read_text("utf-8")
    events = [json.loads(line) for line in ledger.splitlines()]
    again = crawl(site.profile, home)

    assert stopped.code == 130, stopped.log
    assert [(event["event"], event["exit_code"]) for event in events] == [
        ("start", None),
        ("end", 130),
    ]
    assert again.code == 0, again.log
    assert again.result["warnings"] == []


def wait_for_warc(home: Path, timeout_s: float = 30.0) -> None:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if any(path.stat().st_size > 5_000 for path in home.glob("warc/*.open")):
            return
        time.sleep(0.05)
    raise AssertionError("the crawl has archived nothing")
