"""Scheduler, pipelines, extensions and ends of a run, through Scrapy, on a few pages."""

from __future__ import annotations

import json
import random
import signal
import time

import pytest
from crawl_kit import crawl, parts, rejects, reprocess, snapshot, start_crawl
from wire_kit import Sent, WireSite, archived, article, left_over, links, ok

FAST = {"HONGXING_ARCHIVE_SYNC": "close"}
GOOD = ok(article(), b'ETag: "1"')
PAGES = {f"/a/{n}.html": GOOD for n in range(6)}


def asked_since(site, count):
    return site.asked()[count:]


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """One crawl with components that fail and a spider that asks for more."""
    home = tmp_path_factory.mktemp("troubled") / "home"
    answers = PAGES | {"/a/raise-callback.html": GOOD, "/a/raise-pipeline.html": GOOD}
    parts = {
        "SPIDER_MIDDLEWARES": {
            "shell_parts.RaisingOutput": 100,
            "shell_parts.ForeignRequests": 200,
        },
        "ITEM_PIPELINES": {"shell_parts.RaisingPipeline": 300},
        "CONCURRENT_REQUESTS": 3,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 3,
    }
    with WireSite(answers) as site:
        site.answers["/"] = ok(links(site.answers))
        site.answers["/a/foreign.html"] = GOOD
        yield site, crawl(site.profile(), home, settings=FAST | parts), home


@pytest.mark.parametrize("path", ["/a/raise-callback.html", "/a/raise-pipeline.html"])
def test_an_error_in_our_own_code_fails_its_page_alone(troubled, path):
    _, ended, home = troubled
    row = rejects(home)[path]

    assert (row["outcome"], row["reason"]) == ("failed", "error_ZeroDivisionError")
    assert ended.code == 3, ended.log
    assert ended.result["counts"]["pages_failed"] == 2
    assert set(PAGES) < set(snapshot(home))


def test_a_request_of_another_spider_is_taken_in_once_or_refused(troubled):
    site, ended, home = troubled

    assert site.asked().count("/a/foreign.html") == 1
    assert "/a/foreign.html" in snapshot(home)
    assert "/visit/9" not in site.asked()
    assert rejects(home)["/visit/9"]["reason"] == "never_route"
    assert rejects(home)["/latest/meta-data/"]["outcome"] == "refused"
    assert rejects(home)["/a/1.html"]["reason"] == "outside"
    assert "file:///etc/passwd" in ended.log


def test_with_several_at_once_every_page_is_asked_for_once(troubled):
    site, _, _ = troubled
    pages = [path for path in site.asked() if path != "/robots.txt"]

    assert len(pages) == len(set(pages)) == len(site.answers)


def test_nothing_is_parsed_that_cannot_be_archived(tmp_path):
    noise = random.Random(1).randbytes(2 << 20).hex().encode()
    answers = {"/a/large.html": ok(article("太大的文章", f"<!-- {noise.decode()} -->"))}
    with WireSite(answers) as site:
        ended = crawl(
            site.profile(),
            tmp_path / "home",
            settings=FAST | {"EXTENSIONS": {"shell_parts.SmallFiles": 1}},
        )
        limited = dict(ended.result["counts"]), snapshot(tmp_path / "home")
        later = crawl(site.profile(), tmp_path / "home", settings=FAST)

    assert (ended.code, ended.result["reason"]) == (9, "archive_error"), ended.log
    assert limited[0]["pending"] == 1
    assert limited[1] == {}
    assert later.code == 0, later.log
    assert list(snapshot(tmp_path / "home")) == ["/a/large.html"]
    assert left_over(tmp_path / "home") == []


def test_an_error_at_the_end_of_a_run_is_no_success(tmp_path):
    with WireSite(PAGES) as site:
        ended = crawl(
            site.profile(),
            tmp_path / "home",
            settings=FAST | {"EXTENSIONS": {"shell_parts.OddStats": 1}},
        )

    assert ended.code == 1, ended.log
    assert "the run could not be finished" in ended.log


def test_a_page_limit_stops_and_the_same_command_goes_on(tmp_path):
    home = tmp_path / "home"
    with WireSite(PAGES) as site:
        first = crawl(site.profile(), home, settings=FAST, max_pages=3)
        after_first = len(snapshot(home))
        before = len(site.received)
        second = crawl(site.profile(), home, settings=FAST)
        pages = [path for path in asked_since(site, before) if path.startswith("/a/")]

    assert (first.code, first.result["reason"]) == (8, "max_pages"), first.log
    assert first.result["counts"]["pages"] == 3
    assert second.code == 0, second.log
    assert set(snapshot(home)) == set(PAGES)
    assert len(set(pages)) == len(pages) >= len(PAGES) - after_first


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    home = tmp_path_factory.mktemp("visited") / "home"
    with WireSite(PAGES) as site:
        crawl(site.profile(), home, settings=FAST)
        yield site, home


def test_a_second_run_asks_with_conditions_and_full_asks_without(visited):
    site, home = visited
    heads = []
    for is_full in (False, True):
        before = len(site.received)
        crawl(site.profile(), home, settings=FAST, full=is_full)
        heads.append([h for target, h, _ in site.received[before:] if target in PAGES])

    conditional, full = heads
    assert len(conditional) == len(full) == len(PAGES)
    assert all(b'If-None-Match: "1"' in head for head in conditional)
    assert not any(b"If-None-Match" in head for head in full)


def test_the_same_page_again_is_a_revisit_record_and_no_row(visited):
    _, home = visited
    last = max(home.glob("runs/*/run.json"))

    assert archived(home)["/a/1.html"].record.type == "revisit"
    assert json.loads(last.read_bytes())["counts"]["articles"] == 0


def test_a_seed_of_the_command_line_is_asked_for(visited):
    site, home = visited
    site.answers["/list/more.html"] = ok(links(["/a/more.html"]))
    site.answers["/a/more.html"] = GOOD

    ended = crawl(site.profile(), home, settings=FAST, seeds=[site.base + "/list/more.html"])

    assert ended.code == 0, ended.log
    assert "/a/more.html" in snapshot(home)


@pytest.mark.parametrize(
    ("signals", "code", "result"),
    [
        pytest.param([signal.SIGINT], 130, "shutdown", id="Ctrl-C"),
        pytest.param([signal.SIGTERM], 143, "shutdown", id="SIGTERM"),
        pytest.param([signal.SIGINT] * 2, 130, "killed", id="Ctrl-C twice"),
    ],
)
def test_a_signal_ends_the_run_and_the_next_one_goes_on(tmp_path, signals, code, result):
    home, wait_s = tmp_path / "home", 60 if len(signals) > 1 else 1
    head, body = GOOD.raw[:-50], GOOD.raw[-50:]
    answers = {"/a/slow.html": [Sent(head, wait_s, body, keep=True), GOOD], "/a/z.html": GOOD}
    with WireSite(answers) as site:
        process = start_crawl(site.profile(), home, settings=FAST)
        wait_until(lambda: "/a/slow.html" in site.asked())
        began = time.monotonic()
        for number in signals:
            process.send_signal(number)
            time.sleep(0.2)
        out, err = process.communicate(timeout=30)
        took_s = time.monotonic() - began
        later = crawl(site.profile(), home, settings=FAST)

    assert process.returncode == code, err
    assert json.loads(out)["reason"] == result
    assert took_s < 15
    assert b"Traceback" not in err
    assert later.code == 0, later.log
    assert set(snapshot(home)) == {"/a/slow.html", "/a/z.html"}
    assert left_over(home) == []


def wait_until(is_so, timeout_s=30.0):
    until = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(ok(b"", status=b"500 Oops"), id="500"),
        pytest.param(Sent(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<p>"), id="cut off"),
        pytest.param(Sent(b""), id="no answer"),
    ],
)
def test_an_article_is_stored_with_all_its_pages_or_not_yet(tmp_path, broken):
    home = tmp_path / "home"
    following = "<p><a class='next' href='/a/1_2.html'>下一页</a></p>"
    answers = {"/a/1.html": ok(article("长文章", following)), "/": ok(links(["/a/1.html"]))}
    with WireSite(answers | {"/a/1_2.html": broken}) as site:
        profile = site.profile(next_part=("a.next",))
        first = crawl(profile, home, settings=FAST)
        without = snapshot(home)
        site.answers["/a/1_2.html"] = ok(article("长文章", text="第二页的话，也要写进去。" * 30))
        second = crawl(profile, home, settings=FAST)

    done = reprocess(home, tmp_path / "again")
    assert rejects(home)["/a/1.html"]["reason"] == "part_failed", first.log
    assert without == {}
    assert second.code == 0, second.log
    assert "第二页的话" in snapshot(home)["/a/1.html"]["article_body"]
    assert parts(tmp_path / "again") == parts(home), done.stderr
