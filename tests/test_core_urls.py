"""Addresses: spelling, scope, private hosts, hidden dates, keys of an index."""

import json
from datetime import date
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.core.urls import (
    Scope,
    canonical_url,
    classify,
    is_private_host,
    is_public_ip,
    join_url,
    shifted_date,
    surt,
)

CASES = Path(__file__).parent / "cases"
PROFILE = SiteProfile(
    "hongxing",
    hosts=("www.hxw.gov.cn",),
    media_hosts=("img.hxw.gov.cn",),
    old_hosts=("www.hnredstar.gov.cn",),
    never=(r"/visit/", r"//api\."),
    article=(r"/content/(?:[0-9]{4}/[0-9]{2}|[0-9]{6})/[0-9]{2}/[0-9]+\.html$",),
    list=(r"/channel/[0-9]+(?:_[0-9]+)?\.html$",),
    topic=(r"/topic/[0-9]+/index\.html$",),
    article_date=r"/(?:content|nograb)/(?P<year>[0-9]{4})/?(?P<month>[0-9]{2})/(?P<day>[0-9]{2})/",
    article_date_shift=4,
)
LOOPBACK = SiteProfile("demo", hosts=("127.0.0.1:8000",), article=(r"/content/",))
FRAGMENTS = [
    "http://", "HTTPS://", "a.cn", "127.1", "[::1]", ":80", ":99999", "@", "/", "\\", "..", ".",
    "?", "#", "%", "%41", "%2e", "%zz", "中", "网", " ", "\t", "&", "=", "+", "\ud800", "~", ";",
    "[", "|", "x", "%E4",
]  # fmt: skip


def _params(name):
    rows = json.loads((CASES / f"urls_{name}.json").read_text("utf-8"))
    return [pytest.param(row, id=row["label"]) for row in rows]


@pytest.mark.parametrize("case", _params("canonical"))
def test_an_address_has_one_spelling(case):
    if case["expected"] is None:
        with pytest.raises(ValueError, match=r"not a|address"):
            canonical_url(case["received"])
    else:
        assert canonical_url(case["received"]) == case["expected"]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_a_canonical_address_is_its_own_spelling(text):
    try:
        once = canonical_url(text)
    except ValueError:
        return

    assert canonical_url(once) == once
    assert once.isascii()


def test_an_endless_address_is_refused_before_it_is_read():
    with pytest.raises(ValueError, match="address of 5000012 characters"):
        canonical_url("http://a.cn/" + "%中" * 2_500_000)


@pytest.mark.parametrize("filler", ["/", "../", "%", "中", "a.", "?", "@", "[", ":", "\\"])
def test_bad_addresses_take_no_time(filler):
    started = perf_counter()
    for _ in range(20):
        join_url("http://a.cn/", "http://" + filler * 1_300)

    assert perf_counter() - started < 1.0


@pytest.mark.parametrize("case", _params("hosts"))
def test_private_hosts_are_known(case):
    assert is_private_host(case["host"]) is case["private"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2400:3200::1", True),
        ("fe80::1%eth0", False),
        ("10.0.0.1", False),
        ("240.0.0.1", False),
        ("", False),
        ("a.cn", False),
    ],
)
def test_addresses_of_sockets_are_judged(address, public):
    assert is_public_ip(address) is public


@pytest.mark.parametrize("case", _params("surt"))
def test_keys_equal_the_reference(case):
    assert surt(case["received"]) == case["expected"]


@pytest.mark.parametrize("case", _params("classify"))
def test_a_site_knows_what_its_addresses_are(case):
    assert classify(case["url"], PROFILE) == case["expected"]


def test_a_host_with_a_port_is_another_host():
    assert classify("http://127.0.0.1:8000/content/1", LOOPBACK) == "article"
    assert classify("http://127.0.0.1:8001/content/1", LOOPBACK) == "outside"


def test_a_former_host_leads_to_the_present_one():
    scope = Scope(PROFILE)

    assert scope.current_url("http://www.hnredstar.gov.cn/a/?b") == "http://www.hxw.gov.cn/a/?b"
    assert scope.current_url("http://elsewhere.cn/a") == "http://elsewhere.cn/a"


@pytest.mark.parametrize("case", _params("dates"))
def test_hidden_days_are_read(case):
    expected = date.fromisoformat(case["expected"]) if case["expected"] else None

    assert shifted_date(case["url"], PROFILE) == expected


def test_a_site_without_a_date_pattern_has_no_hidden_days():
    assert shifted_date("https://a.cn/content/2012/10/08/1.html", LOOPBACK) is None


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("../x.html", "http://a.cn/x.html"),
        ("//b.cn/x", "http://b.cn/x"),
        ("?p=2", "http://a.cn/b/c.html?p=2"),
        ("#top", "http://a.cn/b/c.html"),
        ("mailto:x@a.cn", ""),
        ("http://[bad", ""),
        (" \n/x ", "http://a.cn/x"),
    ],
)
def test_links_are_made_absolute(link, expected):
    assert join_url("http://a.cn/b/c.html", link) == expected


def test_a_second_sorts_tens_of_thousands_of_links():
    scope = Scope(PROFILE)
    urls = [f"https://www.hxw.gov.cn/channel/{number}.html" for number in range(5_000)]

    started = perf_counter()
    kinds = {scope.classify(url) for url in urls}

    assert kinds == {"list"}
    assert perf_counter() - started < 0.5
