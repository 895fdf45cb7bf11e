import re

import pytest
from report_browser import BROWSER, open_page

from hongxing_crawler.core.document import (
    ArticleContent,
    CleanedPage,
    DamagedPlace,
    FoundImage,
    GlossEntry,
    Page,
    Restoration,
    Step,
)
from hongxing_crawler.core.edits import Edit, RemovedBlock
from hongxing_crawler.report.explain import explain_html, explain_text
from hongxing_crawler.report.html import content_security_policy

HOSTILE = (
    '"><script>document.title="owned"</script><img src=x onerror=alert(1)>{{ 7*7 }}\x1b[2J\u202e'
)
RECEIVED = "全省會議召開。\n\n湘西|凉山|兰坪|\n\n與會者\x05，發言。"


def _cleaned(hostile=""):
    wheel = RECEIVED.index("湘西")
    end = RECEIVED.index("與會者")
    noise = RECEIVED.index("\x05")
    spam = Edit(wheel, end, RECEIVED[wheel:end], "", "spam.link_wheel")
    quiet = Edit(noise, noise + 1, "\x05", "", "restore.noise")
    script = Edit(2, 4, "會議", "会议", "restore.script")
    block = RemovedBlock(
        rule="spam.friend_links",
        path="div.friendship-link>ul" + hostile,
        text="感谢您访问我们的网站" + hostile,
        links=("http://spam.example/" + hostile,),
        evidence=("foreign_hosts=41", "separator_run=40" + hostile),
    )
    page = Page(
        url="https://www.hxw.gov.cn/content/2020/03/20/1.html" + hostile,
        template="2012",
        title="會議" + hostile,
        source="《紅星網》",
        images=(FoundImage("https://img.hxw.gov.cn/1.jpg", caption="圖說" + hostile),),
        warnings=("no list pattern matched" + hostile,),
    )
    article = ArticleContent(headline="会议" + hostile, article_body="", source_name="红星网")
    return CleanedPage(
        page=page,
        article=article,
        received=RECEIVED + hostile,
        steps=(Step("spam", (spam, quiet)), Step("restore", (script,))),
        removed=(block,),
        field_edits=(
            ("headline", (Edit(0, 2, "會議", "会议", "restore.script"),)),
            ("source_name", (Edit(0, 3, "紅星網", "红星网", "restore.script"),)),
        ),
        restoration=Restoration(
            "proved",
            (GlossEntry("会", "huì", 3),),
            (DamagedPlace("article_body", 2, 4, "?己" + hostile, "会议", "guessed", ("会意",)),),
        ),
    )


def _text_of(html):
    return re.sub(r"<[^>]*>", "", html)


def test_the_page_shows_what_went_and_why():
    page = explain_html(_cleaned())

    assert re.search(r'<del class="(c\d)" title="spam.link_wheel">湘西\|凉山\|兰坪\|', page)
    assert 'title="restore.script">會議</del><ins' in page
    assert "⟨05⟩" in page
    assert "foreign_hosts=41" in page
    assert "Injected by attackers" in page


def test_received_and_cleaned_texts_can_be_read_off_the_page():
    body = explain_html(_cleaned()).partition('<div class="text">')[2].partition("</div>")[0]

    assert _text_of(re.sub(r"<ins.*?</ins>", "", body)) == RECEIVED.replace("\x05", "⟨05⟩")
    assert _text_of(re.sub(r"<del.*?</del>", "", body, flags=re.DOTALL)) == (
        "全省会议召開。\n\n與會者，發言。"
    )


def test_edits_that_do_not_fit_their_field_are_shown_alone():
    assert re.search(
        r"红星网 ← … <del[^>]*>紅星網</del><ins[^>]*>红星网</ins>", explain_html(_cleaned())
    )


def test_foreign_markup_is_text():
    page = explain_html(_cleaned(HOSTILE))

    assert page.count("<script") == page.count("<img") == 0
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "{{ 7*7 }}" in page


def test_the_policy_names_the_style_it_allows():
    page = explain_html(_cleaned())
    style = page.partition("<style>")[2].partition("</style>")[0]

    assert content_security_policy(style).replace("'", "&#39;") in page


def test_an_unchanged_page_says_so():
    plain = CleanedPage(Page(url="https://a.cn/"), ArticleContent("会议", "召开。"), "召开。")

    assert "Nothing was removed" in explain_html(plain)
    assert "none: nothing was removed" in explain_text(plain)


def test_a_terminal_gets_no_control_characters():
    text = explain_text(_cleaned(HOSTILE))

    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "[-湘西|凉山|兰坪|\n\n-]#2" in text
    assert "全省[-會議-]{+会议+}#1召開" in text
    assert "#2     1 × spam.link_wheel" in text


def test_a_long_removal_is_shortened_on_a_terminal():
    long = "甲" * 5_000
    page = CleanedPage(
        Page(url="https://a.cn/"),
        ArticleContent("会议", ""),
        long,
        (Step("spam", (Edit(0, 5_000, long, "", "spam.x"),)),),
    )

    assert len(explain_text(page)) < 700
    assert "[…4840…]" in explain_text(page)


@pytest.mark.skipif(BROWSER is None, reason="needs Debian's chromium")
def test_a_browser_runs_nothing_and_has_no_complaint(tmp_path):
    path = tmp_path / "explain.html"
    path.write_text(explain_html(_cleaned(HOSTILE)), "utf-8")
    dom, console = open_page(path, tmp_path)

    assert console == []
    assert "<title>会议" in dom
    assert "style=" not in dom
