"""The damage of mirror-station kits, done forwards: what makes the demo's damaged pages.

Written from the kit's known behaviour and from nothing of the repair, so that both can be
tested against each other. The order is the kit's: script, noise, glosses, decode.
"""

from __future__ import annotations

import random
import re
from functools import cache
from typing import TYPE_CHECKING

import opencc

from hongxing_crawler.demo.content import DATA_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

# The kit's table leaves these alone, and has forms of its own for some others.
_KEPT_SIMPLIFIED = frozenset("干后里面游范斗于群余采占系涌台恒云谷丑松")
_OTHER_FORMS = {"为": "為", "众": "眾", "签": "簽", "闲": "閑"}
_MARKS = "，。、？！；："
_NOISE = (5, 6, 7, 8)  # control characters
_NOISE_RE = re.compile("[\x05-\x08]")
_TOKEN_RE = re.compile(
    r"(?P<opaque><(?P<tag>script|style)\b.*?</(?P=tag)>|<!--.*?-->)|(?P<markup><[^>]*>)|[^<]+",
    re.DOTALL | re.IGNORECASE,
)
_SHOWN_ATTRIBUTE_RE = re.compile(r'(\b(?:content|alt|title)=")([^"]*)')
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


@cache
def load_glosses(table: str, folder: Path = DATA_FOLDER / "demo_site") -> dict[str, str]:
    """Read a gloss table: a character, its reading, and ``space`` if a space follows."""
    lines = (folder / f"glosses_{table}.tsv").read_text("utf-8").splitlines()
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {row[0]: row[1] + (" " if "space" in row[2:] else "") for row in cells}


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("s2t")


@cache
def _traditional(char: str) -> str:
    if char in _KEPT_SIMPLIFIED or char in _OTHER_FORMS:
        return _OTHER_FORMS.get(char, char)
    converted = _converter().convert(char)
    return converted if len(converted) == 1 else char


def change_script(text: str) -> str:
    """Turn Simplified characters into Traditional ones, each by itself.

    >>> change_script("发展后劲")
    '發展后勁'
    """
    return "".join(_traditional(char) for char in text)


def _add_noise(data: bytes, chance: random.Random) -> bytes:
    for mark in _MARKS:
        parts = data.split(mark.encode("gbk"))
        joined = parts[0]
        for part in parts[1:]:
            noise = bytes(chance.choice(_NOISE) for _ in range(chance.randint(1, 5)))
            joined += noise + mark.encode("gbk") + part
        data = joined
    return data


def _add_glosses(data: bytes, glosses: dict[str, str]) -> bytes:
    for char, reading in glosses.items():
        raw = char.encode("gbk")
        data = data.replace(raw, raw + f"({reading})".encode("gbk"))
    return data


def decode_like_kit(data: bytes) -> str:
    """Decode GBK the kit's way: a lead byte and a bad trail byte become one question mark.

    >>> decode_like_kit(bytes.fromhex("90BA 8628") + b"ji")
    '惡?ji'
    """
    parts: list[str] = []
    at = 0
    while at < len(data):
        if data[at] < 0x80:
            parts.append(chr(data[at]))
            at += 1
        else:
            parts.append(_decode_pair(data[at : at + 2]))
            at += 2
    return "".join(parts)


def _decode_pair(pair: bytes) -> str:
    try:
        return pair.decode("gbk")
    except UnicodeDecodeError:
        return "?"


def damage_text(text: str, glosses: dict[str, str], chance: random.Random) -> str:
    """Damage one run of text as the kit does, control characters included."""
    data = change_script(text).encode("gbk", "replace")
    return decode_like_kit(_add_glosses(_add_noise(data, chance), glosses))


def capture_text(text: str) -> str:
    """Fold damaged text as a plain-text capture does: no noise, ASCII for full-width marks."""
    return _NOISE_RE.sub("", text).translate(_FULL_WIDTH)


def damage_html(html: str, table: str, seed: int, *, captured: bool = False) -> str:
    """Damage what a page shows: text, and the attributes that hold some; scripts stay."""
    glosses = load_glosses(table)
    chance = random.Random(seed)  # noqa: S311 - the same page every time is the point

    def damage(text: str) -> str:
        damaged = damage_text(text, glosses, chance)
        return capture_text(damaged) if captured else damaged

    def damage_token(token: re.Match[str]) -> str:
        if token["opaque"]:
            return token[0]
        if token["markup"]:
            return _SHOWN_ATTRIBUTE_RE.sub(lambda m: m[1] + damage(m[2]), token[0])
        return damage(token[0])

    return _TOKEN_RE.sub(damage_token, html)
