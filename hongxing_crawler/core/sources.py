"""Labelled facts near a headline: source, author, editor, document number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hongxing_crawler.core.blocks import Line

SOURCE_LABELS = (
    "来源于",
    "文章来源",
    "信息来源",
    "稿件来源",
    "新闻来源",
    "本文来源",
    "文稿来源",
    "内容来源",
    "來源",
    "来源",
    "稿源",
    "出处",
    "出處",
    "新闻出处",
    "转自",
    "摘自",
)
AUTHOR_LABELS = ("作者", "撰文", "记者", "記者")
EDITOR_LABELS = ("责任编辑", "責任編輯", "责编", "責編", "编辑", "編輯")
_STOP = (
    r"[\]】)）]|作者|编辑|編輯|责编|責編|责任编辑|責任編輯|时间|時間|日期|发布|發布|发表|浏览|瀏覽|点击|點擊|阅读|閱讀|字体|字體|字号|字號|评论|評論|分享|打印|收藏|来源|來源|稿源|"
    r"访问|訪問|人气|人氣|热度|关注|审核|撰稿|摄影|选择|更新|我要|查看|跟贴|跟帖|繁体|手机|大\s?中\s?小|[【\[（(]|\d{4}[-年/.]|\d{1,2}:\d\d|https?:|$"
)
_VALUE_RE_TEXT = (
    r"\s{{0,3}}[:：]\s{{0,4}}(?P<value>.{{0,60}}?)"
    r"(?=\s{{2,}}|[|｜\t　]|\s*(?:{stop})"
    r"|\s+(?![\u4e00-\u9fff]{{1,3}}(?:编辑|作者|来源|时间|责编))[\u4e00-\u9fff]{{2,4}}[:：])"
)
_BAD_VALUE_RE = re.compile(r"^(?:未知|不详|无|暂无|本站|[-—/]+)$|=\"|[<>]")
DOC_NUMBER_RE = re.compile(
    r"[\u4e00-\u9fff]{1,12}[〔\[［(（【](?:19|20)\d\d[〕\]］)）】]\s?(?:第\s?)?\d{1,5}\s?号"
)


def label_pattern(labels: Iterable[str]) -> re.Pattern[str]:
    """Compile a pattern that finds ``label: value`` on one line."""
    names = "|".join(re.escape(name) for name in sorted(labels, key=len, reverse=True))
    return re.compile(rf"(?:{names})" + _VALUE_RE_TEXT.format(stop=_STOP))


SOURCE_RE = label_pattern(SOURCE_LABELS)
AUTHOR_RE = label_pattern(AUTHOR_LABELS)
EDITOR_RE = label_pattern(EDITOR_LABELS)


_ALL_LABELS = (*SOURCE_LABELS, *AUTHOR_LABELS, *EDITOR_LABELS, "时间", "发布时间", "日期")
_LABEL_RE = re.compile(rf"^[\s\[【(（]*(?:{'|'.join(_ALL_LABELS)})\s?[:：]\s?")


def without_label(text: str) -> str:
    """Return a field's text without its label.

    >>> without_label("作者：杨采薇"), without_label("作者：")
    ('杨采薇', '')
    """
    return _LABEL_RE.sub("", text).strip() if text else text


def labelled(line: Line, pattern: re.Pattern[str]) -> tuple[str, str] | None:
    """Return the value after a label as it was received, and its link.

    The label is looked for in the text without damage. A link right after it is the value
    whole, whatever words it holds.
    """
    match = pattern.search(line.plain[:300])
    if not match:
        return None
    start = received_place(line, match.start("value"))
    for begin, end, href in line.links:
        if begin <= start + 1 and end > start:
            return line.text[max(begin, start) : end].strip(), href
    value = line.text[start : received_place(line, match.end("value"))]
    return value.strip(" :：·,，;；　-—>》]】)）") if not line.edits else value.strip(), ""


def received_place(line: Line, place: int) -> int:
    """Carry a place in a line's restored text back to its received text."""
    shift = 0  # received length minus restored length, so far
    for edit in line.edits:
        start = edit.start - shift
        if place <= start:
            break
        if place < start + len(edit.inserted):
            return edit.start
        shift += edit.end - edit.start - len(edit.inserted)
    return place + shift


# A source without a colon (来源CSDN|) and a source without a label beside the date.
_BARE_SOURCE_RE = re.compile(r"(?:^|[\s|])(?:来源|來源)\s?(?P<value>[\w.·]{2,20})(?=\s*\||\s|$)")
_MEDIA_RE = re.compile(
    r"(?:网|網|报|報|社|台|臺|电视|广播|在线|周刊|週刊|杂志|雜誌|新闻|新聞|时报|日报|晚报|客户端|频道|传媒|头条|办公室|办|局|委|部|厅|府|中心|融媒体?|[Nn]ews|\.com|\.cn|\.net)$"
)
_DATE_PART_RE = re.compile(
    r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}日?|\d{1,2}[:：时]\d\d(?:[:：]\d\d)?|(?:星期|周)[一二三四五六日天]|[\[【(（][^\]】)）]{0,12}[\]】)）]|https?://\S+|www\.\S+"
)
_BYLINE_RE = re.compile(r"(?:记者|記者|通讯员|通訊員|文[/／]).*$")
_TOOL_RE = re.compile(_STOP.rsplit("|[", 1)[0])
_TOKEN_RE = re.compile(r"[^\s|｜·/,，:：>]+")


def bare_source(text: str) -> str:
    """Return a source printed without a colon, or beside a date without any label.

    >>> bare_source("2019年09月07日 04:04 北京日报")
    '北京日报'
    >>> bare_source("发表于2014-08-24| 来源CSDN| 评论")
    'CSDN'

    Args:
        text: One short line near a headline.

    Returns:
        The name, or "" when what is left of the line may be anything else, as a person.
    """
    match = _BARE_SOURCE_RE.search(text)
    if match:
        return match["value"]
    rest = _BYLINE_RE.sub("", _DATE_PART_RE.sub(" ", text))
    if rest == text or _TOOL_RE.search(rest):
        return ""
    tokens = [token for token in _TOKEN_RE.findall(rest) if not token.isdigit()]
    return tokens[0] if len(tokens) == 1 and is_media_name(tokens[0]) else ""


def is_media_name(name: str) -> bool:
    """Say whether a short text names a paper, a site or an office rather than a person."""
    if not 2 <= len(name) <= 16 or name[0].isdigit():
        return False
    return bool(_MEDIA_RE.search(name)) or (len(name) >= 4 and name.isalpha())


def first_labelled(lines: Sequence[Line], pattern: re.Pattern[str]) -> tuple[str, str]:
    """Return the first value that a label introduces in some lines."""
    for line in lines:
        found = labelled(line, pattern)
        if found and found[0] and not _BAD_VALUE_RE.match(found[0]):
            return found
    return "", ""
