"""A disk that is nearly full pauses the crawl; room that is made in time lets it go on."""

import os
import shutil
import subprocess
import threading
import time

import pytest
from crawl_kit import crawl

from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exit_codes import ExitCode

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disk needs root and mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mount is not allowed here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def limits(wait_s):
    return {
        "HONGXING_DISK_MIN_BYTES": 20 * MIB,
        "HONGXING_DISK_RESUME_BYTES": 30 * MIB,
        "HONGXING_DISK_WAIT_S": wait_s,
    }


def test_a_crawl_pauses_and_goes_on_when_there_is_room(disk):
    filler = disk / "filler"
    filler.write_bytes(bytes(45 * MIB))

    def make_room():
        log = disk / "home" / "runs"
        while not any("paused" in path.read_text() for path in log.glob("*/log")):
            time.sleep(0.1)
        filler.write_bytes(bytes(35 * MIB))  # above the floor, below the mark: still paused
        time.sleep(3)
        filler.unlink()

    helper = threading.Thread(target=make_room)
    helper.start()
    with DemoSite() as site:
        ended = crawl(site.profile, disk / "home", settings=limits(60))
    helper.join()

    assert ended.code == ExitCode.OK, ended.log
    assert ended.log.count("paused: 1") == 1
    assert "goes on" in ended.log
    assert ended.result["counts"]["articles_new"] > 60


def test_without_room_in_time_the_run_ends_and_the_next_goes_on(disk):
    filler = disk / "filler"
    filler.write_bytes(bytes(45 * MIB))
    with DemoSite() as site:
        ended = crawl(site.profile, disk / "home", settings=limits(3))
        filler.unlink()
        later = crawl(site.profile, disk / "home", settings=limits(3))

    assert (ended.code, ended.result["reason"]) == (ExitCode.STOPPED, "disk_full"), ended.log
    assert "free some space" in ended.result["sentence"]
    assert later.code == ExitCode.OK, later.log
    assert later.result["counts"]["articles_new"] > 60
