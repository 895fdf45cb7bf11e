"""What a server does to its answers: validators, 304, chunks, compression, repeated headers."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from hongxing_crawler.demo.message import Reply, Request

if TYPE_CHECKING:
    from hongxing_crawler.demo.content import Article

BEIJING = timezone(timedelta(hours=8))
_SECOND_STATE_AT = datetime(2026, 11, 1, 8, 0, tzinfo=BEIJING)


def add_validators(reply: Reply, changed_at: datetime, etag: str = "") -> Reply:
    tag = etag or hashlib.sha256(reply.body).hexdigest()[:16]
    stamp = format_datetime(changed_at.astimezone(UTC), usegmt=True)
    more = (("ETag", f'"{tag}"'.encode()), ("Last-Modified", stamp.encode()))
    return replace(reply, headers=(*reply.headers, *more))


def dress_article(reply: Reply, article: Article, state: int) -> Reply:
    """Give an article's answer the habits of its server: validators, chunks, repeated headers."""
    changed = state == 2 and article.second is not None
    written_at = datetime.fromisoformat(article.date).replace(tzinfo=BEIJING)
    if article.template == "2012":
        stamp = format_datetime(written_at.astimezone(UTC), usegmt=True)
        reply = replace(reply, headers=(*reply.headers, ("Last-Modified", stamp.encode())))
    elif article.template != "video":
        etag = f"lie{article.id}" if article.lying_etag else ""
        at = written_at if article.lying_etag or not changed else _SECOND_STATE_AT
        reply = add_validators(reply, at, etag)
    if article.id % 5 == 0:
        repeated = (("Set-Cookie", b"a=1; Path=/"), ("Set-Cookie", b"b=2; Path=/"), ("Via", b"x"))
        reply = replace(reply, headers=(*reply.headers, *repeated, ("Via", b"y")))
    return replace(reply, chunked=article.id % 3 == 1)


def fit_to_client(reply: Reply, request: Request) -> Reply:
    """Answer 304 to matching validators, and compress what the client can read."""
    if reply.status == 200 and _is_unchanged(reply, request):
        kept = tuple(h for h in reply.headers if h[0] in {"ETag", "Last-Modified", "Set-Cookie"})
        return Reply(304, kept)
    is_text = reply.get_header("Content-Type").startswith(b"text/html")
    is_packable = is_text and zlib.crc32(request.path.encode()) % 2 == 0  # every second page
    if is_packable and "gzip" in request.get_header("Accept-Encoding"):
        headers = (*reply.headers, ("Content-Encoding", b"gzip"), ("Vary", b"Accept-Encoding"))
        return replace(reply, headers=headers, body=gzip.compress(reply.body, 6, mtime=0))
    return reply


def _is_unchanged(reply: Reply, request: Request) -> bool:
    if asked := request.get_header("If-None-Match"):
        return asked.encode() == reply.get_header("ETag")
    asked = request.get_header("If-Modified-Since")
    stamp = reply.get_header("Last-Modified").decode()
    if not asked or not stamp:
        return False
    return parsedate_to_datetime(asked) >= parsedate_to_datetime(stamp)
