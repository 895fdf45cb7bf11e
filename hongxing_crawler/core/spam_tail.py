"""What stands behind the end of a document: nothing that its author wrote for readers."""

from __future__ import annotations

import re

from hongxing_crawler.core.advertising import may_advertise
from hongxing_crawler.core.edits import RemovedBlock

_END = "</html"
_TAG_RE = re.compile(r"<(?:script|style)\b[^<]{0,20000}|<[^<>]{0,2000}>?", re.IGNORECASE)
_NAME_WHEEL_RE = re.compile(r"(?:[\u3400-\u9fff]{2,8}[\s|｜,，、。]{1,5}){6}")
_QUOTES = ("'", '"')
_LEAST_CHARS = 12
_LONGEST_TAIL = 200_000
_LARGEST_SHARE = 0.3
_MOST_SENTENCES = 3
_SHOWN_CHARS = 2_000


def cut_after_end(html: str) -> tuple[str, tuple[RemovedBlock, ...]]:
    """Cut what was injected behind ``</html>``, before a parser takes it into the body.

    Cut is a short tail that names a trade or lists names. Some systems close the document twice and
    go on: prose behind the end stays.

    >>> page = "<p>" + "会议召开。" * 50 + "</p></html>"
    >>> cut_after_end(page + "<p>代开发票，办证刻章，无抵押贷款</p>")[0] == page
    True
    """
    end = html.rfind(_END)
    start = html.find(">", end) + 1 if end >= 0 else 0
    size = len(html) - start
    if html[start : start + 1] in _QUOTES:  # the end of another document, within an attribute
        return html, ()
    if not start or size < _LEAST_CHARS or size > min(_LONGEST_TAIL, _LARGEST_SHARE * len(html)):
        return html, ()
    text = " ".join(_TAG_RE.sub(" ", html[start:]).split())
    if text.count("。") > _MOST_SENTENCES or not (
        may_advertise(text) or _NAME_WHEEL_RE.search(text)
    ):
        return html, ()
    sign = f"characters={size}"
    block = RemovedBlock("spam.kit_junk", "html", text[:_SHOWN_CHARS], (), (sign, "after=html"))
    return html[:start], (block,)
