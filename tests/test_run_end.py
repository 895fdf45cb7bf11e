"""A run whose crawl went well and whose upload did not; and one killed after its crawl."""

import json
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from bucket_kit import client_of, environment_of, make_bucket, objects_in

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.monitors.checks import Finding
from hongxing_crawler.running.run import RunResult
from hongxing_crawler.store.run_ledger import LedgerLine, find_unended, read_lines
from hongxing_crawler.upkeep.run_end import UploadEnd, join_ends

FINDINGS = [Finding("outbox", "9 files wait"), Finding("spam", "much spam")]
CRAWL = RunResult("run_1", 0, "finished", "all is well", 1.0, findings=FINDINGS)
WELL = UploadEnd(0, "all is well", "s3://b/x", 1.0, 3, 30)
AWAY = UploadEnd(5, "the bucket is away", "s3://b/x", 1.0)
NOBODY = {"HONGXING_S3_ENDPOINT": "http://127.0.0.1:9", "HONGXING_UPLOAD_TRIES": "1"}


@pytest.mark.parametrize(
    ("code", "upload", "expected", "reason"),
    [
        (0, WELL, 0, "finished"),
        (3, WELL, 3, "finished"),
        (0, AWAY, 5, "upload_failed"),
        (3, replace(AWAY, exit_code=4), 4, "upload_failed"),
        (7, AWAY, 7, "finished"),  # a crawl that did not go well keeps its code
        (6, replace(AWAY, exit_code=10), 6, "finished"),
    ],
)
def test_two_ends_make_one_code(code, upload, expected, reason):
    end = join_ends(replace(CRAWL, exit_code=code), upload)

    assert (end.exit_code, end.reason) == (expected, reason)
    assert (AWAY.sentence in end.sentence + " ".join(end.warnings)) is (upload.exit_code != 0)


def test_an_upload_that_went_well_takes_back_that_files_wait():
    assert [found.name for found in join_ends(CRAWL, WELL).findings] == ["spam"]
    assert join_ends(CRAWL, AWAY).findings == FINDINGS


def lines(*events):
    parts = [(event, *text.partition(": ")[::2]) for event, text in events]
    return [LedgerLine(at="", event=e, run_id=run, sentence=said) for e, run, said in parts]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([("start", "a"), ("end", "a")], []),
        ([("start", "a"), ("skip", "b"), ("end", "a"), ("start", "c")], ["c"]),
        ([("start", "a"), ("start", "b"), ("killed", "a")], ["b"]),
        ([("start", "a"), ("start", "b"), ("killed", "b: a never ended")], ["b"]),  # an old line
        ([("end", "a"), ("killed", "b")], []),  # the ledger is read from its last megabyte on
    ],
)
def test_a_run_without_an_end_was_killed(events, expected):
    assert find_unended(lines(*events)) == expected


def record_of(home):
    return json.loads(max(Path(home).glob("runs/*/run.json")).read_bytes())


@pytest.fixture
def demo(hongxing, gateway, tmp_path):
    """Start a demo that uploads into a bucket of its own."""
    place = f"s3://{make_bucket(gateway)}/红星"

    def start(*more, **environment):
        return hongxing(
            "demo", "--home", tmp_path / "home", "--s3", place, "--json", *more,
            environment=environment_of(gateway) | environment,
        )  # fmt: skip

    return start


def test_record_ledger_and_code_tell_of_crawl_and_upload(demo, hongxing, gateway, tmp_path):
    home = tmp_path / "home"
    failed = demo(**NOBODY)
    record = record_of(home)
    ledger = read_lines(home / "runs/ledger.jsonl")[-1]
    look = json.loads(hongxing("status", "--home", home, "--json").stdout)

    assert failed.returncode == record["exit_code"] == ledger.exit_code == ExitCode.TEMPORARY
    assert record["reason"] == ledger.reason == "upload_failed"
    assert record["crawl"] == {"exit_code": 0, "reason": "finished", "sentence": "all is well"}
    assert record["upload"]["exit_code"] == ExitCode.TEMPORARY
    assert record["upload"]["sentence"] in record["sentence"] == ledger.sentence
    assert (look["last_runs"][-1]["exit_code"], look["last_success_at"]) == (5, None)

    went_well = demo()
    record = record_of(home)
    look = json.loads(hongxing("status", "--home", home, "--json").stdout)

    assert went_well.returncode == record["exit_code"] == record["upload"]["exit_code"] == 0
    assert record["killed_runs"] == []
    assert record["upload"]["sent_count"] > 50
    assert look["outbox"]["count"] == 0
    assert hongxing(
        "verify", "--s3", json.loads(went_well.stdout)["paths"]["s3"], "--home", home,
        environment=environment_of(gateway),
    ).returncode == 0  # fmt: skip


def test_the_record_in_the_bucket_is_the_last_word(demo, gateway, tmp_path):
    place = json.loads(demo().stdout)["paths"]["s3"].removeprefix("s3://")
    bucket, _, prefix = place.partition("/")
    (key,) = [key for key in objects_in(gateway, bucket, prefix) if key.endswith("/run.json")]
    body = client_of(gateway).get_object(Bucket=bucket, Key=key)["Body"].read()

    assert json.loads(body) == record_of(tmp_path / "home")
    assert json.loads(body)["upload"]["exit_code"] == 0


def test_what_waited_for_the_bucket_is_no_finding_once_it_has_arrived(demo, hongxing, tmp_path):
    limit = {"HONGXING_MONITORS_OUTBOX_DAYS": "0.000001"}
    demo()
    demo("--full", **NOBODY, **limit)
    still = demo("--full", **NOBODY, **limit)
    arrived = demo("--full", **limit)
    assert arrived.returncode == 0, arrived.stdout
    look = json.loads(hongxing("status", "--home", tmp_path / "home", "--json").stdout)
    report = max((tmp_path / "home").glob("runs/*/report.html")).read_text("utf-8")

    assert "outbox" in {found["name"] for found in json.loads(still.stdout)["findings"]}
    assert json.loads(arrived.stdout)["findings"] == record_of(tmp_path / "home")["findings"] == []
    assert look["findings"] == {}
    assert "files wait for the bucket" not in report


def test_a_kill_after_the_crawl_is_named_by_the_next_run(demo, hongxing, gateway, tmp_path):
    home = tmp_path / "home"
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        place = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hongxing_crawler",
                "demo",
                "--home",
                home,
                "--s3",
                "s3://bucket/x",
            ],
            env=environment_of(gateway) | {"HONGXING_S3_ENDPOINT": place, "PATH": "/usr/bin"},
            stdout=subprocess.DEVNULL,
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGKILL)
            process.wait()
    killed = record_of(home)
    locked_out = hongxing("demo", "--home", home, "--json", "--no-upload")
    record = record_of(home)

    assert (killed["exit_code"], killed["upload"]) == (0, None)
    assert locked_out.returncode == ExitCode.OK
    assert record["killed_runs"] == [killed["run_id"]]
    assert [found["name"] for found in record["findings"]] == ["killed"]
    hongxing("demo", "--home", home, "-q", "--no-upload")
    assert record_of(home)["killed_runs"] == []  # told once


def test_nobody_comes_in_between_crawl_and_upload(hongxing, gateway, tmp_path):
    home = tmp_path / "home"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hongxing_crawler",
                "demo",
                "--home",
                home,
                "--s3",
                "s3://bucket/x",
            ],
            env=environment_of(gateway)
            | {"HONGXING_S3_ENDPOINT": place, "HONGXING_UPLOAD_TRIES": "1", "PATH": "/usr/bin"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        other = hongxing("repair", "--home", home)
        connection.close()
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)

    assert other.returncode == ExitCode.LOCKED
    assert process.returncode == ExitCode.TEMPORARY
    assert [line.event for line in read_lines(home / "runs/ledger.jsonl")] == ["start", "end"]
