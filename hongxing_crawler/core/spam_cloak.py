"""Titles that a page shows to search engines alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hongxing_crawler.core.edits import RemovedBlock
from hongxing_crawler.core.spaces import tidy

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Outline

_CLOAK_RE = re.compile(
    r"indexOf\(\s?[\"'](?:baidu|google|sogou|360|spider)[\"']\s?\).{0,80}?document\.title\s?=\s?"
    r"(?P<quote>[\"'])(?P<title>[^\"'<>]{1,200})(?P=quote)",
    re.IGNORECASE | re.DOTALL,
)
_OTHER_METAS = ("description", "og:title")


def undo_cloak(outline: Outline) -> tuple[RemovedBlock, ...]:
    """Put back the title that a page keeps for people, and drop the cloak.

    A script that asks for a search engine and sets ``document.title`` holds the page's own
    title; the title element then holds the attacker's, and so do its keywords.
    """
    for _, script in outline.scripts:
        match = _CLOAK_RE.search(script) if "indexOf" in script else None
        if match:
            return (_uncover(outline, tidy(match["title"])),)
    return ()


def _uncover(outline: Outline, title: str) -> RemovedBlock:
    shown = [outline.title, outline.metas.pop("keywords", "")]
    shown += [
        outline.metas.pop(name)
        for name in _OTHER_METAS
        if name in outline.metas and shares_nothing(outline.metas[name], title)
    ]
    outline.title = title
    text = "\n".join(filter(None, shown))
    return RemovedBlock("spam.cloaked_title", "head>title", text, (), (f"own_title={title}",))


def shares_nothing(text: str, title: str) -> bool:
    """Say whether a text repeats no piece of four characters of a title.

    >>> shares_nothing("田间课堂开办", "双溪镇开办田间课堂")
    False
    >>> shares_nothing("棋牌大厅", "双溪镇开办田间课堂")
    True
    """
    return not any(title[at : at + 4] in text for at in range(max(1, len(title) - 3)))
