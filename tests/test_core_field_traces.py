"""What cleaning takes out of a field other than the body leaves a trace as well, and replays."""

import json
from itertools import groupby
from pathlib import Path

import pytest

from hongxing_crawler.core.clean import clean_page
from hongxing_crawler.core.edits import replay
from hongxing_crawler.report.explain import explain_html

CASES = json.loads(
    Path(__file__).with_name("cases").joinpath("field_traces.json").read_text("utf-8")
)
BODY = "采茶季到了，云岭县枫林镇的党员大多上了山，镇党委索性把支部会开到采茶路上，边采茶边学习。"
URL = "https://www.hxw.gov.cn/content/2024/03/12/1.html"


def _clean(case):
    author = f" 作者：{case['author']}" if case["author"] else ""
    html = (
        f"<title>{case['headline']}_红星网</title><h1>{case['headline']}</h1>"
        f"<div class=info>来源：{case['origin']}{author} 时间：2024-03-12 11:20</div>"
        f"<div class=content><p>{BODY}</p><p>{BODY[::-1]}</p></div>"
    )
    return clean_page(f"<meta charset=utf-8>{html}".encode(), URL)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_case(case):
    steps = {
        name: [edits for _, edits in group]
        for name, group in groupby(_clean(case).field_edits, key=lambda pair: pair[0])
        if not name.startswith("date")
    }

    assert set(steps) == set(case["fields"])
    for name, (received, exported) in case["fields"].items():
        assert replay(received, steps[name]) == exported


def test_the_explanation_shows_what_a_field_lost():
    assert "spaces.invisible" in explain_html(_clean(CASES[0]))
