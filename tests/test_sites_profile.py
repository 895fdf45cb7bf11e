"""Profiles are read strictly, and every complaint says file, line, key and what is allowed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.sites import profile as profiles
from hongxing_crawler.sites.profile import load_profile, parse_profile, with_hosts, with_seeds
from hongxing_crawler.sites.toml_lines import find_line

CASES = json.loads((Path(__file__).parent / "cases" / "profiles.json").read_text("utf-8"))
PACKAGED = Path(profiles.__file__).parent
MOVES = {"www.hxw.gov.cn": "http://127.0.0.1:8001", "img.hxw.gov.cn": "http://127.0.0.1:8002"}


@pytest.mark.parametrize("case", CASES, ids=[case["label"] for case in CASES])
def test_a_bad_profile_is_refused_with_place_and_reason(case):
    with pytest.raises(ConfigError) as refusal:
        parse_profile(case["received"], "x.toml")

    assert all(part in str(refusal.value) for part in case["expected"]), str(refusal.value)


@pytest.mark.parametrize("name", profiles.profile_names())
def test_packaged_profiles_load_under_their_names(name):
    assert load_profile(name).name == name


@pytest.mark.parametrize("name", profiles.profile_names())
def test_a_copy_of_a_packaged_profile_loads_by_its_path(name, tmp_path):
    copy = shutil.copy(PACKAGED / f"{name}.toml", tmp_path / "my-site.toml")

    assert load_profile(str(copy)) == load_profile(name)


def test_an_unknown_site_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown site 'hongxin'; allowed: generic, hongxing,"):
        load_profile("hongxin")


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=r"no-such\.toml: cannot read the site profile: No such"):
        load_profile("no-such.toml")


def test_a_file_in_another_charset_is_told_its_line(tmp_path):
    path = tmp_path / "gbk.toml"
    path.write_bytes('name = "x"\ntitle = "红星网"'.encode("gbk"))

    with pytest.raises(ConfigError, match=r"gbk\.toml:2: not UTF-8"):
        load_profile(str(path))


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "bom.toml"
    path.write_text('name = "x"\nhosts = ["a.cn"]', "utf-8-sig")

    assert load_profile(str(path)).name == "x"


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.toml"
    path.write_bytes(b"#" * 1_000_001)

    with pytest.raises(ConfigError, match="larger than 1000000 bytes"):
        load_profile(str(path))


def test_a_regular_expression_has_a_length_limit():
    with pytest.raises(ConfigError, match="the regular expression has 501 characters"):
        parse_profile(f'name = "x"\nhosts = ["a.cn"]\nnever = ["{"a" * 501}"]', "x.toml")


HONGXING_URLS = [
    ("article", "https://www.hxw.gov.cn/content/2020/03/20/7000320.html"),
    ("article", "https://www.hxw.gov.cn/content/2012/10/08/392183.html"),
    ("article", "https://www.hxw.gov.cn/content/646754/67/13190070.html"),
    ("article", "https://www.hxw.gov.cn/nograb/646942/52/15208965.html"),
    ("article", "https://www.hxw.gov.cn/content/646847/83/1.html"),
    ("article", "http://hn.rednet.cn/c/2012/01/12/2491647.htm"),
    ("list", "https://www.hxw.gov.cn/channel/8060.html"),
    ("list", "https://www.hxw.gov.cn/channel/8060_10.html"),
    ("list", "https://www.hxw.gov.cn/channel/2021/0101/8060.html"),
    ("topic", "https://www.hxw.gov.cn/topic/294/index.html"),
    ("never", "https://www.hxw.gov.cn/content/visit/"),
    ("never", "https://www.hxw.gov.cn/content/clicks/1/7000320"),
    ("never", "https://www.hxw.gov.cn/content/star/7000320"),
    ("never", "https://www.hxw.gov.cn/m/content/2020/03/20/7000320.html"),
    ("never", "https://www.hxw.gov.cn/content/2020/03/20/7000320.html?mobile"),
    ("json_list", "https://www.hxw.gov.cn/content/list/channel?channelId=1&pageSize=10"),
    ("json_list", "https://www.hxw.gov.cn/content/sortList?siteId=1&pageSize=10"),
    ("never", "https://www.hxw.gov.cn/site/1"),
    ("", "https://www.hxw.gov.cn/"),
    ("", "https://www.hxw.gov.cn/content/2020/03/20/7000320_2.html"),
    ("", "https://www.hxw.gov.cn/about.html"),
]


@pytest.mark.parametrize(("kind", "url"), HONGXING_URLS)
def test_hongxing_patterns_know_the_shapes_of_the_site(kind, url):
    profile = load_profile("hongxing")
    groups = {name: getattr(profile, name) for name in ("never", "article", "list", "topic")}
    groups["json_list"] = tuple(rule.pattern for rule in profile.json_list)

    found = [name for name, patterns in groups.items() if any(re.search(p, url) for p in patterns)]

    assert found[:1] == ([kind] if kind else [])


def test_a_moved_profile_reaches_nothing_of_the_real_site():
    moved = with_hosts(load_profile("hongxing"), MOVES)

    assert moved.hosts == ("127.0.0.1:8001",)
    assert moved.media_hosts == ("127.0.0.1:8002",)
    for urls in (moved.seeds, moved.sitemaps, moved.feeds):
        assert urls
        assert all(url.startswith("http://127.0.0.1:8001/") for url in urls)


def test_hosts_that_are_not_moved_leave_with_their_start_pages():
    moved = with_hosts(load_profile("hongxing"), {"img.hxw.gov.cn": "http://127.0.0.1:8002"})

    assert (moved.hosts, moved.seeds, moved.sitemaps, moved.feeds) == ((), (), (), ())


def test_host_names_inside_patterns_move_too():
    text = 'name = "x"\nhosts = ["a.cn"]\narticle = [\'^https?://a\\.cn/\\d+$\']'
    moved = with_hosts(parse_profile(text, "x.toml"), {"a.cn": "http://127.0.0.1:8001"})

    assert re.search(moved.article[0], "http://127.0.0.1:8001/12")


def test_seeds_give_a_generic_profile_its_hosts():
    profile = load_profile("generic", seeds=["http://127.0.0.1:8001/", "http://b.cn/x"])

    assert profile.hosts == ("127.0.0.1:8001", "b.cn")
    assert profile.seeds == ("http://127.0.0.1:8001/", "http://b.cn/x")


@pytest.mark.parametrize("seed", ["http://elsewhere.cn/", "file:///etc/passwd", "nonsense", ""])
def test_seeds_outside_a_site_are_refused(seed):
    with pytest.raises(ConfigError, match="--seed"):
        with_seeds(load_profile("hongxing"), [seed])


LINES = ["a = 1", '"a" = 2', "[t]", "[[t]]", "[[u]]", "# a = 1", "", "b = [", '  "v",', "]"]


@given(st.lists(st.sampled_from(LINES)), st.lists(st.sampled_from(["a", "b", "t", "u", 0, 1])))
def test_a_line_is_always_found_within_the_file(lines, path):
    number = find_line("\n".join(lines), path, "v")

    assert 1 <= number <= max(1, len(lines))
