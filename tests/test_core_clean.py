"""The promises of the core: the seed exactly, bounded answers, edits that replay."""

from __future__ import annotations

import json
import time
from html import escape
from pathlib import Path

import pytest
from core_kit import NAMES, TEXTS, WHEEL, check_promises, read, write_page
from hypothesis import given, settings
from hypothesis import strategies as st

from hongxing_crawler.core.clean import clean_page
from hongxing_crawler.core.edits import replay
from hongxing_crawler.core.page import MAX_BYTES
from hongxing_crawler.sites.profile import load_profile

SEED = Path(__file__).parent.parent / "data" / "demo_site" / "seed"
SENTENCE = TEXTS[0]
URL = "http://www.hxw.gov.cn/content/2020/03/20/1.html"


def write_seed():
    """Write the captured text as a page of a template of its own."""
    blocks = (SEED / "captured.txt").read_text("utf-8").strip().split("\n\n")
    title, facts, *rest = blocks
    wheel, frame, body = rest[-1], rest[-4:-1], rest[:-4]
    parts = [
        f'<p><img src="/{text}" alt="{text}"></p>'
        if text.endswith(".jpg")
        else f"<p>{escape(text)}</p>"
        for text in body
    ]
    lines = "".join(f"<p>{line}</p>" for block in frame for line in block.split("\n"))
    return (
        f"<title>{title}</title><h1 class=detail_title>{title}</h1><div><span>{facts}</span></div>"
        f'<section class="detail_article_content">{"".join(parts)}</section>'
        f"<div>{lines}</div><div>{wheel}</div>"
    )


def test_the_seed_page_is_read_exactly():
    gold = json.loads((SEED / "gold.json").read_text("utf-8"))

    article = read(write_seed(), URL, load_profile("hongxing")).article

    assert article.headline == gold["title"]
    assert article.date_published == gold["published_at"]
    assert article.source_name == ""
    assert article.article_body.split("\n\n") == gold["body"]
    assert [(i.alt, i.caption) for i in article.images] == [
        (i["alt"], i["caption"]) for i in gold["images"]
    ]


def test_what_went_from_the_seed_page_is_named():
    gold = json.loads((SEED / "gold.json").read_text("utf-8"))

    cleaned = read(write_seed(), URL, load_profile("hongxing"))
    text = "\n".join(block.text for block in cleaned.removed)

    assert [
        name for name in gold["spam_removed"] + gold["footer_removed"] if name not in text
    ] == []
    assert cleaned.restoration.verdict == "proved"


HOSTILE = {
    "nothing": b"",
    "no markup": b"plain",
    "NUL bytes": b"\0" * 1_000_000,
    "noise": bytes(range(256)) * 20_000,
    "50 MB": b"<p>x</p>" * 6_300_000,
    "deep boxes": ("<div>" * 100_000 + SENTENCE).encode(),
    "deep tables": ("<table><tr><td>" * 30_000 + SENTENCE).encode(),
    "deep bold": ("<b>" * 100_000 + SENTENCE).encode(),
    "a million bars": b"<p>" + b"|" * 1_000_000,
    "names and bars": ("<p>" + "长沙|" * 200_000).encode(),
    "spaces": b"<p>" + b" " * 1_000_000 + b"x",
    "wide spaces": ("<p>" + "\u3000" * 500_000 + "x").encode(),
    "control characters": ("<p>" + "".join(map(chr, range(32))) * 20_000).encode(),
    "lone surrogates": b"<p>\xed\xa0\x80" * 50_000,
    "entities": b"&" * 1_000_000,
    "attributes": ("<p " + " ".join(f"a{n}=1" for n in range(30_000)) + ">x").encode(),
    "style": b"<style>" + b".a{" * 200_000 + b"</style>",
    "dates": b"<h1>t</h1><p>" + b"2020-" * 60_000,
    "labels": ("<p>作者：" + "作者 " * 60_000).encode(),
    "kit boxes": b'<div class="pl_css_ganrao">' * 50_000,
    "glosses": ("<p>" + "長(zhǎng)" * 60_000).encode(),
    "lost characters": ("<p>" + "惡?jiǎn)栴}" * 50_000).encode(),
    "links": b'<p><a href="/x">ab</a>|' * 40_000,
    "line breaks": b"x<br>" * 100_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_bytes_get_an_answer_in_time(kind):
    started = time.process_time()

    cleaned = clean_page(HOSTILE[kind], URL)

    assert time.process_time() - started < 2.0
    assert ("truncated" in cleaned.warnings) or len(HOSTILE[kind]) <= MAX_BYTES


FRAGMENTS = [
    f"<p>{TEXTS[0]}</p>",
    f"<p>{TEXTS[1]}",
    "<div>",
    "</div>",
    "<table><tr><td>",
    "</td></tr></table>",
    WHEEL,
    "<h1>抓党建促脱贫</h1>",
    "来源：红星网 2020-03-20 16:56",
    "<br>",
    '<a href="/1.html">下一页</a>',
    "1",
    "|".join(NAMES) + "|",
    '<div style="display:none">',
    "<script>",
    "</script>",
    "\x05\x07，",
    "長(zhǎng)",
    "主办单位:某部",
    '<img src="/a.jpg">',
    "<p>图为基地。</p>",
    "<ul><li>",
    "相关阅读：",
    "[责任编辑：某某]",
    "&#xD800;",
    "</body></html>",
    "<!--正文开始-->",
    "\u3000",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
def test_any_page_keeps_the_promises(html):
    check_promises(clean_page(html.encode("utf-8", "replace"), URL))


@settings(deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_keep_the_promises(html):
    check_promises(clean_page(html, URL))


def test_the_same_page_reads_the_same_twice():
    assert clean_page(write_page().encode(), URL) == clean_page(write_page().encode(), URL)


class TestMisreadPages:
    """Fields that an editor stored in a wrong charset, on a page that is right otherwise."""

    TRUE = "会议在长沙召开，全体党员干部参加了会议，认真学习了有关文件。"
    HTML = """<html><head><title>{title}</title></head><body><h1>{title}</h1>
        <p>来源：{source}　2020-03-20 16:56</p><div class="content"><p>{body}</p>
        <p><img src="/a.jpg" alt="{caption}"></p><p>{body}</p>
        <p><a href="/files/a.doc">{name}</a></p></div></body></html>"""

    def fields(self, cleaned):
        article = cleaned.article
        names = [file.name for file in article.attachments]
        return article.headline, article.article_body, names, article.images[0].alt

    def page(self, change):
        texts = {
            "title": "全省会议今天召开",
            "source": "红星网",
            "body": self.TRUE,
            "caption": "会场照片",
            "name": "会议文件.doc",
        }
        html = self.HTML.format(**{key: change(text) for key, text in texts.items()})
        return clean_page(html.encode(), "http://a.cn/2020/1.html")

    @pytest.mark.parametrize(("right", "wrong"), [("utf-8", "latin-1"), ("gbk", "latin-1")])
    def test_every_field_is_read_again(self, right, wrong):
        cleaned = self.page(lambda text: text.encode(right).decode(wrong))

        assert self.fields(cleaned) == self.fields(self.page(str))
        assert cleaned.restoration.verdict == "proved"
        steps = [step.edits for step in cleaned.steps]

        assert replay(cleaned.received, steps) == cleaned.article.article_body

    def test_lost_bytes_are_flagged_where_they_were(self):
        cleaned = self.page(lambda text: text.replace("党员", "\ufffd\ufffd"))
        place = cleaned.restoration.places[0]

        assert cleaned.restoration.verdict == "lossy"
        assert cleaned.received[place.start : place.end] == "\ufffd\ufffd"
