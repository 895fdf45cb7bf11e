"""A home lost with its machine comes back from its bucket; a bucket is compared with its home."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from bucket_kit import client_of, environment_of, make_bucket, objects_in
from crawl_kit import crawl, snapshot

from hongxing_crawler.demo.run import always_due
from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.s3.listing import is_of_home

NOT_COPIED = {"state.sqlite", "state.sqlite-shm", "state.sqlite-wal", "lock", "ledger.jsonl"}
PREFIX = "红星/档案"
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}


@pytest.fixture(scope="module")
def site():
    with DemoSite() as running:
        yield running


@pytest.fixture(scope="module")
def run(gateway, tmp_path_factory):
    """Start the command with the server's address and keys; its exit code and what it said."""
    folder = tmp_path_factory.mktemp("cwd")

    def start(*arguments, environment=None):
        return subprocess.run(
            [sys.executable, "-m", "hongxing_crawler", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=folder,
            env=ENVIRONMENT | environment_of(gateway) | (environment or {}),
            timeout=120,
            check=False,
        )

    return start


@pytest.fixture(scope="module")
def published(gateway, site, run, tmp_path_factory):
    """A home after two runs of one day, with Parquet, and where it was uploaded to."""
    home = tmp_path_factory.mktemp("published") / "home"
    url = f"s3://{make_bucket(gateway)}/{PREFIX}"
    profile = always_due(site.profile)
    for number in (1, 2):
        site.switch_to(number)
        assert crawl(profile, home, with_parquet=True).code == 0
        done = run("upload", "--home", home, "--s3", url)
        assert done.returncode == 0, done.stderr
    return home, url


@pytest.fixture(scope="module")
def restored(published, run, tmp_path_factory):
    home = tmp_path_factory.mktemp("restored") / "new" / "home"
    done = run("restore-home", published[1], "--home", home, "--json")
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout)


def _files(home):
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.name not in NOT_COPIED
    }


def test_every_file_is_back_byte_for_byte(published, restored):
    there, here = _files(published[0]), _files(restored[0])

    assert sorted(here) == sorted(there)
    assert [name for name in there if there[name] != here[name]] == []


def test_it_tells_what_it_did(published, restored):
    home, told = restored

    assert told["file_count"] == told["fetched_count"] == len(_files(home)) - 1  # latest.json
    assert len(told["runs"]) == 2
    assert told["same_rows_count"] == len(list(home.rglob("part-*.jsonl.gz"))) == 3
    assert told["other_rows"] == told["problems"] == told["unproved"] == []
    assert snapshot(home) == snapshot(published[0])


def test_the_ledger_says_how_the_runs_ended(run, published, restored):
    ledgers = [
        json.loads(run("status", "--json", "--home", home).stdout)["last_runs"]
        for home in (published[0], restored[0])
    ]
    keys = ("run_id", "exit_code", "reason", "counts")
    before, after = ([{key: entry[key] for key in keys} for entry in runs] for runs in ledgers)

    assert before == after


ASKED = {  # what a crawl, the history of a page and an excerpt of the archive go by
    "addresses": "SELECT url, kind, state FROM urls",
    "visits": "SELECT u.url, p.run_no, p.outcome, p.reason, p.status, p.etag, p.last_modified"
    " FROM pages p JOIN urls u ON u.id = p.url_id",
    "captures": "SELECT c.record_id, c.run_no, c.file_offset, c.length, u.url, c.url"
    " FROM captures c LEFT JOIN urls u ON u.id = c.url_id",
    "originals": "SELECT o.key, c.record_id FROM originals o JOIN captures c ON c.id = capture_id",
}


@pytest.mark.parametrize("sql", ASKED.values(), ids=ASKED)
def test_the_state_knows_what_it_knew(published, restored, sql):
    known = []
    for home in (published[0], restored[0]):
        with contextlib.closing(sqlite3.connect(home / "state.sqlite")) as state:
            known.append(sorted(state.execute(sql), key=str))

    assert known[1] == known[0] != []


def test_it_is_sound(run, restored):
    done = run("verify", "--deep", "--home", restored[0])

    assert done.returncode == 0, done.stderr


def test_nothing_has_to_be_uploaded_again(run, published, restored, gateway):
    before = objects_in(gateway, published[1].split("/")[2])
    done = run("upload", "--home", restored[0], "--s3", published[1], "--json")
    told = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert told["sent_count"] == 0
    assert objects_in(gateway, published[1].split("/")[2]) == before


def test_a_crawl_goes_on_where_the_lost_home_was(site, published, restored, tmp_path):
    """The same requests as the lost home would have made, and the same rows."""
    site.switch_to(2)
    lost, new = tmp_path / "lost", tmp_path / "new"
    for source, target in ((published[0], lost), (restored[0], new)):
        shutil.copytree(source, target)
    ended = [crawl(always_due(site.profile), home) for home in (lost, new)]
    counts = [one.result["counts"] for one in ended]

    assert [one.code for one in ended] == [0, 0], ended[1].log
    assert counts[1]["articles"] == counts[0]["articles"] == 0
    assert counts[1]["requests"] <= counts[0]["requests"] + 3
    assert snapshot(lost).keys() == snapshot(new).keys()


def test_a_killed_restore_goes_on(run, gateway, published, tmp_path):
    home = tmp_path / "home"
    command = [sys.executable, "-m", "hongxing_crawler", "restore-home", published[1]]
    environment = ENVIRONMENT | environment_of(gateway)
    for wanted in (1, 30):
        process = subprocess.Popen(
            [*command, "--home", home], env=environment, stdout=-3, stderr=-3, cwd=tmp_path
        )
        while process.poll() is None and len(list(home.rglob("*.*"))) < wanted:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    again = run("restore-home", published[1], "--home", home, "--json")

    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["fetched_count"] < json.loads(again.stdout)["file_count"]
    assert _files(home) == _files(published[0])


def test_what_a_killed_restore_left_of_a_file_is_gone_on_with_or_thrown_away(
    run, published, tmp_path
):
    home = tmp_path / "home"
    first, second = sorted((published[0] / "warc").iterdir())
    (home / "warc").mkdir(parents=True)
    (home / ".restoring").touch()
    (home / "warc" / f".{first.name}.part").write_bytes(first.read_bytes()[:1000])
    (home / "warc" / f".{second.name}.part").write_bytes(b"of another object" * 9)
    done = run("restore-home", published[1], "--home", home)

    assert done.returncode == 0, done.stderr
    assert _files(home) == _files(published[0])


def test_a_home_that_is_not_whole_is_not_crawled(site, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".restoring").touch()
    ended = crawl(site.profile, home)

    assert ended.code != 0
    assert "restore-home again" in ended.result["sentence"]


def test_https_does_as_well(run, gateway, published, tmp_path):
    environment = environment_of(gateway, tls=True)
    home = tmp_path / "home"
    done = run("restore-home", published[1], "--home", home, environment=environment)

    assert done.returncode == 0, done.stderr
    assert _files(home) == _files(published[0])


def test_a_folder_that_is_in_use_is_left_alone(run, published, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    done = run("restore-home", published[1], "--home", tmp_path)

    assert done.returncode == ExitCode.CONFIG
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


BAD_PORT = {"HONGXING_S3_ENDPOINT": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:99999"}
WRONG = [
    ("s3://there-is-no-such", {}, ExitCode.CONFIG, "no such bucket"),
    ("{bucket}/empty", {}, ExitCode.CONFIG, "holds no home"),
    ("s3://a/../b", {}, ExitCode.USAGE, "s3://bucket/prefix"),
    ("{bucket}", {"HONGXING_S3_ENDPOINT": "http://127.0.0.1:9"}, ExitCode.TEMPORARY, "answer"),
    (
        "{bucket}",
        BAD_PORT,
        ExitCode.CONFIG,
        "server's address",
    ),
    ("{bucket}", {"AWS_SECRET_ACCESS_KEY": "x"}, ExitCode.CONFIG, "credentials"),
]


@pytest.mark.parametrize("was_there", [False, True], ids=["a new folder", "an empty folder"])
@pytest.mark.parametrize("case", WRONG, ids=[w[3] for w in WRONG])
def test_what_is_wrong_is_named_and_nothing_is_left(run, published, tmp_path, case, was_there):
    url, changes, code, said = case
    if was_there:
        (tmp_path / "home").mkdir()
    url = url.format(bucket="/".join(published[1].split("/")[:3]))
    changes = changes | {"HONGXING_UPLOAD_TRIES": "1"}
    done = run("restore-home", url, "--home", tmp_path / "home", environment=changes)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    assert left == (["home"] if was_there else [])


NAMES = [
    ("warc/a-00000.warc.gz", True),
    ("media/sha256/ab/abcd.jpg", True),
    ("fixity.jsonl", True),
    ("state.sqlite", False),
    ("warc/../../etc/passwd", False),
    ("/etc/passwd", False),
    ("warc//x", False),
    ("warc/.x.part", False),
    ("warc", False),
    ("runs/a\\b", False),
    ("runs/a\nb", False),
    (".hongxing-doctor-1/probe", False),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_only_paths_of_a_home_are_written(name, expected):
    assert is_of_home(name) is expected


# verify --s3


@pytest.fixture
def copy(gateway, published, run, tmp_path):
    """A home of its own with a bucket of its own, where both can be damaged."""
    home, name = tmp_path / "home", make_bucket(gateway)
    shutil.copytree(published[0], home)
    done = run("upload", "--home", home, "--s3", f"s3://{name}/{PREFIX}")
    assert done.returncode == 0, done.stderr

    def verify(*flags):
        done = run("verify", "--s3", f"s3://{name}/{PREFIX}", "--home", home, "--json", *flags)
        told = json.loads(done.stdout)
        found = {(item["kind"], item["name"]) for item in told["mismatches"]}
        return done.returncode, found

    return home, name, verify, client_of(gateway)


def _some(home, pattern):
    return min(home.glob(pattern)).relative_to(home).as_posix()


def test_a_bucket_that_holds_all_is_sound(copy):
    verify = copy[2]

    assert verify() == (ExitCode.OK, set())
    assert verify("--deep") == (ExitCode.OK, set())


DAMAGES = [  # what is done to which object, what is found by looking, and by reading
    ("delete", "warc/*.gz", {"missing"}, {"missing"}),
    ("delete", "export/**/snapshot/*/part-*.parquet", {"missing"}, {"missing"}),
    ("delete", "export/**/snapshot/*/_SUCCESS", {"missing"}, {"missing"}),
    ("cut", "warc/*.gz", {"different"}, {"different"}),
    ("other bytes", "media/sha256/*/*", set(), {"different"}),
    ("other bytes and digest", "cdxj/*", {"different"}, {"different"}),
    ("no digest", "runs/*/run.json", {"unproved"}, {"unproved"}),
]


@pytest.mark.parametrize(("damage", "pattern", "by_look", "by_reading"), DAMAGES)
def test_damage_in_the_bucket_is_found(copy, damage, pattern, by_look, by_reading):
    home, bucket, verify, client = copy
    name = _some(home, pattern)
    body = (home / name).read_bytes()
    place = {"Bucket": bucket, "Key": f"{PREFIX}/{name}"}
    other = body[:-1] + bytes([body[-1] ^ 1]) if body else b"x"
    digest = {"sha256": hashlib.sha256(body).hexdigest()}
    if damage == "delete":
        client.delete_object(**place)
    elif damage == "cut":
        client.put_object(**place, Body=body[:-10], Metadata=digest)
    elif damage == "other bytes":
        client.put_object(**place, Body=other, Metadata=digest)
    elif damage == "no digest":
        client.put_object(**place, Body=body)
    else:
        new = {"sha256": hashlib.sha256(other).hexdigest()}
        client.put_object(**place, Body=other, Metadata=new)

    code, found = verify()
    assert {kind for kind, _ in found} == by_look
    assert code == (ExitCode.DAMAGED if by_look & {"missing", "different"} else ExitCode.OK)
    code, found = verify("--deep")
    assert {kind for kind, _ in found} == by_reading
    assert any(PREFIX not in name and kind for kind, name in found)


def test_what_waits_is_not_damage(copy):
    home, _, verify, _ = copy
    (home / "runs" / "new.json").write_text("{}")

    assert verify() == (ExitCode.TEMPORARY, {("waiting", "runs/new.json")})


def test_what_the_home_lacks_is_named_and_no_damage(copy):
    _, bucket, verify, client = copy
    client.put_object(Bucket=bucket, Key=f"{PREFIX}/media/sha256/ab/{'ab' * 32}.jpg", Body=b"x")
    client.put_object(Bucket=bucket, Key=f"{PREFIX}/elsewhere", Body=b"x")

    assert verify() == (ExitCode.OK, {("extra", f"media/sha256/ab/{'ab' * 32}.jpg")})


def test_a_file_damaged_in_the_home_differs(copy):
    home, _, verify, _ = copy
    path = next(home.glob("warc/*.gz"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert verify() == (ExitCode.DAMAGED, {("different", f"warc/{path.name}")})


def test_a_damaged_object_is_not_restored(run, copy, tmp_path):
    home, bucket, _, client = copy
    name = _some(home, "warc/*.gz")
    body = (home / name).read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    client.put_object(
        Bucket=bucket, Key=f"{PREFIX}/{name}", Body=body[:-1] + b"x", Metadata={"sha256": digest}
    )
    done = run("restore-home", f"s3://{bucket}/{PREFIX}", "--home", tmp_path / "new")

    assert done.returncode == ExitCode.DAMAGED
    assert name in done.stderr
    assert "is damaged" in done.stderr
    assert not (tmp_path / "new" / name).exists()


def test_after_a_repair_here_the_bucket_keeps_the_good_copy_and_says_so(published, run, tmp_path):
    home, url = shutil.copytree(published[0], tmp_path / "home"), published[1]
    warc = min(home.glob("warc/*.warc.gz"))
    good = warc.read_bytes()
    warc.write_bytes(good[:200_000] + b"X" * 12 + good[200_012:])
    repaired = run("repair", "--home", home)
    done = run("upload", "--home", home, "--s3", url)
    back = run("restore-home", url, "--home", tmp_path / "new")

    assert repaired.returncode == ExitCode.OK, repaired.stderr
    assert done.returncode == ExitCode.DAMAGED
    assert f"{warc.name} was damaged here and has been repaired" in done.stderr
    assert "hongxing restore-home" in done.stderr
    assert "another prefix" not in done.stderr
    assert back.returncode == ExitCode.OK, back.stderr
    assert (tmp_path / "new/warc" / warc.name).read_bytes() == good
