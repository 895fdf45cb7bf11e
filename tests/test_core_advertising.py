"""Advertising sentences go from a page that speaks of something else; news about a trade stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.advertising import find_advertising
from hongxing_crawler.core.clean import clean_body, clean_page
from hongxing_crawler.core.edits import replay
from hongxing_crawler.core.spam_tail import cut_after_end

CASES = json.loads((Path(__file__).parent / "cases" / "advertising.json").read_text("utf-8"))
BEFORE = "双溪镇的柑橘熟了。镇里请来技术员，在果园里边剪枝边讲解，三十多名果农围着他提问。"
AFTER = "今年冬天，双溪镇计划开办田间课堂二十四期，由镇里统一点单、农校派课。（记者 江篱）"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_a_paragraph_goes_or_stays(case):
    body = f"{BEFORE}\n\n{case['received']}\n\n{AFTER}"
    cleaned, steps = clean_body(body)

    assert cleaned == (f"{BEFORE}\n\n{AFTER}" if case["expect"] == "gone" else body)
    assert replay(body, [step.edits for step in steps]) == cleaned


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_sentences_go_from_a_paragraph_and_its_own_stay(case):
    body = f"{BEFORE}{case['received']}\n\n{AFTER}"
    cleaned, _ = clean_body(body)

    assert cleaned == (f"{BEFORE}\n\n{AFTER}" if case["expect"] == "gone" else body)


def test_the_names_behind_a_last_sentence_stay():
    advert = next(case["received"] for case in CASES)
    assert clean_body(f"{BEFORE}\n\n{AFTER}{advert}")[0] == f"{BEFORE}\n\n{AFTER}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_a_page_that_speaks_of_the_trade_keeps_it(case):
    advert = case["received"]
    body = f"{advert}\n\n{advert[: len(advert) // 2]}"

    assert clean_body(body)[0] == body


PIECES = [case["received"] for case in CASES] + [BEFORE, AFTER, "\n\n", "（图）", "。", " "]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_cleaning_twice_is_cleaning_once(body):
    once, steps = clean_body(body)

    assert replay(body, [step.edits for step in steps]) == once
    assert clean_body(once)[0] == once
    assert all(start < end for start, end in find_advertising(body))


TAILS = [
    ("<p>百家乐，彩票，老虎机，六合彩网址</p>", ""),
    ("<div>德保县|乐业县|呈贡区|隆安县|双柏县|玛沁县|昂仁县|</div>", ""),
    ("<script>count('贷款')</script>", "<script>count('贷款')</script>"),
    ("<p>编辑：江篱</p>", "<p>编辑：江篱</p>"),
    ("\n<!-- 2026-11-23 -->\n", "\n<!-- 2026-11-23 -->\n"),
    ("", ""),
]


@pytest.mark.parametrize(("tail", "kept"), TAILS)
def test_what_stands_behind_the_end_goes_when_it_advertises(tail, kept):
    page = f"<html><body><h1>柑橘熟了</h1><p>{BEFORE * 3}</p></body></html>"
    html, removed = cut_after_end(page + tail)

    assert html == page + kept
    assert [block.rule for block in removed] == ["spam.kit_junk"] * (tail != kept)


def test_the_end_of_a_document_within_an_attribute_is_no_end():
    frame = "<iframe srcdoc='<html></html>'></iframe>"
    page = f"<html><body><p>正文</p>{frame}<p>贷款 彩票 发票 朋友圈</p>"

    assert cut_after_end(page) == (page, ())


def test_prose_behind_an_early_end_stays():
    page = f"<html><body><h1>柑橘熟了</h1></body></html><p>{BEFORE * 3}贷款的事大家也谈到了。</p>"

    assert BEFORE in clean_page(page.encode(), "http://a.cn/1.html").article.article_body
