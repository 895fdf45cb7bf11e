"""What a line is worth as prose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Line

_SENTENCE_RE = re.compile(r"[，。！？；：、…]|[,.;!?](?:[\s\u4e00-\u9fff]|$)")
_LEGAL_RE = re.compile(
    r"免责声明|免責聲明|版权所有|版權所有|版权声明|All [Rr]ights|ICP备"
    r"|仅代表.{0,12}(?:观点|意见|看法|立场)"
    r"|(?:未经|未經|非經).{0,12}(?:授权|許可|许可|允许|允許|同意)|侵权必究|转载请|轉載請|本网站?(?:不|转载|所)|著作權"
    r"|(?:主办|承办|协办|主管)(?:单位)?\s?[:：]|网站标识码|公网安备|邮政编码|邮编\s?[:：]"
)
_FORM_WORD_RE = re.compile(
    r"版权|转载|留言|备案|免责|评论|評論|网友|網友|举报|登录|登入|注册|验证码"
)
# What every notice holds: literals alone, so that it runs by a set of first characters.
_NOTICE_RE = re.compile(
    r"免责|免責|版权|版權|All Rights|All rights|ICP备|仅代表|未经|未經|非經|侵权必究|转载|轉載請"
    r"|主办|承办|协办|主管|网站标识码|公网安备|邮政编码|邮编|本网|著作權|留言|备案|评论|評論|网友|網友|举报|登录|登入|注册|验证码"
)
_LEGAL_SHARE = 0.1
_LONGEST_LEGAL = 250
SHORTEST_SENTENCE = 10


def weigh(line: Line) -> None:
    """Weigh a line as prose: Chinese characters count one, Latin letters a third, links nothing."""
    text = line.text
    free = len(text) - line.link_chars
    if free < SHORTEST_SENTENCE or not ("，" in text or "。" in text or _SENTENCE_RE.search(text)):
        return
    weight = len(text.encode("utf-8", "replace")) / 3 * free / len(text)
    if len(text) < _LONGEST_LEGAL and _NOTICE_RE.search(text) and _is_legal(text):
        weight *= _LEGAL_SHARE
    line.weight = weight


def _is_legal(text: str) -> bool:
    """Recognise notices and form texts, by one strong phrase or two different words."""
    return bool(_LEGAL_RE.search(text)) or len(set(_FORM_WORD_RE.findall(text))) >= 2
