"""What many pages say of a block that stands on them: the site's template, injection, or neither.

A recurring sentence may well be the text of a series, the signature of an office or a slogan. So
each verdict asks for several signs at once, and none of them is a word of a list.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from hongxing_crawler.core.repeats import (
    LINK_RULE,
    TEXT_RULE,
    Verdict,
    find_link_blocks,
    is_link_row,
    key_of_site,
    key_of_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hongxing_crawler.core.row import Article

LEAST_TEXT_PAGES = 8
LEAST_TEXT_SHARE = 0.6  # of all pages of the site
LEAST_LINK_PAGES = 4
SAMPLE_PAGES = 100

_SAME_PLACE_SHARE = 0.8
_LINK_ROW_SHARE = 0.9
_BARE_SHARE = 0.3  # of the pages that hold hardly more than the block
_COMMON_SHARE = 0.5  # of the headlines that hold the same two characters
_DISTINCT_SHARE = 0.8
_UNRELATED_SHARE = 0.8
_LONGEST_SIGNATURE = 30
# An office, a person or a place of publication: what stands below an article and is a part of it.
_SIGNATURE_RE = re.compile(
    r".*(?:部|局|委|委员会|办公室|室|会|院|府|处|科|组|团|社|司|校|中心|站|党委|支部|军|队)"
    r"|[（(【\[].{0,40}[)）】\]]"
    r"|.*(?:记者|通讯员|编辑|作者|摄影|撰稿|供稿|来源|责编|审核|校对|联系人|电话).*"
)
_MARKS_RE = re.compile(r"[，。！？；：、,;:!?]")
_HEADLINE_PART_RE = re.compile(r"[\u3400-\u9fffA-Za-z]+")


@dataclass(frozen=True, slots=True)
class Spread:
    """On how many of a site's pages a block stands, and since when."""

    key: bytes
    page_count: int
    of_pages: int
    first_seen_at: str


def judge(spread: Spread, sample: Sequence[Article]) -> Verdict | None:
    """Judge a block by the pages on which it stands.

    Args:
        spread: How often it was seen.
        sample: Rows that hold it, at most ``SAMPLE_PAGES``, in an order that does not depend on
            the crawl.

    Returns:
        The verdict; None for what may be an article's own text, and that is kept.
    """
    places = [place for row in sample for place in _places(row, spread.key)]
    if places:
        return _judge_text(spread, sample, places)
    return _judge_links(spread, sample)


def _places(row: Article, key: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield text, place from the start and place from the end of a paragraph with this key."""
    paragraphs = row.article_body.split("\n\n")
    for number, text in enumerate(paragraphs):
        if key_of_text(text) == key:
            yield text, number, len(paragraphs) - number


def _judge_text(
    spread: Spread, sample: Sequence[Article], places: Sequence[tuple[str, int, int]]
) -> Verdict | None:
    if spread.page_count < least_template_pages(spread.of_pages):
        return None
    if any(_is_signature(text) for text, _, _ in places):
        return None
    same_place = max(
        Counter(number for _, number, _ in places).most_common(1)[0][1],
        Counter(number for _, _, number in places).most_common(1)[0][1],
    )
    bare = sum(2 * len(text) > len(row.article_body) for row, text in _pairs(sample, places))
    if bare > _BARE_SHARE * len(sample):
        return None  # notices that say nothing else
    if same_place < _SAME_PLACE_SHARE * len(sample) or len(places) > len(sample):
        return None
    rows = sum(is_link_row(row, text) for row, text in _pairs(sample, places))
    if rows < _LINK_ROW_SHARE * len(sample) and not _are_unlike(sample):
        return None
    return Verdict(TEXT_RULE, (*_signs(spread), f"same_place={same_place / len(sample):.2f}"))


def _pairs(
    sample: Sequence[Article], places: Sequence[tuple[str, int, int]]
) -> Iterator[tuple[Article, str]]:
    """Yield each row with the text of its block."""
    return ((row, text) for row, (text, _, _) in zip(sample, places, strict=False))


def _judge_links(spread: Spread, sample: Sequence[Article]) -> Verdict | None:
    if spread.page_count < LEAST_LINK_PAGES:
        return None
    rows = [(row, anchors) for row in sample if (anchors := _anchors(row, spread.key))]
    unrelated = sum(not _is_topic(row, anchors) for row, anchors in rows)
    if len(rows) < LEAST_LINK_PAGES or unrelated < _UNRELATED_SHARE * len(rows):
        return None
    if not _are_unlike([row for row, _ in rows]):
        return None
    return Verdict(LINK_RULE, (*_signs(spread), f"unrelated={unrelated / len(rows):.2f}"))


def least_template_pages(of_pages: int) -> int:
    """Return on how many of a site's pages a text must stand before it is looked at."""
    return max(LEAST_TEXT_PAGES, ceil(LEAST_TEXT_SHARE * of_pages))


def _anchors(row: Article, key: bytes) -> list[str]:
    return [
        anchor
        for block in find_link_blocks(row)
        if any(key_of_site(site) == key for site in block.sites)
        for anchor in block.anchors
    ]


def _is_topic(row: Article, anchors: Sequence[str]) -> bool:
    """Tell whether an article speaks of what its links are named after."""
    text = f"{row.headline}\n{row.article_body}"
    return any(len(anchor) >= 2 and text.count(anchor) > 1 for anchor in anchors)


def _signs(spread: Spread) -> tuple[str, ...]:
    return (f"pages={spread.page_count} of {spread.of_pages}", f"first_seen={spread.first_seen_at}")


def _is_signature(text: str) -> bool:
    bare = text.strip()
    if len(bare) > _LONGEST_SIGNATURE:
        return False
    return _SIGNATURE_RE.fullmatch(bare) is not None and _MARKS_RE.search(bare[:-1]) is None


def _are_unlike(rows: Sequence[Article]) -> bool:
    """Tell whether the articles are of all kinds, by their headlines.

    Issues of a series and notices of one kind name it in every headline; a template stands under
    all of them.
    """
    pairs: Counter[str] = Counter()
    for row in rows:
        parts = _HEADLINE_PART_RE.findall(row.headline)
        pairs.update({part[at : at + 2] for part in parts for at in range(len(part) - 1)})
    commonest = max(pairs.values(), default=len(rows))
    distinct = len({row.headline for row in rows})
    return commonest <= _COMMON_SHARE * len(rows) and distinct >= _DISTINCT_SHARE * len(rows)
