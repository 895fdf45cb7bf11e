"""When to ask again: what Retry-After says, and when we give up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from scrapy.http import Response

from hongxing_crawler.middlewares.backoff import retry_after_s

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("Mon, 23 Nov 2026 12:01:00 GMT", 60.0, id="a date to come"),
        pytest.param("Mon, 23 Nov 2026 11:00:00 GMT", 0.0, id="a date gone by"),
        pytest.param("", None, id="negative: nothing said"),
        pytest.param("soon", None, id="negative: not a date"),
        pytest.param("-5", None, id="negative: a negative number"),
        pytest.param("9" * 400, None, id="negative: a number that no float holds"),
        pytest.param("٣", None, id="negative: digits of another script"),
    ],
)
def test_retry_after_is_read_as_the_standard_says(value, expected):
    response = Response("http://a.cn/", status=429, headers={"Retry-After": value})

    assert retry_after_s(response, NOW) == expected
