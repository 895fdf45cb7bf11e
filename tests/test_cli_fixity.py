"""hongxing verify --budget: what changes in silence is noticed and dated."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from hongxing_crawler.exit_codes import ExitCode


@pytest.fixture
def home(demo_home, tmp_path):
    return Path(shutil.copytree(demo_home, tmp_path / "home"))


def entries(home):
    return [json.loads(line) for line in (home / "fixity.jsonl").read_bytes().splitlines()]


def backdate(home, day):
    """Let the log say that all its checks were made on another day."""
    lines, previous = [], "0" * 64
    for entry in entries(home):
        entry |= {"at": f"{day}T08:00:00Z", "previous": previous}
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        previous = _hex(line)
        lines.append(line)
    (home / "fixity.jsonl").write_bytes(b"".join(lines))


def _hex(line):
    return hashlib.sha256(line).hexdigest()


def test_a_run_notes_the_digests_of_its_warc_files(home):
    assert [(entry["name"], entry["result"]) for entry in entries(home)] == [
        (f"warc/{path.name}", "first") for path in sorted(home.glob("warc/*.gz"))
    ]


def test_enough_shares_read_every_file_once(home, hongxing):
    reports = [
        json.loads(hongxing("verify", "--budget", "1/10", "--home", home, "--json").stdout)
        for _ in range(4)
    ]
    files = [*home.glob("warc/*.gz"), *home.glob("media/*/*/*")]
    read = [entry["name"] for entry in entries(home) if entry["result"] == "ok"]

    assert set(read) == {path.relative_to(home).as_posix() for path in files}
    assert reports[0]["byte_count"] < reports[0]["total_bytes"] / 2
    last = (home / "fixity.jsonl").read_bytes().splitlines(keepends=True)[-1]
    assert reports[-1]["log_digest"] == _hex(last)


@pytest.mark.parametrize("pattern", ["warc/*.gz", "media/*/*/*"])
def test_a_flipped_bit_is_dated(home, hongxing, pattern):
    hongxing("verify", "--budget", "1", "--home", home)
    backdate(home, "2026-01-31")
    path = next(home.glob(pattern))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    first = hongxing("verify", "--budget", "1", "--home", home)
    again = hongxing("verify", "--budget", "1/1000", "--home", home)

    assert (first.returncode, again.returncode) == (ExitCode.DAMAGED, ExitCode.DAMAGED)
    assert f"{path.name}:0: fixity:" in again.stderr.decode()
    assert "last good on 2026-01-31, bad since 20" in again.stderr.decode()


def test_a_file_that_is_gone_is_named_by_every_share(home, hongxing):
    path = next(home.glob("warc/*.gz"))
    path.unlink()
    done = hongxing("verify", "--budget", "1/90", "--home", home)

    assert done.returncode == ExitCode.DAMAGED
    assert f"warc/{path.name}:0: missing:" in done.stderr.decode()


@pytest.mark.parametrize("command", [("--budget", "1/90"), ()])
def test_a_broken_chain_is_a_finding(home, hongxing, command):
    hongxing("verify", "--budget", "1", "--home", home)
    lines = (home / "fixity.jsonl").read_bytes().splitlines(keepends=True)
    (home / "fixity.jsonl").write_bytes(b"".join(lines[:2] + lines[3:]))
    done = hongxing("verify", *command, "--home", home)

    assert done.returncode == ExitCode.DAMAGED
    assert "fixity.jsonl:3: log-chain:" in done.stderr.decode()


@pytest.mark.parametrize("share", ["0", "2", "1/0", "-1/90", "often", "150%"])
def test_a_share_that_is_none_is_refused(home, hongxing, share):
    done = hongxing("verify", f"--budget={share}", "--home", home)

    assert done.returncode == ExitCode.USAGE
    assert b"no share" in done.stderr


def test_a_share_and_everything_exclude_each_other(home, hongxing):
    done = hongxing("verify", "--budget", "1/90", "--deep", "--home", home)

    assert done.returncode == ExitCode.USAGE
