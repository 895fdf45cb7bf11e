"""Sites of made-up articles on which a block recurs, for the tests of evidence across pages."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

from hongxing_crawler.core.clean import clean_body
from hongxing_crawler.core.document import ArticleContent, CleanedPage, Page, Step
from hongxing_crawler.core.record import Origin, build_article
from hongxing_crawler.items import Capture

BASE = "http://www.hxw.gov.cn"
START = datetime(2026, 11, 23, 8, tzinfo=UTC)
_TOWNS = (
    "双溪 石门桥 白石 云岭 长坪 桃源 金井 沙田 杨柳 青山 荷塘 马迹 板桥 黄泥 枫林 月形 狮子 泉水"
)
_DEEDS = "修好水渠 种下柑橘 办起食堂 接通公路 开出夜校 评选标兵 走访老人 丈量田亩 清扫河道 演出花鼓"
_DOINGS = (
    "天气转凉 秋粮入仓 学生放学 干部进村 村民议事 游客到访 机器下地 医生坐诊 电商开播 新桥通车"
)


def _pick(words, n):
    names = words.split()
    return names[n % len(names)]


def headline(kind, n):
    town, deed, doing = _pick(_TOWNS, n), _pick(_DEEDS, n // 2), _pick(_DOINGS, n * 3 + n // 10)
    if kind == "series":
        return f"周三读书（第{n}期）：{doing}"
    if kind == "notice":
        return f"{town}拟任干部公示"
    return f"{town}{deed}" if n % 2 else f"{doing}，{deed}"


def _name(n, salt):
    """Make a name that no other article has."""
    return "".join(chr(0x5000 + (n * 7919 + salt * 104729 + i * 13007) % 9000) for i in range(3))


def paragraphs(kind, n):
    if kind == "bare":
        return []
    town, doing = _pick(_TOWNS, n + 7), _pick(_DOINGS, n)
    texts = [
        f"{doing}的时候，{town}的{_name(n, 1)}和村民在祠堂前面坐下来，商量今年的事情。",
        f"“大家的事情大家办。”{_name(n, 2)}在本子上记下许多意见，字写得很大。",
        f"会开到天黑，{_name(n, 3)}等人都签了名字，回去的路上有人打着手电。",
        f"镇里的{_name(n, 4)}说，这样的做法值得别的组来看一看。",
        f"到了年底，{_name(n, 5)}会把账目贴在公告栏里，谁都可以看。",
    ]
    if kind == "topic":
        texts[1] += "桌上摆着双溪米粉和石门柑橘，店主端来双溪米粉请大家尝，又夸石门柑橘甜。"
    return texts


def blocks_of(case, n):
    """Return the HTML of an article's paragraphs, the recurring block at its place."""
    texts = paragraphs(case["kinds"], n)
    block = case["block"].replace("{n}", str(n * 37))
    at = {
        "end": len(texts), "start": 0, "middle": 1 + n % max(1, len(texts) - 1),
        "second_last": len(texts) - 1,
    }[case["place"]]  # fmt: skip
    return [*texts[:at], block, *texts[at:]]


def capture(url, at):
    return Capture(
        warc_filename="hongxing-00000.warc.gz", offset=0, length=1, record_id=f"urn:uuid:{0:032}",
        record_type="response", payload_digest="sha256:x", url=url, fetched_at=at, status=200,
        mime="text/html",
    )  # fmt: skip


def row(n, title, html, run_id, at=START):
    url = f"{BASE}/content/2026/11/23/{n}.html"
    text = "\n\n".join(unescape(re.sub("<[^<>]*>", "", piece)) for piece in html)
    body, steps = clean_body(text)
    assert not steps
    content = ArticleContent(
        headline=title, article_body=body, article_body_html="".join(f"<p>{p}</p>" for p in html)
    )
    cleaned = CleanedPage(Page(url, body=text), content, received=text, steps=tuple[Step](steps))
    origin = Origin(url, run_id=run_id)
    return build_article(cleaned, origin=origin, capture=capture(url, at))


def site(case, run_id="run_20261123T080000Z"):
    """Make the rows of a site: ``pages`` with the block, ``others`` without."""
    rows = [
        row(n, headline(case["kinds"], n), blocks_of(case, n), run_id, START + timedelta(hours=n))
        for n in range(case["pages"])
    ]
    rows += [
        row(n, headline("news", n), paragraphs("news", n), run_id, START + timedelta(hours=n))
        for n in range(case["pages"], case["pages"] + case["others"])
    ]
    return rows


def shown(block):
    return unescape(re.sub("<[^<>]*>", "", block))
