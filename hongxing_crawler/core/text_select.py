"""Which lines of the article box are the article, and why the others are not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.core.titles import squeeze

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Line, Outline
    from hongxing_crawler.core.boxes import Survey
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.titles import Headline

DATE_RE = re.compile(r"(?:19|20)\d\d[ ]?[-/.年－][ ]?\d{1,2}[ ]?[-/.月－][ ]?\d{1,2}|\d{1,2}:\d\d")
_META_WORD_RE = re.compile(
    r"来源|來源|稿源|作者|编辑|編輯|字号|字號|字体|字體|记者|記者|发布|發布|浏览|瀏覽|点击|阅读|閱讀|评论|評論|分享|打印|责编|收藏|纠错|人气|出处"
)
_FURNITURE_RE = re.compile(
    r"""^[\s\[【(（<《>|·»]*(?:
      (?:分享|轉寄|转发|收藏|打印|列印|推荐|推薦|关闭|關閉|复制|复制链接|收听|朗读)(?:到|至|给|本页|本頁|此页|窗口|视窗|视窗|好友|正文|本文|全文|文章|链接|按钮)?.{0,12}
    | 字[号號体體级級]?[:：\s]*(?:[大中小特超加减T+\-|\s\[\]【】()（）])*
    | (?:[大中小]\s){1,2}[大中小]
    | [我发發]?[要来]?(?:评论|評論|留言|参与|回应|回應|发表|發表|报错|纠错|投稿|顶|踩)(?:\s?[(（]?\d*[)）]?条?)?
    | (?:上一[篇页頁则條条]|下一[篇页頁则條条]|前一[篇页]|后一[篇页])[:：]?.{0,60}
    | (?:返回|回到|回)(?:首页|首頁|顶部|页首|目录|列表|上页|上一页|频道).{0,12}
    | 更多(?:精彩|内容|新闻|详细)?.{0,12}(?:>>|»|请进入.*)?
    | 点击.{0,10}(?:查看|下载|进入|放大|浏览).{0,16}
    | \d{1,5}\s?(?:人|条|次)(?:参与|评论|阅读|浏览).{0,20}
    | 扫一扫.{0,20} | 二维码 | 微信扫.{0,20} | 手机看新闻.{0,20} | 标签[:：].{0,80} | 关键[词字][:：].{0,80} | 關鍵字[:：].{0,80}
    | T\s?\|\s?T | A\s?A | Tweet | 转播到腾讯微博 | 用户名.{0,20} | 正文 | 导读[:：]? | 广告 | 廣告 | 回顶部 | \d{1,3}
    )[\]】)）>\s|]*$""",
    re.VERBOSE,
)
_TAIL_RE = re.compile(
    r"""^[\s\[【(（<>|·»◆■●▲]*(?:
      (?:相关|相關|延伸|推荐|推薦|更多|热门|熱門|往期|最新|猜你|编辑推荐|其他|其它)(?:的)?(?:新闻|新聞|阅读|閱讀|链接|鏈接|连结|文章|报道|報導|专题|主题|内容|评论|热词搜索|搜索|推荐|喜欢|信息|资讯|博文|視頻|视频|图片|话题|产品|资料)
    | (?:网友|網友|最新|全部|精彩|热门)(?:评论|評論|留言|回应)
    | (?:发表|發表|我要|查看|全部|所有)?(?:评论|評論|留言|跟[贴帖])(?:\s?\(\d+\))?[\s:：]*$
    | 看了(?:本文|又看) | 免责声明 | 版权(?:声明|所有) | 版權(?:聲明|所有) | 特别声明 | 声明[:：] | 相关专题 | 大家都在看 | 您可能(?:还)?(?:感兴趣|喜欢)
    | 用户名 | 匿名 | 验证码 | 请(?:您)?(?:登录|登入)后 | 登录后发表
    )""",
    re.VERBOSE,
)
_EDITOR_RE = re.compile(
    r"^[（(\[【\s]*(?:责任编辑|責任編輯|责编|責編|编辑|編輯|本文来源|原标题|原題|审核|校对|监制|来源|稿源|信息来源|文章来源)\s?[:：].{0,80}$"
)
_SENTENCE_END_RE = re.compile(r"[。！？…；]|[.!?](?:\s|$)")
_ATTACHMENT_RE = re.compile(
    r"附件|附表|下载|\.(?:docx?|xlsx?|pdf|zip|rar|wps|pptx?|et|txt|csv|7z)(?:\W|$)", re.IGNORECASE
)
_MAX_HEAD_LINES = 15


@dataclass(frozen=True, slots=True)
class Choice:
    """Line numbers that make the body, and for each other line of the box its rule."""

    kept: list[int]
    dropped: list[tuple[int, str]]


def choose_lines(
    outline: Outline, box: Block, look: Survey, headline: Headline, profile: SiteProfile
) -> Choice:
    """Sort the lines of the article box into body and furniture."""
    lines = outline.lines
    rules: dict[int, str] = {}
    first, last = box.first, box.last
    start = first
    if first <= headline.line < last and not _is_prose_before(look, first, headline.line):
        start = headline.line + 1
        rules.update((number, "page.before_headline") for number in range(first, start))
    _mark_head(lines, start, last, headline, rules)
    for number in range(start, last):
        why = look.aside[number]
        if number not in rules and why:
            rules[number] = f"page.{why}"
    _mark_link_blocks(outline, start, last, rules)
    for number in range(start, last):
        if number not in rules and _is_furniture(lines[number]):
            rules[number] = "page.furniture"
    _mark_tail(lines, start, last, look, rules)
    kept = [number for number in range(first, last) if number not in rules]
    return Choice(kept, sorted(rules.items()))


def _is_prose_before(look: Survey, first: int, headline: int) -> bool:
    total = look.weights[-1]
    return total > 0 and (look.weights[headline] - look.weights[first]) > 0.3 * total


def _mark_head(
    lines: list[Line], start: int, last: int, headline: Headline, rules: dict[int, str]
) -> None:
    """Mark the lines of date, source and tools that stand before the first sentence."""
    wanted = squeeze(headline.text)
    for number in range(start, min(start + _MAX_HEAD_LINES, last)):
        line = lines[number]
        text = line.text
        if wanted and squeeze(text) == wanted:
            rules[number] = "page.headline"
        elif (
            len(text) <= 120
            and "。" not in text
            and (DATE_RE.search(text) or _META_WORD_RE.search(text))
            and not (line.weight > 25)
        ):
            rules[number] = "page.meta_line"
        elif line.weight > 25:
            break


def _is_furniture(line: Line) -> bool:
    text = line.text
    if len(text) > 120:
        return False
    return bool(_FURNITURE_RE.match(text) or _EDITOR_RE.match(text))


def _mark_link_blocks(outline: Outline, start: int, last: int, rules: dict[int, str]) -> None:
    """Mark lists whose text is links: menus, related articles, wheels. Attachments stay."""
    lines = outline.lines
    run: list[int] = []
    for number in range(start, last + 1):
        line = lines[number] if number < last else None
        linked = (
            line is not None
            and line.link_chars > 0.5 * len(line.text)
            and not _SENTENCE_END_RE.search(line.text)
        )
        if linked and not _ATTACHMENT_RE.search(line.text if line else ""):
            run.append(number)
            continue
        if line is not None and number in rules:
            continue
        anchors = sum(len(lines[n].links) for n in run)
        if anchors >= 3:
            rules.update((n, "page.link_list") for n in run if n not in rules)
        run = []


def _mark_tail(
    lines: list[Line], start: int, last: int, look: Survey, rules: dict[int, str]
) -> None:
    """Cut the rest of the box at a mark that closes articles, when little prose follows."""
    total = look.weights[last] - look.weights[start]
    for number in range(start, last):
        rest = look.weights[last] - look.weights[number]
        if rest > 0.3 * total or len(lines[number].text) > 60:
            continue
        if _TAIL_RE.match(lines[number].text):
            rules.update((n, "page.tail") for n in range(number, last) if n not in rules)
            return
