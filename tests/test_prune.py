"""Old logs, reports and replaced snapshots go; what cannot be made again never does."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.home import Home
from hongxing_crawler.store.state import State
from hongxing_crawler.upkeep.prune import Retention, find_spare, remove_spare

RULES = {f"HONGXING_RETENTION_{name}": "1s" for name in ("LOGS", "REPORTS", "ROWS")}
WEEK = timedelta(days=7)


@pytest.fixture
def home(demo_home, tmp_path, hongxing):
    """A home after two runs, of which the first replaced snapshot is some days old."""
    home = Path(shutil.copytree(demo_home, tmp_path / "home"))
    hongxing("demo", "--home", home, "-q")
    root = home / "export" / "articles" / "v1"
    (latest,) = root.glob("snapshot/dt=*")
    shutil.copytree(latest, root / "snapshot" / "dt=2026-01-01")
    return home


def names(home):
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def find(home, **rules):
    return find_spare(Home(home), Retention(**rules), now=lambda: datetime.now(UTC) + WEEK)


def test_without_yes_nothing_goes_and_everything_is_named(home, hongxing):
    before = names(home)
    done = hongxing("prune", "--home", home, "--json", environment=RULES)
    answer = json.loads(done.stdout)

    assert done.returncode == ExitCode.OK
    assert {item["kind"] for item in answer["files"]} == {"logs", "reports", "rows"}
    assert not answer["removed"]
    assert names(home) >= before


def test_with_yes_it_goes_and_the_home_is_sound(home, hongxing):
    before = names(home)
    done = hongxing("prune", "--yes", "--home", home, environment=RULES)
    gone = before - names(home)
    first, last = sorted(path.name for path in home.glob("runs/run_*"))

    assert b"removed" in done.stdout
    assert {name.split("/")[0] for name in gone} <= {
        "runs",
        "export",
        "state.sqlite-wal",
        "state.sqlite-shm",
    }
    assert {f"runs/{first}/log", f"runs/{first}/report.html"} <= gone
    assert "export/articles/v1/snapshot/dt=2026-01-01/_SUCCESS" in gone
    assert not any(last in name or "run.json" in name or "delta" in name for name in gone)
    assert (home / "runs" / last / "log").is_file()
    assert hongxing("verify", "--deep", "--home", home).returncode == ExitCode.OK
    assert hongxing("demo", "--home", home, "-q").returncode == ExitCode.OK
    assert json.loads(hongxing("prune", "--home", home, "--json", environment=RULES).stdout)


def test_what_the_bucket_was_not_seen_to_hold_stays(home):
    path = home / "state.sqlite"
    with State.open(path, now=lambda: datetime.now(UTC)) as state, state.changing_outbox():
        state.outbox.aim("s3://bucket/prefix/")

    assert find(home, logs_s=1.0, reports_s=1.0, rows_s=1.0) == []


def test_what_latest_names_stays_whatever_its_age(home):
    kept = json.loads((home / "export/articles/v1/latest.json").read_bytes())["snapshot"]

    assert kept not in {item.path.name for item in find(home, rows_s=1.0)}
    assert [item.path.name for item in find(home, rows_s=1.0)] == ["dt=2026-01-01"]


def test_without_latest_no_rows_go(home, hongxing):
    (home / "export/articles/v1/latest.json").unlink()
    done = hongxing("prune", "--yes", "--home", home, environment=RULES)

    assert done.returncode == ExitCode.CONFIG
    assert b"hongxing export" in done.stderr
    assert (home / "export/articles/v1/snapshot/dt=2026-01-01/_SUCCESS").is_file()


def test_a_removal_that_was_interrupted_is_ended_by_the_next(home):
    spare = find(home, logs_s=1.0, reports_s=1.0, rows_s=1.0)
    spare[0].path.unlink()
    remove_spare(Home(home), spare, now=lambda: datetime.now(UTC))

    assert find(home, logs_s=1.0, reports_s=1.0, rows_s=1.0) == []


def test_without_rules_the_command_says_how(home, hongxing):
    done = hongxing("prune", "--home", home)

    assert done.returncode == ExitCode.CONFIG
    assert b"[retention]" in done.stderr


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_is_printed(hongxing, name):
    done = hongxing("completion", name)

    assert done.returncode == ExitCode.OK
    assert b"_HONGXING_COMPLETE" in done.stdout


def test_bash_completes_a_command(tmp_path):
    environment = {
        **os.environ,
        "_HONGXING_COMPLETE": "bash_complete",
        "COMP_WORDS": "hongxing sta",
        "COMP_CWORD": "1",
    }
    script = "import sys; sys.argv[0] = 'hongxing'; from hongxing_crawler.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=False
    )

    assert b"status" in done.stdout
