"""How pages hide text from their readers, and how to see it in the markup."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Bounded: only the first part of a style attribute is read.
_MAX_STYLE_CHARS = 600
_HIDDEN_STYLE_RE = re.compile(
    r"display\s?:\s?none"
    r"|visibility\s?:\s?hidden"
    r"|opacity\s?:\s?0(?:\.0{1,3})?(?![.\d])"
    r"|font-size\s?:\s?0(?:\.0{1,3})?(?![.\d])"
    r"|(?:text-indent|margin(?:-left|-top)?)\s?:\s?-\d{3}"
    r"|(?:left|top)\s?:\s?-\d{3}",
    re.IGNORECASE,
)
_OFFSCREEN_RE = re.compile(
    r"(?:left|top|text-indent|margin(?:-left|-top)?)\s?:\s?-\d{3}", re.IGNORECASE
)
_MAX_CSS_CHARS = 200_000
_LONGEST_SELECTORS = 400
_HIDING_WORDS = (
    "display:none",
    "display: none",
    "visibility:hidden",
    "visibility: hidden",
    "opacity",
    "font-size:0",
    "left:-",
    "top:-",
    "indent:-",
)
_SELECTOR_NAME_RE = re.compile(r"([.#])([\w-]{1,60})")
HIDING_WRITE_RE = re.compile(
    r"document\.write(?:ln)?\s?\(.{0,200}?(?:display\s?:\s?none|visibility\s?:\s?hidden|(?:left|top|text-indent)\s?:\s?-\d{3})",
    re.IGNORECASE,
)


def is_hidden(attrs: Mapping[str, Any]) -> str:
    """Name the way in which a box hides itself: ``off_screen``, ``style``, ``attribute`` or ``""``.

    >>> is_hidden({"style": "position:fixed;left:-9000px"}), is_hidden({"style": "opacity:0.8"})
    ('off_screen', '')
    """
    if "hidden" in attrs:
        return "attribute"
    style = attrs.get("style")
    return _hides(style[:_MAX_STYLE_CHARS]) if style else ""


@lru_cache(maxsize=4096)
def _hides(style: str) -> str:
    """Judge a style attribute; a page repeats a few of them."""
    found = _HIDDEN_STYLE_RE.search(style)
    if not found:
        return ""
    return "off_screen" if _OFFSCREEN_RE.match(found[0]) else "style"


@lru_cache(maxsize=4)  # the pages of a site repeat their style sheets
def hidden_names(css: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the classes and the ids that a page's own style sheet hides.

    Only selectors of one simple part count: ``.menu:hover .sub`` says nothing about an article.

    >>> hidden_names(".q8z{display:none} p .k{color:red} .m .n{display:none}")
    (frozenset({'q8z'}), frozenset())
    """
    names = _hidden_names(css)
    classes = frozenset(name[1:] for name in names if name[0] == ".")
    return classes, frozenset(name[1:] for name in names if name[0] == "#")


def _hidden_names(css: str) -> set[str]:
    names: set[str] = set()
    css = css[:_MAX_CSS_CHARS]
    for word in _HIDING_WORDS:
        place = css.find(word)
        while place >= 0:
            end = css.find("}", place)
            end = len(css) if end < 0 else end
            opening = css.rfind("{", max(0, place - _MAX_STYLE_CHARS), place)
            if opening >= 0 and _HIDDEN_STYLE_RE.search(css, opening, min(end, opening + 600)):
                start = css.rfind("}", max(0, opening - _LONGEST_SELECTORS), opening)
                names.update(
                    _simple_names(css[max(start + 1, opening - _LONGEST_SELECTORS) : opening])
                )
            place = css.find(word, end)
    return names


def _simple_names(selectors: str) -> set[str]:
    parts = (part.strip() for part in selectors.split(","))
    found = (_SELECTOR_NAME_RE.fullmatch(part) for part in parts)
    return {match[1] + match[2] for match in found if match}
