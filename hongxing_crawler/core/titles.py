"""The headline of a page: the line that the title element repeats, or the best heading."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from hongxing_crawler.core.blocks_tags import HEADINGS

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block, Line, Outline
    from hongxing_crawler.core.boxes_survey import Survey

_SEPARATOR_RE = re.compile(
    r"\s?[_|｜–—]+\s?|\s-{1,2}\s?|(?<=[\u4e00-\u9fff）」”》])-{1,2}(?=[\u4e00-\u9fff])|\s[·:>«»]\s|--+"
)
_NOISE_RE = re.compile(r"[\s_|｜\-–—·:：,，.。!！?？\"“”'‘’「」『』()（）《》〈〉\[\]【】]+")
_TITLE_NAME_RE = re.compile(r"title|headline|biaoti|^bt$|\bbt\b|tit\b|h1", re.IGNORECASE)
_LONGEST = 160
_PROSE = 25.0
_NEAR = 10
_DATE_LINE_RE = re.compile(r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}")
_META_LINE_RE = re.compile(
    r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}|来源|來源|作者|编辑|發布|发布|字号|字體|字体|点击|浏览|当前位置|分享|打印"
)
_SITE_WORD_RE = re.compile(
    r"(?:网|網|网站|频道|頻道|新闻|新聞|中心|日报|日報|晚报|门户|首页|在线|论坛|博客|[Nn]ews|[Oo]nline|\.com|\.cn|\.net)$"
)


@dataclass(frozen=True, slots=True)
class Headline:
    """The headline and the line it stands on; ``line`` is -1 when only the head names it."""

    text: str = ""
    line: int = -1


def squeeze(text: str) -> str:
    """Reduce a title to what counts when two of them are compared.

    >>> squeeze("永州江华：“五抓五强” 摘穷帽")
    '永州江华五抓五强摘穷帽'
    """
    return _NOISE_RE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def title_segments(title: str) -> list[str]:
    """Split a title element at the marks that sites put before their names.

    >>> title_segments("会议在长沙召开_要闻_红星网")
    ['会议在长沙召开', '要闻', '红星网']
    """
    return [part.strip() for part in _SEPARATOR_RE.split(title) if part and part.strip()]


def find_headline(outline: Outline) -> Headline:
    """Choose the headline among the lines of the page.

    A line wins when the title element repeats it; a heading wins over other lines. Without
    such a line the first heading near the title's words, then the title without the site's
    name is taken.
    """
    title = outline.title or outline.metas.get("og:title", "")
    wanted = squeeze(title[:300])
    best, best_score = None, 0.0
    sums = list(accumulate(line.weight for line in outline.lines))
    for line in outline.lines:
        text = line.text
        if len(text) > _LONGEST or not (
            text[:3] in title or text[-3:] in title or line.block.tag in HEADINGS
        ):
            continue
        score = _score(line, wanted, sums[line.number])
        if score > best_score:
            best, best_score = line, score
    if best is not None and best_score >= 30:
        return Headline(best.text, best.number)
    return Headline(_from_head(title, outline))


def _score(line: Line, wanted: str, seen_weight: float) -> float:
    text = line.text
    heading = line.block.tag in HEADINGS
    own = squeeze(text)
    if len(own) < 4:
        return 0.0
    score = 0.0
    if own in wanted:
        score = 100 * len(own) / len(wanted) + (30 if wanted.startswith(own) else 0)
    elif wanted and wanted in own and len(own) < 2 * len(wanted):
        score = 60.0
    elif line.block.tag != "h1":
        return 0.0
    if heading:
        score += {"h1": 35, "h2": 15, "h3": 10}.get(line.block.tag, 4)
    if line.link_chars > len(text) / 2:
        score -= 45
    return score - min(20.0, seen_weight / 200)


def _from_head(title: str, outline: Outline) -> str:
    """Take the title element without the site's name, or og:title."""
    og_title = outline.metas.get("og:title", "").strip()
    segments = title_segments(title)
    if og_title and (not segments or squeeze(og_title) in squeeze(title)):
        segments = title_segments(og_title) or segments
    if not segments:
        return ""
    first = segments[0]
    if len(segments) > 1 and len(first) < 6 and _SITE_WORD_RE.search(first):
        first = max(segments, key=len)
    return first


def settle_headline(outline: Outline, found: Headline, box: Block, look: Survey) -> Headline:
    """Look again for the headline once the article's box is known.

    A headline stands before the prose. When the line found stands after it, or none was
    found, the line right above the dates and sources over the box is taken.
    """
    first = next(
        (n for n in range(box.first, box.last) if outline.lines[n].weight > _PROSE), box.first
    )
    if 0 <= found.line <= first:
        return found
    for number in range(first - 1, max(-1, first - _NEAR), -1):
        line = outline.lines[number]
        if look.aside[number] or not _may_be_headline(line):
            continue
        heading = line.block.tag in HEADINGS or _TITLE_NAME_RE.search(_own_name(line))
        if heading or (
            number + 1 < first and _DATE_LINE_RE.search(outline.lines[number + 1].plain)
        ):
            return Headline(line.text, number)
    above = outline.lines[first - 1] if first else None
    if (
        above is not None
        and _names_the_site(found.text)
        and not look.aside[first - 1]
        and _may_be_headline(above)
    ):
        return Headline(above.text, first - 1)
    return found if found.line < 0 else Headline(found.text, -1)


def _names_the_site(title: str) -> bool:
    """Say whether a title element names the site alone: each of its parts ends in 网 or 报."""
    return not title or any(_SITE_WORD_RE.search(part) for part in title.split()[:2])


def _may_be_headline(line: Line) -> bool:
    text = line.text
    return (
        5 <= len(text) <= 80
        and line.link_chars <= len(text) / 2
        and not _META_LINE_RE.search(line.plain)
    )


def _own_name(line: Line) -> str:
    attrs = line.block.attrs
    return " ".join([attrs.get("id") or "", *(attrs.get("class") or ())])
