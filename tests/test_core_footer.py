"""Closing lines go from the end of a body and from nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.edits import replay
from hongxing_crawler.core.footer import strip_footer

CASES = json.loads((Path(__file__).parent / "cases" / "footer.json").read_text("utf-8"))
FRAGMENTS = [
    "会议召开。",
    "主办单位:某部",
    "技术支持:某公司",
    "1",
    "您是第 位来访者",
    "\n",
    " ",
    "湘ICP备17016663号-1",
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_case(case):
    assert strip_footer(case["received"]).text == case["expected"]


@given(st.lists(st.sampled_from(FRAGMENTS)).map("".join))
def test_edits_replay_and_a_second_pass_is_idle(received):
    once = strip_footer(received)

    assert replay(received, [once.edits]) == once.text
    assert strip_footer(once.text).edits == ()


def test_the_lines_of_a_known_site_are_closing_lines():
    furniture = frozenset(["红星网客服热线0731"])

    assert strip_footer("会议召开。\n\n红星网客服热线: 0731", furniture).text == "会议召开。"
