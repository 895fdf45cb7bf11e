"""Films of an article: players, what stands in the place of one, links, scripts that name one."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from hongxing_crawler.core.addresses import extension_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from turbohtml import Document, Element

    from hongxing_crawler.core.blocks import Picture

FILM_RE = re.compile(r"\.(?:mp4|m3u8|flv|mov|webm|m4v|wmv)\b", re.IGNORECASE)

_MAX_COUNT = 50
_MAX_BOXES = 200
_EXTENSIONS = frozenset("mp4 m3u8 flv mov webm m4v wmv avi mpg mpeg mkv".split())  # noqa: SIM905 - a table
_ATTRIBUTES = (
    *("src", "urlcloud", "data-src", "data-url", "data-video", "data-video-url", "data-videourl"),
    *("data-hls", "data-mp4", "data-source", "data-file", "video-url", "videourl", "vurl", "url"),
)
_NAMED = ("mp4", "m3u8", "flv")
_EDITORS_CLASS = "edui-faked-video"  # UEditor: a picture or box that a script replaces by a player
# Players that the walk over the page passes by: it keeps pictures and direct sources of a player.
_BOXES = ",".join(
    (
        "[urlcloud]",
        "video source",
        *(f"iframe[src*='.{name}' i], embed[src*='.{name}' i]" for name in ("mp4", "m3u8")),
        *(
            f"param[value*='.{name}' i], object[data*='.{name}' i]"
            for name in ("mp4", "m3u8", "flv")
        ),
        *(f"[{key}*='.{name}' i]" for key in _ATTRIBUTES[2:] for name in ("mp4", "m3u8", "flv")),
    )
)
_ENDING_RE = re.compile(r"\.(?:mp4|m3u8|flv)", re.IGNORECASE)
_SCRIPTED_RE = re.compile(
    r"""(?P<quote>["'])(?P<url>[^"'<>\r\n\t]{1,500}\.(?:mp4|m3u8|flv|mov|webm|m4v|wmv)"""
    r"""(?:\?[^"'\s<>]{0,300})?)(?P=quote)""",
    re.IGNORECASE,
)
_BARE_NAME_RE = re.compile(r"[\w.~%-]+", re.ASCII)
_ESCAPE_RE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(/))")


def find_videos(
    pictures: Iterable[Picture],
    boxes: Iterable[Mapping[str, Any]],
    hrefs: Iterable[str],
    scripts: Iterable[str],
    absolute: Callable[[str], str],
) -> tuple[str, ...]:
    """List the addresses of films, absolute, each once; a playlist (HLS) is listed as such.

    Args:
        pictures: Pictures and players of the article, in its order.
        boxes: Attributes of other boxes that stand for a film, from `find_boxes`.
        hrefs: Where links of the article lead.
        scripts: Texts of scripts that stand in the article.
        absolute: Makes an address absolute; ``""`` when it is none.
    """
    found = [_of_picture(picture, absolute) for picture in pictures]
    found += [_of_box(attrs, absolute) for attrs in boxes]
    found += [absolute(href) for href in hrefs if extension_of(href) in _EXTENSIONS]
    found += [absolute(address) for script in scripts for address in _named_in(script)]
    return tuple(dict.fromkeys(filter(None, found)))[:_MAX_COUNT]


def _of_picture(picture: Picture, absolute: Callable[[str], str]) -> str:
    attrs = picture.attrs
    is_film = picture.is_video or _EDITORS_CLASS in str(attrs.get("class") or "")
    for name in ("urlcloud", "data-src", "src") if picture.is_video else ("urlcloud",):
        url = absolute(str(attrs.get(name) or ""))
        if url and (is_film or extension_of(url) in _EXTENSIONS):
            return url
    return _of_box(attrs, absolute)


def _of_box(attrs: Mapping[str, Any], absolute: Callable[[str], str]) -> str:
    """Return the first address among a box's attributes that is a film's."""
    is_film = _EDITORS_CLASS in str(attrs.get("class") or "")
    for name in (*_ATTRIBUTES, "value", "data"):
        url = absolute(str(attrs.get(name) or ""))
        if url and (extension_of(url) in _EXTENSIONS or (is_film and name == "urlcloud")):
            return url
    return ""


def find_boxes(document: Document, html: str, box: Element | None) -> Iterator[Mapping[str, Any]]:
    """Yield the attributes of boxes in the article that stand for a film and hold no text.

    Args:
        document: The page.
        html: Its markup: a page that names no film at all costs one look.
        box: The article; None: the whole page.
    """
    # Two looks: as one pattern without a first character in common they take as long as a parse.
    if not _ENDING_RE.search(html) and document.select_one("[urlcloud]") is None:
        return
    for element in islice(document.select(_BOXES), _MAX_BOXES):
        if box is None or _is_below(element, box):
            yield element.attrs


def _is_below(element: Element, box: Element) -> bool:
    above: Any = element
    while above is not None:
        if above == box:
            return True
        above = getattr(above, "parent", None)
    return False


def _named_in(script: str) -> Iterator[str]:
    for match in _SCRIPTED_RE.finditer(script):
        address = _ESCAPE_RE.sub(_unescape, match["url"]).replace("&amp;", "&")
        if "/" in address or _BARE_NAME_RE.fullmatch(address.partition("?")[0]):
            yield address  # else a film's name, as readers see it


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else "/"
