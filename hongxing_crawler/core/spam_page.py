"""Injected boxes anywhere on a page, so that what an attacker left is written down, too."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hongxing_crawler.core.addresses import host_of, site_of
from hongxing_crawler.core.footer import closing_rule, may_close
from hongxing_crawler.core.spam import is_wheel_intro

if TYPE_CHECKING:
    from collections.abc import Callable

    from hongxing_crawler.core.addresses import Resolver
    from hongxing_crawler.core.blocks import Block, Line, Outline
    from hongxing_crawler.core.boxes_survey import Survey

# Words that no honest menu of news holds.
_TRADE_RE = re.compile(
    r"百家乐|六合彩|六合图库|时时彩|娱乐城|娱乐平台|博彩|老虎机|真人视讯|电子游艺|私服|成人视频|裸聊|约炮|代开发票"
)
_PLACE_RE = re.compile(r"[\u4e00-\u9fff]{1,9}(?:县|市|区|旗|州|盟)$")
_PLACE_ENDS = frozenset("县市区旗州盟")
_SUSPECT_ENDS = _PLACE_ENDS | set(" |")
_INTRO = "感谢您访问"
_LEAST_ITEMS = 3
_LEAST_PLACES = 6
_PLACE_SHARE = 0.6
_FOREIGN_SHARE = 0.8
_TRADE_SHARE = 0.3
_PLACES_OF_WHEELS = 0.3  # kits mix brands and short names among the places
_BAR_RE = re.compile(r"[|｜]")
_LONGEST_KEYWORDS = 60
_PROSE = 25.0
_MOST_HIDDEN_LINES = 200_000


@dataclass(slots=True)
class Injections:
    """Lines that were injected, each with its rule, and closing lines of the page."""

    rules: dict[int, str] = field(default_factory=dict)

    def mark(self, first: int, last: int, rule: str) -> None:
        for number in range(first, last):
            self.rules.setdefault(number, rule)


def find_injections(
    outline: Outline, look: Survey, headline: int, resolver: Resolver, sample: str
) -> dict[int, str]:
    """Find injected lines on the whole page, inside and outside the article.

    A row of links to partners stays: it needs words of the trade or place names, and links
    that leave the site, or a hidden box.

    Returns:
        Line numbers with the rule that found each.
    """
    found = Injections()
    is_suspect = _TRADE_RE.search(sample) is not None or _INTRO in sample
    home, absolute = site_of(host_of(resolver.base)), resolver.absolute
    for number, why in enumerate(look.aside):
        if why == "wheel" and not _is_menu(outline.lines[number], home, absolute):
            found.mark(number, number + 1, "spam.name_wheel")
    _mark_hidden(outline, look, home, absolute, found)
    suspects = outline.lines if is_suspect else _lines_of_places(outline)
    for line in suspects:
        if line.number not in found.rules:
            _judge_line(outline, line, headline, home, absolute, found)
    return found.rules


def _lines_of_places(outline: Outline) -> list[Line]:
    """Return the lines that end in what ends the name of a place."""
    return [
        line
        for line in outline.lines
        if line.text[-1:] in _SUSPECT_ENDS and line.text[-2:].rstrip(" |")[-1:] in _PLACE_ENDS
    ]


def _mark_hidden(
    outline: Outline, look: Survey, home: str, absolute: Callable[[str], str], found: Injections
) -> None:
    """Judge hidden boxes; in a heap of them, one inside the other, not every one anew."""
    work = _MOST_HIDDEN_LINES
    for block in look.hidden:
        if block.first in found.rules:
            continue
        work -= block.last - block.first
        if work < 0:
            return
        lines = outline.lines[block.first : block.last]
        if _is_wheel(lines, home, absolute) or _praises(lines):
            found.mark(block.first, block.last, "spam.hidden_block")


def _judge_line(
    outline: Outline,
    line: Line,
    headline: int,
    home: str,
    absolute: Callable[[str], str],
    found: Injections,
) -> None:
    is_trade = _TRADE_RE.search(line.text) is not None
    if is_wheel_intro(line.text):
        box = _row_around(outline, line.block)
        found.mark(box.first, box.last, "spam.link_wheel")
        return
    if line.links and (is_trade or _PLACE_RE.search(line.text.rstrip(" |"))):
        first, last = _link_range(outline, line)
        if _is_wheel(outline.lines[first:last], home, absolute):
            found.mark(first, last, "spam.link_wheel")
            return
    if is_trade and line.number < headline and len(line.text) <= _LONGEST_KEYWORDS:
        found.mark(line.number, line.number + 1, "spam.keyword_line")


def _is_wheel(lines: list[Line], home: str, absolute: Callable[[str], str]) -> bool:
    """Weigh the signs: what the items are, and where their links lead."""
    names = [line.text[a:b].strip() for line in lines for a, b, _ in line.links]
    if len(names) < _LEAST_ITEMS:
        return False
    trade = sum(_TRADE_RE.search(name) is not None for name in names)
    if not trade:
        places = sum(bool(_PLACE_RE.fullmatch(name)) for name in names)
        if len(names) < _LEAST_PLACES or places < _PLACE_SHARE * len(names):
            return False
    elif trade >= _TRADE_SHARE * len(names):
        return True
    hosts = [host_of(absolute(href)) for line in lines for _, _, href in line.links]
    foreign = sum(bool(host) and site_of(host) != home for host in hosts)
    return foreign >= _FOREIGN_SHARE * len(names)


def _praises(lines: list[Line]) -> bool:
    """Say whether hidden text is of the trade: two words of it, or nothing else.

    One word may stand in a headline of a list that a script shows.
    """
    if not _TRADE_RE.search("\n".join([line.text for line in lines])):
        return False
    words = {word for line in lines for word in _TRADE_RE.findall(line.text)}
    named = sum(_TRADE_RE.search(line.text) is not None for line in lines)
    return len(words) > 1 or named >= max(1.0, _TRADE_SHARE * len(lines))


def _is_menu(line: Line, home: str, absolute: Callable[[str], str]) -> bool:
    """Say whether a row of names between bars is a menu, or a row of partners.

    Most of its links stay on the site, or few of its names are places and none is of the trade.
    """
    if _TRADE_RE.search(line.text):
        return False
    hosts = [host_of(absolute(href)) for _, _, href in line.links]
    own = sum(not host or site_of(host) == home for host in hosts)
    if hosts and own >= 0.5 * len(hosts):
        return True
    names = [name.strip() for name in _BAR_RE.split(line.text) if name.strip()]
    places = sum(_PLACE_RE.fullmatch(name) is not None for name in names)
    return places < _PLACES_OF_WHEELS * len(names)


def _link_range(outline: Outline, line: Line) -> tuple[int, int]:
    """Return the widest range around a link line that holds links and nothing else."""
    first, last = line.number, line.number + 1
    lines = outline.lines
    while first > 0 and lines[first - 1].block is line.block and _is_link_line(lines[first - 1]):
        first -= 1
    while last < len(lines) and lines[last].block is line.block and _is_link_line(lines[last]):
        last += 1
    current: Block | None = line.block
    while current is not None and current.tag not in {"body", "html"}:
        if not all(_is_link_line(other) for other in lines[current.first : current.last]):
            break
        first, last = min(first, current.first), max(last, current.last)
        current = current.parent
    return first, last


def _is_link_line(line: Line) -> bool:
    return line.link_chars >= 0.6 * len(line.text) and not line.weight


def _row_around(outline: Outline, block: Block) -> Block:
    """Return the box of a wheel's introduction: its own, or the next that holds links only."""
    current = block
    while current.parent is not None and current.parent.tag not in {"body", "html"}:
        lines = outline.lines[current.first : current.last]
        if any(line.links for line in lines):
            break
        around = outline.lines[current.parent.first : current.parent.last]
        if any(line.weight > _PROSE for line in around):
            break
        current = current.parent
    return current


def find_closing_lines(outline: Outline, after: int, furniture: frozenset[str]) -> dict[int, str]:
    """Find the lines that close the page below its article: owner, filing number, counter."""
    found = {}
    lines = outline.lines[after:]
    for place in may_close([line.plain for line in lines], furniture):
        line = lines[place]
        if line.link_chars == len(line.text):
            continue
        rule = closing_rule(line.plain, furniture)
        if rule and rule != "footer.pager":
            found[line.number] = rule
    return found
