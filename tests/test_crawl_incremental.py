"""The second crawl: what is asked, how, what is stored, and what a lying server gets by it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest
from crawl_kit import crawl, parts, path_of, rejects, reprocess, rows, snapshot
from wire_kit import ALWAYS_DUE, Sent, WireSite, archived, article, links, ok

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.core.profile import Revisit

FAST = {"HONGXING_ARCHIVE_SYNC": "close"}
PAGE = ok(article(), b'ETag: "1"')
NOT_MODIFIED = Sent(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n', keep=False)
GONE = ok(b"", status=b"404 Not Found")
HOME_PAGE = ok(links(["/a/1.html", "/a/2.html"]))
NEVER_SAMPLED = dataclasses.replace(ALWAYS_DUE, unconditional_share=0.0)


def header(site, target, name, number=-1):
    """A request header of the last time an address was asked."""
    head = [head for asked, head, _ in site.received if asked == target][number]
    lines = [line.partition(b": ") for line in head.lower().split(b"\r\n")]
    return next((value.decode() for key, _, value in lines if key == name), None)


def records(home, path):
    """Types and statuses of all captures of an address, oldest first."""
    files = sorted(home.glob("warc/*.warc.gz"))
    found = [item.capture for file in files for item in read_exchanges(file)]
    return [(item.record_type, item.status) for item in found if path_of(item.url) == path]


def assert_sound(home):
    assert verify_warcs(sorted(home.glob("warc/*.warc.gz"))).findings == []


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def test_a_page_with_an_etag_is_asked_conditionally_and_a_304_is_its_revisit(home):
    with WireSite({"/": HOME_PAGE, "/a/1.html": [PAGE, NOT_MODIFIED]}) as site:
        profile = site.profile(revisit=NEVER_SAMPLED)
        first, second = (crawl(profile, home, settings=FAST) for _ in range(2))
        asked = header(site, "/a/1.html", b"if-none-match")

    assert (first.code, second.code) == (0, 0), second.log
    assert asked == '"1"'
    assert records(home, "/a/1.html") == [("response", 200), ("revisit", 304)]
    assert second.result["counts"]["articles"] == 0
    assert_sound(home)


def test_a_page_without_validators_that_came_again_is_a_revisit_too(home):
    with WireSite({"/": HOME_PAGE, "/a/1.html": ok(article())}) as site:
        for _ in range(2):
            crawl(site.profile(), home, settings=FAST)

    assert records(home, "/a/1.html") == [("response", 200), ("revisit", 200)]
    assert_sound(home)


def test_a_lying_304_is_found_out_by_the_sample(home):
    """The page has changed, but the server goes on to say that it has not."""
    changed = ok(article(text="会议改在长沙召开，时间另行通知。" * 20), b'ETag: "1"')
    with WireSite({"/": HOME_PAGE, "/a/1.html": [PAGE, changed]}) as site:
        profile = site.profile(revisit=dataclasses.replace(ALWAYS_DUE, unconditional_share=1.0))
        crawl(profile, home, settings=FAST)
        second = crawl(profile, home, settings=FAST)
        asked = header(site, "/a/1.html", b"if-none-match")

    assert asked is None
    assert second.result["counts"]["articles_changed"] == 1
    assert records(home, "/a/1.html") == [("response", 200), ("response", 200)]


def test_a_304_to_an_unconditional_request_is_an_error(home):
    with WireSite({"/": HOME_PAGE, "/a/1.html": NOT_MODIFIED, "/a/2.html": PAGE}) as site:
        ended = crawl(site.profile(), home, settings=FAST)

    assert ended.code == 3, ended.log
    assert rejects(home)["/a/1.html"]["reason"] == "not_modified_unasked"
    assert records(home, "/a/1.html") == [("response", 304)]
    assert_sound(home)


def test_full_asks_everything_without_conditions(home):
    with WireSite({"/": HOME_PAGE, "/a/1.html": PAGE}) as site:
        profile = site.profile(revisit=Revisit())
        crawl(profile, home, settings=FAST)
        crawl(profile, home, full=True, settings=FAST)
        asked = header(site, "/a/1.html", b"if-none-match")
        count = site.asked().count("/a/1.html")

    assert (asked, count) == (None, 2)


def test_an_article_rests_and_a_list_is_asked_every_time(home):
    answers = {"/": ok(links(["/list/1.html"])), "/list/1.html": ok(links(["/a/1.html"]))}
    with WireSite(answers | {"/a/1.html": PAGE}) as site:
        profile = site.profile(revisit=Revisit(), max_depth=3)
        for _ in range(3):
            crawl(profile, home, settings=FAST)
        asked = site.asked()

    assert (asked.count("/list/1.html"), asked.count("/a/1.html")) == (3, 1)


def test_an_original_whose_file_is_gone_is_neither_referred_to_nor_asked_about(home):
    with WireSite({"/": HOME_PAGE, "/a/1.html": PAGE}) as site:
        crawl(site.profile(revisit=NEVER_SAMPLED), home, settings=FAST)
        for path in home.glob("warc/*"):
            path.unlink()
        crawl(site.profile(revisit=NEVER_SAMPLED), home, settings=FAST)
        asked = header(site, "/a/1.html", b"if-none-match")

    assert asked is None
    assert records(home, "/a/1.html") == [("response", 200)]
    assert_sound(home)


@pytest.mark.parametrize(
    "absent",
    [
        pytest.param(GONE, id="404"),
        pytest.param(ok(b"", status=b"410 Gone"), id="410"),
        pytest.param(HOME_PAGE, id="the start page in its place"),
        pytest.param(ok(article(title="页面不存在", text="您访问的页面不存在。")), id="says so"),
    ],
)
def test_a_removed_page_gets_its_tombstone_when_a_second_visit_agrees(home, absent):
    with WireSite({"/": HOME_PAGE, "/a/1.html": [PAGE, absent], "/a/2.html": PAGE}) as site:
        profile = site.profile(soft_404=("home", "页面不存在"))
        crawl(profile, home, settings=FAST)
        once = crawl(profile, home, settings=FAST)
        after_one = snapshot(home)
        twice = crawl(profile, home, settings=FAST)

    assert once.result["counts"]["articles_deleted"] == 0
    assert "/a/1.html" in after_one
    assert twice.result["counts"]["articles_deleted"] == 1
    assert set(snapshot(home)) == {"/a/2.html"}
    assert [row["op"] for row in rows(home / "export/articles/v1/delta")].count("deleted") == 1


def test_a_page_that_was_away_once_keeps_its_row(home):
    answers = {"/": HOME_PAGE, "/a/1.html": [PAGE, GONE, PAGE, GONE, PAGE]}
    with WireSite(answers) as site:
        deleted = [
            crawl(site.profile(), home, settings=FAST).result["counts"]["articles_deleted"]
            for _ in range(5)
        ]

    assert deleted == [0] * 5
    assert "/a/1.html" in snapshot(home)


@pytest.mark.parametrize("words", ["请完成安全验证，拖动滑块", "访问过于频繁，请稍后再试"])
def test_a_block_page_is_archived_but_never_stored_as_content(home, words):
    shut = ok(article(title="提示", text=words))
    with WireSite({"/": HOME_PAGE, "/a/1.html": [PAGE, shut], "/a/2.html": PAGE}) as site:
        crawl(site.profile(), home, settings=FAST)
        before = snapshot(home)
        ended = crawl(site.profile(), home, settings=FAST)

    assert ended.code == 7, ended.log
    assert snapshot(home)["/a/1.html"]["article_body"] == before["/a/1.html"]["article_body"]
    assert ("response", 200) in records(home, "/a/1.html")[1:]
    assert all(words not in row["article_body"] for row in rows(home / "export"))


def test_an_article_whose_other_page_is_not_there_says_so(home, tmp_path):
    following = "<p><a class='next' href='/a/1_2.html'>下一页</a></p>"
    answers = {"/": ok(links(["/a/1.html"])), "/a/1.html": ok(article("长文章", following))}
    with WireSite(answers | {"/a/1_2.html": GONE}) as site:
        ended = crawl(site.profile(next_part=("a.next",)), home, settings=FAST)
        address = f"part_missing {site.base}/a/1_2.html"

    done = reprocess(home, tmp_path / "again")
    assert ended.code == 0, ended.log
    assert address in snapshot(home)["/a/1.html"]["cleaning"]["warnings"]
    assert parts(tmp_path / "again") == parts(home), done.stderr


def test_a_state_that_cannot_be_written_is_not_taken_for_a_site_that_is_down(home):
    slow = Sent(b"HTTP/1.1 200 OK\r\n", 1.0, b"Content-Length: 0\r\n\r\n")
    with WireSite({"/": HOME_PAGE, "/robots.txt": slow, "/a/1.html": PAGE}) as site:
        locker = threading.Thread(target=_lock_state, args=(site, home / "state.sqlite"))
        locker.start()
        ended = crawl(site.profile(), home, settings=FAST)
        locker.join()

    assert ended.result["reason"] == "state_error", ended.log
    assert ended.code == 4
    assert "locked" in ended.result["sentence"]


def _lock_state(site, path):
    """Hold the state from the moment robots.txt is asked for, longer than a crawl waits."""
    while "/robots.txt" not in site.asked():
        time.sleep(0.01)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(8)
        other.execute("ROLLBACK")
    other.close()


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="a small disk needs root and mount"
)
def test_a_body_that_finds_no_room_while_it_comes_in_stops_the_run(home):
    spool = home / "tmp"
    spool.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", spool]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mount is not allowed here")
    large = ok(article("长报告", "".join(f"<p>第{n}号文件。</p>" for n in range(40_000))))
    settings = FAST | {"HONGXING_DOWNLOAD_SPOOL_BYTES": 10_000}
    try:
        with WireSite({"/": HOME_PAGE, "/a/1.html": large, "/a/2.html": PAGE}) as site:
            ended = crawl(site.profile(), home, settings=settings)
            left = list(spool.iterdir())
            subprocess.run(["mount", "-o", "remount,size=50m", spool], check=True)
            later = crawl(site.profile(), home, settings=settings)
    finally:
        subprocess.run(["umount", spool], check=True)

    assert ended.code == 8, ended.log
    assert ended.result["reason"] == "disk_full"
    assert left == []
    assert later.code == 0, later.log
    assert set(snapshot(home)) == {"/a/1.html", "/a/2.html"}
    assert archived(home)["/a/1.html"].capture.status == 200
