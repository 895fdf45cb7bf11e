"""Playlists of HTTP Live Streaming: which files make up a film."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.core.urls import join_url

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINES = 200_000
_ATTRIBUTE_RE = re.compile(r'([A-Z0-9-]{1,40})=(?:"([^"]{0,2000})"|([^",]{0,200}))')
_NUMBER_RE = re.compile(r"\d{1,12}(?:\.\d{1,12})?")


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several renderings of a film. ``bandwidth``: bits a second, 0 unknown."""

    url: str
    bandwidth: int = 0
    has_other_sound: bool = False  # its sound lies in a playlist of its own


@dataclass(frozen=True, slots=True)
class Playlist:
    """A master playlist has variants, a media playlist pieces, in their order, each once."""

    variants: tuple[Variant, ...] = ()
    pieces: tuple[str, ...] = ()
    seconds: float = 0.0
    is_ended: bool = False  # no more pieces will come
    is_encrypted: bool = False


def parse_playlist(text: str, url: str) -> Playlist:
    r"""Read a playlist.

    Keys, subtitles, pictures and times of single pieces are left alone. Pieces that are ranges
    of one file are that file, once.

    >>> parse_playlist("#EXTM3U\n#EXTINF:4.0,\na.ts\n#EXT-X-ENDLIST", "http://a.cn/v/x.m3u8").pieces
    ('http://a.cn/v/a.ts',)

    Args:
        text: The playlist, decoded.
        url: Its address: pieces are named relative to it.

    Raises:
        ValueError: It is none, or names what is no address.

    Source:
        RFC 8216, section 4.3.
    """
    lines = [line.strip() for line in text.splitlines()[:MAX_LINES]]
    if not lines or not lines[0].removeprefix("\ufeff").startswith("#EXTM3U"):
        raise ValueError("no playlist")
    sounds = {named["GROUP-ID"] for named in _tags(lines, "MEDIA") if _is_sound(named)}
    variants: dict[str, Variant] = {}
    pieces: dict[str, None] = {}
    stream: dict[str, str] | None = None
    for line in lines:
        if line.startswith("#EXT-X-STREAM-INF:"):
            stream = _attributes(line)
        elif line.startswith("#EXT-X-MAP:"):
            pieces[_address(url, _attributes(line).get("URI", ""))] = None
        elif line and not line.startswith("#"):
            address = _address(url, line)
            if stream is None:
                pieces[address] = None
            else:
                variants.setdefault(address, _variant(address, stream, sounds))
            stream = None
    methods = {named.get("METHOD", "NONE") for named in _tags(lines, "KEY")}
    return Playlist(
        variants=tuple(variants.values()),
        pieces=() if variants else tuple(pieces),
        seconds=sum(_number(line[8:]) for line in lines if line.startswith("#EXTINF:")),
        is_ended="#EXT-X-ENDLIST" in lines,
        is_encrypted=bool(methods - {"NONE"}),
    )


def _tags(lines: list[str], name: str) -> Iterator[dict[str, str]]:
    return (_attributes(line) for line in lines if line.startswith(f"#EXT-X-{name}:"))


def _is_sound(named: dict[str, str]) -> bool:
    return named.get("TYPE") == "AUDIO" and "URI" in named and "GROUP-ID" in named


def _attributes(line: str) -> dict[str, str]:
    return {match[1]: match[2] or match[3] or "" for match in _ATTRIBUTE_RE.finditer(line)}


def _variant(address: str, stream: dict[str, str], sounds: set[str]) -> Variant:
    return Variant(
        address,
        int(_number(stream.get("AVERAGE-BANDWIDTH") or stream.get("BANDWIDTH", ""))),
        stream.get("AUDIO", "") in sounds,
    )


def _number(text: str) -> float:
    match = _NUMBER_RE.match(text)
    return float(match[0]) if match else 0.0


def _address(url: str, name: str) -> str:
    address = join_url(url, name) if name else ""
    if not address:
        raise ValueError(f"no address: {name[:80]!r}")
    return address


def rank_variants(variants: tuple[Variant, ...]) -> list[Variant]:
    """Order variants, the best first: those with their own sound, then by bandwidth."""
    return sorted(variants, key=lambda variant: (variant.has_other_sound, -variant.bandwidth))
