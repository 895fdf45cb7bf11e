"""Lines that close a page: owner, filing number, welcome, counter, pager numbers."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING

from hongxing_crawler.core.edits import Cleaned, Edit
from hongxing_crawler.core.titles import squeeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hongxing_crawler.core.profile import SiteProfile

_MAX_LINE = 120
# (rule, pattern): whole lines at the end of a body. Seed and other pages of the same CMS.
FOOTER_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (rule, re.compile(pattern))
    for rule, pattern in (
        (
            "footer.owner",
            r"(?:主办单位|主辦單位|承办单位|承辦單位|主办|主管单位|协办单位|版权所有|版權所有)\s?[:：©].{0,80}",
        ),
        ("footer.support", r"技[术術]支持\s?[:：].{0,60}"),
        (
            "footer.icp",
            r".{0,40}ICP\s?[备備](?:案[号號]\s?[:：]?.{0,40}|\s?\d{6,10}\s?[号號](?:-\d{1,3})?.{0,20})|.{0,10}公网安备.{0,40}",
        ),
        ("footer.welcome", r"(?:[欢歡]迎|感[谢謝])您?[访訪][问問].{1,30}"),
        ("footer.counter", r"您是第[\s\d]{0,20}位[来來][访訪]者[\s!！。]{0,3}"),
        (
            "footer.pager",
            r"[\[［]?\s?\d{1,3}\s?[\]］]?(?:\s{1,3}[\[［]?\d{1,3}[\]］]?){0,30}|(?:上一页|下一页|首页|尾页|末页|\d{1,3}|[<>\s]){1,40}",
        ),
        ("footer.copyright", r"(?:Copyright|COPYRIGHT|©).{0,100}"),
    )
)


# One search that nearly all lines fail: literals alone, so that it runs by a set of first
# characters. Pagers are digits and arrows.
_HINT_RE = re.compile(
    r"主办|主辦|承办|承辦|主管单位|协办|版权所有|版權所有|术支持|術支持|ICP|公网安备|欢迎|歡迎|感谢您访|感謝您訪|您是第"
    r"|Copyright|copyright|COPYRIGHT|©|上一页|下一页|首页|尾页|末页"
)
_PAGER_STARTS = frozenset("[［<>")


@lru_cache(maxsize=64)
def _first_chars(furniture: frozenset[str]) -> frozenset[str]:
    return frozenset(text[:1] for text in furniture)


def _is_furniture(text: str, furniture: frozenset[str]) -> bool:
    """Compare a stripped line with the site's own; its first Chinese character tells most apart."""
    if not furniture or (
        "\u4e00" <= text[0] <= "\u9fff" and text[0] not in _first_chars(furniture)
    ):
        return False
    return squeeze(text) in furniture


def may_close(texts: Sequence[str], furniture: frozenset[str] = frozenset()) -> list[int]:
    """Return the places of the lines on which ``closing_rule`` is worth asking.

    One search over all of them, and the first character of each, tell most lines apart.
    """
    ends = list(accumulate(len(text) + 1 for text in texts))
    hinted = {bisect_right(ends, found.start()) for found in _HINT_RE.finditer("\n".join(texts))}
    starts = _first_chars(furniture)
    return [
        place
        for place, text in enumerate(texts)
        if not "\u4e00" <= text[:1] <= "\u9fff" or text[0] in starts or place in hinted
    ]


def closing_rule(line: str, furniture: frozenset[str] = frozenset()) -> str:
    """Return the footer rule that a whole line obeys, or "".

    >>> closing_rule("您是第 位来访者"), closing_rule("您是第一位来访者，他说。我们见过面")
    ('footer.counter', '')
    """
    text = line.strip()
    if not text or len(text) > _MAX_LINE:
        return ""
    if _is_furniture(text, furniture):
        return "footer.template"
    if not (text[0] in _PAGER_STARTS or text[0].isdigit() or _HINT_RE.search(text)):
        return ""
    return next((rule for rule, pattern in FOOTER_RULES if pattern.fullmatch(text)), "")


def strip_footer(body: str, furniture: frozenset[str] = frozenset()) -> Cleaned:
    r"""Remove the lines that close a page from the end of a body.

    Only whole lines at the end: an article about filing numbers keeps its text, and a body
    that is nothing but such lines keeps them.

    >>> strip_footer("会议召开。\n\n1\n\n技术支持：某公司").text
    '会议召开。'

    Args:
        body: Article body as plain text, one line per paragraph.
        furniture: Closing lines of this very site, squeezed.

    Returns:
        The body without the footer, one edit per line.
    """
    lines = body.splitlines(keepends=True)
    tail = list(
        takewhile(lambda line: not line.strip() or closing_rule(line, furniture), reversed(lines))
    )
    if len(tail) == len(lines) or not any(line.strip() for line in tail):
        return Cleaned(body)
    head = "".join(lines[: len(lines) - len(tail)])
    kept = head.rstrip()
    edits, position, pending = [], len(kept), len(kept)
    position = len(head)
    for line in reversed(tail):
        position += len(line)
        rule = closing_rule(line, furniture)
        if rule:
            edits.append(Edit(pending, position, body[pending:position], "", rule))
            pending = position
    if pending < len(body) and edits:
        last = edits.pop()
        edits.append(Edit(last.start, len(body), body[last.start :], "", last.rule))
    return Cleaned(kept, tuple(edits))


def furniture_of(profile: SiteProfile | None) -> frozenset[str]:
    """Return a site's own closing lines in the form in which lines are compared."""
    return _squeezed(profile.template_text) if profile else frozenset()


@lru_cache(maxsize=64)
def _squeezed(lines: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(squeeze, lines))
