"""Every start, end and skipped start leaves a line, whoever else writes, whatever happened."""

import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.lock import Holder, hold
from hongxing_crawler.store.run_ledger import find_skips, read_lines, write_line

NOW = datetime(2026, 11, 23, 2, 20, tzinfo=UTC)


@pytest.fixture
def home(demo_home, tmp_path):
    return Path(shutil.copytree(demo_home, tmp_path / "home"))


def _write_many(path):
    for number in range(200):
        write_line(path, "skip", NOW, sentence=f"{number} " + "红" * 100)


def test_lines_of_many_writers_stay_whole(tmp_path):
    path = tmp_path / "runs" / "ledger.jsonl"
    processes = [multiprocessing.Process(target=_write_many, args=(path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert len(read_lines(path)) == 800


def test_a_line_that_met_a_full_disk_costs_no_other(tmp_path):
    path = tmp_path / "ledger.jsonl"
    write_line(path, "start", NOW)
    with path.open("ab") as file:
        file.write(b'{"at":"2026-11-2')
    write_line(path, "skip", NOW)

    assert [line.event for line in read_lines(path)] == ["start", "skip"]


def test_skips_are_those_since_the_last_start(tmp_path):
    path = tmp_path / "ledger.jsonl"
    for event in ("start", "skip", "end", "start", "skip", "skip"):
        write_line(path, event, NOW)

    assert len(find_skips(read_lines(path))) == 2


def test_a_skipped_start_is_shown_and_told_by_the_next_run(home, hongxing):
    with hold(home / "lock", Holder("a test, process 1", "", "2026-11-23T01:00:00Z")):
        skipped = hongxing("demo", "--home", home, "-q")
        shown = hongxing("status", "--home", home).stdout.decode()
    followed = hongxing("demo", "--home", home, "-q")
    record = json.loads(max(home.glob("runs/*/run.json")).read_bytes())
    look = json.loads(hongxing("status", "--home", home, "--json").stdout)

    assert skipped.returncode == ExitCode.LOCKED
    assert "in use by a test, process 1" in shown
    assert followed.returncode == ExitCode.OK
    assert record["skipped"][0]["exit_code"] == ExitCode.LOCKED
    assert any("found the home in use" in warning for warning in record["warnings"])
    assert look["last_runs"][-1]["info"]["skipped"] == [record["skipped"][0]["at"]]
    assert look["skips"] == []


def test_a_run_that_was_killed_is_named_by_the_next(home, hongxing):
    command = [sys.executable, "-m", "hongxing_crawler", "demo", "--home", home, "--full", "-q"]
    process = subprocess.Popen(command)
    while not list(home.glob("warc/*.open")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert hongxing("demo", "--home", home, "-q").returncode == ExitCode.OK

    record = json.loads(max(home.glob("runs/*/run.json")).read_bytes())
    (killed,) = record["killed_runs"]
    lines = read_lines(home / "runs" / "ledger.jsonl")
    look = json.loads(hongxing("status", "--home", home, "--json").stdout)
    assert [line.event for line in lines][-4:] == ["start", "start", "killed", "end"]
    assert lines[-2].sentence == f"{killed} never ended"
    assert f"run {killed} was killed; its work is taken over" in record["warnings"]
    assert look["last_runs"][-2]["reason"] == "killed"


def test_the_record_says_with_what_and_how_long_and_holds_no_secret(home, hongxing):
    secrets = {
        "HONGXING_ALERTS_WEBHOOK_URL": "http://127.0.0.1:9/hook-secret",
        "HONGXING_SMTP_PASSWORD": "smtp-secret",
        "AWS_SECRET_ACCESS_KEY": "aws-secret",
        "HONGXING_ALERTS_TRIES": "1",
    }
    hongxing("demo", "--home", home, "-q", environment=secrets)
    text = max(home.glob("runs/*/run.json")).read_text("utf-8")
    record = json.loads(text)

    assert "secret" not in text
    assert set(record["durations"]) == {"crawl_s", "finish_s"}
    assert {"hongxing_crawler", "python", "scrapy", "sqlite"} <= set(record["versions"])
    assert record["settings"]["HONGXING_SITE"] == "hongxing"
    assert record["settings"]["CONCURRENT_REQUESTS"] == 1


def test_a_run_that_could_not_start_has_its_end_in_the_ledger(home, hongxing):
    (home / "state.sqlite").write_bytes(b"no database" * 1000)
    done = hongxing("demo", "--home", home, "-q")

    last = read_lines(home / "runs" / "ledger.jsonl")[-1]
    assert done.returncode == ExitCode.CONFIG
    assert (last.event, last.reason) == ("end", "refused")
    assert "hongxing reprocess" in last.sentence
