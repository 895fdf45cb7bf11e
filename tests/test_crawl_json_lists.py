"""Lists that come as JSON, from a real server, in real crawls."""

from __future__ import annotations

import json

import pytest
from crawl_kit import crawl, parts, rejects, reprocess, snapshot
from wire_kit import WireSite, archived, article, links, ok

from hongxing_crawler.core.profile import JsonList, Revisit

JSON = b"application/json"
PAGED = JsonList(
    r"/api/",
    items="data.rows",
    url="url",
    title="title",
    date="time",
    page=r"page=(?P<n>\d+)",
    pages="data.pages",
)


def rows(*numbers, pages=9, day="2020-03-20"):
    items = [{"url": f"/a/{n}.html", "title": f"第{n}篇", "time": f"{day} 16:56"} for n in numbers]
    return ok(json.dumps({"data": {"rows": items, "pages": pages}}).encode(), mime=JSON)


def make(answers, last):
    """A site whose articles only its JSON names."""
    pages = {f"/a/{n}.html": ok(article(f"全省会议第{n}次召开")) for n in range(1, last + 1)}
    return WireSite({"/": ok(links([])), **pages, **answers})


def profile_of(site, rule=PAGED, **changes):
    start = {"seeds": (f"{site.base}/api/list?page=1",)}
    return site.profile(json_list=(rule,), max_depth=2, **(start | changes))


def test_pages_are_followed_to_their_end_and_rows_name_their_list(tmp_path):
    answers = {f"/api/list?page={n}": rows(2 * n - 1, 2 * n, pages=4) for n in range(1, 5)}
    with make(answers, 8) as site:
        ended = crawl(profile_of(site), tmp_path / "home")
    found = snapshot(tmp_path / "home")
    lists = {path: row["list_url"].removeprefix(site.base) for path, row in found.items()}
    again = reprocess(tmp_path / "home", tmp_path / "again")

    assert ended.code == 0, ended.log
    assert lists == {f"/a/{n}.html": f"/api/list?page={(n + 1) // 2}" for n in range(1, 9)}
    assert [t for t in site.asked() if "api" in t] == [f"/api/list?page={n}" for n in range(1, 5)]
    assert archived(tmp_path / "home")["/api/list?page=4"].metadata["hongxing-kind"] == "list"
    assert again.returncode == 0, again.stderr
    assert parts(tmp_path / "again") == parts(tmp_path / "home")


def test_a_last_page_that_comes_for_every_number_ends_the_list(tmp_path):
    rule = JsonList(r"/api/", items="data.rows", page=r"page=(?P<n>\d+)")
    answers = {f"/api/list?page={n}": rows(min(n, 3)) for n in range(1, 30)}
    with make(answers, 3) as site:
        ended = crawl(profile_of(site, rule), tmp_path / "home")

    assert ended.code == 0, ended.log
    assert len(snapshot(tmp_path / "home")) == 3
    assert [t for t in site.asked() if "api" in t] == [f"/api/list?page={n}" for n in range(1, 5)]


def test_cursors_that_lead_in_a_circle_end(tmp_path):
    rule = JsonList(r"/api/", items="rows", next="next", cursor="after")

    def page(number, after):
        return ok(
            json.dumps({"rows": [{"url": f"/a/{number}.html"}], "next": after}).encode(), mime=JSON
        )

    answers = {
        "/api/list": page(1, "x"),
        "/api/list?after=x": page(2, "y"),
        "/api/list?after=y": page(3, "x"),
    }
    with make(answers, 3) as site:
        ended = crawl(profile_of(site, rule, seeds=(f"{site.base}/api/list",)), tmp_path / "home")

    assert ended.code == 0, ended.log
    assert len(snapshot(tmp_path / "home")) == 3
    assert sorted(t for t in site.asked() if "api" in t) == sorted(answers)


def test_pages_without_end_end_at_the_limit(tmp_path):
    rule = JsonList(r"/api/", items="data.rows", page=r"page=(?P<n>\d+)")
    answers = {f"/api/list?page={n}": rows(n) for n in range(1, 60)}
    with make(answers, 59) as site:
        ended = crawl(profile_of(site, rule, max_list_pages=7), tmp_path / "home")

    assert ended.code == 0, ended.log
    assert len(snapshot(tmp_path / "home")) == 8  # the first and seven more, deeper than max_depth


def test_a_second_visit_asks_the_first_page_and_goes_on_when_it_changed(tmp_path):
    etag = b'ETag: "%d"'
    same = json.dumps(
        {"data": {"rows": [{"url": "/a/1.html", "title": "x", "time": "2020-03-20"}], "pages": 2}}
    )
    first = ok(same.encode(), etag % 1, mime=JSON)
    unchanged = ok(b"", etag % 1, status=b"304 Not Modified")
    answers = {
        "/api/list?page=1": [first, unchanged, rows(3, pages=2)],
        "/api/list?page=2": rows(2, pages=2),
    }
    with make(answers, 3) as site:
        profile = profile_of(site, revisit=Revisit(unconditional_share=0.0))
        asked = []
        for _ in range(3):
            before = len(site.received)
            crawl(profile, tmp_path / "home")
            asked.append([t for t in site.asked()[before:] if "api" in t])

    assert asked == [
        ["/api/list?page=1", "/api/list?page=2"],
        ["/api/list?page=1"],
        ["/api/list?page=1", "/api/list?page=2"],
    ]
    assert len(snapshot(tmp_path / "home")) == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            b'{"code":500,"msg":"\xe7\xb3\xbb\xe7\xbb\x9f\xe5\xbc\x82\xe5\xb8\xb8"}',
            "json_no_items data.rows",
        ),
        (b'{"data":{"rows":[{"link":"/a/1.html"}],"pages":1}}', "json_no_url url"),
        (b'{"data":{"rows":[{"url":"/a/1.html"}],"pages":1}}', "json_no_title title"),
        (b"<html><body>404</body></html>", "json_broken"),
        (b"", "json_broken"),
        (b"[" * 100_000, "json_broken"),
    ],
)
def test_json_that_is_not_what_the_profile_says_is_named(body, reason, tmp_path):
    with make({"/api/list?page=1": ok(body, mime=JSON)}, 1) as site:
        ended = crawl(profile_of(site), tmp_path / "home")
    found = rejects(tmp_path / "home")["/api/list?page=1"]

    assert ended.code in {0, 3}, ended.log
    assert (found["outcome"], found["reason"]) == ("rejected", reason)


def test_a_block_page_in_the_place_of_json_stops_the_crawl(tmp_path):
    page = "<html><body><p>您的访问过于频繁，请稍后再试</p></body></html>".encode()
    with make({"/api/list?page=1": ok(page)}, 1) as site:
        ended = crawl(profile_of(site), tmp_path / "home")

    assert ended.code == 7


def test_items_of_other_sites_counters_and_private_addresses_are_not_asked_for(tmp_path):
    urls = [
        "http://elsewhere.example/a/1.html",
        "/visit/1",
        "http://169.254.169.254/a/1",
        "/a/1.html",
    ]
    items = [{"url": url, "title": "x", "time": "2020-03-20"} for url in urls]
    body = json.dumps({"data": {"rows": items, "pages": 1}}).encode()
    with make({"/api/list?page=1": ok(body, mime=JSON)}, 1) as site:
        ended = crawl(profile_of(site), tmp_path / "home")

    assert ended.code == 0, ended.log
    assert sorted(site.asked()) == ["/a/1.html", "/api/list?page=1", "/robots.txt"]


def test_since_goes_by_the_dates_of_the_list(tmp_path):
    answers = {
        "/api/list?page=1": rows(1, pages=2),
        "/api/list?page=2": rows(2, pages=2, day="2019-01-01"),
    }
    with make(answers, 2) as site:
        crawl(profile_of(site), tmp_path / "home", since="2020-01-01")

    assert list(snapshot(tmp_path / "home")) == ["/a/1.html"]


def test_the_list_of_a_page_is_asked_for_in_the_place_of_a_browser(tmp_path):
    shell = b"<html><body><div id='app'></div><script src='/app.js'></script></body></html>"
    rule = JsonList(
        r"/api/",
        items="data.rows",
        for_pages=r"/list/(?P<channel>\d+)\.html",
        address="/api/list?channel={channel}&page=1",
    )
    answers = {
        "/": ok(links(["/list/7.html"])),
        "/list/7.html": ok(shell),
        "/api/list?channel=7&page=1": rows(1, 2),
    }
    with make(answers, 2) as site:
        profile = profile_of(site, rule, seeds=(f"{site.base}/",), list_item=("li.item",))
        ended = crawl(profile, tmp_path / "home", browser="auto")
    stats = json.loads(next((tmp_path / "home").glob("runs/*/run.json")).read_bytes())["stats"]

    assert ended.code == 0, ended.log
    assert len(snapshot(tmp_path / "home")) == 2
    assert (
        archived(tmp_path / "home")["/api/list?channel=7&page=1"]
        .metadata["via"]
        .endswith("/list/7.html")
    )
    assert [name for name in stats if "browser" in name] == []
