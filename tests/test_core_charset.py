"""Bytes decide on the charset, whatever a page says about itself."""

from __future__ import annotations

import codecs

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
        (SIMPLIFIED, "utf-16-le", "", ""),
        (TRADITIONAL, "utf-16-be", "text/html; charset=big5", ""),
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


@pytest.mark.parametrize("bom", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_mark_decides(bom):
    charset = {3: "utf-8"}.get(len(bom)) or ("utf-16-le" if bom[0] == 0xFF else "utf-16-be")
    decoded = decode(bom + SIMPLIFIED.encode(charset), "text/html; charset=gbk")

    assert (decoded.text, decoded.charset, decoded.source) == (SIMPLIFIED, charset, "bom")


@pytest.mark.parametrize(("main", "include"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
@pytest.mark.parametrize("at_start", [True, False])
def test_an_include_in_another_charset_leaves_the_page_whole(main, include, at_start):
    page = f"<p>{SIMPLIFIED}</p>\n" * 4
    foot = "<div>版权所有：某某网 技术支持：某公司</div>\n".encode(include)
    html = foot + page.encode(main) if at_start else page.encode(main) + foot

    assert page in decode(html).text


def test_an_include_in_gb18030_is_read_as_well():
    html = f"<p>{SIMPLIFIED * 3}</p>".encode() + "<b>技术支持：某公司</b>".encode("gb18030")

    assert decode(html).text == f"<p>{SIMPLIFIED * 3}</p><b>技术支持：某公司</b>"


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "big5hkscs"])
def test_a_page_that_breaks_off_inside_a_character_keeps_its_charset(charset, cut):
    text = (TRADITIONAL if charset == "big5hkscs" else SIMPLIFIED) * 3
    decoded = decode(text.encode(charset)[:-cut])

    assert decoded.charset == charset
    assert decoded.text.startswith(text[:-4])


@pytest.mark.parametrize("declared", ["base64", "idna", "rot13", "undefined", "x" * 5000, "utf-7"])
def test_strange_names_are_no_charsets(declared):
    assert decode(SIMPLIFIED.encode("gb18030"), declared).text == SIMPLIFIED


@given(st.binary(max_size=300), st.sampled_from(["", "gbk", "utf-16", "big5", "hz", "text/html"]))
def test_any_bytes_give_text(html, declared):
    decode(html, declared).text.encode("utf-8")
