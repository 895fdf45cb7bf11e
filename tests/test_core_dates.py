"""Dates are read as printed, and no date beats a wrong one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.dates import parse_date

CASES = json.loads((Path(__file__).parent / "cases" / "dates.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_case(case):
    found = parse_date(case["received"])

    assert (found.value, found.precision) == (case["value"], case["precision"])


# Naive moments: a page prints the time of its own clock.
FIRST, LAST = datetime(1950, 1, 1), datetime(2049, 12, 31)  # noqa: DTZ001


@given(st.datetimes(FIRST, LAST))
def test_what_we_write_we_read(when):
    assert parse_date(f"{when:%Y-%m-%d %H:%M:%S}").value == f"{when:%Y-%m-%dT%H:%M:%S}+08:00"


@given(st.text())
def test_any_text_gives_an_answer(text):
    assert parse_date(text).precision in {"second", "minute", "day", "none"}
