"""A page is removed from everything, and nothing else changes; also when the process is killed."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from archive_kit import assert_judges_accept
from crawl_kit import rows
from takedown_kit import (
    LATER,
    OTHER,
    OWN_PICTURE,
    REASON,
    SECRET,
    SHARED_PICTURE,
    SITE,
    TEXT,
    THIRD,
    Builder,
    find_traces,
    make_home,
    now,
    page,
)

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.archive.fields import warc_uri
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.archive.wacz import PackageInfo, pack
from hongxing_crawler.archive.wacz_check import verify_wacz
from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.exceptions import ArchiveError, ConfigError, StateError
from hongxing_crawler.store.home import Home
from hongxing_crawler.store.rows import day_of
from hongxing_crawler.store.state import State
from hongxing_crawler.store.takedown_log import (
    mark_removed,
    read_pending_removals,
    read_takedowns,
)
from hongxing_crawler.store.visit import Found
from hongxing_crawler.takedown.carry_out import resume
from hongxing_crawler.takedown.plan import Order, plan_takedown, take_down
from hongxing_crawler.upkeep.soundness import verify_home

KILLS = int(os.environ.get("TEST_KILLS", "10"))
CHILD = Path(__file__).with_name("takedown_child.py")
ORDER = Order((SECRET,), REASON, "馆长", with_media=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("built"))


@pytest.fixture
def home(built, tmp_path):
    return Home(Path(shutil.copytree(built.root, tmp_path / "home")))


@pytest.fixture(scope="module")
def done(built, tmp_path_factory):
    """The home after the takedown, and what the command found."""
    folder = tmp_path_factory.mktemp("done")
    home = Home(Path(shutil.copytree(built.root, folder / "home")))
    return home, take_down(home, ORDER, now)


def _files(home, *folders):
    return {
        path.relative_to(home.root).as_posix(): path.read_bytes()
        for folder in folders
        for path in (home.root / folder).rglob("*")
        if path.is_file()
    }


def test_the_needle_is_everywhere_before(built):
    found = find_traces(built)

    assert {name.partition("/")[0] for name in found} >= {"warc", "wacz", "export", "state.sqlite"}


def test_nothing_of_the_page_is_left_anywhere(done, home):
    taken, _ = done

    assert set(find_traces(home)) != set()
    # the other page was served with the same bytes: these are its own capture
    own = f"warc/hongxing-{_plan_id(taken)}-00000.warc.gz"
    assert find_traces(taken, besides={own, "wacz/hongxing.wacz"}) == []


def _plan_id(home):
    return read_takedowns(home.takedown / "log.jsonl")[0]["id"]


def test_no_capture_of_the_page_is_left_and_tombstones_say_why(done):
    home, plan = done
    records = [r for path in sorted(home.warc.glob("*.gz")) for r in read_records(path)]
    of_page = [record for record in records if record.url == warc_uri(canonical_url(SECRET))]
    said = b"".join(record.payload() for record in of_page).decode()

    assert {record.type for record in of_page} == {"metadata"}
    assert said.count(f"takedown-reason: {REASON}") == 3
    assert "takedown-by: 馆长" in said
    assert plan.takedown.id in said


def test_the_archive_is_sound_for_us_and_for_others(done):
    home, _ = done
    sound = verify_home(home, now=now, deep=True)

    assert [str(finding) for finding in sound.findings] == []
    for path in home.warc.glob("*.gz"):
        assert_judges_accept(path)
    assert verify_wacz(home.wacz / "hongxing.wacz") == []


def test_all_other_records_stay_byte_for_byte_where_they_were(done, built):
    home, plan = done
    for proof in plan.proofs:
        old = (built.warc / proof.filename).read_bytes()
        new = (home.warc / proof.filename).read_bytes()
        outside = [True] * len(old)
        for start, end in proof.cuts:
            outside[start:end] = [False] * (end - start)
        digest = hashlib.sha256(bytes(b for b, kept in zip(old, outside, strict=True) if kept))

        assert len(old) == len(new)
        assert all(a == b for a, b, kept in zip(old, new, outside, strict=True) if kept)
        assert proof.kept_sha256 == f"sha256:{digest.hexdigest()}"


def test_a_page_that_shared_its_bytes_keeps_them(done):
    home, plan = done
    revisits = [
        (exchange, path)
        for path in sorted(home.warc.glob("*.gz"))
        for exchange in read_exchanges(path)
        if exchange.record.type == "revisit" and exchange.capture.url == OTHER
    ]
    own = home.warc / f"hongxing-{plan.takedown.id}-00000.warc.gz"
    (full,) = [e for e in read_exchanges(own) if e.record.type == "response"]

    assert len(revisits) == 2
    assert {e.original.record_id for e, _ in revisits} == {full.capture.record_id}
    assert full.capture.url == OTHER
    assert full.capture.fetched_at == revisits[0][0].capture.fetched_at
    assert full.record.payload() == page(TEXT)


def test_media_go_unless_another_article_shows_them(done):
    home, plan = done
    left = {path.read_bytes() for path in home.media.rglob("*.jpg")}
    urls = {r.url for path in home.warc.glob("*.gz") for r in read_records(path)
            if r.type == "response"}  # fmt: skip

    assert left == {SHARED_PICTURE.encode() * 20}
    assert OWN_PICTURE not in urls
    assert SHARED_PICTURE in urls
    assert plan.kept_media == [SHARED_PICTURE]


def test_media_stay_without_the_flag(home):
    take_down(home, Order((SECRET,), REASON, "x"), now)

    assert len(list(home.media.rglob("*.jpg"))) == 2
    assert find_traces(home, "own.jpg") != []


def test_rows_are_tombstones_in_every_delta_and_absent_from_snapshots(done):
    home, plan = done
    deltas = [row for row in rows(home.export / "articles/v1/delta") if row["url"] == SECRET]
    runs = {row["run_id"] for row in deltas}

    assert len(deltas) == 4
    assert plan.takedown.id in runs
    assert {row["op"] for row in deltas} == {"deleted"}
    assert {row["change"]["reason"] for row in deltas} == {REASON}
    assert {row["article_body"] for row in deltas} == {""}
    snapshots = rows(home.export / "articles/v1/snapshot")
    assert {row["url"] for row in snapshots} == {OTHER, THIRD}
    assert len(snapshots) == 1 + 2 + 2 + 2


def test_other_rows_do_not_change(done, built):
    home, plan = done
    for name in _files(built, "export/articles/v1/delta"):
        if name.endswith(".gz"):
            before = [r for r in rows((built.root / name).parent) if r["url"] != SECRET]
            after = [r for r in rows((home.root / name).parent) if r["url"] != SECRET]
            assert before == after
    folder = home.export / f"articles/v1/delta/dt={day_of(plan.takedown.id)}"
    assert [row["url"] for row in rows(folder)] == [SECRET]


def test_the_page_is_never_asked_for_again(done):
    home, plan = done
    with State.open(home.state, now=now) as state:
        state.begin_run("run_20261204T080000Z", LATER, {})
        state.add_found([Found(canonical_url(SECRET), "article", 10)], "")
        state.plan("run_20261204T080000Z", SiteProfile("hongxing"), LATER, full=True)
        taken = {ticket.url for ticket in state.take(100)}

        assert canonical_url(SECRET) not in taken
        assert taken == {OTHER, THIRD}
        assert state.takedowns.find(canonical_url(SECRET)).reason == REASON
        assert state.takedowns.find(OWN_PICTURE).id == plan.takedown.id
        assert state.original(SECRET) is None


def test_the_log_tells_what_published_copies_still_hold(done):
    home, plan = done
    (pending,) = read_pending_removals(home.root)

    assert pending.takedown_id == plan.takedown.id
    assert set(pending.delete) == set(plan.media_keys)
    assert f"warc/{plan.warcs[0]}" in pending.replace
    assert all((home.root / key).is_file() for key in pending.replace)
    mark_removed(home.root, pending.takedown_id, "s3://x/y", LATER)
    assert read_pending_removals(home.root) == []
    (home.takedown / "published.jsonl").unlink()


def test_a_log_that_was_changed_is_named(home):
    take_down(home, ORDER, now)
    log = home.takedown / "log.jsonl"
    entry = json.loads(log.read_bytes())
    log.write_bytes(json.dumps(entry | {"previous": "f" * 64}).encode() + b"\n")

    with pytest.raises(StateError, match=r"log\.jsonl, line 1: it was changed"):
        read_pending_removals(home.root)


def test_a_plan_changes_nothing(home):
    before = _files(home, ".")
    plan = plan_takedown(home, ORDER, now)

    assert plan.record_count == 12
    assert plan.redirected == [OTHER]
    assert {name: data for name, data in _files(home, ".").items() if "sqlite-" not in name} == {
        name: data for name, data in before.items() if "sqlite-" not in name
    }


def test_a_page_by_its_article_id(home, done):
    (name,) = done[1].takedown.articles
    plan = take_down(home, Order((name.id,), REASON, "x", with_media=True), now)

    assert plan.record_count == done[1].record_count


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{SITE_}/nowhere.html", "holds nothing of")
        for SITE_ in ("https://www.hxw.gov.cn", "https://www.hxw.gov.cn/红")
    ]
    + [
        ("no address", "neither an address"),
        ("art_" + "0" * 32, "knows no article"),
        (OWN_PICTURE, "is a file that articles show"),
    ],
)
def test_what_cannot_be_taken_down_is_named(home, name, message):
    before = _files(home, "warc", "export", "media")

    with pytest.raises(ConfigError, match=message):
        take_down(home, Order((name,), REASON, "x"), now)
    assert _files(home, "warc", "export", "media") == before


def test_a_second_takedown_of_a_page_is_told_of_the_first(home):
    id_ = take_down(home, ORDER, now).takedown.articles[0].id
    before = _files(home, "warc", "export", "media", "takedown", "runs")

    for name in (SECRET, SECRET.replace("https:", "http:"), id_):
        with pytest.raises(ConfigError, match=f"{name} was taken down already, on 20.* by "):
            take_down(home, Order((name,), "once more", "x"), lambda: LATER.replace(hour=9))
    assert _files(home, "warc", "export", "media", "takedown", "runs") == before


def test_a_page_goes_beside_one_that_is_gone(home):
    take_down(home, ORDER, now)
    done = take_down(home, Order((SECRET, OTHER), "both", "x"), lambda: LATER.replace(hour=9))

    assert done.record_count > 0
    assert len(read_takedowns(home.takedown / "log.jsonl")) == 2


class Scripted(Builder):
    """Pages whose text a script fetches; all of them ask for one style sheet."""

    def _visit(self, warc, number, url, *rest, **more):
        super()._visit(warc, number, url, *rest, **more)
        self._write(
            warc, f"{url}?json", f'{{"text": "{rest[1]}"}}'.encode(), number, "browser", url
        )
        self._write(warc, f"{SITE}/style.css", b"p { color: red }", number, "browser", url)


def test_what_a_browser_asked_for_goes_unless_other_pages_need_it(tmp_path):
    builder = Scripted(tmp_path)
    builder.run([(SECRET, page(TEXT), TEXT, ()), (OTHER, page("他文。"), "他文。", ())])
    builder.archive.state.close()

    take_down(builder.home, ORDER, now)

    records = [r for path in builder.home.warc.glob("*.gz") for r in read_records(path)]
    left = {record.url for record in records if record.type == "response"}
    assert find_traces(builder.home) == []
    assert left == {warc_uri(url) for url in (OTHER, f"{OTHER}?json", f"{SITE}/style.css")}


def test_a_package_that_cannot_be_made_again_stops_it_first(home):
    stranger = home.warc.parent / "stranger.warc.gz"
    shutil.copy(next(home.warc.glob("*.gz")), stranger)
    shutil.move(stranger, home.warc / "stranger.warc.gz")
    warcs = sorted(home.warc.glob("*.gz"))
    pack(home.wacz / "x.wacz", warcs, [], PackageInfo("x", LATER, "x"), captures=[])
    (home.warc / "stranger.warc.gz").unlink()

    with pytest.raises(ArchiveError, match=r"x\.wacz holds stranger\.warc\.gz"):
        take_down(home, ORDER, now)


def test_a_missing_index_is_named(home):
    next(home.cdxj.glob("*.cdxj")).unlink()

    with pytest.raises(ArchiveError, match="hongxing repair"):
        take_down(home, ORDER, now)


def test_a_clock_that_is_behind_stops_it_first(home):
    with pytest.raises(StateError, match="set the clock right"):
        take_down(home, ORDER, lambda: LATER.replace(year=2020))


def _run_child(home, number):
    return subprocess.run(
        [sys.executable, "-W", "error", CHILD, home.root, str(number)],
        capture_output=True,
        check=False,
    )


def assert_undone_or_done(home, built):
    """After a kill and the next start: the home of before, or the home of after, nothing else."""
    finished = resume(home, now)
    log = read_takedowns(home.takedown / "log.jsonl")
    sound = verify_home(home, now=now, deep=True)

    assert [str(finding) for finding in sound.findings] == []
    assert not (home.takedown / "journal.json").exists()
    assert not (home.takedown / "stage").exists()
    if finished or log:
        assert len(log) == 1
        own = f"warc/hongxing-{log[0]['id']}-00000.warc.gz"
        assert find_traces(home, besides={own, "wacz/hongxing.wacz"}) == []
        assert len([r for r in rows(home.export / "articles/v1/delta") if r["url"] == SECRET]) == 4
        assert len(rows(home.export / "articles/v1/snapshot")) == 7
        return "done"
    folders = ("warc", "cdxj", "export", "media", "wacz")
    assert _files(home, *folders) == _files(built, *folders)
    return "undone"


def kill_once(built, folder, number):
    home = Home(Path(shutil.copytree(built.root, folder)))
    child = _run_child(home, number)
    assert child.returncode == -9, child.stderr.decode()
    return assert_undone_or_done(home, built)


def test_a_kill_at_any_change_of_the_disk_is_undone_or_made_good(built, tmp_path):
    counted = _run_child(Home(Path(shutil.copytree(built.root, tmp_path / "counted"))), 0)
    total = int(counted.stdout)
    rng = random.Random(20261123)
    numbers = sorted({1, total, *rng.sample(range(2, total), min(KILLS, total - 2))})
    ends = [kill_once(built, tmp_path / f"kill-{number}", number) for number in numbers]

    assert {"undone", "done"} == set(ends)


def test_a_second_kill_while_it_is_made_good_does_no_harm(built, tmp_path):
    home = Home(Path(shutil.copytree(built.root, tmp_path / "twice")))
    total = int(_run_child(Home(Path(shutil.copytree(built.root, tmp_path / "n"))), 0).stdout)
    _run_child(home, total * 2 // 3)
    for number in (3, 9, 20):
        _run_child(home, number)

    assert assert_undone_or_done(home, built) == "done"
