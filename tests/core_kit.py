"""Pages for the tests of the core, written here; and promises that hold for every page."""

from __future__ import annotations

from hongxing_crawler.core.clean import clean_body, clean_page
from hongxing_crawler.core.edits import replay

URL = "http://www.hxw.gov.cn/content/2020/03/20/7000320.html"
TEXTS = (
    "早春三月，全县产业基地生机勃勃，扶贫车间陆续复工，高新区内企业生产繁忙。",
    "县委书记带头联系一个乡镇、两个村，带领全县各级领导干部解决重点难点问题1100余个。",
    "幸福生活是奋斗出来的，广大党员干部一线攻坚，奋战在脱贫主战场上。",
    "按照“支部建在产业上”的思路，探索产业扶贫模式，为贫困户脱贫提供支撑。",
)
NAMES = (
    "巴彦淖尔市 巴南区 会泽县 平湖市 凉山 吉木萨尔县 兰坪 尚志市 中超 桓仁 南宁市 内江市".split()  # noqa: SIM905 - one line
)
WHEEL = "| ".join(f'<a href="http://w{n}.example/">{name}</a>' for n, name in enumerate(NAMES))


def write_page(*, before="", between="", after="", end="", body_class="content"):
    """Write an article page with menu and footer, and room for what a test puts in."""
    paragraphs = [f"<p>{text}</p>" for text in TEXTS]
    paragraphs.insert(2, between)
    menu = "".join(f'<li><a href="/channel/{n}.html">栏目{n}</a></li>' for n in range(8))
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8">'
        f"<title>抓党建促脱贫_红星网</title></head>"
        f'<body>{before}<ul class="nav">{menu}</ul><h1>抓党建促脱贫</h1>'
        f"<div class=info>文章来源：红星网 时间: 2020-03-20 16:56</div>"
        f'<div class="{body_class}">{"".join(paragraphs)}{after}</div>'
        f"<div class=footer><p>主办单位:中共湖南省委组织部</p><p>技术支持:某公司</p></div>{end}"
        f"</body></html>"
    )


def read(html, url=URL, profile=None):
    """Clean a page and check what must hold for every page."""
    cleaned = clean_page(html if isinstance(html, bytes) else html.encode(), url, profile)
    check_promises(cleaned)
    return cleaned


def check_promises(cleaned):
    """Replay leads to the body, and a second cleaning finds nothing to do."""
    body = cleaned.article.article_body
    assert replay(cleaned.received, [step.edits for step in cleaned.steps]) == body
    assert clean_body(body)[1] == []
    assert all(block.rule and block.path for block in cleaned.removed)
