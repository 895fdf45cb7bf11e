"""Bytes decide on the charset, whatever a page says about itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.charset import decode

SIMPLIFIED = (
    "会议今天在长沙召开，省委书记出席会议并讲话。全县干部群众艰苦奋斗，产业发展迈上新台阶。"
)
TRADITIONAL = "會議今天在臺北召開，市長出席會議並發表談話。民眾可上網查詢門診時間，以免撲空。"


@pytest.mark.parametrize(
    ("text", "charset", "header", "meta"),
    [
        (SIMPLIFIED, "gb18030", "", ""),
        (SIMPLIFIED, "gb18030", "text/html; charset=utf-8", "utf-8"),
        (SIMPLIFIED, "gb18030", "", "gb2312"),
        (SIMPLIFIED, "utf-8", "", "gb2312"),
        (SIMPLIFIED, "utf-8", "text/html; charset=gbk", ""),
        (TRADITIONAL, "big5hkscs", "", ""),
        (TRADITIONAL, "big5hkscs", "", "big5"),
        (TRADITIONAL, "utf-8", "text/html; charset=big5", ""),
        ("plain ascii", "utf-8", "", ""),
    ],
)
def test_the_text_comes_back(text, charset, header, meta):
    html = f'<meta charset="{meta}"><p>{text}</p>' if meta else f"<p>{text}</p>"

    decoded = decode(html.encode(charset), header)

    assert (decoded.text, decoded.charset) == (html, charset)


def test_the_blank_of_old_editors_is_the_wide_space_that_browsers_show():
    html = b"\xa3\xa0\xa3\xa0" + SIMPLIFIED.encode("gb18030")

    assert decode(html).text == "\u3000\u3000" + SIMPLIFIED


def test_a_torn_last_character_does_not_change_the_charset():
    assert decode(SIMPLIFIED.encode()[:-1]).charset == "utf-8"


@pytest.mark.parametrize("declared", ["base64", "idna", "rot13", "undefined", "x" * 5000, "utf-7"])
def test_strange_names_are_no_charsets(declared):
    assert decode(SIMPLIFIED.encode("gb18030"), declared).text == SIMPLIFIED


@given(st.binary(max_size=300), st.sampled_from(["", "gbk", "utf-16", "big5", "hz", "text/html"]))
def test_any_bytes_give_text(html, declared):
    decode(html, declared).text.encode("utf-8")
