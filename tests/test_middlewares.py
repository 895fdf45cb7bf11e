"""robots.txt, patience and the last gate, on servers that say every kind of no."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise

import pytest
from crawl_kit import crawl, rejects, snapshot
from wire_kit import Sent, WireSite, article, links, ok

from hongxing_crawler.archive.captures import read_exchanges

SETTINGS = {"HONGXING_ARCHIVE_SYNC": "close"}
GOOD = ok(article())
RULES = b"User-agent: *\nDisallow: /a/no\n"


def robots(body: bytes, mime: bytes = b"text/plain") -> Sent:
    return ok(body, mime=mime)


def says(status: bytes, *lines: bytes) -> Sent:
    return ok(b"", *lines, status=status)


def visit(tmp_path, answers, *, settings=None, changes=None, **options):
    """Crawl a site once; what was asked, how it ended and where it lies."""
    with WireSite(answers) as site:
        ended = crawl(
            site.profile(**(changes or {})),
            tmp_path / "home",
            settings=SETTINGS | (settings or {}),
            **options,
        )
    return site, ended, tmp_path / "home"


# What a host's robots.txt says, and whether it keeps us from /a/no.html.
ROBOTS = {
    "none: all is allowed": ({"/robots.txt": says(b"404 Not Found")}, False),
    "forbidden: as if none": ({"/robots.txt": says(b"403 Forbidden")}, False),
    "a rule": ({"/robots.txt": robots(RULES)}, True),
    "a mark before it": ({"/robots.txt": robots(b"\xef\xbb\xbf" + RULES)}, True),
    "a wrong type": ({"/robots.txt": robots(RULES, b"text/html")}, True),
    "a page in its place": ({"/robots.txt": robots(article())}, False),
    "elsewhere": (
        {"/robots.txt": says(b"301 Moved", b"Location: /r.txt"), "/r.txt": robots(RULES)},
        True,
    ),
    "in a circle": ({"/robots.txt": says(b"302 Found", b"Location: /robots.txt")}, False),
    "a rule for us": (
        {"/robots.txt": robots(b"User-agent: hongxing_crawler\nDisallow: /a/no\n")},
        True,
    ),
    "a rule for others": (
        {"/robots.txt": robots(b"User-agent: Baiduspider\nDisallow: /\n")},
        False,
    ),
    "a moment later": (
        {"/robots.txt": [says(b"429 Slow", b"Retry-After: 0"), robots(RULES)]},
        True,
    ),
}


@pytest.fixture(scope="module")
def many_hosts(tmp_path_factory):
    """One crawl of a host for each kind of robots.txt."""
    home = tmp_path_factory.mktemp("robots") / "home"
    pages = {"/a/no.html": GOOD, "/a/yes.html": GOOD}
    with ExitStack() as stack:
        sites = {
            label: stack.enter_context(WireSite(answers | pages))
            for label, (answers, _) in ROBOTS.items()
        }
        any_site = next(iter(sites.values()))
        profile = any_site.profile(
            hosts=tuple(site.netloc for site in sites.values()),
            seeds=tuple(site.base + "/" for site in sites.values()),
        )
        ended = crawl(profile, home, settings=SETTINGS)
    return sites, ended, home


@pytest.mark.parametrize("label", ROBOTS)
def test_robots_txt_is_obeyed_as_the_standard_says(many_hosts, label):
    sites, ended, _ = many_hosts
    asked = sites[label].asked()

    assert ended.code == 0, ended.log
    assert ("/a/no.html" not in asked) is ROBOTS[label][1]
    assert "/a/yes.html" in asked


def test_a_denial_is_noted_in_the_archive_and_with_the_rejects(many_hosts):
    sites, _, home = many_hosts
    denied = {f"{sites[label].base}/a/no.html" for label, (_, is_no) in ROBOTS.items() if is_no}
    noted = {
        exchange.capture.url
        for path in home.glob("warc/*.gz")
        for exchange in read_exchanges(path)
        if exchange.metadata.get("robots-denied")
    }

    assert noted == denied
    assert rejects(home)["/a/no.html"]["outcome"] == "refused"


@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        pytest.param(says(b"429 Slow", b"Retry-After: 9999"), 7, "blocked", id="429, for hours"),
        pytest.param(Sent(b""), 5, "site_down", id="no answer"),
    ],
)
def test_robots_txt_that_fails_is_no_yes(tmp_path, answer, code, reason):
    site, ended, _ = visit(tmp_path, {"/robots.txt": answer, "/a/1.html": GOOD})

    assert ended.code == code, ended.log
    assert ended.result["reason"] == reason
    assert set(site.asked()) == {"/robots.txt"}
    assert ended.result["counts"]["pending"] == 1


def test_a_crawl_delay_counts_for_its_host_alone_and_sitemaps_are_taken_in(tmp_path):
    with WireSite({f"/i/{n}.png": says(b"404 No") for n in range(4)}) as img:
        host = img.netloc.replace("127.0.0.1", "localhost")  # delays are kept by host name
        shown = "".join(f"<img src='http://{host}/i/{n}.png'>" for n in range(4))
        answers = {
            "/": ok(links([])),
            "/a/1.html": ok(article("一", shown)),
            "/a/2.html": ok(article("二", shown)),
        }
        with WireSite(answers) as site:
            text = (
                f"User-agent: *\nCrawl-delay: 0.3\nSitemap: {site.base}/map.xml\n"
                "Sitemap: file:///etc/passwd\nSitemap: /relative.xml\nSitemap: http://[bad\n"
            )
            urls = "".join(f"<url><loc>{site.base}/a/{n}.html</loc></url>" for n in (1, 2))
            site.answers["/robots.txt"] = robots(text.encode())
            site.answers["/map.xml"] = ok(f"<urlset>{urls}</urlset>".encode(), mime=b"text/xml")
            profile = site.profile(media_hosts=(host,), max_depth=3)
            ended = crawl(profile, tmp_path / "home", settings=SETTINGS)

    pages = [at for target, _, at in site.received if target != "/robots.txt"]
    pictures = [at for target, _, at in img.received if target != "/robots.txt"]
    assert ended.code == 0, ended.log
    assert len(pages) == 4
    assert min(b - a for a, b in pairwise(pages[1:])) >= 0.2  # with jitter
    assert min(b - a for a, b in pairwise(pictures)) < 0.2


def test_a_picture_host_with_a_failing_robots_txt_stops_nothing(tmp_path):
    with WireSite({"/robots.txt": says(b"500 Oops"), "/i/1.png": GOOD}) as img:
        page = ok(article(inside=f"<img src='{img.base}/i/1.png'>"))
        _, ended, home = visit(
            tmp_path, {"/a/1.html": page}, changes={"media_hosts": (img.netloc,)}
        )

    (row,) = snapshot(home).values()
    assert ended.code == 0, ended.log
    assert [image["status"] for image in row["images"]] == ["failed"]
    assert "/i/1.png" not in img.asked()


def test_one_page_that_always_fails_does_not_stop_a_site_that_answers(tmp_path):
    answers = {
        "/a/1.html": says(b"503 Busy", b"Retry-After: 0"),
        **{f"/a/{n}.html": says(b"500 Oops") for n in range(2, 6)},
        "/a/9.html": GOOD,
    }
    site, ended, home = visit(tmp_path, answers)

    assert ended.code == 3, ended.log
    assert {row["reason"] for row in rejects(home).values()} == {"http_503", "http_500"}
    assert list(snapshot(home)) == ["/a/9.html"]
    assert len(site.times("/a/1.html")) == len(site.times("/a/2.html")) == 4


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [(b"403 Forbidden", "blocked", 7), (b"500 Oops", "site_down", 5)],
)
def test_a_site_that_refuses_page_after_page_is_left_alone(tmp_path, status, reason, code):
    pages = {f"/a/{n}.html": says(status, b"Retry-After: 0") for n in range(14)}
    site, ended, _ = visit(tmp_path, pages, settings={"HONGXING_BACKOFF_BASE_S": 0.001})

    assert (ended.code, ended.result["reason"]) == (code, reason), ended.log
    assert "/a/13.html" not in site.asked()
    assert ended.result["counts"]["pending"] > 0


def test_successes_reset_the_count_of_refusals(tmp_path):
    pages = {f"/a/{n:02}.html": GOOD if n % 4 == 3 else says(b"403 Forbidden") for n in range(16)}
    _, ended, home = visit(tmp_path, pages)

    assert ended.code == 3, ended.log
    assert len(snapshot(home)) == 4


def test_a_time_limit_does_not_wait_for_a_slow_server_and_its_page_stays_pending(tmp_path):
    answers = {"/a/1.html": says(b"503 Busy", b"Retry-After: 60")}
    site, ended, home = visit(
        tmp_path, answers, timeout_s=30, max_duration_s=1.0, settings={"HONGXING_BACKOFF_TIMES": 1}
    )

    assert ended.code == 8, ended.log
    assert ended.result["counts"]["pending"] == 1
    assert ended.result["seconds"] < 20
    assert rejects(home) == {}
    assert len(site.times("/a/1.html")) == 1


def test_redirects_and_links_stay_within_the_site(tmp_path):
    with WireSite() as inner:
        answers = {
            "/a/inwards.html": says(b"302 Found", b"Location: " + inner.base.encode() + b"/a/1"),
            "/a/counter.html": says(b"302 Found", b"Location: /visit/1"),
            "/a/file.html": says(b"302 Found", b"Location: file:///etc/passwd"),
            "/a/gbk.html": says(b"302 Found", b"Location: /a/\xd6\xd0.html"),
        }
        site, ended, home = visit(
            tmp_path, answers | {"/a/%D6%D0.html": GOOD}, changes={"max_depth": 3}
        )

    reasons = {path: row["reason"] for path, row in rejects(home).items()}
    assert ended.code == 0, ended.log
    assert inner.received == []
    assert "/visit/1" not in site.asked()
    assert reasons["/a/inwards.html"] == "redirect_out_of_scope"
    assert reasons["/a/counter.html"] == "redirect_out_of_scope"
    assert reasons["/a/file.html"] == "redirect_unusable"
    assert "/a/%D6%D0.html" in snapshot(home)
