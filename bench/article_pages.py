"""Made-up article and list pages in the shapes of the hongxing profile, the same every time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LINKS_PER_LIST = 200
_PAGE_BYTES = 40_000
_CHANNELS = [
    "要闻",
    "时政",
    "党建",
    "干部",
    "人才",
    "公务员",
    "基层",
    "党员教育",
    "理论",
    "典型",
    "公示",
    "政策",
    "视频",
    "专题",
    "专栏",
]
_SUBJECTS = [
    "全省组织工作会议",
    "村党支部",
    "县委组织部",
    "青年干部培训班",
    "社区党员",
    "驻村工作队",
]
_VERBS = [
    "召开座谈会",
    "学习有关文件",
    "部署下一步工作",
    "走访困难群众",
    "推广经验",
    "开展主题活动",
]
_PLACES = [
    "在长沙市",
    "在怀化市靖州县",
    "在湘潭市岳塘区",
    "在桑植县",
    "在岳阳市",
    "在郴州市汝城县",
]
_OBJECTS = [
    "并听取意见",
    "完善工作制度",
    "明确责任分工",
    "提出具体要求",
    "制定年度计划",
    "通报考核结果",
]
_SCRIPT = (
    "var _t=_t||[];_t.push(['track','%d',function(){return document.getElementById('n%d')}]);\n"
)

# How the templates a, 2017 and b of the profile mark title, time, source and body.
_SHAPES = (
    """<h1 class="detail_title">{title}</h1>
<div class="detail_info"><span class="p_l_10">来源：{source}</span>
<span class="p_l_10">作者：王小明</span><span class="p_l_25">{date} 16:56</span></div>
<section class="detail_article_content">{body}</section>""",
    """<h1 class="p_t_30">{title}</h1>
<p>来源：{source} <span class="author">作者：王小明</span>
<span class="pubdate">{date} 16:56</span></p>
<div id="articlecontent">{body}</div>""",
    """<main><section class="box_left"><h1>{title}</h1>
<div><span>来源：{source} {date} 16:56</span></div>
<article><section>{body}</section></article></section></main>""",
)


def article_path(number: int) -> str:
    """The address of an article: ids do not follow dates."""
    return f"/content/2026/{number % 12 + 1:02d}/{number % 28 + 1:02d}/{100_000 + number}.html"


def _day(number: int) -> str:
    return f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}"


def list_path(number: int) -> str:
    return f"/channel/{number + 1}.html"


def _sentence(chance: random.Random) -> str:
    parts = (chance.choice(words) for words in (_SUBJECTS, _PLACES, _VERBS, _OBJECTS))
    return "，".join(parts) + f"，涉及{chance.randint(2, 980)}人。"


def _paragraphs(chance: random.Random, count: int) -> str:
    return "".join(
        f'<p style="text-indent: 2em;">　　{"".join(_sentence(chance) for _ in range(4))}</p>\n'
        for _ in range(count)
    )


def _items(chance: random.Random, numbers: Iterable[int]) -> str:
    return "\n".join(
        f'<li><a class="f_left" href="{article_path(n)}" target="_blank">'
        f'{_sentence(chance)[:24]}</a><span class="f_right time">{_day(n)}</span></li>'
        for n in numbers
    )


def _frame(title: str, main: str, side: str, channel_count: int) -> str:
    channels = "".join(
        f'<a href="{list_path(i % channel_count)}">{name}</a> ' for i, name in enumerate(_CHANNELS)
    )
    return f"""<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}_红星网</title>
<meta name="keywords" content="党建,组织工作"><meta name="description" content="{title}">
<link rel="stylesheet" href="/css/main.css"><style>.f_left{{float:left}} .time{{color:#999}}</style>
</head><body><div class="header"><div class="nav">{channels}</div></div>
<div class="crumbs">当前位置：<a href="/">首页</a> &gt; <a href="{list_path(0)}">要闻</a></div>
<div class="wrap">{main}<div class="side"><h3>推荐阅读</h3><ul>{side}</ul></div></div>
<div class="footer"><p>主办单位:中共湖南省委组织部</p><p>技术支持:湖南红网新媒体集团</p>
<p>ICP备案号:<span id="icpNum"></span></p><p>您是第 <span id="numpv"></span> 位来访者</p></div>
"""


def article_page(number: int, page_count: int) -> bytes:
    """One article of 40 KB: some 25 paragraphs, a frame, 100 links, the rest inline script."""
    chance = random.Random(number)
    title = f"{chance.choice(_SUBJECTS)}{chance.choice(_VERBS)}（第{number}期）"
    main = _SHAPES[number % len(_SHAPES)].format(
        title=title,
        source=f"{chance.choice(_PLACES)[1:]}委组织部",
        date=_day(number),
        body=_paragraphs(chance, 20 + number % 11),
    )
    lists = -(-page_count // LINKS_PER_LIST)
    side = _items(chance, (chance.randrange(page_count) for _ in range(82)))
    return _fill(_frame(title, main, side, lists).encode(), number)


def list_page(number: int, page_count: int) -> bytes:
    """One list: links to 200 articles; all lists together name every article once."""
    start = number * LINKS_PER_LIST
    chance = random.Random(-1 - number)
    items = _items(chance, range(start, min(start + LINKS_PER_LIST, page_count)))
    main = f'<div id="div_newsList"><ul class="news_list">{items}</ul></div>'
    return (_frame("要闻", main, "", -(-page_count // LINKS_PER_LIST)) + "</body></html>").encode()


def home_page(page_count: int) -> bytes:
    """The start page: links to the lists alone."""
    return _frame("红星网首页", "<h1>红星网</h1>", "", -(-page_count // LINKS_PER_LIST)).encode()


def _fill(page: bytes, number: int) -> bytes:
    tail = b"</script></body></html>"
    head = b'<script type="text/javascript">\n'
    missing = _PAGE_BYTES - len(page) - len(head) - len(tail)
    line = (_SCRIPT % (number, number)).encode()
    filler = line * max(0, missing // len(line))
    return page + head + filler + b" " * max(0, missing - len(filler)) + tail
