"""WARC files and media that only the bucket keeps: nothing is lost, and every command knows."""

import json
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bucket_kit import client_of, environment_of, make_bucket, objects_in

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.elsewhere import Kept
from hongxing_crawler.store.home_files import describe
from hongxing_crawler.store.state import State

RULES = {"HONGXING_RETENTION_WARC": "1s", "HONGXING_RETENTION_MEDIA": "1s"}


def now():
    return datetime.now(UTC)


def files_of(home, *folders):
    paths = (path for top in folders for path in (home / top).rglob("*") if path.is_file())
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def pruned(tmp_path, hongxing, gateway, demo_home):
    """A home after two runs, its bucket, and a command; nothing is pruned yet."""

    class Pruned:
        home = tmp_path / "home"
        bucket = make_bucket(gateway)
        place = f"s3://{bucket}/红星"

        def run(self, *command, **more):
            environment = environment_of(gateway) | RULES | more
            return hongxing(*command, "--home", self.home, environment=environment)

        def s3(self, *command, **more):
            return self.run(*command, "--s3", self.place, **more)

        def json(self, *command):
            return json.loads(self.s3(*command, "--json").stdout)

        def delete(self, name):
            client_of(gateway).delete_object(Bucket=self.bucket, Key=f"红星/{name}")

        def objects(self):
            return objects_in(gateway, self.bucket)

    shutil.copytree(demo_home, Pruned.home)
    found = Pruned()
    assert found.s3("demo", "--full").returncode == ExitCode.OK
    time.sleep(1.1)
    return found


def test_a_dry_run_names_what_would_go_and_changes_nothing(pruned):
    before = files_of(pruned.home, "warc", "media")
    answer = pruned.json("prune")

    assert {item["kind"] for item in answer["files"]} == {"warc", "media"}
    assert not answer["removed"]
    assert files_of(pruned.home, "warc", "media") == before


def test_every_command_knows_a_pruned_file_from_a_lost_one(pruned, tmp_path, hongxing, gateway):
    before = files_of(pruned.home, "warc", "media", "cdxj")
    url = next(
        json.loads(line.partition("{")[1] + line.partition("{")[2])["url"]
        for index in sorted(pruned.home.glob("cdxj/*"))
        for line in index.read_text().splitlines()
        if "/content/" in line
    )
    done = pruned.s3("prune", "--yes")
    here = files_of(pruned.home, "warc", "media", "cdxj")
    gone = before.keys() - here.keys()

    assert done.returncode == ExitCode.OK, done.stderr
    assert {name.split("/")[0] for name in gone} == {"warc", "media"}
    assert len([name for name in here if name.startswith("warc/")]) == 1  # the newest run's
    look = json.loads(pruned.run("status", "--json").stdout)["elsewhere"]
    assert (look["count"], look["lost_count"]) == (len(gone), 0)
    for command in (("verify",), ("verify", "--deep"), ("verify", "--budget", "1")):
        done = pruned.run(*command)
        assert done.returncode == ExitCode.OK, done.stderr
    assert b"alone keeps" in pruned.run("verify").stdout
    proof = pruned.s3("verify", "--deep")  # --budget wrote its log again, which waits
    assert proof.returncode == ExitCode.TEMPORARY, proof.stderr
    assert b"fixity.jsonl" in proof.stderr
    assert b"nothing to repair" in pruned.run("repair").stdout
    assert pruned.run("report").returncode == ExitCode.OK
    assert pruned.json("upload")["sent_count"] < 5
    assert pruned.s3("verify").returncode == ExitCode.OK
    for command in (
        ("reprocess",),
        ("pack",),
        ("history", url),
        ("export-warc", "--url", url, "--out", tmp_path / "a.warc.gz"),
        ("takedown", url, "--reason", "law", "--yes"),
    ):
        done = pruned.run(*command)
        assert done.returncode == ExitCode.CONFIG, command
        assert b"hongxing fetch" in done.stderr, command

    new = tmp_path / "new"
    done = hongxing(
        "restore-home", pruned.place, "--home", new, environment=environment_of(gateway)
    )
    # a run without changes kept the snapshot, with the last_seen_at of the run before
    assert done.returncode in {ExitCode.OK, ExitCode.PARTIAL}, done.stderr
    assert files_of(new, "warc", "media", "cdxj") == before
    back = pruned.s3("fetch")
    assert back.returncode == ExitCode.OK, back.stderr
    assert files_of(pruned.home, "warc", "media", "cdxj") == before
    again = pruned.run("reprocess")
    assert b"byte for byte" in again.stdout, again.stderr
    assert pruned.run("history", url).returncode == ExitCode.OK
    assert pruned.run("verify", "--deep").returncode == ExitCode.OK


def test_the_next_crawl_asks_and_refers_as_if_nothing_had_gone(pruned, tmp_path):
    twin = tmp_path / "twin"
    shutil.copytree(pruned.home, twin)
    assert pruned.s3("prune", "--yes").returncode == ExitCode.OK
    after = pruned.json("demo", "--state", "2")["counts"]
    home, pruned.home = pruned.home, twin
    expected = json.loads(pruned.run("demo", "--state", "2", "--no-upload", "--json").stdout)[
        "counts"
    ]
    pruned.home = home

    names = ("pages", "pages_unchanged", "articles_changed", "media", "requests")
    assert {name: after[name] for name in names} == {name: expected[name] for name in names}
    assert abs(after["archived_bytes"] - expected["archived_bytes"]) < 2_000
    assert pruned.run("verify", "--deep").returncode == ExitCode.OK


def test_what_the_bucket_does_not_show_stays(pruned):
    (lost, other, *_) = sorted(files_of(pruned.home, "media"))
    pruned.delete(lost)
    done = pruned.s3("prune", "--yes")

    assert done.returncode == ExitCode.DAMAGED
    assert lost.encode() in done.stderr
    assert (pruned.home / lost).is_file()
    assert not (pruned.home / other).exists()
    assert pruned.s3("upload").returncode == ExitCode.OK
    assert f"红星/{lost}" in pruned.objects()


def test_a_bucket_that_is_away_keeps_everything(pruned):
    before = files_of(pruned.home, "warc", "media")
    done = pruned.s3(
        "prune", "--yes", HONGXING_S3_ENDPOINT="http://127.0.0.1:9", HONGXING_UPLOAD_TRIES="1"
    )

    assert done.returncode in {ExitCode.TEMPORARY, ExitCode.CONFIG}
    assert files_of(pruned.home, "warc", "media") == before


def test_a_last_copy_that_is_lost_is_told_and_asked_for_again(pruned):
    assert pruned.s3("prune", "--yes").returncode == ExitCode.OK
    (first, *_) = sorted(name for name in pruned.objects() if "/warc/" in name)
    name = first.removeprefix("红星/")
    pruned.delete(name)

    proof, upload = pruned.s3("verify"), pruned.s3("upload")
    look = json.loads(pruned.run("status", "--json").stdout)["elsewhere"]
    verified = pruned.run("verify")
    repaired = pruned.run("repair")

    assert (proof.returncode, upload.returncode) == (ExitCode.DAMAGED, ExitCode.DAMAGED)
    assert b"lost" in proof.stderr
    assert look["lost_count"] == 1
    assert verified.returncode == ExitCode.DAMAGED
    assert Path(name).name.encode() in verified.stderr
    assert b"pending again" in repaired.stdout


def test_a_kill_between_mark_and_removal_is_healed(pruned):
    (path,) = sorted((pruned.home / "warc").glob("*"))[:1]
    file = describe(pruned.home, path)
    with State.open(pruned.home / "state.sqlite", now=now) as state, state.changing_outbox():
        state.elsewhere.note([Kept(file.path, file.bytes, file.sha256, "s3://x")], now())

    assert pruned.run("verify").returncode == ExitCode.OK
    assert pruned.run("reprocess").returncode == ExitCode.OK
    assert pruned.run("demo", "--no-upload").returncode == ExitCode.OK
    assert json.loads(pruned.run("status", "--json").stdout)["elsewhere"]["count"] == 0


def test_a_prune_that_is_killed_loses_nothing(pruned, gateway):
    before = files_of(pruned.home, "warc", "media")
    command = [sys.executable, "-m", "hongxing_crawler", "prune", "--yes", "--s3", pruned.place]
    process = subprocess.Popen(
        [*command, "--home", pruned.home],
        env=environment_of(gateway) | RULES | {"PATH": "/usr/bin"},
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None and len(files_of(pruned.home, "warc", "media")) == len(before):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert pruned.run("verify", "--deep").returncode == ExitCode.OK
    assert pruned.s3("prune", "--yes").returncode == ExitCode.OK
    assert pruned.s3("fetch").returncode == ExitCode.OK
    assert files_of(pruned.home, "warc", "media") == before
