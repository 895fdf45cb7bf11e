"""Pictures and attachments of an article, with the names that readers see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hongxing_crawler.core.addresses import extension_of
from hongxing_crawler.core.document import FoundAttachment, FoundImage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hongxing_crawler.core.blocks import Line, Picture
    from hongxing_crawler.core.text import Paragraph

_SOURCES = (
    "data-original",
    "data-src",
    "data-lazy-src",
    "data-original-src",
    "_src",
    "data-url",
    "src",
    "urlcloud",
)
_TINY_RE = re.compile(r"^\s?([0-9]|[12][0-9])(?:px)?\s?$")
_ORNAMENT_RE = re.compile(
    r"(?:^|[/_-])(?:icon|ico|logo|blank|spacer|pixel|space|dot|arrow|bullet|loading|grey|btn|button|qrcode|erweima|share|print|close|weixin|weibo)s?[\w-]{0,12}\.(?:gif|png|jpe?g|svg)",
    re.IGNORECASE,
)
_DOWNLOAD_NAME_RE = re.compile(
    r"\.(?:docx?|xlsx?|pdf|zip|rar|wps|pptx?|et|csv|7z)\s*$", re.IGNORECASE
)
_DOWNLOAD_PATH_RE = re.compile(r"download|attach|fujian|upload|file", re.IGNORECASE)
_PAGE_ENDS = (".html", ".htm", "/")


def picture_address(attrs: Mapping[str, Any], absolute: Callable[[str], str]) -> str:
    """Return the absolute address of a picture; lazy-loading attributes come first."""
    for name in _SOURCES:
        value = attrs.get(name)
        if value and value.lstrip()[:5].lower() != "data:":
            found = absolute(value)
            if found:
                return found
    return ""


def is_ornament(attrs: Mapping[str, Any], url: str) -> bool:
    """Say whether a picture is an icon, a spacer or a counter, by its size or name."""
    width, height = str(attrs.get("width") or ""), str(attrs.get("height") or "")
    return bool(_TINY_RE.match(width) or _TINY_RE.match(height) or _ORNAMENT_RE.search(url))


def find_images(
    pictures: Iterable[Picture], paragraphs: Sequence[Paragraph], absolute: Callable[[str], str]
) -> list[tuple[Picture, FoundImage]]:
    """List the pictures that stand inside the article, each after its paragraph."""
    found, seen, place = [], set(), -1
    for picture in pictures:
        limit = picture.at + (1 if picture.inside else 0)
        while place + 1 < len(paragraphs) and paragraphs[place + 1].lines[0].number < limit:
            place += 1
        if picture.is_video:
            continue
        url = picture_address(picture.attrs, absolute)
        if not url or url in seen or is_ornament(picture.attrs, url):
            continue
        seen.add(url)
        alt = str(picture.attrs.get("alt") or picture.attrs.get("title") or "").strip()[:300]
        found.append((picture, FoundImage(url, alt, "", place)))
    return found


def find_attachments(
    lines: Iterable[Line], extensions: frozenset[str], absolute: Callable[[str], str]
) -> tuple[FoundAttachment, ...]:
    """List links to files: by the address's extension, or a file name as the link's text."""
    found: dict[str, FoundAttachment] = {}
    for line in lines:
        if not line.links:
            continue
        may_name = "." in line.text or "附件" in line.text
        for start, end, href in line.links:
            if not may_name and href.endswith(_PAGE_ENDS):
                continue
            name = line.text[start:end].strip()
            if is_attachment(href, name, line.text, extensions):
                url = absolute(href)
                if url and url not in found:
                    found[url] = FoundAttachment(url, name)
    return tuple(found.values())


def is_attachment(href: str, name: str, text: str, extensions: frozenset[str]) -> bool:
    """Say whether a link offers a file."""
    if ("." in href[-12:] or "?" in href) and extension_of(href) in extensions:
        return True
    if "." in name and _DOWNLOAD_NAME_RE.search(name):
        return True
    return "附件" in text[:20] and bool(_DOWNLOAD_PATH_RE.search(href))
