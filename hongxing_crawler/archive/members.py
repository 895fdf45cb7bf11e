"""Gzip members, one a record: the engine and how bytes go through it.

The engine is zlib-ng: at level 6 it takes 0.57 of zlib's time on pages for 1.6 % more bytes, and
an eighth of it on small records. ``bench/archive.py`` repeats the measurement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GZIP = 16 + 15  # a gzip member with a window of 32 KiB


def deflate(block: bytes, level: int) -> bytes:
    """Compress one record into one gzip member without time and name: same bytes, same member."""
    engine = zlib_ng.compressobj(level, zlib_ng.DEFLATED, _GZIP)
    return engine.compress(block) + engine.flush()


def deflate_stream(pieces: Iterable[bytes], level: int) -> Iterator[bytes]:
    """Compress one record that is larger than memory, piece by piece."""
    engine = zlib_ng.compressobj(level, zlib_ng.DEFLATED, _GZIP)
    for piece in pieces:
        yield engine.compress(piece)
    yield engine.flush()
