"""What a response means: the same judgement for the crawl and for reprocessing.

Nothing here fetches or stores. A response becomes an outcome with a reason, a page, and links
worth a visit; the spider and ``reprocess`` act on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from hongxing_crawler.core.json_lists import find_json_list, lists_of_page, read_json_list
from hongxing_crawler.core.page import extract
from hongxing_crawler.core.sitemaps import find_feed_links, find_sitemap_links
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.running.rendering import RENDERED_TYPE, Impression
from hongxing_crawler.store.visit import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.core.document import Page
    from hongxing_crawler.core.profile import JsonList, SiteProfile
    from hongxing_crawler.core.urls import Scope

PRIORITIES = {"article": 10, "topic": 5, "page": 3, "list": 2, "sitemap": 1, "feed": 1}
HUBS = frozenset({"seed", "list", "topic", "sitemap", "feed"})  # pages asked for their links

_LISTINGS = frozenset({"list", "topic", "page"})
_HTML_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "")
_BLOCK_RE = re.compile(
    r"访问(?:过于|太)频繁|安全验证|滑动验证|人机验证|请输入验证码|拒绝访问|"
    r"Access Denied|Attention Required|Just a moment|safedog|云锁|WAF",
    re.IGNORECASE,
)
_BLOCK_MAX_CHARS = 2_000  # a block page is short; an article about 验证码 is not


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, as far as its meaning goes. ``body`` is decoded from its content coding."""

    url: str
    status: int
    content_type: str
    location: str
    body: bytes
    payload_digest: str = ""
    found_on: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """``outcome`` and ``reason`` as in ``store.visit.Visit``; a page when there is one."""

    outcome: str
    reason: str = ""
    page: Page | None = None  # set when the page is, or may be, an article
    shown: Page | None = None  # whatever was read, article or not
    links: tuple[Found, ...] = ()
    lists: tuple[Found, ...] = ()  # JSON lists of this page, asked for whatever else it shows
    blocked: bool = False


def read_answer(
    answer: Answer,
    kind: str,
    depth: int,
    profile: SiteProfile,
    scope: Scope,
    seed_digests: Iterable[str] = (),
) -> Reading:
    """Judge a response to a frontier URL of the given kind.

    Args:
        answer: The response.
        kind: What the frontier took the URL for.
        depth: Links from a seed.
        profile: The site.
        scope: The profile's compiled URL rules.
        seed_digests: Payload digests of the start pages, to know a soft 404 by.
    """
    by_status = _read_status(answer, kind, depth, profile, scope)
    if by_status is not None:
        return by_status
    if kind in {"sitemap", "feed"}:
        return _read_index(answer, kind, depth, profile, scope)
    if (rule := find_json_list(answer.url, profile)) is not None:
        return _read_json_list(answer, rule, depth, profile, scope)
    if answer.content_type.split(";")[0].strip().lower() not in _HTML_TYPES:
        return Reading("rejected", "not_html")
    if not answer.body.strip(b"\0 \t\r\n"):  # no script either: a browser would see no more
        return Reading("rejected", "empty")
    return _read_page(answer, kind, depth, profile, scope, seed_digests)


def _read_status(
    answer: Answer, kind: str, depth: int, profile: SiteProfile, scope: Scope
) -> Reading | None:
    """Judge what the status alone decides; None for a success."""
    status = answer.status
    if 200 <= status < 300:
        return None
    if status == 304:
        return Reading("unchanged")
    if status in {404, 410}:
        return Reading("gone", f"http_{status}")
    if 300 <= status < 400:
        return _read_redirect(answer, kind, depth, profile, scope)
    return Reading("failed", f"http_{status}")


def _read_redirect(
    answer: Answer, kind: str, depth: int, profile: SiteProfile, scope: Scope
) -> Reading:
    try:
        target = canonical_url(urljoin(answer.url, answer.location))
    except ValueError:
        return Reading("rejected", "redirect_unusable")
    if target in {answer.url, answer.found_on} or depth >= profile.max_depth:
        return Reading("rejected", "redirect_loop")
    new_kind = scope.classify(target)
    if new_kind not in PRIORITIES:
        return Reading("rejected", "redirect_out_of_scope")
    kept = kind if new_kind == "page" else new_kind
    found = Found(target, kept, PRIORITIES.get(kept, 0), depth + 1)
    return Reading("done", "redirect", links=(found,))


def _read_index(
    answer: Answer, kind: str, depth: int, profile: SiteProfile, scope: Scope
) -> Reading:
    find = find_sitemap_links if kind == "sitemap" else find_feed_links
    urls, children = find(answer.body)
    links = list(choose_links(urls, depth + 1, profile, scope))
    links += [Found(url, "sitemap", 1, depth + 1) for url in children if in_scope(url, scope)]
    return Reading("done", links=tuple(links))


def _read_json_list(
    answer: Answer, rule: JsonList, depth: int, profile: SiteProfile, scope: Scope
) -> Reading:
    """Read a list that comes as JSON; what it lacks is a reason, and its links count all the same.

    A server that wards us off may well do it with a web page.
    """
    found = read_json_list(answer.body, answer.content_type, answer.url, rule)
    if found.problem == "json_broken":
        page = extract(answer.body, answer.url, profile, content_type=answer.content_type)
        if _is_block_page(page):
            return Reading("failed", "block_page", blocked=True)
    days = {item.url: item.day for item in found.items}
    links = [
        replace(link, day=days[link.url])
        for link in _links_of_list(days, depth + 1, profile, scope)
        if link.url != answer.url
    ]
    if depth < profile.max_list_pages and found.next_url and in_scope(found.next_url, scope):
        links.append(Found(found.next_url, "list", PRIORITIES["list"], depth + 1))
    outcome = "rejected" if found.problem else "done"
    return Reading(outcome, found.problem, links=tuple(links))


def _read_page(
    answer: Answer,
    kind: str,
    depth: int,
    profile: SiteProfile,
    scope: Scope,
    seed_digests: Iterable[str],
) -> Reading:
    page = extract(answer.body, answer.url, profile, content_type=answer.content_type)
    if _is_block_page(page):
        return Reading("failed", "block_page", blocked=True)
    if kind != "seed" and _is_soft_404(answer, page, profile, seed_digests):
        return Reading("gone", "soft_404")
    plain = (url for url in page.links if url not in page.next_lists)  # these have their own limit
    choose = _links_of_list if kind == "list" else choose_links
    links = tuple(choose(plain, depth + 1, profile, scope)) + tuple(
        Found(url, "list", PRIORITIES["list"], depth + 1)
        for url in page.next_lists
        if depth < profile.max_list_pages and in_scope(url, scope)
    )
    links = tuple(link for link in links if link.url not in page.next_parts)
    if not _may_be_article(kind, page, profile, scope):
        lists = tuple(_json_lists(answer.url, depth + 1, profile, scope))
        return Reading("done", links=links, lists=lists, shown=page)
    missing = [name for name in ("title", "body") if not getattr(page, name).strip()]
    has_media = bool(page.images or page.attachments or page.videos)
    if "title" in missing or ("body" in missing and not has_media):
        return Reading("rejected", "no_" + "_no_".join(missing), links=links, shown=page)
    return Reading("done", page=page, links=links, shown=page)


def impression_of(answer: Answer, kind: str, reading: Reading) -> Impression | None:
    """Return what tells whether a page is complete; None for what no browser would change."""
    page = reading.shown
    if page is None or answer.status != 200:
        return None
    return Impression(
        html=answer.body,
        kind=kind,
        text=page.text_sample,
        list_item_count=page.list_item_count,
        article_links=sum(link.kind == "article" for link in reading.links) + len(reading.lists),
        has_text=bool(page.body.strip()),
        has_media=bool(page.images or page.attachments or page.videos),
    )


def rendered_answer(answer: Answer, body: bytes) -> Answer:
    """Put the page that a browser showed in the place of the page as it came."""
    return replace(answer, body=body, content_type=RENDERED_TYPE)


def _may_be_article(kind: str, page: Page, profile: SiteProfile, scope: Scope) -> bool:
    """Tell whether a page may become a row: articles do, and topics that offer files."""
    if kind == "article" or (profile.generic and kind == "page"):
        return True
    return bool(page.attachments) and scope.classify(page.url) == "topic"


def _is_block_page(page: Page) -> bool:
    text = page.text_sample
    return len(text) < _BLOCK_MAX_CHARS and _BLOCK_RE.search(text) is not None


def _is_soft_404(
    answer: Answer, page: Page, profile: SiteProfile, seed_digests: Iterable[str]
) -> bool:
    if "home" in profile.soft_404 and answer.payload_digest in set(seed_digests):
        return True
    patterns = [rule for rule in profile.soft_404 if rule != "home"]
    head = f"{page.title}\n{page.text_sample[:400]}"
    return any(re.search(pattern, head) for pattern in patterns)


def in_scope(url: str, scope: Scope) -> bool:
    """Tell whether a page of this site may be asked for."""
    return scope.classify(url) in PRIORITIES


def choose_links(
    urls: Iterable[str], depth: int, profile: SiteProfile, scope: Scope
) -> Iterable[Found]:
    """Turn a page's links into frontier entries; what is out of scope is left out.

    Files and images are left out as well: they are fetched with the article that shows them.
    """
    if depth > profile.max_depth:
        return
    for url in urls:
        kind = scope.classify(url)
        if kind in PRIORITIES:
            yield _found(url, kind, PRIORITIES[kind], depth)


def _links_of_list(
    urls: Iterable[str], depth: int, profile: SiteProfile, scope: Scope
) -> Iterator[Found]:
    """Choose the links of a list: its articles count however long the way through its pages was."""
    for found in choose_links(urls, min(depth, profile.max_depth), profile, scope):
        if found.kind != "list" or depth <= profile.max_depth:
            yield found


def _json_lists(url: str, depth: int, profile: SiteProfile, scope: Scope) -> Iterator[Found]:
    for address in lists_of_page(url, profile):
        if in_scope(address, scope):
            yield Found(address, "list", PRIORITIES["list"], depth)


_found = lru_cache(maxsize=2_000)(Found)  # most links of a page stand on the next one too


def header_address(value: bytes | None) -> str:
    r"""Read an address from a header; bytes that are no ASCII are escaped, not guessed at.

    >>> header_address(b"/\xd6\xd0\xb9\xfa.html")
    '/%D6%D0%B9%FA.html'
    """
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in value or b"")
