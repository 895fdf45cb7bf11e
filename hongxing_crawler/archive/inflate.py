"""Read gzip members of a file at any offset, in bounded memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\x1f\x8b\x08"
_GZIP = 16 + 15
_WINDOW_BYTES = 1 << 20
_FEED_BYTES = 1 << 15  # about one page: little is fed that belongs to the next member
_PIECE_BYTES = 1 << 20
_SALVAGE_BYTES = 64  # small steps: an error costs only what was fed last


class BadMemberError(Exception):
    """The bytes at ``offset`` are not a whole gzip member."""

    def __init__(self, offset: int, reason: str, *, is_cut: bool = False) -> None:
        super().__init__(reason)
        self.offset = offset
        self.is_cut = is_cut  # the file ended first


class Window:
    """A file read in large steps; a view at any offset costs no copy."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._start = 0
        self._data = memoryview(b"")
        self.size = os.fstat(handle).st_size

    def at(self, offset: int, length: int = _FEED_BYTES) -> memoryview:
        """Return up to ``length`` bytes from ``offset``; fewer only at the end of the file."""
        begin = offset - self._start
        if begin < 0 or begin + length > len(self._data):
            self._data = memoryview(os.pread(self._handle, max(length, _WINDOW_BYTES), offset))
            self._start, begin = offset, 0
        return self._data[begin : begin + length]


class Member:
    """One gzip member; ``end`` is known when all pieces have been read."""

    def __init__(self, window: Window, offset: int) -> None:
        self._window = window
        self.offset = offset
        self.end = 0

    def pieces(self) -> Iterator[bytes]:
        """Yield the content, 1 MiB at most at a time.

        Raises:
            BadMemberError: the member is cut or its bytes are wrong.
        """
        if self._window.at(self.offset)[:3] != MAGIC:
            cut = self._window.size - self.offset < len(MAGIC)
            raise BadMemberError(self.offset, "no gzip member begins here", is_cut=cut)
        engine = zlib_ng.decompressobj(_GZIP)
        position = self.offset
        while not engine.eof:
            data = self._window.at(position)
            if not data:
                raise BadMemberError(
                    self.offset, "the file ends inside the gzip member", is_cut=True
                )
            position += len(data)
            yield from self._feed(engine, data)
        self.end = position - len(engine.unused_data)

    def _feed(self, engine: zlib_ng._Decompress, data: memoryview | bytes) -> Iterator[bytes]:
        while data and not engine.eof:  # at the end the tail stays as it was before
            try:
                piece = engine.decompress(data, _PIECE_BYTES)
            except zlib_ng.error as error:  # type: ignore[misc]  # the stub has an instance
                raise BadMemberError(self.offset, f"gzip: {error}") from error
            if piece:
                yield piece
            data = engine.unconsumed_tail


def readable_start(window: Window, offset: int, limit: int) -> bytes:
    """Inflate what still can be inflated at the start of a damaged member."""
    engine, content = zlib_ng.decompressobj(_GZIP), b""
    while len(content) < limit and not engine.eof:
        data = window.at(offset, _SALVAGE_BYTES)
        if not data:
            break
        try:
            content += engine.decompress(data, limit)
        except zlib_ng.error:  # type: ignore[misc]  # the stub has an instance
            break
        offset += len(data)
    return content
