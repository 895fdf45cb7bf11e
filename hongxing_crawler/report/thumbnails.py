"""Small pictures for reports, made anew from stored ones and held in the page itself."""

from __future__ import annotations

import base64
import io
import struct
import warnings
from typing import TYPE_CHECKING

from PIL import Image

from hongxing_crawler.core.media_types import image_size

if TYPE_CHECKING:
    from pathlib import Path

_SIZE = (192, 144)
_PIXELS_MAX = 40_000_000  # larger ones would need 120 MB to decode
_FILE_MAX_BYTES = 30_000_000
_FORMS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")  # few decoders: the bytes are foreign
# What Pillow raises on damaged files, seen in trials; a thumbnail is never worth a failed report.
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
)


def make_thumbnail(path: Path) -> str:
    """Make a data URI of some 5 KB from an image file; empty when it cannot be read.

    The new file holds pixels alone: whatever hid in the original stays there.
    """
    try:
        if path.stat().st_size > _FILE_MAX_BYTES:
            return ""
        data = path.read_bytes()
        width, height = image_size(data)
        if not 0 < width * height <= _PIXELS_MAX:
            return ""
        return "data:image/jpeg;base64," + base64.b64encode(_shrink(data)).decode("ascii")
    except (*_DAMAGE, Image.DecompressionBombError):
        return ""


def _shrink(data: bytes) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd but readable files
        with Image.open(io.BytesIO(data), formats=_FORMS) as image:
            image.draft("RGB", _SIZE)  # lets the JPEG decoder skip most of its work
            image.thumbnail(_SIZE)
            small = io.BytesIO()
            _flatten(image).save(small, "JPEG", quality=70)
    return small.getvalue()


def _flatten(image: Image.Image) -> Image.Image:
    """On white, as a page would show it."""
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")
