"""What a response means: the same judgement for the crawl and for reprocessing.

Nothing here fetches or stores. A response becomes an outcome with a reason, a page, and links
worth a visit; the spider and ``reprocess`` act on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from hongxing_crawler.core.page import extract
from hongxing_crawler.core.record import Article, Origin, build_article
from hongxing_crawler.core.sitemaps import find_feed_links, find_sitemap_links
from hongxing_crawler.core.urls import canonical_url, shifted_date
from hongxing_crawler.running.rendering import RENDERED_TYPE, Impression
from hongxing_crawler.store.visit import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from hongxing_crawler.core.document import ArticleContent, CleanedPage, Page
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.record import MediaFile
    from hongxing_crawler.core.urls import Scope
    from hongxing_crawler.store.visit import Visit

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
    links = tuple(choose_links(plain, depth + 1, profile, scope)) + tuple(
        Found(url, "list", PRIORITIES["list"], depth + 1)
        for url in page.next_lists
        if depth < profile.max_list_pages and in_scope(url, scope)
    )
    links = tuple(link for link in links if link.url not in page.next_parts)
    if not _may_be_article(kind, page, profile, scope):
        return Reading("done", links=links, shown=page)
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
        article_links=sum(link.kind == "article" for link in reading.links),
        has_body=bool(page.body.strip() or page.images or page.attachments or page.videos),
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


_found = lru_cache(maxsize=2_000)(Found)  # most links of a page stand on the next one too


REASONS = {
    "DownloadTimeoutError": "timeout",
    "DownloadCancelledError": "too_large",
    "ResponseDataLossError": "broken_off",
    "CannotResolveHostError": "no_such_host",
    "DownloadConnectionRefusedError": "connection_refused",
    "DownloadFailedError": "connection_failed",
    "PrivateAddressError": "private_address",
    "UnsupportedURLSchemeError": "unsupported_url",
    "ArchiveStoppedError": "archive_error",
    "HostDownError": "host_down",
    "RobotsUnreachableError": "robots_unreachable",
    "RobotsDeniedError": "robots_denied",
}
FINAL_REASONS = frozenset({"too_large", "private_address", "unsupported_url"})


def failure_reason(error: BaseException) -> str:
    """Name a download error in our own words; ``reprocess`` finds the same name in the WARC."""
    name = type(error).__name__
    if name == "IgnoreRequest" and "decompress" in str(error):
        return "too_large"
    if name == "RefusedError":
        return str(error)
    return REASONS.get(name, name)


def header_address(value: bytes | None) -> str:
    r"""Read an address from a header; bytes that are no ASCII are escaped, not guessed at.

    >>> header_address(b"/\xd6\xd0\xb9\xfa.html")
    '/%D6%D0%B9%FA.html'
    """
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in value or b"")


class PartQueue:
    """The other pages of an article, each address once, in the order of their finding."""

    def __init__(self, first: Page) -> None:
        self._known = {first.url}
        self._waiting: list[str] = []
        self.add(first)

    def add(self, page: Page) -> None:
        """Take in where a page says that others are."""
        for url in page.next_parts:
            if url not in self._known:
                self._known.add(url)
                self._waiting.append(url)

    def __iter__(self) -> Iterator[str]:
        while self._waiting:
            yield self._waiting.pop(0)


def sort_parts(pages: Iterable[Page]) -> list[Page]:
    """Order the pages of one article by the number in their address, the first page first."""
    return sorted(pages, key=lambda page: (len(page.url), _numbers(page.url)))


def _numbers(url: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d{1,9}", url)]


def article_of(visit: Visit, run_id: str, profile: SiteProfile, scope: Scope) -> Article:
    """Make the row of a visit that brought a cleaned page.

    ``list_url`` is the page it was found on when that is a list, a topic or a start page. A page
    that prints no date gets the day of its address, when the site writes one there.

    Raises:
        PageError: Cleaning left nothing that is an article.
    """
    assert visit.cleaned is not None
    cleaned, found_on = visit.cleaned, visit.ticket.found_on
    if scope.classify(visit.final_url) == "topic":
        cleaned = replace(cleaned, article=replace(cleaned.article, doc_type="topic"))
    if visit.warnings:
        cleaned = replace(cleaned, warnings=(*cleaned.warnings, *visit.warnings))
    if cleaned.article.date_published is None:
        cleaned = _dated_by_address(cleaned, shifted_date(visit.final_url, profile))
    origin = Origin(
        requested_url=visit.ticket.url,
        final_url=visit.final_url,
        list_url=found_on if scope.classify(found_on) in _LISTINGS else "",
        run_id=run_id,
        content_type=visit.content_type,
        etag=visit.etag,
        last_modified=visit.last_modified,
        raw_sha256=visit.raw_sha256,
        rendered_record_id=visit.rendered.record_id if visit.rendered else "",
    )
    return build_article(cleaned, origin=origin, capture=visit.main, media=visit.media)


def _dated_by_address(cleaned: CleanedPage, day: date | None) -> CleanedPage:
    if day is None:
        return cleaned
    midnight = f"{day.isoformat()}T00:00:00+08:00"
    article = replace(cleaned.article, date_published=midnight, date_precision="day")
    return replace(cleaned, article=article, warnings=(*cleaned.warnings, "date_from_address"))


def media_urls(article: ArticleContent) -> Iterable[str]:
    """Return the addresses of an article's files, in page order."""
    yield from (image.url for image in article.images)
    yield from (attachment.url for attachment in article.attachments)


def media_addresses(url: str, profile: SiteProfile, scope: Scope) -> list[str]:
    """Return where a file may lie: its own address, then the same path on the media hosts.

    The site writes some file links relative to its pages although the files lie on the image host.
    """
    try:
        first = scope.current_url(canonical_url(url))
    except ValueError:
        return []
    parts = urlsplit(first)
    if parts.netloc not in profile.hosts:
        return [first]
    others = (parts._replace(netloc=host).geturl() for host in profile.media_hosts)
    return list(dict.fromkeys([first, *others]))


def find_media_problem(url: str, media: MediaFile) -> str:
    """Say why fetched bytes are not the file that was wanted; empty when they are.

    A web page in place of a picture or table is the server's way to say no.
    """
    if media.bytes == 0:
        return "empty"
    wants_page = urlsplit(url).path.lower().endswith((".html", ".htm"))
    return "soft_404" if media.mime == "text/html" and not wants_page else ""
