"""The table was made by running the ``surt`` package 0.3.1 over the addresses on the left."""

import json
import time
from pathlib import Path

import pytest

from hongxing_crawler.core.surt import surt

CASES = json.loads(Path(__file__).with_name("cases").joinpath("surt.json").read_text())


def _params():
    for case in CASES:
        marks = (
            [pytest.mark.xfail(strict=True, reason="an address without a usable host")]
            if case["expect"] == "fail"
            else []
        )
        yield pytest.param(case, id=case["received"], marks=marks)


@pytest.mark.parametrize("case", list(_params()))
def test_case(case):
    assert surt(case["received"]) == case["expected"]


@pytest.mark.parametrize(
    "url",
    [
        "http://a.cn/" + "a/" * 50_000 + "?" + "sid=&" * 20_000,
        "http://a.cn/(" + "a(" * 50_000,
        "http://a.cn/?" + "cfid=1&cftoken=" * 5_000,
        "http://a.cn/%" + "25" * 50_000,
        "http://" + "www." * 20_000 + "cn/",
    ],
    ids=["path", "brackets", "session", "escapes", "host"],
)
def test_a_hostile_address_takes_no_time(url):
    started = time.process_time()
    surt(url)

    assert time.process_time() - started < 1
