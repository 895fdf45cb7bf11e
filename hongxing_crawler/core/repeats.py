"""Blocks of an article that also stand on other pages: their keys, and how they are taken out.

One page cannot tell a site's standing note from a last sentence. Many pages can: `repeats_judge`
decides, here is what it decides about.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from html import unescape
from typing import TYPE_CHECKING

from hongxing_crawler.core.addresses import extension_of, host_of, site_of
from hongxing_crawler.core.clean import clean_body
from hongxing_crawler.core.clean_html import clean_html
from hongxing_crawler.core.edits import Edit, RemovedBlock
from hongxing_crawler.core.identity import content_sha256
from hongxing_crawler.core.row import StepRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hongxing_crawler.core.row import Article, CleaningRow

TEXT_RULE = "template.repeated_block"
LINK_RULE = "spam.repeated_links"
HEAD_PARAGRAPHS, TAIL_PARAGRAPHS = 3, 4  # where a template's lines get into a body
KEY_BYTES = 8  # the first says what the others are a digest of

_LEAST_CHARS = 6
_LEAST_LINKS = 2
_MOST_LINK_BLOCKS = 8
_LONGEST_ANCHOR = 12  # on average: headlines of a digest are longer
_LINKED_SHARE = 0.5
_SEPARATOR = "\n\n"
_DIGITS_RE = re.compile(r"\d+")
_DATE_CHARS_RE = re.compile(r"[\d年月日时分秒星期一二三四五六七八九十○〇零\s:：/.-]+")
_PIECE_RE = re.compile(r"<p>(?P<inner>[^\n]*?)</p>")
_LINK_RE = re.compile(r"<a href=\"(?P<href>[^\"<>]*)\">(?P<text>[^<>]*)</a>")
_TAG_RE = re.compile(r"<[^<>]*>")
# Honest reasons to lead a reader away: sources, files, registration.
_SERVICE_RE = re.compile(
    r"来源|稿源|原文|转自|转载|附件|下载|报名|查询|网址|登录|咨询|申报|平台入口|文件"
)
_GUARDED_SITES = (".gov.cn", ".edu.cn", ".mil.cn", ".ac.cn")  # nobody sells links of these


@dataclass(frozen=True, slots=True)
class LinkBlock:
    """A paragraph that is mostly links to other sites."""

    text: str
    links: tuple[str, ...]
    anchors: tuple[str, ...]
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What many pages said of a block; ``signs`` as in ``RemovedBlock.evidence``."""

    rule: str
    signs: tuple[str, ...]


def key_of_text(text: str) -> bytes:
    """Digest a paragraph so that spaces and numbers make no difference.

    >>> key_of_text("您是第 12 位访客") == key_of_text("您是第345位访客")
    True
    """
    return b"t" + _digest("".join(_DIGITS_RE.sub("0", text).split()))


def key_of_site(site: str) -> bytes:
    """Digest the name of a site that links lead to."""
    return b"s" + _digest(site)


def is_site_key(key: bytes) -> bool:
    return key.startswith(b"s")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[: KEY_BYTES - 1]


def is_telling(text: str) -> bool:
    """Tell whether a paragraph says enough to be known again; a date does not."""
    bare = text.strip()
    return len(bare) >= _LEAST_CHARS and _DATE_CHARS_RE.fullmatch(bare) is None


def edges(count: int) -> list[int]:
    """Return the places of the first and last paragraphs of a body.

    >>> edges(9), edges(2)
    ([0, 1, 2, 5, 6, 7, 8], [0, 1])
    """
    return [n for n in range(count) if n < HEAD_PARAGRAPHS or n >= count - TAIL_PARAGRAPHS]


def find_keys(article: Article) -> bytes:
    """Digest the blocks by which an article can be compared with others, joined and sorted.

    The paragraphs at the edges and the sites of at most eight link blocks: what is kept of an
    article does not grow with its length.
    """
    paragraphs = article.article_body.split(_SEPARATOR)
    keys = {key_of_text(paragraphs[n]) for n in edges(len(paragraphs)) if is_telling(paragraphs[n])}
    keys.update(key_of_site(site) for block in find_link_blocks(article) for site in block.sites)
    return b"".join(sorted(keys))


def find_link_blocks(article: Article) -> list[LinkBlock]:
    """Find the paragraphs that are rows of short links to other sites.

    Links to files, to sites of the state and of schools, and rows that name a source or a service
    are left alone.
    """
    html = article.article_body_html
    if html.count("<a href=") < _LEAST_LINKS:
        return []
    home = site_of(host_of(article.url))
    found = (_link_block(match["inner"], home) for match in _PIECE_RE.finditer(html))
    return [block for block in found if block is not None][:_MOST_LINK_BLOCKS]


def _link_block(inner: str, home: str) -> LinkBlock | None:
    pairs = [(unescape(m["href"]), unescape(m["text"])) for m in _LINK_RE.finditer(inner)]
    if len(pairs) < _LEAST_LINKS:
        return None
    text = unescape(_TAG_RE.sub("", inner))
    anchors = tuple(anchor.strip() for _, anchor in pairs)
    hosts = [host_of(href) for href, _ in pairs]
    linked = sum(map(len, anchors))
    is_row = linked >= _LINKED_SHARE * len(text) and linked <= _LONGEST_ANCHOR * len(pairs)
    if not is_row or _SERVICE_RE.search(text):
        return None
    if not all(_is_foreign(host, home) for host in hosts) or any(
        extension_of(href) not in {"", "html", "htm", "php"} for href, _ in pairs
    ):
        return None
    sites = tuple(sorted({site_of(host) for host in hosts}))
    return LinkBlock(text, tuple(dict.fromkeys(href for href, _ in pairs)), anchors, sites)


def _is_foreign(host: str, home: str) -> bool:
    return bool(host) and site_of(host) != home and not host.endswith(_GUARDED_SITES)


def is_link_row(article: Article, paragraph: str) -> bool:
    """Tell whether a paragraph is a row of links, wherever they lead."""
    if article.article_body_html.count("<a href=") < _LEAST_LINKS:
        return False
    for match in _PIECE_RE.finditer(article.article_body_html):
        if unescape(_TAG_RE.sub("", match["inner"])) == paragraph:
            texts = [unescape(link["text"]) for link in _LINK_RE.finditer(match["inner"])]
            linked = sum(map(len, texts))
            return len(texts) >= _LEAST_LINKS and linked >= _LINKED_SHARE * len(paragraph)
    return False


def strip_repeats(article: Article, verdicts: Mapping[bytes, Verdict]) -> Article:
    """Take out of a row what other pages have told to be no part of it.

    A row that nothing would be left of is kept as it is.

    Returns:
        The row with edits that replay and the evidence as removed blocks; the same row when
        there is nothing to take out.
    """
    if not verdicts or not article.article_body:
        return article
    paragraphs = article.article_body.split(_SEPARATOR)
    found = _find_repeats(article, paragraphs, verdicts)
    if not found:
        return article
    if len(found) == len(paragraphs) and not (article.images or article.attachments):
        return article
    return _without(article, paragraphs, found)


def _find_repeats(
    article: Article, paragraphs: Sequence[str], verdicts: Mapping[bytes, Verdict]
) -> dict[int, RemovedBlock]:
    found: dict[int, RemovedBlock] = {}
    for block in find_link_blocks(article):
        judged = [verdicts.get(key_of_site(site)) for site in block.sites]
        if block.text in paragraphs and all(judged):
            number = paragraphs.index(block.text)
            found[number] = _describe(judged[0], block.text, block.links)
    while True:
        hits = {n: v for n, v in _judged_edges(paragraphs, found, verdicts) if v is not None}
        if not hits:
            return found
        found.update({n: _describe(verdict, paragraphs[n], ()) for n, verdict in hits.items()})


def _judged_edges(
    paragraphs: Sequence[str], gone: Collection[int], verdicts: Mapping[bytes, Verdict]
) -> Iterator[tuple[int, Verdict | None]]:
    left = [n for n in range(len(paragraphs)) if n not in gone]
    for place in edges(len(left)):
        text = paragraphs[left[place]]
        if is_telling(text):
            yield left[place], verdicts.get(key_of_text(text))


def _describe(verdict: Verdict | None, text: str, links: tuple[str, ...]) -> RemovedBlock:
    assert verdict is not None
    return RemovedBlock(verdict.rule, "article_body", text, links, verdict.signs)


def _without(
    article: Article, paragraphs: Sequence[str], found: Mapping[int, RemovedBlock]
) -> Article:
    kept = [text for number, text in enumerate(paragraphs) if number not in found]
    edits = tuple(_edits(paragraphs, found))
    blocks = tuple(found[number] for number in sorted(found))
    steps = [StepRow(step="repeats", field="article_body", edits=edits, removed_blocks=blocks)]
    body, more = clean_body(_SEPARATOR.join(kept))
    steps += [
        StepRow(step=step.name, field="article_body", edits=step.edits, removed_blocks=())
        for step in more
    ]
    images = tuple(
        replace(image, position=image.position - sum(n <= image.position for n in found))
        for image in article.images
    )
    return replace(
        article,
        article_body=body,
        article_body_html=clean_html(article.article_body_html, body, lambda _text: ""),
        char_count=len("".join(body.split())),
        content_sha256=content_sha256(article.headline, body),
        images=images,
        cleaning=_retell(article.cleaning, steps, len(body)),
    )


def _edits(paragraphs: Sequence[str], found: Mapping[int, RemovedBlock]) -> Iterator[Edit]:
    """Take paragraphs out, each with the blank line before it, at the start with that behind."""
    position, is_start = 0, True
    for number, text in enumerate(paragraphs):
        start, end = position, position + len(text)
        position = end + len(_SEPARATOR)
        if number not in found:
            is_start = False
        elif is_start:
            yield Edit(start, position, text + _SEPARATOR, "", found[number].rule)
        else:
            before = start - len(_SEPARATOR)
            yield Edit(before, end, _SEPARATOR + text, "", found[number].rule)


def _retell(cleaning: CleaningRow, steps: Sequence[StepRow], size: int) -> CleaningRow:
    raw = cleaning.chars_raw
    return replace(
        cleaning,
        chars_clean=size,
        removed_ratio=round(max(0.0, 1 - size / raw), 4) if raw else 0.0,
        steps=(*cleaning.steps, *steps),
    )
