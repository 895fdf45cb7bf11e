"""Read width and height from the first bytes of an image, without decoding it."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NO_SIZE = (0, 0)

_JPEG_SEGMENTS_MAX = 2_000
_JPEG_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})  # tables among the frame markers C0 to CF
_TIFF_ENTRIES_MAX = 512
_SVG_TAG_RE = re.compile(rb"<(?:svg:)?svg\b([^>]{0,4000})", re.IGNORECASE)
_SVG_LENGTH_RE = re.compile(
    rb"""\s(width|height)\s{0,9}=\s{0,9}["']\s{0,9}([0-9]{1,9}(?:\.[0-9]{0,9})?)(?:px)?\s{0,9}["']"""
)
_SVG_BOX_RE = re.compile(
    rb"""\sviewBox\s{0,9}=\s{0,9}["'][-0-9.eE]{1,20}[\s,]{1,9}[-0-9.eE]{1,20}[\s,]{1,9}"""
    rb"""([0-9]{1,9})[0-9.]{0,20}[\s,]{1,9}([0-9]{1,9})"""
)


def _png_size(data: bytes) -> tuple[int, int]:
    kind, width, height = struct.unpack_from(">4sII", data, 12)
    return (width, height) if kind == b"IHDR" else NO_SIZE


def _gif_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    form = "<HH" if header_bytes == 12 else "<ii"
    width, height = struct.unpack_from(form, data, 18)
    return abs(width), abs(height)  # a negative height means top row first


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return NO_SIZE


def _ico_size(data: bytes) -> tuple[int, int]:
    (count,) = struct.unpack_from("<H", data, 4)
    sizes = [struct.unpack_from("BB", data, 6 + 16 * i) for i in range(min(count, 64))]
    return max(((w or 256, h or 256) for w, h in sizes), default=NO_SIZE)


def _tiff_size(data: bytes) -> tuple[int, int]:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    found = {}
    for i in range(min(count, _TIFF_ENTRIES_MAX)):
        tag, kind = struct.unpack_from(order + "HH", data, at + 2 + 12 * i)
        if tag in {256, 257} and kind in {3, 4}:
            form = order + ("H" if kind == 3 else "I")
            found[tag] = struct.unpack_from(form, data, at + 10 + 12 * i)[0]
    return found.get(256, 0), found.get(257, 0)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    for _ in range(_JPEG_SEGMENTS_MAX):
        at = data.find(b"\xff", at)  # fill bytes and rubbish between segments are passed over
        if at < 0 or at + 4 > len(data):
            return NO_SIZE
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _JPEG_NO_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        alone = marker in {0x00, 0x01, 0xFF} or 0xD0 <= marker <= 0xD8
        at += 1 if marker == 0xFF else 2
        if not alone:
            at += struct.unpack_from(">H", data, at)[0]
    return NO_SIZE


def _svg_size(data: bytes) -> tuple[int, int]:
    tag = _SVG_TAG_RE.search(data[:65_536])
    if tag is None:
        return NO_SIZE
    attributes = tag[1]
    lengths = {name: int(float(value)) for name, value in _SVG_LENGTH_RE.findall(attributes)}
    if len(lengths) == 2:
        return lengths[b"width"], lengths[b"height"]
    box = _SVG_BOX_RE.search(attributes)
    return (int(box[1]), int(box[2])) if box else NO_SIZE


_READERS: dict[str, Callable[[bytes], tuple[int, int]]] = {
    "image/png": _png_size,
    "image/gif": _gif_size,
    "image/bmp": _bmp_size,
    "image/webp": _webp_size,
    "image/x-icon": _ico_size,
    "image/tiff": _tiff_size,
    "image/jpeg": _jpeg_size,
    "image/svg+xml": _svg_size,
}


def read_size(data: bytes, mime: str) -> tuple[int, int]:
    """Read (width, height) in pixels of an image of this type; ``(0, 0)`` when it does not say.

    The stored size: a camera's note that the picture is to be turned is left alone.
    """
    reader = _READERS.get(mime)
    if reader is None:
        return NO_SIZE
    try:
        width, height = reader(data)
    except struct.error:
        return NO_SIZE  # cut off before the numbers
    return (width, height) if width and height else NO_SIZE
