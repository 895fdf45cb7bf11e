"""Films that an article shows."""

import json
from pathlib import Path

import pytest

from hongxing_crawler.core.page import extract

CASES = json.loads((Path(__file__).parent / "cases" / "videos.json").read_bytes())
PROSE = "".join(f"<p>会议第{n}项议程今天在长沙举行，省委书记出席会议并讲话。</p>" for n in range(4))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_case(case):
    above, below = ("", case["html"]) if case.get("below") else (case["html"], "")
    footer = "<div><p>版权所有：某网</p><p>主办单位：某部</p></div>"
    html = f"<h1>会议今天在长沙召开</h1><div>{above}{PROSE}</div>{footer}{below}"

    assert list(extract(html.encode(), "http://www.a.cn/1.html").videos) == case["expected"]


def test_a_script_of_nothing_but_quotes_takes_no_time():
    script = "<script>'.mp4" + "'a" * 50_000 + "</script>"

    assert extract(f"<h1>会议召开</h1>{script}".encode(), "http://www.a.cn/1.html").videos == ()
