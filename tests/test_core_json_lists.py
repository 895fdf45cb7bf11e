"""Lists that come as JSON, in every form that content systems give it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.json_hints import suggest_json_list
from hongxing_crawler.core.json_lists import read_json_list
from hongxing_crawler.core.json_text import MAX_BYTES, parse_json
from hongxing_crawler.core.profile import JsonList

CASES = json.loads((Path(__file__).parent / "cases" / "json_lists.json").read_bytes())
URL = "http://www.a.cn/api/list"
ROWS = JsonList("/api/", items="rows", page=r"p=(?P<n>\d+)", pages="pages", next="next")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_case(case):
    body = case["body"].encode(case.get("charset", "utf-8"))
    rule = JsonList("/", **case["rule"])
    found = read_json_list(body, "application/json", case.get("url", URL), rule)
    items = [[item.url, item.day and item.day.isoformat()] for item in found.items]

    assert (items, found.next_url, found.problem) == (
        case["items"],
        case.get("next", ""),
        case.get("problem", ""),
    )


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["/1.html", "", "{", "[[", "2020-03-20", "99999999999999999999"])
    | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["rows", "url", "next", "n"]), inner)
    ),
)


@given(VALUES, st.sampled_from(["", "cb(", "var x = "]))
def test_whatever_json_says_is_an_answer(value, wrapper):
    received = {"rows": value}
    body = (wrapper + json.dumps(received)).encode()

    assert json.dumps(parse_json(body)) == json.dumps(received)
    read_json_list(body, "", URL + "?p=1", ROWS)


FRAGMENTS = [
    '{"rows":[',
    "{rows:",
    '"',
    "'",
    "\\",
    "/*",
    "//",
    ",",
    "}",
    "]",
    "cb(",
    " ",
    "\n",
    "x:",
    "中",
    "\0",
    "\\x4",
]


@given(st.lists(st.sampled_from(FRAGMENTS)).map("".join))
def test_no_rubbish_is_an_exception(text):
    read_json_list(text.encode(), "", URL, ROWS)


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        '{"a":',
        '{x:"\\"',
        "'a",
        "/*",
        "{,",
        " ",
        " ;",
        "a",
        "a.",
        "9",
        ",a",
        "{a ",
        "[a,",
        '"',
        "typeof ",
    ],
)
def test_hostile_json_takes_no_time(piece):
    body = (piece * (1 << 20))[: 1 << 20].encode()
    started = time.process_time()
    read_json_list(body, "", URL, JsonList("/"))

    assert time.process_time() - started < 5


def test_more_than_a_list_can_be_is_not_read():
    found = read_json_list(b"[" + b" " * MAX_BYTES, "", URL, JsonList("/"))

    assert found.problem == "json_too_large"


TITLE = "全省组织工作会议在长沙召开"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(
            {
                "code": 200,
                "data": {"records": [{"id": 1, "title": TITLE, "time": "2024-01-02"}] * 3},
            },
            'items = "data.records", url = "/…/{id}", title = "title", date = "time"',
            id="a list of numbers and titles",
        ),
        pytest.param(
            [{"name": TITLE, "cover": "/1.jpg", "link": "/c/1.html"}] * 3,
            'url = "link", title = "name"',
            id="a list of addresses, with pictures",
        ),
        pytest.param({"rows": [{"id": 1, "title": TITLE}] * 2}, "", id="too few"),
        pytest.param({"rows": [{"id": 1, "title": "home"}] * 9}, "", id="no titles: a menu"),
        pytest.param({"rows": [{"title": TITLE}] * 9}, "", id="nothing leads to the articles"),
        pytest.param({"a\nb": [{"id": 1, "title": TITLE}] * 9}, "", id="a name that hides"),
        pytest.param({"title": TITLE, "id": 1, "html": "<p>"}, "", id="one article"),
        pytest.param(7, "", id="a counter"),
    ],
)
def test_a_list_that_a_page_filled_is_written_as_a_profile_would(value, expected):
    found = suggest_json_list(json.dumps(value).encode(), "", URL + "?pageNo=1&c=7")

    if not expected:
        assert found == ""
        return
    pattern, page = r"pattern = '^http://www\.a\.cn/api/list'", r"page = '[?&]pageNo=(?P<n>\d+)'"
    assert found == f"{pattern}, {expected}, {page}"


@given(VALUES)
def test_a_hint_never_fails(value):
    suggest_json_list(json.dumps(value).encode(), "", URL)
