import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hongxing_crawler.exceptions import ConfigError, LockedError
from hongxing_crawler.store.lock import Holder, find_holder, hold

FIRST = Holder("crawl, process 4711 on archive1", "20260901T020000Z", "2026-09-01T02:00:00Z")
SECOND = Holder("crawl, process 4712 on archive1", "20260901T030000Z", "2026-09-01T03:00:00Z")


def test_a_second_holder_is_told_who_holds_it_since_when(tmp_path):
    lock = tmp_path / "lock"

    with hold(lock, FIRST), pytest.raises(LockedError) as caught, hold(lock, SECOND):
        pass

    for fact in (FIRST.process, FIRST.run, FIRST.since, str(tmp_path)):
        assert fact in str(caught.value)


def test_a_released_lock_can_be_taken_again(tmp_path):
    lock = tmp_path / "lock"
    with hold(lock, FIRST):
        pass

    with hold(lock, SECOND):
        assert find_holder(lock) == SECOND
    assert find_holder(lock) is None


def test_an_error_inside_releases_the_lock(tmp_path):
    lock = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), hold(lock, FIRST):
        raise ZeroDivisionError

    assert find_holder(lock) is None


def test_waiting_takes_the_lock_when_it_is_released(tmp_path):
    lock = tmp_path / "lock"
    held, release = threading.Event(), threading.Event()

    def first():
        with hold(lock, FIRST):
            held.set()
            release.wait(5)

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(5)
    threading.Timer(0.2, release.set).start()
    with hold(lock, SECOND, wait_s=5):
        taken = find_holder(lock)
    thread.join()

    assert taken == SECOND


def test_waiting_ends_in_time(tmp_path):
    lock = tmp_path / "lock"
    started = time.monotonic()

    with hold(lock, FIRST), pytest.raises(LockedError), hold(lock, SECOND, wait_s=0.2):
        pass

    assert 0.2 <= time.monotonic() - started < 2


HOLD_FOREVER = """
import sys, time
from pathlib import Path
from hongxing_crawler.store.lock import Holder, hold
with hold(Path(sys.argv[1]), Holder("crawl", "r1", "2026-09-01T02:00:00Z")):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_holder_leaves_nothing_that_blocks(tmp_path):
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD_FOREVER, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        seen = find_holder(lock)
        holder.kill()

    assert seen == Holder("crawl", "r1", "2026-09-01T02:00:00Z")
    assert json.loads(lock.read_text())["run"] == "r1"  # the note is stale, the lock is free
    with hold(lock, SECOND):
        pass


def test_no_lock_file_means_no_holder(tmp_path):
    assert find_holder(tmp_path / "lock") is None


def test_a_note_that_cannot_be_read_still_tells_that_it_is_held(tmp_path):
    lock = tmp_path / "lock"
    with hold(lock, FIRST):
        lock.write_text("{")

        with pytest.raises(LockedError, match="another process"), hold(lock, SECOND):
            pass


def test_a_lock_that_cannot_be_opened_is_the_operators_to_correct(tmp_path):
    (tmp_path / "lock").mkdir()

    with pytest.raises(ConfigError, match="--home"), hold(tmp_path / "lock", FIRST):
        pass


def test_children_do_not_inherit_the_lock(tmp_path):
    lock = tmp_path / "lock"
    with hold(lock, FIRST):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    try:
        assert find_holder(lock) is None
    finally:
        child.kill()
        child.wait()


def test_the_lock_file_is_not_left_open(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    with hold(tmp_path / "lock", FIRST):
        pass
    with hold(tmp_path / "lock", FIRST), pytest.raises(LockedError), hold(tmp_path / "lock", FIRST):
        pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before
