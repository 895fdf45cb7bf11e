"""What a response means: one table an archivist can read."""

from __future__ import annotations

import dataclasses

import pytest

from hongxing_crawler.core.clean import clean_page
from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.core.urls import Scope
from hongxing_crawler.running.parts import sort_parts
from hongxing_crawler.running.reading import Answer, read_answer
from hongxing_crawler.running.rows import article_of
from hongxing_crawler.sites.profile import load_profile
from hongxing_crawler.store.visit import Ticket, Visit

PROFILE = SiteProfile(
    "demo",
    hosts=("www.a.cn",),
    media_hosts=("img.a.cn",),
    article=(r"/content/",),
    list=(r"/channel/",),
    never=(r"/content/visit/",),
    soft_404=("home", "页面不存在"),
)
SCOPE = Scope(PROFILE)
URL = "http://www.a.cn/content/2020/03/20/1.html"
BODY = "会议指出，要坚持问题导向，推动基层党建工作全面进步、全面过硬。" * 8
ARTICLE = (
    "<html><head><title>全省会议召开</title></head><body><h1>全省会议召开</h1>"
    f"<div>来源：红星网 2020-03-20 16:56</div><div class='content'><p>{BODY}</p><p>{BODY}</p></div>"
    "<a href='/content/2020/03/21/2.html'>下一篇</a><a href='/content/visit/1'>x</a>"
    "<a href='http://elsewhere.cn/content/3.html'>别处</a></body></html>"
)


def answer(**changes):
    base = Answer(URL, 200, "text/html; charset=utf-8", "", ARTICLE.encode())
    return dataclasses.replace(base, **changes)


def read(given, kind="article", depth=1, profile=PROFILE, seed_digests=()):
    return read_answer(given, kind, depth, profile, Scope(profile), seed_digests)


@pytest.mark.parametrize(
    ("changes", "kind", "outcome", "reason"),
    [
        pytest.param({}, "article", "done", "", id="an article"),
        pytest.param({"status": 304}, "article", "unchanged", "", id="not modified"),
        pytest.param({"status": 404}, "article", "gone", "http_404", id="not found"),
        pytest.param({"status": 410}, "article", "gone", "http_410", id="gone for good"),
        pytest.param({"status": 403}, "article", "failed", "http_403", id="forbidden"),
        pytest.param({"status": 500}, "list", "failed", "http_500", id="the server fails"),
        pytest.param({"body": b""}, "article", "rejected", "empty", id="nothing"),
        pytest.param({"body": b"\0\0 \0"}, "article", "rejected", "empty", id="only NUL"),
        pytest.param(
            {"content_type": "application/pdf"}, "article", "rejected", "not_html", id="a file"
        ),
        pytest.param(
            {"body": "<h1>页面不存在</h1>".encode()}, "article", "gone", "soft_404", id="soft 404"
        ),
        pytest.param(
            {"payload_digest": "sha256:home"}, "article", "gone", "soft_404", id="the home page"
        ),
        pytest.param(
            {"payload_digest": "sha256:home"}, "seed", "done", "", id="negative: home itself"
        ),
        pytest.param(
            {"body": "<title>安全验证</title><p>请输入验证码</p>".encode()},
            "article",
            "failed",
            "block_page",
            id="a captcha",
        ),
        pytest.param(
            {"body": ARTICLE.replace("问题导向", "请输入验证码再").encode() + BODY.encode() * 9},
            "article",
            "done",
            "",
            id="negative: an article about captchas",
        ),
    ],
)
def test_a_response_has_an_outcome(changes, kind, outcome, reason):
    reading = read(answer(**changes), kind, seed_digests={"sha256:home"})

    assert (reading.outcome, reading.reason) == (outcome, reason)


def test_links_stay_on_the_site_and_never_count_visits():
    links = {link.url: link.kind for link in read(answer()).links}

    assert links == {"http://www.a.cn/content/2020/03/21/2.html": "article"}


@pytest.mark.parametrize(
    ("location", "outcome", "reason", "targets"),
    [
        pytest.param(
            "/content/2020/03/20/9.html",
            "done",
            "redirect",
            ["http://www.a.cn/content/2020/03/20/9.html"],
            id="to another article",
        ),
        pytest.param(URL, "rejected", "redirect_loop", [], id="to itself"),
        pytest.param("http://127.0.0.1/", "rejected", "redirect_out_of_scope", [], id="to us"),
        pytest.param("file:///etc/passwd", "rejected", "redirect_unusable", [], id="to our disk"),
        pytest.param("/content/visit/1", "rejected", "redirect_out_of_scope", [], id="a counter"),
    ],
)
def test_a_redirect_goes_to_the_frontier_when_it_stays_in_scope(location, outcome, reason, targets):
    reading = read(answer(status=302, location=location, body=b""))

    assert (reading.outcome, reading.reason) == (outcome, reason)
    assert [link.url for link in reading.links] == targets


def test_a_redirect_back_to_where_we_came_from_is_a_loop():
    back = answer(status=302, location="/content/a.html", found_on="http://www.a.cn/content/a.html")

    assert read(back).reason == "redirect_loop"


def test_links_end_at_the_greatest_depth():
    shallow = dataclasses.replace(PROFILE, max_depth=1)

    assert read(answer(), depth=1, profile=shallow).links == ()


def test_a_sitemap_brings_its_pages():
    body = b"<urlset><url><loc>http://www.a.cn/content/1.html</loc></url></urlset>"

    reading = read(answer(body=body, content_type="application/xml"), "sitemap")

    assert [(link.url, link.kind) for link in reading.links] == [
        ("http://www.a.cn/content/1.html", "article")
    ]


def test_parts_are_joined_in_the_order_of_their_numbers():
    class Part:
        def __init__(self, url):
            self.url = url

    urls = ["http://a.cn/1_10.html", "http://a.cn/1_2.html", "http://a.cn/1.html"]

    assert [part.url for part in sort_parts(map(Part, urls))] == urls[::-1]


@pytest.mark.parametrize(
    ("path", "printed", "expected", "precision"),
    [
        pytest.param(
            "2020/03/20", "2020-03-21 08:00", "2020-03-21T08:00:00+08:00", "minute", id="printed"
        ),
        pytest.param("2020/03/20", "", "2020-03-20T00:00:00+08:00", "day", id="plain address"),
        pytest.param("646754/67", "", "2023-10-23T00:00:00+08:00", "day", id="disguised address"),
        pytest.param("646847/83", "", None, "none", id="negative: no day in either reading"),
    ],
)
def test_an_article_without_a_printed_date_takes_the_day_of_its_address(
    path, printed, expected, precision
):
    profile = load_profile("hongxing")
    url = f"https://www.hxw.gov.cn/content/{path}/1.html"
    html = ARTICLE.replace("2020-03-20 16:56", printed)
    visit = Visit(Ticket(1, url, "article", 0, 1, 0, ""), final_url=url)
    visit.cleaned = clean_page(html.encode(), url, profile)

    row = article_of(visit, "run_20261123T000000Z", profile, Scope(profile))

    assert (row.date_published, row.date_precision) == (expected, precision)
