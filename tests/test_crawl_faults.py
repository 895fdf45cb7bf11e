"""A site that misbehaves: every fault has an end, a reason, and an exit code."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest
from crawl_kit import crawl, rejects, snapshot, start_crawl

from hongxing_crawler.demo.faults import Fault
from hongxing_crawler.demo.site import DemoSite

ARTICLE = r"/content/2020/06/18/"  # one article of the demo site
PATH = "/content/2020/06/18/7170301.html"


@pytest.fixture(scope="module")
def site():
    with DemoSite() as running:
        yield running


@pytest.fixture(scope="module")
def few(site):
    """The demo site as far as its articles of two years: some may be bad among good ones."""
    other = (r"/content/(?!202[01]/)", r"/(?:c|channel|topic|nograb)/")
    return dataclasses.replace(
        site.profile, seeds=(site.www + "/",), never=(*site.profile.never, *other)
    )


@pytest.fixture(scope="module")
def expected(site, few, tmp_path_factory):
    """What a crawl without faults brings."""
    home = tmp_path_factory.mktemp("well") / "home"
    assert crawl(few, home).code == 0
    found = set(snapshot(home))
    assert PATH in found
    assert len(found) >= 12
    return found


@pytest.fixture(autouse=True)
def _no_fault_stays(site):
    yield
    site.faults.clear()


# Faults of one article each, in one crawl: what becomes of it, and why.
BAD = {
    "50 MB": (Fault("huge", "7170301"), "rejected", "too_large"),
    "gzip bomb": (Fault("gzip_bomb", "7000512"), "rejected", "too_large"),
    "always 500": (Fault("status", "7200022", status=500), "failed", "http_500"),
    "always reset": (Fault("reset", "7200025"), "failed", "connection_failed"),
    "always cut off": (Fault("truncate", "7200019"), "failed", "broken_off"),
    "nothing in it": (Fault("empty", "7000415"), "rejected", "empty"),
    "redirect loop": (Fault("redirect_loop", "7200040"), "rejected", "redirect_loop"),
    "NUL bytes": (Fault("nul", "7170305"), "", ""),
    "100,000 nested tags": (Fault("deep", "7200031"), "", ""),
}
PASSING = {
    "500 once": Fault("status", "7170301", times=1, status=500),
    "503 twice": Fault("status", "7000512", times=2, status=503, retry_after="0"),
    "429 once": Fault("status", "7200022", times=1, status=429, retry_after="1"),
    "reset twice": Fault("reset", "7200025", times=2),
    "cut off once": Fault("truncate", "7200019", times=1),
    "slow once": Fault("slow", "7000415", times=1, delay_s=0.5),
}


@pytest.fixture(scope="module")
def bad(site, few, tmp_path_factory):
    """One crawl of a site where nine articles are bad, each in its own way."""
    home = tmp_path_factory.mktemp("bad") / "home"
    site.faults.add(*(fault for fault, _, _ in BAD.values()))
    ended = crawl(few, home)
    site.faults.clear()
    return ended, snapshot(home), rejects(home)


@pytest.mark.parametrize("label", BAD)
def test_a_bad_page_is_recorded_with_its_reason(bad, label):
    _, _, found = bad
    fault, outcome, reason = BAD[label]
    rows = [row for path, row in found.items() if fault.pattern in path]

    assert {(row["outcome"], row["reason"]) for row in rows} == ({(outcome, reason)} - {("", "")})


def test_bad_pages_leave_the_rest_alone(bad, expected):
    ended, found, _ = bad
    spoilt = [fault.pattern for fault, _, _ in BAD.values()]

    assert ended.code == 3, ended.log
    assert ended.result["counts"]["pages_failed"] == 3
    assert {path for path in expected if not any(name in path for name in spoilt)} <= set(found)
    assert any("7170305" in path for path in found), "NUL bytes are no reason"


@pytest.mark.parametrize(
    "fault", [Fault("huge", ARTICLE), Fault("redirect_loop", ARTICLE)], ids=["50 MB", "loop"]
)
def test_a_reject_is_no_failure_of_the_run(site, few, tmp_path, fault):
    site.faults.add(fault)

    ended = crawl(few, tmp_path / "home")

    assert ended.code == 0, ended.log


def test_what_passes_is_waited_for(site, few, expected, tmp_path):
    site.faults.add(*PASSING.values())
    before = len(site.log)

    ended = crawl(few, tmp_path / "home")

    asked = [request.path for request in site.log[before:]]
    assert ended.code == 0, ended.log
    assert set(snapshot(tmp_path / "home")) == expected
    for label, fault in PASSING.items():
        times = sum(fault.pattern in path for path in asked)
        assert times == fault.times + (fault.kind != "slow"), label


def test_retry_after_is_obeyed(site, few, tmp_path):
    site.faults.add(Fault("status", ARTICLE, times=1, status=429, retry_after="2"))
    before = len(site.log)

    crawl(few, tmp_path / "home")

    times = [r.at for r in site.log[before:] if r.path == PATH]
    assert len(times) == 2
    assert times[1] - times[0] >= 2.0


def test_a_site_that_says_429_for_ever_ends_as_blocked(site, few, expected, tmp_path):
    site.faults.add(Fault("status", r"/content/", status=429, retry_after="0"))

    ended = crawl(few, tmp_path / "home")
    site.faults.clear()
    later = crawl(few, tmp_path / "home")

    assert ended.code == 7, ended.log
    assert later.code == 0, later.log
    assert set(snapshot(tmp_path / "home")) == expected


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(Fault("status", r"^/robots.txt", status=503, retry_after="0"), 7, id="503"),
        pytest.param(Fault("status", r"^/robots.txt", status=500), 7, id="500"),
        pytest.param(Fault("reset", r"^/robots.txt"), 5, id="reset"),
    ],
)
def test_a_failing_robots_txt_is_not_taken_for_a_yes(site, few, tmp_path, fault, code):
    site.faults.add(fault)
    before = len(site.log)

    ended = crawl(few, tmp_path / "home")

    assert ended.code == code, ended.log
    assert {request.path for request in site.log[before:]} == {"/robots.txt"}


def test_an_endless_pager_ends(site, few, tmp_path):
    site.faults.add(Fault("endless_pager", r"^/channel/"))
    never = tuple(rule for rule in few.never if "channel" not in rule)
    profile = dataclasses.replace(few, never=never)
    before = len(site.log)

    ended = crawl(profile, tmp_path / "home", max_pages=400)

    pages = [re.search(r"/channel/1001_(\d+)", request.path) for request in site.log[before:]]
    assert ended.code == 0, ended.log
    assert max(int(page[1]) for page in pages if page) == 2, "the second page repeats the first"


def test_links_to_our_own_machines_lead_nowhere(site, few, tmp_path):
    site.faults.add(Fault("hostile_links", ARTICLE))
    with listening() as (port, visitors):
        site.faults.active[0] = dataclasses.replace(site.faults.active[0])
        ended = crawl(few, tmp_path / "home")

    assert ended.code == 0, ended.log
    assert visitors == []
    assert port


@contextmanager
def listening():
    """A socket that would notice a visitor."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.01)
        visitors = []
        yield server.getsockname()[1], visitors
        with suppress(TimeoutError):
            visitors.append(server.accept())


def test_a_dead_site_is_temporary_and_nothing_is_lost(tmp_path):
    with DemoSite() as gone:
        profile = gone.profile

    ended = crawl(profile, tmp_path / "home")

    assert ended.code == 5, ended.log
    assert ended.result["counts"]["pending"] > 0


def test_a_second_run_at_the_same_time_is_told_who_holds_the_home(site, tmp_path):
    home = tmp_path / "home"
    first = start_crawl(site.profile, home, delay_s=0.3)
    try:
        wait_for(home / "state.sqlite")
        second = crawl(site.profile, home)
    finally:
        first.kill()
        first.communicate()

    assert second.code == 75
    assert str(first.pid) in second.result["sentence"]


def wait_for(path, timeout_s=30.0):
    until = time.monotonic() + timeout_s
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="a small disk needs root and mount"
)
def test_a_full_disk_stops_the_run_and_it_goes_on_afterwards(site, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mount is not allowed here")
    try:
        ended = crawl(site.profile, disk / "home")  # the whole site: a few pages fit
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        later = crawl(site.profile, disk / "home")
        found = snapshot(disk / "home")
    finally:
        subprocess.run(["umount", disk], check=True)

    assert ended.code in {8, 9}, ended.log
    assert later.code == 0, later.log
    assert len(found) >= 79


def test_a_crawl_answers_for_its_own_memory_alone(few, expected, tmp_path):
    """The kernel lets a process inherit the peak of the one that started it."""
    ballast = b"x" * (500 << 20)
    ended = crawl(few, tmp_path / "home", settings={"MEMUSAGE_LIMIT_MB": 400})

    assert len(ballast) > 400 << 20
    assert ended.code == 0, ended.log
    assert set(snapshot(tmp_path / "home")) == expected


def test_a_crawl_that_takes_too_much_memory_ends_in_order(few, tmp_path):
    ended = crawl(few, tmp_path / "home", settings={"MEMUSAGE_LIMIT_MB": 20})

    assert (ended.code, ended.result["reason"]) == (8, "memusage_exceeded")
