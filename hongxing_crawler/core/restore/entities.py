"""Entities that were escaped once too often, so that readers see ``&ldquo;`` in the text."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.edits import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

# Marks and blanks that editors insert. &lt; and &amp; alone are code, addresses and R&D.
_ENTITY: Final = (
    "&(?:amp;)?(?:[lr][ds]quo|mdash|ndash|hellip|middot|nbsp|ensp|emsp|bull|times|quot"
    "|#[0-9]{2,7}|#x[0-9a-fA-F]{2,6});"
)
_ENTITIES_RE: Final = re.compile(f"(?:{_ENTITY})+")
_CHINESE: Final = "\u4e00-\u9fff\u3000-\u303f\uff00-\uffef“”‘’…—·"
_BESIDE_RE: Final = re.compile(f"[{_CHINESE}]")
# Text about entities: a quoted one, or one in a line of code or explanation.
_SHOWN_RE: Final = re.compile("[“”‘’\"'`（）()<>=/]")
_CODE_RE: Final = re.compile("&(?:lt|gt|amp);|[<>{}]|表示|代表|实体|轉義|转义|字符|代码|写成")
_MAX_LENGTH: Final = 400
_CONTROL_RE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


def find_entities(line: str) -> Iterator[Edit]:
    """Find rows of entities beside Chinese text, as edits.

    >>> [edit.inserted for edit in find_entities("他说：&ldquo;开会&rdquo; R&D a?b&nbsp;=1")]
    ['“', '”']
    """
    if _CODE_RE.search(_ENTITIES_RE.sub("", line)):
        return
    for match in _ENTITIES_RE.finditer(line):
        before, after = line[match.start() - 1 : match.start()], line[match.end() : match.end() + 1]
        shown = unescape(unescape(match[0]))
        is_beside = any(map(_BESIDE_RE.match, (before, after)))
        is_example = _SHOWN_RE.match(before) and _SHOWN_RE.match(after)
        if is_beside and not is_example and _CONTROL_RE.search(shown) is None:
            yield Edit(*match.span(), match[0], shown, "restore.entity")
