"""Break the writing of an archive in every way we can think of, repair it, and count.

Run as a program for the long form: ``python tests/archive_crash.py --kills 500 --faults 200``.
What must hold each time: every exchange that was acknowledged is in the archive exactly once,
what was not acknowledged at most once, every file verifies, and after going on to the end the
archive holds what an undisturbed run holds.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from archive_kit import exchange, varied_body

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.archive.repair import repair_finished, repair_folder
from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.archive.warc import WarcWriter
from hongxing_crawler.exceptions import ArchiveError

PAGE_COUNT = 24
MAX_BYTES = 9_000  # some files a session
REPAIRED_AT = datetime(2026, 11, 23, tzinfo=UTC)


def url(number):
    return f"http://site.example/{number}"


def page(number):
    """Every third body is large and lies in a file, so that writes take several calls."""
    return exchange(url=url(number), body=varied_body(number) * (1 + 40 * (number % 3 == 0)))


def open_writer(folder, **options):
    named = {"warcinfo": {"operator": "test"}, "max_bytes": MAX_BYTES}
    return WarcWriter(folder, "crash", **named, **options)


def write_all(folder, numbers, acknowledge):
    """One process' work: archive pages and say so after each."""
    writer = open_writer(folder)
    try:
        for number in numbers:
            writer.write_exchange(page(number), metadata={"via": url(0)})
            acknowledge(number)
        writer.close()
    finally:
        if writer._file is not None:
            writer._file.abandon()  # the end of a process lets go of its locks


def check(folder, acknowledged):
    """Repair a folder and return which pages it holds; complain about anything wrong."""
    folder.mkdir(exist_ok=True)  # a process may die before it made anything
    repair_folder(folder)
    paths = sorted(folder.glob("*.warc.gz"))
    findings = verify_warcs(paths).findings
    assert not findings, findings
    found = Counter(
        int(archived.capture.url.rpartition("/")[2])
        for path in paths
        for archived in read_exchanges(path)
    )
    assert not set(acknowledged) - found.keys(), ("lost", set(acknowledged) - found.keys())
    assert max(found.values(), default=1) == 1, ("doubled", found)
    left = [path.name for path in folder.iterdir() if not path.name.endswith(".warc.gz")]
    assert not left, left
    return set(found)


def finish(folder):
    """Go on after the crash with what is not there yet, to the end."""
    there = check(folder, ())
    write_all(folder, [number for number in range(PAGE_COUNT) if number not in there], lambda _: 0)
    assert check(folder, ()) == set(range(PAGE_COUNT))


def kill_once(folder, rng):
    """Kill a writing process at a random instant, then check and finish; True if it was busy."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--child", str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        assert child.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0, 0.06))
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read().split(b"\n")[:-1]  # a torn last line is no acknowledgement
    check(folder, map(int, said))
    finish(folder)
    return len(said) < PAGE_COUNT


class PowerCutError(BaseException):
    """The machine is off."""


class FaultyDisk:
    """Stands in for the functions of ``disk``: counts calls and makes one of them go wrong.

    It also remembers what a power cut would leave: the synced bytes of each file, and the names
    that were in a synced folder.
    """

    STEPS = (
        "create",
        "write_all",
        "sync_data",
        "cut",
        "rename",
        "keep_beside",
        "replace",
        "sync_folder",
    )

    def __init__(self, fail_at=-1, error=None, rng=None):
        self.fail_at = fail_at
        self.error = error
        self.rng = rng or random.Random(0)
        self.calls = 0
        self.failed_step = ""
        self.synced = {}  # inode: bytes known to be on the medium
        self.renamed = []  # names that are not yet on the medium
        self.linked = []  # second names that are not
        self.replaced = []  # names that stood for something else on the medium, and for what
        self._real = {step: getattr(disk, step) for step in self.STEPS}

    @contextlib.contextmanager
    def installed(self):
        for step in self.STEPS:
            setattr(disk, step, getattr(self, step))
        try:
            yield self
        finally:
            for step, function in self._real.items():
                setattr(disk, step, function)

    def _step(self, name):
        self.calls += 1
        if self.calls - 1 == self.fail_at:
            self.failed_step = name
            raise self.error

    def create(self, path):
        self._step("create")
        return self._real["create"](path)

    def write_all(self, handle, data):
        try:
            self._step("write_all")
        except BaseException:
            self._real["write_all"](handle, data[: self.rng.randrange(len(data) + 1)])
            raise
        self._real["write_all"](handle, data)

    def sync_data(self, handle):
        self._step("sync_data")
        self._real["sync_data"](handle)
        status = os.fstat(handle)
        self.synced[status.st_ino] = status.st_size

    def cut(self, handle, length):
        self._step("cut")
        self._real["cut"](handle, length)

    def rename(self, source, target):
        self._step("rename")
        self.renamed.append((source, target))
        self._real["rename"](source, target)

    def keep_beside(self, path, name):
        self._step("keep_beside")
        self.linked += [] if name.exists() else [name]
        self._real["keep_beside"](path, name)

    def replace(self, source, target):
        self._step("replace")
        held = target.parent.with_name("held")  # the very file, which may have other names
        held.hardlink_to(target)
        self.replaced.append((source, target, held))
        self._real["replace"](source, target)

    def sync_folder(self, folder):
        self._step("sync_folder")
        self._real["sync_folder"](folder)
        for names in (self.renamed, self.linked, self.replaced):
            names.clear()

    def trust(self, folder):
        """Take all that lies in a folder for being on the medium."""
        for path in folder.iterdir():
            self.synced[path.stat().st_ino] = path.stat().st_size

    def lose_power(self, folder):
        """Leave of each file what was synced, and of the rest what chance wants."""
        for source, target in self.renamed:
            if self.rng.random() < 0.5 and target.exists():
                target.rename(source)
        for source, target, held in self.replaced:
            if self.rng.random() < 0.5 and held.stat().st_ino != target.stat().st_ino:
                target.rename(source)
                held.rename(target)
        for name in self.linked:
            if self.rng.random() < 0.5:
                name.unlink(missing_ok=True)
        for path in folder.iterdir():
            kept = self.synced.get(path.stat().st_ino, 0)
            unsynced = path.stat().st_size - kept
            if unsynced <= 0:
                continue
            with path.open("r+b") as file:
                reached = self.rng.randrange(unsynced + 1)
                file.truncate(kept + reached)
                if self.rng.random() < 0.5 and reached:  # blocks that were never written
                    hole = self.rng.randrange(reached)
                    file.seek(kept + hole)
                    file.write(bytes(min(reached - hole, self.rng.choice([100, 512, 4096]))))


def count_steps(folder):
    faulty = FaultyDisk()
    with faulty.installed():
        write_all(folder, range(PAGE_COUNT), lambda _: 0)
    return faulty.calls


def fault_once(folder, fail_at, error, rng):
    """Let one step fail, then check and finish; returns the step."""
    faulty, acknowledged = FaultyDisk(fail_at, error, rng), []
    expected = PowerCutError if isinstance(error, PowerCutError) else ArchiveError
    with faulty.installed(), contextlib.suppress(expected):
        write_all(folder, range(PAGE_COUNT), acknowledged.append)
    if expected is PowerCutError:
        faulty.lose_power(folder)
    check(folder, acknowledged)
    finish(folder)
    return faulty.failed_step


def damaged_file(folder):
    """Write an archive, the same each time, and spoil the middle of a finished file; the file."""
    rng = random.Random(1)
    ids = iter(lambda: uuid.UUID(int=rng.getrandbits(128), version=4).urn, None)
    with open_writer(folder, new_id=ids.__next__) as writer:
        for number in range(PAGE_COUNT):
            writer.write_exchange(page(number))
    path = max(folder.glob("*.warc.gz"), key=lambda path: path.stat().st_size)
    records = [archived.record for archived in read_exchanges(path)]
    spoilt = bytearray(path.read_bytes())
    middle = records[len(records) // 2]
    spoilt[middle.offset + middle.length // 2] ^= 1
    path.write_bytes(spoilt)
    return path


def count_repair_steps(folder):
    path, faulty = damaged_file(folder), FaultyDisk()
    with faulty.installed():
        repair_finished(path, now=REPAIRED_AT)
    return faulty.calls


def repair_fault_once(folder, fail_at, error, rng):
    """Let one step of the repair of a finished file fail, repair again, check; returns the step."""
    path = damaged_file(folder)
    spoilt, faulty = path.read_bytes(), FaultyDisk(fail_at, error, rng)
    others = {other: other.read_bytes() for other in folder.iterdir() if other != path}
    faulty.trust(folder)
    with faulty.installed(), contextlib.suppress(PowerCutError, ArchiveError):
        repair_finished(path, now=REPAIRED_AT)
    if isinstance(error, PowerCutError):
        faulty.lose_power(folder)
    repair_finished(path, now=REPAIRED_AT)
    kept = path.with_name(path.name + ".damaged")
    assert kept.read_bytes() == spoilt, "the damaged file is not what it was"
    assert path.stat().st_size == len(spoilt)
    assert not verify_warcs(sorted(folder.glob("*.warc.gz"))).findings
    assert sorted(folder.iterdir()) == sorted([*others, path, kept])
    assert all(other.read_bytes() == data for other, data in others.items())
    return faulty.failed_step


ERRORS = {
    "ENOSPC": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "EIO": lambda: OSError(errno.EIO, "Input/output error"),
    "power": PowerCutError,
}


def campaign(kills, faults, repairs, seed):
    """Run the long form and return what happened."""
    rng = random.Random(seed)
    counts = Counter()
    for _ in range(kills):
        with tempfile.TemporaryDirectory() as folder:
            busy = kill_once(Path(folder) / "warc", rng)
            counts["kills while writing" if busy else "kills too late"] += 1
    with tempfile.TemporaryDirectory() as folder:
        steps = count_steps(Path(folder) / "warc")
    for number in range(faults):
        name = list(ERRORS)[number % len(ERRORS)]
        with tempfile.TemporaryDirectory() as folder:
            step = fault_once(Path(folder) / "warc", rng.randrange(steps), ERRORS[name](), rng)
            counts[f"{name} in {step}"] += 1
    with tempfile.TemporaryDirectory() as folder:
        steps = count_repair_steps(Path(folder) / "warc")
    for number in range(repairs):
        name = list(ERRORS)[number % len(ERRORS)]
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "warc", rng.randrange(steps)
            step = repair_fault_once(*place, ERRORS[name](), rng)
            counts[f"{name} in {step} of a repair"] += 1
    return counts


def _child(folder):
    numbers = iter(range(PAGE_COUNT))
    os.write(1, b"ready\n")
    write_all(folder, numbers, lambda number: os.write(1, b"%d\n" % number))


def main():
    """Read the flags and run."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--kills", type=int, default=500)
    flags.add_argument("--faults", type=int, default=200)
    flags.add_argument("--repairs", type=int, default=100)
    flags.add_argument("--seed", type=int, default=20261123)
    flags.add_argument("--child", type=Path)
    chosen = flags.parse_args()
    if chosen.child:
        _child(chosen.child)
        return
    counts = campaign(chosen.kills, chosen.faults, chosen.repairs, chosen.seed)
    lines = [f"{count:6} {name}" for name, count in sorted(counts.items())]
    result = f"seed {chosen.seed}: 0 lost, 0 doubled, 0 invalid files after repair"
    sys.stdout.write("\n".join([*lines, result, ""]))


if __name__ == "__main__":
    main()
