"""The commands around takedown and the past of a site, started for real."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from crawl_kit import crawl, reprocess, rows
from takedown_kit import REASON, SECRET, find_traces, make_home

from hongxing_crawler.demo.run import always_due
from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.running.run import utc_now
from hongxing_crawler.store.home import Home
from hongxing_crawler.store.lock import Holder, hold
from hongxing_crawler.upkeep.soundness import check_fixity

FLAGS = ("--reason", REASON, "--yes")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home whose runs began long before today, whatever day that is."""
    home = make_home(tmp_path_factory.mktemp("built"))
    with sqlite3.connect(home.state) as connection:
        connection.execute("UPDATE runs SET started_at = started_at - 31536000000000")
    connection.close()
    return home


@pytest.fixture
def home(built, tmp_path):
    return Home(Path(shutil.copytree(built.root, tmp_path / "红星 home")))


def _bytes(home, *folders):
    return {
        path: path.read_bytes()
        for folder in folders
        for path in (home.root / folder).rglob("*")
        if path.is_file()
    }


def test_the_command_prints_what_went_and_the_proof(home, hongxing):
    done = hongxing("takedown", SECRET, *FLAGS, "--with-media", "--home", home.root)
    text = done.stdout.decode()

    assert done.returncode == ExitCode.OK, done.stderr.decode()
    assert "proof that nothing else changed" in text
    assert "records         12 in 3 WARC files" in text
    assert "other records at their old places, byte for byte" in text
    assert hongxing("verify", "--deep", "--home", home.root).returncode == ExitCode.OK


def test_a_dry_run_changes_nothing_even_of_a_home_that_cannot_be_written(home, hongxing):
    for folder in (home.root, home.warc):
        folder.chmod(0o555)
    before = _bytes(home, "warc", "cdxj", "export", "media", "wacz")
    done = hongxing("takedown", SECRET, "--reason", "x", "--dry-run", "--home", home.root)

    assert done.returncode == ExitCode.OK, done.stderr.decode()
    assert b"to be removed" in done.stdout
    assert _bytes(home, "warc", "cdxj", "export", "media", "wacz") == before
    assert not home.takedown.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), ExitCode.USAGE, "name the page"),
        ((SECRET,), ExitCode.USAGE, "say why with --reason"),
        ((SECRET, "--reason", " "), ExitCode.USAGE, "say why with --reason"),
        ((SECRET, "--reason", "x"), ExitCode.USAGE, "say --yes, or look first with --dry-run"),
        ((SECRET, "--reason", "红" * 2_001, "--yes"), ExitCode.CONFIG, "2,000 are allowed"),
        (("http://a.cn/红", *FLAGS), ExitCode.CONFIG, "holds nothing of http://a.cn/红"),
        (("红", *FLAGS), ExitCode.CONFIG, "neither an address nor an article's id"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_touched(home, hongxing, arguments, code, words):
    before = _bytes(home, "warc", "cdxj", "export", "media", "wacz")
    done = hongxing("takedown", *arguments, "--home", home.root)

    assert done.returncode == code
    assert words in " ".join(done.stderr.decode().split())
    assert _bytes(home, "warc", "cdxj", "export", "media", "wacz") == before


def test_a_home_at_work_is_left_alone(home, hongxing):
    with hold(home.lock, Holder("crawl, process 1 on here", "run_x", "2026-11-23T08:00:00Z")):
        done = hongxing("takedown", SECRET, *FLAGS, "--home", home.root)

    assert done.returncode == ExitCode.LOCKED
    assert b"crawl, process 1 on here" in done.stderr


@pytest.mark.parametrize("command", [("takedown", SECRET, *FLAGS), ("history", SECRET)])
def test_a_home_of_a_newer_version_is_left_alone(home, hongxing, command):
    with sqlite3.connect(home.state) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'schema_version'")
    connection.close()
    before = _bytes(home, "warc", "export")
    done = hongxing(*command, "--home", home.root)

    assert done.returncode == ExitCode.CONFIG
    assert b"install the newer one" in done.stderr
    assert _bytes(home, "warc", "export") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_named(home, hongxing):
    home.lock.chmod(0o444)
    home.root.chmod(0o555)
    done = hongxing("takedown", SECRET, *FLAGS, "--home", home.root)

    assert done.returncode == ExitCode.CONFIG
    assert b"must be writable" in done.stderr


def test_fixity_knows_that_the_change_was_meant(home, hongxing):
    check_fixity(home, Fraction(1), now=utc_now())
    hongxing("takedown", SECRET, *FLAGS, "--with-media", "--home", home.root)

    assert check_fixity(home, Fraction(1), now=utc_now()).findings == []


def test_the_next_command_ends_what_a_kill_interrupted(home, hongxing, tmp_path):
    """Killed right behind the journal: at the first file that takes the place of another."""
    script = (
        "import os, signal, sys\n"
        "from hongxing_crawler.takedown import carry_out\n"
        "carry_out._move_files = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from hongxing_crawler.cli import main\n"
        f"main(['takedown', {SECRET!r}, '--reason', 'x', '--yes', '--home', sys.argv[1]])\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, home.root], check=False)
    crawled = subprocess.run(
        [sys.executable, "-m", "scrapy", "crawl", "hongxing", "-s", f"HONGXING_HOME={home.root}"],
        capture_output=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    done = hongxing("export", "--home", home.root)

    assert killed.returncode == -signal.SIGKILL
    assert b"takedown --resume" in crawled.stderr
    assert done.returncode == ExitCode.OK, done.stderr.decode()
    assert b"which was interrupted, is carried out now" in done.stderr
    assert hongxing("verify", "--deep", "--home", home.root).returncode == ExitCode.OK
    assert not [row for row in rows(home.export / "articles/v1/snapshot") if row["url"] == SECRET]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Three runs of the demo site: its second state changes and removes pages."""
    home = tmp_path_factory.mktemp("crawled") / "home"
    with DemoSite() as site:
        profile = always_due(site.profile)
        assert crawl(profile, home).code == 0
        site.switch_to(2)
        for _ in range(2):
            assert crawl(profile, home).code == 0
    return Home(home)


def test_a_crawled_page_goes_and_reprocess_and_crawl_honour_it(tmp_path):
    with DemoSite() as site:
        home, profile = Home(tmp_path / "home"), always_due(site.profile)
        crawl(profile, home.root)
        site.switch_to(2)
        crawl(profile, home.root)
        changed = next(r for r in rows(home.export / "articles/v1/delta") if r["op"] == "changed")
        command = [sys.executable, "-m", "hongxing_crawler", "takedown", changed["url"], *FLAGS]
        taken = subprocess.run(
            [*command, "--with-media", "--home", home.root], capture_output=True, check=False
        )
        again = reprocess(home.root, tmp_path / "again")
        asked = len(site.log)
        third = crawl(profile, home.root)
        fourth = reprocess(home.root, tmp_path / "fourth")

        assert taken.returncode == 0, taken.stderr.decode()
        assert b"byte for byte" in again.stdout, again.stdout.decode()
        assert third.code == 0, third.log
        path = "/" + changed["url"].split("/", 3)[3]
        assert path not in {request.path for request in site.log[asked:]}
        assert b"byte for byte" in fourth.stdout, fourth.stdout.decode()
        needle = changed["article_body"].split("\n")[0][:60]
        assert find_traces(home, needle, besides=_lists_of(home, needle)) == []


def _lists_of(home, needle):
    """Files in which other pages say the same words, as lists with a first sentence do."""
    return [name for name in find_traces(home, needle) if name.startswith(("warc/", "runs/"))]


def _snapshot_as_of(home, folder, moment, hongxing):
    done = hongxing("export", "--home", home.root, "--as-of", moment, "--out", folder)
    assert done.returncode == ExitCode.OK, done.stderr.decode()
    return rows(folder / "articles/v1/as_of")


def _moments(home):
    """A moment right after each run."""
    ends = json.loads(
        subprocess.run(
            [sys.executable, "-m", "hongxing_crawler", "status", "--home", home.root, "--json"],
            capture_output=True,
            check=True,
        ).stdout
    )["last_runs"]
    return [entry["ended_at"].replace(" ", "T") for entry in ends]


def test_the_site_as_it_was_after_each_of_three_runs(crawled, hongxing, tmp_path):
    deltas = rows(crawled.export / "articles/v1/delta")
    changed = {row["id"] for row in deltas if row["op"] == "changed"}
    new = {row["id"] for row in deltas if row["op"] == "new" and row["run_id"].endswith("Z")}
    gone = {row["id"] for row in deltas if row["op"] == "deleted"}
    first, second, third = (
        {row["id"]: row for row in _snapshot_as_of(crawled, tmp_path / str(n), moment, hongxing)}
        for n, moment in enumerate(_moments(crawled))
    )

    assert changed
    assert gone
    assert gone <= first.keys() & second.keys()
    assert not gone & third.keys()
    assert set(second) - set(first) <= new
    assert all(first[name]["revision"] < second[name]["revision"] for name in changed)
    assert {row["op"] for row in first.values()} == {"snapshot"}


def test_as_of_now_is_the_snapshot(crawled, hongxing, tmp_path):
    latest = json.loads((crawled.export / "articles/v1/latest.json").read_bytes())
    snapshot = rows(crawled.export / "articles/v1" / latest["snapshot"])

    assert _snapshot_as_of(crawled, tmp_path / "x", _moments(crawled)[-1], hongxing) == snapshot


@pytest.mark.parametrize(
    ("moment", "code"),
    [("2026-02-30", 2), ("gestern", 2), ("2026-11-23T08:00", 2), ("2999-01-01", 2),
     ("2020-01-01", 0), ("2020-01-01T00:00+08:00", 0)],
)  # fmt: skip
def test_moments_that_can_and_cannot_be_asked_for(crawled, hongxing, moment, code):
    done = hongxing("export", "--home", crawled.root, "--as-of", moment, "--out", "x")

    assert done.returncode == code
    assert b"Traceback" not in done.stderr


def test_as_of_leaves_the_snapshots_of_runs_alone(crawled, hongxing, tmp_path):
    home = Home(Path(shutil.copytree(crawled.root, tmp_path / "home")))
    before = _bytes(home, "export")
    hongxing("export", "--home", home.root, "--as-of", "2020-01-01")
    after = _bytes(home, "export")

    assert {path: after[path] for path in before} == before
    assert [path for path in after if "as_of" in path.parts]
