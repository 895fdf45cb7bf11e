"""What a page says is read, what was put into it goes, what looks alike stays."""

from __future__ import annotations

import pytest
from core_kit import NAMES, TEXTS, WHEEL, read, write_page

from hongxing_crawler.core.clean import clean, join_parts
from hongxing_crawler.core.edits import replay
from hongxing_crawler.core.page import extract
from hongxing_crawler.core.profile import SiteProfile, Template

BODY = "\n\n".join(TEXTS)
HIDE = "position:absolute;left:-9000px;top:-9000px;"
INJECTED = {
    "a visible wheel": f"<div>{WHEEL}</div>",
    "a wheel off the screen": f'<div style="{HIDE}">{WHEEL}</div>',
    "a wheel without display": f'<div style="display:none">{WHEEL}</div>',
    "a wheel of size zero": f'<div style="font-size:0">{WHEEL}</div>',
    "a wheel hidden by a style sheet": "<style>.q8z{display:none!important}</style>"
    f"<div class=q8z>{WHEEL}</div>",
    "a wheel hidden by a script": (
        f"<script>document.write(\"<div style='display:none'>\");</script>{WHEEL}"
        f'<script>document.write("</div>");</script>'
    ),
    "a wheel in a paragraph": f"<p>{WHEEL}</p>",
    "a wheel as text": f"<p>{'| '.join(NAMES)}|</p>",
    "a wheel in a list": "<ul>"
    + "".join(f"<li><a href=/{n}>{n}</a></li>" for n in NAMES)
    + "</ul>",
    "a wheel in a table": "<table><tr>"
    + "".join(f"<td><a href=/{n}>{n}</a></td>" for n in NAMES)
    + "</tr></table>",
    "an introduced wheel": (
        "<div class=friendship-link><p>感谢您访问我们的网站，您可能还对以下资源感兴趣：</p>"
        f"{WHEEL}</div>"
    ),
    "advertising": "<p>注册即送体验金，娱乐平台在线开户，客服二十四小时在线，提款秒到账。</p>",
}


@pytest.mark.parametrize("place", ["before", "between", "after", "end"])
@pytest.mark.parametrize("kind", INJECTED)
def test_injected_text_goes_and_the_article_stays(kind, place):
    assert read(write_page(**{place: INJECTED[kind]})).article.article_body == BODY


@pytest.mark.parametrize("kind", INJECTED)
def test_what_went_from_the_article_is_written_down(kind):
    cleaned = read(write_page(after=INJECTED[kind]))
    traces = [block.text for block in cleaned.removed]
    traces += [edit.removed for step in cleaned.steps for edit in step.edits]

    assert any("提款" in trace or "内江市" in trace for trace in traces)


HONEST = {
    "a paragraph of cities": (
        "<p>长沙市、株洲市、湘潭市、衡阳市、邵阳市、岳阳市要对照清单逐项整改。</p>",
        "长沙市、株洲市、湘潭市",
    ),
    "a table": (
        "<table><tr><td>会泽县</td><td>12480</td></tr><tr><td>宣威市</td><td>30215</td></tr></table>",
        "会泽县\t12480",
    ),
    "attachments": ('<p><a href="/u/1.xls">附件1：培训计划表</a></p>', "附件1：培训计划表"),
    "a signature": (
        "<p>中共永州市委组织部</p><p>二〇二〇年三月二十日</p>",
        "中共永州市委组织部\n\n二〇二〇年三月二十日",
    ),
    "three names between bars": ("<p>人民日报|求是|党建研究</p>", "人民日报|求是|党建研究"),
    "a list of delegates": (
        "<ul><li>王某某</li><li>李某某</li><li>张某某</li></ul>",
        "王某某\n\n李某某\n\n张某某",
    ),
    "a span off the screen": (
        f'<p>会议强<span style="{HIDE}">调</span>要抓落实，要见成效。</p>',
        "会议强调要抓落实",
    ),
    "numbers as headings": (
        "<p>1</p><p>产业发展迈上新台阶，群众收入稳步增长。</p>",
        "1\n\n产业发展",
    ),
    "lines by br": (
        "第一行说了一件事，大家都记住了。<br>第二行又说一件，大家也记住了。",
        "记住了。\n\n第二行",
    ),
    "a centred caption": (
        '<p align=center><img src="/1.jpg"></p><p align=center>图为红山果业基地。</p>',
        "图为红山果业基地。",
    ),
}


@pytest.mark.parametrize("place", ["between", "after"])
@pytest.mark.parametrize("kind", HONEST)
def test_honest_text_stays(kind, place):
    html, wanted = HONEST[kind]

    assert wanted in read(write_page(**{place: html})).article.article_body


def test_facts_are_read():
    article = read(write_page()).article

    assert article.headline == "抓党建促脱贫"
    assert article.source_name == "红星网"
    assert article.date_published == "2020-03-20T16:56:00+08:00"
    assert article.date_precision == "minute"


def test_an_empty_source_is_empty():
    html = write_page().replace("文章来源：红星网 时间", "文章来源:  时间")

    article = read(html).article

    assert (article.source_name, article.date_published[:10]) == ("", "2020-03-20")


def test_a_day_in_a_sentence_is_no_date_of_printing():
    lead = "摘要：全食时间有51分钟，这是继2001年1月10日之后，我国观测条件最好的一次。"
    html = write_page().replace("时间: 2020-03-20 16:56", f"2020-03-20</div><div class=s>{lead}")

    assert read(html).article.date_published == "2020-03-20T00:00:00+08:00"


def test_a_dateline_gives_the_day_when_nothing_else_does():
    html = (
        write_page()
        .replace("时间: 2020-03-20 16:56", "")
        .replace("早春", "【某台2012年1月11日讯】早春")
    )

    assert read(html).article.date_published == "2012-01-11T00:00:00+08:00"


def test_attachments_pictures_and_links_are_listed():
    after = (
        '<p><img src="//img.hxw.gov.cn/1.jpg" alt="001.jpg"></p>'
        '<p><a href="/2020/表.xlsx?x=1">附件：表</a></p><p><a href="file:///etc/passwd">x</a></p>'
    )
    page = read(write_page(after=after)).page

    assert [image.url for image in page.images] == ["http://img.hxw.gov.cn/1.jpg"]
    assert [(f.url, f.name) for f in page.attachments] == [
        ("http://www.hxw.gov.cn/2020/表.xlsx?x=1", "附件：表")
    ]
    assert "http://www.hxw.gov.cn/channel/3.html" in page.links
    assert not any(link.startswith("file") for link in page.links)


def test_html_of_the_body_holds_nothing_but_what_is_allowed():
    after = (
        '<p onclick="x()"><a href="javascript:x()" style="a">甲</a><b>乙</b>'
        "&lt;script&gt;，丙。</p>"
    )

    html = read(write_page(after=after)).article.article_body_html

    assert html.endswith("<p>甲<strong>乙</strong>&lt;script&gt;，丙。</p>")


PROFILE = SiteProfile(
    name="test",
    hosts=("www.hxw.gov.cn",),
    templates=(Template(name="t", title=("h1",), body=("div.content",), caption=("p.cap",)),),
)


def test_a_known_site_keeps_captions_beside_the_body():
    between = '<p><img src="/1.jpg"></p><p class="cap">图为红山果业基地。</p>'

    cleaned = read(write_page(between=between), profile=PROFILE)

    assert cleaned.page.template == "t"
    assert cleaned.article.article_body == BODY
    assert cleaned.article.images[0].caption == "图为红山果业基地。"


def test_a_template_that_does_not_fit_is_not_believed():
    page = read(write_page(body_class="other"), profile=PROFILE).page

    assert (page.template, "no_template" in page.warnings) == ("generic", True)
    assert page.body == BODY


def test_a_cloaked_title_is_uncovered():
    script = (
        '<script>if(navigator.userAgent.indexOf("baidu") == -1)'
        '{document.title = "抓党建促脱贫_红星网"}</script>'
    )
    html = write_page().replace("<title>抓党建促脱贫_红星网", script + "<title>真人百家乐官网")

    cleaned = read(html)

    assert cleaned.article.headline == "抓党建促脱贫"
    assert "cloaked_title" in cleaned.warnings
    assert any(block.rule == "spam.cloaked_title" for block in cleaned.removed)


def test_the_pager_of_an_article_is_followed_and_not_printed():
    after = (
        '<div class="page"><span>1</span> <a href="7000320_2.html">2</a> '
        '<a href="7000320_2.html">下一页</a></div>'
    )

    cleaned = read(write_page(after=after))

    assert cleaned.page.next_parts == ("http://www.hxw.gov.cn/content/2020/03/20/7000320_2.html",)
    assert cleaned.article.article_body == BODY


def test_parts_are_joined_in_order():
    first, second = (
        extract(
            write_page(after=f'<img src="/{n}.jpg"><p>第{n}页说完了，请看下一页。</p>').encode(),
            "http://a.cn/1.html",
        )
        for n in (1, 2)
    )

    joined = join_parts([first, second])
    cleaned = clean(joined)

    assert cleaned.article.article_body.count("请看下一页") == 2
    assert [image.position for image in joined.images] == [3, 8]
    assert cleaned.article.page_count == 2
    assert (
        replay(cleaned.received, [step.edits for step in cleaned.steps])
        == cleaned.article.article_body
    )


def test_no_part_is_an_error():
    with pytest.raises(ValueError, match="no part"):
        join_parts([])


def test_a_hidden_article_is_an_article():
    assert (
        read(write_page().replace('class="content"', 'style="display:none"')).article.article_body
        == BODY
    )
