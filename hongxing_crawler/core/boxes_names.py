"""What class names and ids say about a box. Names advise; the text decides."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Searched in the whole name in lower case: one search of all its words.
_ASIDE_RE = re.compile(
    r"comment|pinglun|reply|guestbook|footer|(?<!\S)foot|copyright|sidebar|side_?bar|related|relate|xiangguan|recommend|tuijian"
    r"|rank|paihang|hotnews|hot_|toolbar|sharebar|share_|_share|sns|bdshare|jiathis|navi\b|nav\b|(?<!\S)nav|menu|breadcrumb|crumb"
    r"|login|register|search|advert|banner|(?<!\S)ad_|(?<!\S)ads?\b|guanggao|friend|link_?list|morenews|more_news|pagination|pager"
    r"|disclaimer|like_?box|(?<!\S)zan\b|dianzan|qrcode|weixin|wechat|subscribe|newsletter|popup|modal|dialog"
)
_COMMENTS_RE = re.compile(r"comment|pinglun|replies|guestbook|disqus")
_ARTICLE_RE = re.compile(
    r"trs_editor|ucap-?content|\bzoom|article|artibody|arti_?con|endtext|main_?text|(?<!\S)content|content(?!\S)|con_?text|post_?body|entry"
    r"|cont_?txt|detail|news_?txt|newstext|story|zhengwen|(?<!\S)text(?!\S)|rich_media_content|the_content|vsbcontent|wp_articlecontent|body_?text"
)


def name_of(attrs: Mapping[str, Any]) -> str:
    """Return ids and classes of a box in one string.

    >>> name_of({"id": "zoom", "class": ["a", "b"]})
    'zoom a b'
    """
    if not attrs:
        return ""
    classes = attrs.get("class")
    name = attrs.get("id") or ""
    if classes:
        return f"{name} {' '.join(classes)}" if name else " ".join(classes)
    return name


@lru_cache(maxsize=8192)
def is_aside(name: str) -> bool:
    """Say whether a name belongs to comments, menus, footers and the like."""
    return _ASIDE_RE.search(name.lower()) is not None


def is_foot(tag: str, name: str) -> bool:
    """Say whether a box is the foot of a page by its tag or name."""
    return tag == "footer" or "foot" in name.lower() or "copyright" in name.lower()


@lru_cache(maxsize=8192)
def is_article(name: str) -> bool:
    """Say whether a name belongs to the boxes in which articles stand."""
    return _ARTICLE_RE.search(name.lower()) is not None


@lru_cache(maxsize=8192)
def is_comments(name: str) -> bool:
    """Say whether a name belongs to the comments of readers."""
    return _COMMENTS_RE.search(name.lower()) is not None
