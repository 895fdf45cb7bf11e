"""Links in sitemaps and feeds, read without an XML parser.

Sitemaps of small sites are often not well-formed, and an XML parser expands entities of hostile
ones. All that is wanted are addresses between two known tags.
"""

from __future__ import annotations

import html
import re

MAX_BYTES = 50 << 20  # sitemaps.org: 50 MB uncompressed at most
MAX_LINKS = 50_000  # and 50,000 addresses

_LOC_RE = re.compile(
    rb"<loc>([^<]{1,2100}|\s*<!\[CDATA\[[^\]]{1,2100}\]\]>\s*)</loc>", re.IGNORECASE
)
_LINK_RE = re.compile(
    rb"<link>([^<]{1,2100}|\s*<!\[CDATA\[[^\]]{1,2100}\]\]>\s*)</link>|<link\b[^>]{0,400}?"
    rb"href=[\"']([^\"'<>]{1,2100})[\"']",
    re.IGNORECASE,
)
_CDATA_RE = re.compile(r"<!\[CDATA\[(.*)\]\]>", re.DOTALL)


def find_sitemap_links(body: bytes) -> tuple[list[str], list[str]]:
    """Return the pages and the further sitemaps that a sitemap names.

    >>> find_sitemap_links(b"<urlset><url><loc> https://a.cn/1.html </loc></url></urlset>")
    (['https://a.cn/1.html'], [])

    Source: sitemaps.org protocol 0.9; a ``sitemapindex`` names sitemaps.
    """
    links = [_clean(match.group(1)) for match in _first(_LOC_RE, body)]
    if b"<sitemapindex" in body[:4096].lower():
        return [], links
    return links, []


def find_feed_links(body: bytes) -> tuple[list[str], list[str]]:
    """Return the pages that an RSS 2.0 or Atom feed names; the second list stays empty.

    >>> find_feed_links(b"<rss><item><link>https://a.cn/1.html</link></item></rss>")
    (['https://a.cn/1.html'], [])
    """
    return [_clean(match.group(1) or match.group(2)) for match in _first(_LINK_RE, body)], []


def _first(pattern: re.Pattern[bytes], body: bytes) -> list[re.Match[bytes]]:
    matches = []
    for match in pattern.finditer(body, 0, MAX_BYTES):
        matches.append(match)
        if len(matches) >= MAX_LINKS:
            break
    return matches


def _clean(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace").strip()
    inner = _CDATA_RE.fullmatch(text)
    return html.unescape(inner.group(1) if inner else text).strip()
