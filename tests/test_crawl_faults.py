"""A site that misbehaves: every fault has an end, a reason, and an exit code."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest
from crawl_kit import crawl, snapshot, start_crawl

from hongxing_crawler.demo.faults import Fault
from hongxing_crawler.demo.site import DemoSite

ARTICLE = r"/content/2020/06/18/"  # one article of the demo site
PATH = "/content/2020/06/18/7170301.html"


@pytest.fixture(scope="module")
def site():
    with DemoSite() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_fault_stays(site):
    yield
    site.faults.clear()


def rejects(home):
    files = (path.read_bytes() for path in home.glob("runs/*/rejects.jsonl"))
    found = (json.loads(line) for data in files for line in data.splitlines())
    return {row["url"].split("/", 3)[3]: row for row in found}


@pytest.mark.parametrize(
    ("fault", "reason", "code"),
    [
        pytest.param(Fault("huge", ARTICLE), "too_large", 3, id="50 MB"),
        pytest.param(Fault("gzip_bomb", ARTICLE), "too_large", 3, id="gzip bomb"),
        pytest.param(Fault("status", ARTICLE, status=500), "http_500", 3, id="always 500"),
        pytest.param(Fault("reset", ARTICLE), "connection_failed", 3, id="always reset"),
        pytest.param(Fault("truncate", ARTICLE), "broken_off", 3, id="always cut off"),
        pytest.param(Fault("empty", ARTICLE), "empty", 0, id="nothing in it"),
        pytest.param(Fault("nul", ARTICLE), "", 0, id="NUL bytes"),
        pytest.param(Fault("deep", ARTICLE), "", 0, id="100,000 nested tags"),
        pytest.param(Fault("redirect_loop", ARTICLE), "redirect_loop", 0, id="redirect loop"),
    ],
)
def test_one_bad_page_is_recorded_and_the_rest_is_crawled(site, tmp_path, fault, reason, code):
    site.faults.add(fault)

    ended = crawl(site.profile, tmp_path / "home")

    found = rejects(tmp_path / "home")
    bad = {row["reason"] for path, row in found.items() if path.startswith(PATH[1:])}
    assert ended.code == code, ended.log
    assert bad == ({reason} if reason else set())
    assert len(snapshot(tmp_path / "home")) >= 77


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("status", ARTICLE, times=1, status=500), id="500 once"),
        pytest.param(
            Fault("status", ARTICLE, times=2, status=503, retry_after="0"), id="503 twice"
        ),
        pytest.param(Fault("status", ARTICLE, times=1, status=429, retry_after="1"), id="429 once"),
        pytest.param(Fault("reset", ARTICLE, times=2), id="reset twice"),
        pytest.param(Fault("truncate", ARTICLE, times=1), id="cut off once"),
        pytest.param(Fault("slow", ARTICLE, times=1, delay_s=0.5), id="slow once"),
    ],
)
def test_what_passes_is_waited_for(site, tmp_path, fault):
    site.faults.add(fault)

    ended = crawl(site.profile, tmp_path / "home")

    assert ended.code == 0, ended.log
    assert PATH in snapshot(tmp_path / "home")


def test_retry_after_is_obeyed(site, tmp_path):
    site.faults.add(Fault("status", ARTICLE, times=1, status=429, retry_after="2"))
    before = len(site.log)

    crawl(site.profile, tmp_path / "home")

    times = [r.at for r in site.log[before:] if r.path == PATH]
    assert len(times) == 2
    assert times[1] - times[0] >= 2.0


def test_a_site_that_says_429_for_ever_ends_as_blocked(site, tmp_path):
    site.faults.add(Fault("status", r"/content/", status=429, retry_after="0"))

    ended = crawl(site.profile, tmp_path / "home")
    site.faults.clear()
    later = crawl(site.profile, tmp_path / "home")

    assert ended.code == 7, ended.log
    assert later.code == 0, later.log
    assert len(snapshot(tmp_path / "home")) == 79


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(Fault("status", r"^/robots.txt", status=503, retry_after="0"), 7, id="503"),
        pytest.param(Fault("status", r"^/robots.txt", status=500), 7, id="500"),
        pytest.param(Fault("reset", r"^/robots.txt"), 5, id="reset"),
    ],
)
def test_a_failing_robots_txt_is_not_taken_for_a_yes(site, tmp_path, fault, code):
    site.faults.add(fault)
    before = len(site.log)

    ended = crawl(site.profile, tmp_path / "home")

    assert ended.code == code, ended.log
    assert {request.path for request in site.log[before:]} == {"/robots.txt"}


def test_an_endless_pager_ends(site, tmp_path):
    site.faults.add(Fault("endless_pager", r"^/channel/"))
    profile = dataclasses.replace(site.profile, max_list_pages=20)

    ended = crawl(profile, tmp_path / "home")

    assert ended.code == 0, ended.log


def test_links_to_our_own_machines_lead_nowhere(site, tmp_path):
    site.faults.add(Fault("hostile_links", ARTICLE))
    with listening() as (port, visitors):
        site.faults.active[0] = dataclasses.replace(site.faults.active[0])
        ended = crawl(site.profile, tmp_path / "home")

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
        ended = crawl(site.profile, disk / "home")
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        later = crawl(site.profile, disk / "home")
        found = snapshot(disk / "home")
    finally:
        subprocess.run(["umount", disk], check=True)

    assert ended.code in {8, 9}, ended.log
    assert later.code == 0, later.log
    assert len(found) == 79
