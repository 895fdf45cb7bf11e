"""Homes that cannot be used: each is named with its remedy, and nothing in it is changed."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from hongxing_crawler.exit_codes import ExitCode

WRITERS = ("demo", "repair", "export", "reprocess", "pack")
READERS = ("status", "verify", "report")


@pytest.fixture
def home(demo_home, tmp_path):
    return Path(shutil.copytree(demo_home, tmp_path / "home"))


def content(home):
    """Digest of every file that matters; SQLite's own helpers and the lock may come and go."""
    helpers = ("lock", "state.sqlite-shm", "state.sqlite-wal", "reprocessed", "wacz")
    ledger = home / "runs" / "ledger.jsonl"  # notes starts that were refused, too
    files = (path for path in home.rglob("*") if path.is_file() and path != ledger)
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.relative_to(home).parts[0] not in helpers
    }


def change_state(home, sql, *values):
    with closing(sqlite3.connect(home / "state.sqlite", isolation_level=None)) as state:
        state.execute(sql, values)
        state.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def assert_refused(done, home, before, *words):
    said = done.stderr.decode()

    assert done.returncode == ExitCode.CONFIG, said
    for word in words:
        assert word in said
    assert "Traceback" not in said
    assert content(home) == before


@pytest.mark.parametrize("command", [*WRITERS, *READERS])
def test_a_home_of_a_newer_version(home, hongxing, command):
    warc = next(home.glob("warc/*.gz"))
    warc.rename(f"{warc}.open")  # a newer one may finish its files in other ways: hands off
    change_state(home, "UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    before = content(home)

    done = hongxing(command, "--home", home)

    assert_refused(done, home, before, "version 99", "install the newer one")


@pytest.mark.parametrize("command", [*WRITERS, *READERS])
@pytest.mark.parametrize("keep", [0, 50, 5_000, -4_096], ids=["empty", "50", "5000", "a page less"])
def test_a_state_that_was_cut_short(home, hongxing, command, keep):
    path = home / "state.sqlite"
    path.write_bytes(path.read_bytes()[:keep])
    before = content(home)

    done = hongxing(command, "--home", home)

    assert_refused(done, home, before, "cut short", "hongxing reprocess")


@pytest.mark.parametrize("command", ["demo", "repair", "export"])
def test_a_state_that_another_program_has_locked(home, hongxing, command):
    before = content(home)
    with closing(sqlite3.connect(home / "state.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = hongxing(command, "--home", home)

    assert_refused(done, home, before, "locked by another process")


@pytest.mark.parametrize("command", WRITERS)
def test_a_home_that_is_held(home, hongxing, command):
    code = (
        "import fcntl, sys\n"
        "file = open(sys.argv[1], 'a')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    before = content(home)
    holder = subprocess.Popen(
        ["python3", "-c", code, home / "lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    done = hongxing(command, "--home", home)
    holder.communicate()

    assert done.returncode == ExitCode.LOCKED
    assert content(home) == before


def test_a_stale_lock_file_stops_nobody(home, hongxing):
    """A machine that lost power leaves the note of a process that is no more."""
    note = '{"process": "crawl, process 1 on gone", "run": "run_1", "since": "2026-01-01"}'
    (home / "lock").write_text(note)
    shown = hongxing("status", "--home", home)
    done = hongxing("demo", "--home", home, "-q")

    assert b"at work       nobody" in shown.stdout
    assert done.returncode == ExitCode.OK, done.stderr


@pytest.fixture
def read_only(home, tmp_path):
    """The home on a disk that is mounted read-only."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a read-only disk needs root and mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "--bind", home, disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mount is not allowed here")
    subprocess.run(["mount", "-o", "remount,ro,bind", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(
    "arguments", [("demo",), ("repair",), ("export",), ("pack",), ("verify", "--budget", "1/90")]
)
def test_a_read_only_home_that_has_to_be_written(read_only, hongxing, arguments):
    before = content(read_only)
    done = hongxing(*arguments, "--home", read_only)

    assert_refused(done, read_only, before, "Read-only file system")


@pytest.mark.parametrize("arguments", [("status",), ("verify",), ("verify", "--deep")])
def test_a_read_only_home_can_be_looked_at(read_only, hongxing, arguments):
    done = hongxing(*arguments, "--home", read_only)

    assert done.returncode == ExitCode.OK, done.stderr


def test_a_clock_that_is_behind_the_last_run(home, hongxing):
    change_state(home, "UPDATE runs SET started_at = started_at + 86400000000 * 400")
    before = content(home)

    done = hongxing("demo", "--home", home)

    assert_refused(done, home, before, "the clock says", "set the clock right")


@pytest.fixture
def mixed(home, hongxing, tmp_path):
    """The WARC files of another home with this one's state."""
    hongxing("demo", "--home", "other", "-q", "--max-pages", "5")
    shutil.rmtree(home / "warc")
    shutil.copytree(tmp_path / "other" / "warc", home / "warc")
    return home


@pytest.mark.parametrize("command", ["demo", "repair"])
def test_two_homes_mixed(mixed, hongxing, command):
    before = content(mixed)
    done = hongxing(command, "--home", mixed)
    (name,) = [path.name for path in mixed.glob("warc/*")]

    assert_refused(done, mixed, before, name, "two homes were mixed", "hongxing reprocess")


def test_verify_names_what_was_mixed(mixed, hongxing):
    done = hongxing("verify", "--home", mixed)
    said = done.stderr.decode()

    assert done.returncode == ExitCode.DAMAGED
    assert "missing" in said
    assert "unlisted: its run is not known" in said


def test_a_crawl_says_that_a_warc_file_is_missing_and_goes_on(home, hongxing):
    path = next(home.glob("warc/*.gz"))
    path.unlink()
    done = hongxing("demo", "--home", home)

    assert done.returncode == ExitCode.OK
    assert path.name in (done.stdout + done.stderr).decode()
    assert "hongxing repair" in (done.stdout + done.stderr).decode()
