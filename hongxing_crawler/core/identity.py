"""Names and digests that never change once given out."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/svg+xml": "svg",
    "text/plain": "txt",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/x-rar-compressed": "rar",
}


def article_id(url: str) -> str:
    """Name an article by its canonical address.

    >>> article_id("http://a.cn/")
    'art_45db151f6b2121e9b80146a742abd078'
    """
    return "art_" + hashlib.sha256(url.encode()).hexdigest()[:32]


def content_sha256(headline: str, article_body: str) -> str:
    """Digest what makes a revision: ``sha256(NFC(headline + LF + article_body))``, in hex."""
    text = unicodedata.normalize("NFC", f"{headline}\n{article_body}")
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def utc_text(moment: datetime) -> str:
    """Write a moment as rows do: UTC, whole seconds.

    >>> from datetime import datetime, timedelta, timezone
    >>> utc_text(datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))))
    '2026-01-01T00:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def media_key(sha256: str, mime: str) -> str:
    """Name the object that holds stored bytes: by digest, with the ending of its media type.

    >>> media_key("ab" * 32, "image/jpeg")[:23], media_key("ab" * 32, "image/png")[-4:]
    ('media/sha256/ab/abababa', '.png')
    """
    if not sha256:
        return ""
    kind = mime.partition(";")[0].strip().lower()
    tail = kind.rpartition("/")[2]
    extension = _EXTENSIONS.get(kind) or (
        tail if tail.isascii() and tail.isalnum() and len(tail) <= 5 else "bin"
    )
    return f"media/sha256/{sha256[:2]}/{sha256}.{extension}"
