"""The files of an article: where they lie, and whether what came is one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hongxing_crawler.core.urls import canonical_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hongxing_crawler.core.document import ArticleContent
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.record import MediaFile
    from hongxing_crawler.core.urls import Scope


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
