"""The main job on the demo site, by the real command's code: archive, rows, second visit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from crawl_kit import crawl, path_of, rows, snapshot

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.core.record import decode, replay_row
from hongxing_crawler.demo.run import always_due
from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.running.run import utc_now
from hongxing_crawler.store.state import State

GOLD = Path(__file__).parents[1] / "data" / "gold"


@pytest.fixture(scope="module")
def site():
    with DemoSite() as running:
        yield running


@pytest.fixture(scope="module")
def first(site, tmp_path_factory):
    """One crawl of the site's first state; several tests look at what it left."""
    home = tmp_path_factory.mktemp("first") / "home"
    ended = crawl(site.profile, home)
    assert ended.code == 0, ended.log
    return home, ended


def test_no_counter_is_called_and_robots_is_obeyed(site, first):
    asked = {request.path for request in site.log}

    assert site.counter_calls == []
    assert not any(path.startswith("/admin/") for path in asked)


def test_every_row_is_proved_by_its_own_edits(first):
    home, _ = first
    lines = [json.dumps(row).encode() for row in snapshot(home).values()]

    assert lines
    assert all(replay_row(decode(line)) for line in lines)


def test_every_row_names_the_record_it_came_from(first):
    home, _ = first
    for row in snapshot(home).values():
        cited = row["provenance"]
        path = home / "warc" / cited["warc_filename"]

        assert path.is_file()
        assert cited["warc_offset"] >= 0
        assert cited["warc_length"] > 0


def test_the_state_knows_every_capture_of_the_archive(first):
    """Pages that robots.txt forbids and fetches that failed, too."""
    home, _ = first
    files = sorted((home / "warc").glob("*.warc.gz"))
    archived = {a.capture.record_id: a.capture for file in files for a in read_exchanges(file)}
    with State.open(home / "state.sqlite", now=utc_now, read_only=True) as state:
        known = {capture.record_id: capture for capture in state.captures()}
    denied = [c for c in known.values() if c.record_type == "metadata"]

    assert known == archived
    assert [c for c in denied if "/admin/" in c.url]


@pytest.mark.parametrize("referee", ["warcio", "fastwarc"])
def test_the_archive_is_valid_for_others(first, referee):
    home, _ = first
    files = sorted(map(str, (home / "warc").glob("*.warc.gz")))
    command = {
        "warcio": [sys.executable, "-m", "warcio.cli", "check"],
        "fastwarc": [Path(sys.executable).with_name("fastwarc"), "check"],
    }[referee]
    done = subprocess.run([*command, *files], capture_output=True, check=False)

    assert files
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_unchanged_site_costs_little_and_gives_no_rows(site, first):
    home, _ = first
    before = sum(path.stat().st_size for path in (home / "warc").iterdir())

    second = crawl(always_due(site.profile), home)
    written = sum(path.stat().st_size for path in (home / "warc").iterdir()) - before

    assert second.code == 0, second.log
    assert len(rows(home / "export/articles/v1/delta")) == len(snapshot(home))
    assert written < before * 0.15


def test_a_second_crawl_on_schedule_asks_lists_alone(tmp_path):
    with DemoSite() as site:
        home = tmp_path / "home"
        crawl(site.profile, home)
        before = sizes(home)
        second = crawl(site.profile, home)
        after = sizes(home)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    written = {name: size for name, size in after.items() if size != before.get(name)}
    kept = {name for name in before if name.startswith("export/articles/v1/snapshot/")}

    assert second.code == 0, second.log
    assert second.result["counts"]["articles"] == 0
    assert sum(grown.values()) <= 0.05 * sum(before.values())
    assert part(after, "warc/") - part(before, "warc/") <= 0.05 * part(before, "warc/")
    assert kept.isdisjoint(written)


def test_a_list_that_changed_wakes_the_pages_behind_it(tmp_path):
    with DemoSite() as site:
        home = tmp_path / "home"
        crawl(site.profile, home)
        site.switch_to(2)
        crawl(site.profile, home)
    asked = {path_of(capture.url) for capture in captures_of(home, -1)}

    assert "/channel/1001.html" in asked
    assert "/channel/1001_2.html" in asked


def sizes(home):
    """The size of every file of a home but for the lock and SQLite's shared memory."""
    files = (path for path in home.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm")
    return {path.relative_to(home).as_posix(): path.stat().st_size for path in files}


def part(files, start):
    return sum(size for name, size in files.items() if name.startswith(start))


def captures_of(home, number):
    path = sorted(home.glob("warc/*.warc.gz"))[number]
    return [item.capture for item in read_exchanges(path)]


def test_a_second_state_gives_what_is_new_changed_and_gone(tmp_path):
    with DemoSite() as site:
        home, profile = tmp_path / "home", always_due(site.profile)
        crawl(profile, home)
        before = snapshot(home)
        site.switch_to(2)
        ended = crawl(profile, home)
        crawl(profile, home)  # a page is gone when a second look confirms it
        after = snapshot(home)

    assert ended.code == 0, ended.log
    assert set(after) - set(before), "new pages"
    assert set(before) - set(after), "pages gone"
    assert any(after[path]["revision"] == 2 for path in set(before) & set(after)), "changed pages"


def test_reprocessing_gives_the_same_bytes(first, tmp_path):
    home, _ = first
    done = subprocess.run(
        [sys.executable, "-m", "hongxing_crawler", "reprocess", "--home", home, "--out", tmp_path],
        capture_output=True,
        check=False,
    )
    ours = {p.relative_to(home): p.read_bytes() for p in home.rglob("part-*.jsonl.gz")}
    again = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("part-*.jsonl.gz")}

    assert done.returncode == 0, done.stderr
    assert again == ours
