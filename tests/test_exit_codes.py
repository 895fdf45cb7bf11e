"""Every exit code, reached by the real command with -q, and what it then says.

Nothing on success; on trouble one paragraph on standard error: what happened, what is safe, what
to type. A code without its case here fails.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from wire_kit import WireSite, article, ok

from hongxing_crawler.demo.faults import Fault
from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.lock import Holder, hold

MODULE = [sys.executable, "-m", "hongxing_crawler"]
FAST = {"HONGXING_DELAY_S": "0"}


@pytest.fixture
def home(demo_home, tmp_path):
    return Path(shutil.copytree(demo_home, tmp_path / "home"))


@pytest.fixture
def quiet(hongxing, home):
    """Start a command on the home with -q."""

    def run(*arguments, environment=None, where=home, **more):
        flags = ("--home", where, "-q")
        return hongxing(*arguments, *flags, environment=FAST | (environment or {}), **more)

    return run


def write_site(folder, *hosts):
    names = ", ".join(f'"{host}"' for host in hosts)
    path = folder / "site.toml"
    path.write_text(f'name = "site"\nhosts = [{names}]\nseeds = ["http://{hosts[0]}/"]\n')
    return path


def reach_ok(quiet, tmp_path):
    return quiet("verify"), ()


def reach_unexpected(quiet, tmp_path):
    """A fault of the program: a module of ours that raises when it is imported."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'hongxing_crawler.upkeep.soundness':\n"
        "            raise ZeroDivisionError('made up')\n"
        "sys.meta_path.insert(0, Broken())\n"
    )
    return quiet("verify", environment={"PYTHONPATH": str(tmp_path)}), ("made up", "-v", "report")


def reach_usage(quiet, tmp_path):
    return quiet("crawl", "--max-pages", "many"), ("--max-pages", "not a valid integer")


def reach_partial(quiet, tmp_path):
    return quiet("clean", "-", stdin=b"<html></html>"), ("no article",)


def reach_config(quiet, tmp_path):
    return quiet("crawl", environment={"HONGXING_SITE": "nowhere"}), ("nowhere", "allowed")


def reach_temporary(quiet, tmp_path):
    away = {
        "HONGXING_S3_URL": "s3://bucket/x",
        "HONGXING_S3_ENDPOINT": "http://127.0.0.1:9",
        "HONGXING_UPLOAD_TRIES": "1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    return quiet("upload", environment=away), ("127.0.0.1:9", "outbox")


def reach_quality(quiet, tmp_path):
    gate = {"HONGXING_MONITORS_SHORT_SHARE": "0.0001"}
    done = quiet("demo", environment=gate, where=tmp_path / "new")
    return done, ("not published", "hongxing export")


def reach_blocked(quiet, tmp_path):
    with DemoSite(faults=[Fault("status", status=503, retry_after="100000")]) as site:
        path = write_site(tmp_path, site.www.removeprefix("http://"))
        return quiet("crawl", path, where=tmp_path / "new"), ("blocked", "tomorrow")


def reach_stopped(quiet, tmp_path):
    done = quiet("demo", "--full", "--max-pages", "30")
    return done, ("page limit", "the same command goes on")


def reach_archive(quiet, tmp_path):
    """No file may grow beyond 2 MB: the WARC file meets that first."""
    noise = random.Random(1).randbytes(3 << 20).hex()
    large = ok(article("太大的文章", f"<!-- {noise} -->"))
    with WireSite({"/": large}) as site:
        path = write_site(tmp_path, site.profile().hosts[0])
        command = [*MODULE, "crawl", path, "--home", "new", "-q"]
        script = "ulimit -f 2048; exec " + " ".join(f"'{part}'" for part in command)
        done = subprocess.run(
            ["bash", "-c", script],
            capture_output=True,
            cwd=tmp_path,
            env=os.environ | FAST | {"PYTHONWARNINGS": "error"},
            timeout=120,
            check=False,
        )
    return done, ("warc.gz", "look at the disk", "the same command goes on")


def reach_damaged(quiet, tmp_path):
    path = next((tmp_path / "home").glob("warc/*.warc.gz"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    return quiet("verify"), (path.name, "hongxing repair")


def reach_locked(quiet, tmp_path):
    with hold(tmp_path / "home" / "lock", Holder("crawl, process 7", "", "2026-11-23T01:00:00Z")):
        return quiet("demo"), (
            "process 7",
            "since 2026-11-23",
            "nothing was changed",
            "--wait-lock",
        )


def _signalled(tmp_path, number):
    process = subprocess.Popen(
        [*MODULE, "demo", "--home", "new", "-q"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    while not list(tmp_path.glob("new/warc/*.open")):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def reach_interrupted(quiet, tmp_path):
    return _signalled(tmp_path, signal.SIGINT), ("state is saved", "the same command goes on")


def reach_terminated(quiet, tmp_path):
    return _signalled(tmp_path, signal.SIGTERM), ("state is saved", "the same command goes on")


WAYS = {code: globals().get(f"reach_{code.name.lower()}") for code in ExitCode}


@pytest.mark.parametrize("code", ExitCode, ids=lambda code: f"{int(code)} {code.name}")
def test_a_code_is_reached_and_says_what_is_needed(code, quiet, tmp_path):
    done, words = WAYS[code](quiet, tmp_path)
    said = done.stderr.decode()

    assert done.returncode == code, said
    assert done.stdout == b"", "for machines and mails of cron: nothing but trouble"
    if code == ExitCode.OK:
        assert said == ""
        return
    assert "Traceback" not in said
    for word in words:
        assert word in said
    if code != ExitCode.USAGE:  # that shows how the command is used, too
        assert said.startswith("hongxing: ")
        assert "\n\n" not in said.strip()
