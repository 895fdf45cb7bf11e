"""Injected text goes, what looks like it stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.clean import clean_body
from hongxing_crawler.core.edits import replay
from hongxing_crawler.core.spam import strip_advertising, strip_name_runs
from hongxing_crawler.core.spam_kit import cut_kit_junk

CASES = json.loads((Path(__file__).parent / "cases" / "spam.json").read_text("utf-8"))
FRAGMENTS = [
    "凉山|",
    " 兰坪| ",
    "中超",
    "会议召开。",
    "，",
    "\n",
    "人民日报|求是",
    "注册即送彩金，娱乐平台开户提款",
]
JUNK = (
    '<div id="91yt8" class="pl_css_ganrao" style="display: none;">'
    '<div id="91yt8"><xmp>x</xmp></div></div>'
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_case(case):
    assert clean_body(case["received"])[0] == case["expected"]


@pytest.mark.parametrize("step", [strip_name_runs, strip_advertising])
@given(st.lists(st.sampled_from(FRAGMENTS)).map("".join))
def test_edits_replay(step, received):
    once = step(received)

    assert replay(received, [once.edits]) == once.text


@pytest.mark.parametrize(
    "place", ["<body>{}<p>正文</p>", "<p>正文</p></body>{}</html>", "</html>{}"]
)
def test_kit_junk_is_cut_where_it_stands(place):
    cut = cut_kit_junk(place.format(JUNK))

    assert cut.html == place.format("")
    assert [block.rule for block in cut.removed] == ["spam.kit_junk"]


def test_honest_hidden_boxes_are_not_kit_junk():
    html = '<div style="display:none">菜单</div><p>正文</p>'

    assert cut_kit_junk(html).html == html
