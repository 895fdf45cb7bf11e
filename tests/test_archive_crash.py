import os
import random
import subprocess
import sys

import archive_crash as crash
import pytest
from archive_kit import assert_judges_accept

from hongxing_crawler.exceptions import ArchiveError


def test_killed_processes_lose_and_double_nothing(tmp_path):
    rng = random.Random(20261123)
    for number in range(6):
        crash.kill_once(tmp_path / str(number), rng)


@pytest.mark.parametrize("name", crash.ERRORS)
def test_a_fault_at_any_step_loses_and_doubles_nothing(tmp_path, name):
    rng = random.Random(5)
    steps = crash.count_steps(tmp_path / "undisturbed")
    hit = {
        crash.fault_once(tmp_path / str(step), step, crash.ERRORS[name](), rng)
        for step in rng.sample(range(steps), 12)
    }

    assert len(hit) > 2


@pytest.mark.parametrize("name", crash.ERRORS)
def test_a_fault_at_any_step_of_a_repair_of_a_finished_file_is_made_good(tmp_path, name):
    rng = random.Random(9)
    steps = crash.count_repair_steps(tmp_path / "undisturbed" / "warc")
    hit = {
        crash.repair_fault_once(tmp_path / str(step) / "warc", step, crash.ERRORS[name](), rng)
        for step in range(steps)
    }

    assert hit >= {"create", "write_all", "sync_data", "keep_beside", "replace", "sync_folder"}


def test_a_limit_of_the_system_is_met_in_the_middle_of_a_write(tmp_path):
    """The kernel itself takes a part of a write here; no function of ours is replaced."""
    script = (
        "import resource, archive_crash as crash, pathlib, sys\n"
        "from hongxing_crawler.exceptions import ArchiveError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    crash.write_all(pathlib.Path(sys.argv[1]), [1, 2, 4, 5, 7, 8], print)\n"
        "except ArchiveError as error:\n"
        "    print(error)\n"
    )
    folder = tmp_path / "warc"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script, folder],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    *acknowledged, error = done.stdout.splitlines()

    assert "File too large" in error
    assert acknowledged
    assert crash.check(folder, map(int, acknowledged)) == set(map(int, acknowledged))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def _write_until_it_fails(writer, written):
    for number in range(1, 99):
        writer.write_exchange(crash.page(number))
        written.append(number)


def test_a_full_disk_stops_cleanly_and_the_same_writer_goes_on(small_disk):
    filler = small_disk / "filler"
    filler.write_bytes(bytes(48 << 10))
    writer = crash.open_writer(small_disk / "warc")
    written = []
    with pytest.raises(ArchiveError, match="No space left"):
        _write_until_it_fails(writer, written)
    filler.unlink()
    writer.write_exchange(crash.page(99))
    paths = writer.close()

    assert written
    assert crash.check(small_disk / "warc", [*written, 99]) == {*written, 99}
    for path in paths:
        assert_judges_accept(path)
