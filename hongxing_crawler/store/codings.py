"""Undo the content coding of a file on disk, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_CHUNK_BYTES = 1 << 20


def decode_file(path: Path, codings: Sequence[str], max_bytes: int) -> Path:
    """Replace a downloaded file by what it was before it was packed for its way.

    What can be read of a damaged one is kept, as every browser does.

    Args:
        path: The file, which is deleted when it was packed.
        codings: Values of ``Content-Encoding`` in order, lower case.
        max_bytes: Size that the result may have.

    Returns:
        The file to go on with: the same one when there was nothing to undo.

    Raises:
        ValueError: It is larger than that unpacked, or its coding is unknown.
        OSError: The disk refused.
    """
    for number, coding in enumerate(reversed([name for name in codings if name != "identity"])):
        target = path.with_name(f"{path.name.partition('.')[0]}.{number}.part")
        try:
            _write(_unpacked(path, coding), target, max_bytes)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        path.unlink()
        path = target
    return path


def _write(chunks: Iterator[bytes], target: Path, max_bytes: int) -> None:
    size = 0
    with target.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise ValueError(f"{target} would be larger than {max_bytes} bytes")
            file.write(chunk)


def _unpacked(path: Path, coding: str) -> Iterator[bytes]:
    if coding in {"gzip", "x-gzip"}:
        return _gunzip(path)
    if coding == "deflate":
        return _inflate(path)
    raise ValueError(f"{path} has an unknown coding: {coding[:40]}")


def _gunzip(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as source:
        while True:
            try:
                chunk = source.read1(_CHUNK_BYTES)
            except (EOFError, gzip.BadGzipFile, zlib.error):
                return
            if not chunk:
                return
            yield chunk


def _inflate(path: Path) -> Iterator[bytes]:
    """Read the coding by its name in the standard, or as some servers send it: without a header."""
    with path.open("rb") as source:
        first = source.read(2)
        source.seek(0)
        has_header = len(first) == 2 and first[0] & 15 == 8 and int.from_bytes(first) % 31 == 0
        decoder = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        packed = b""
        while not decoder.eof and (packed := packed or source.read(_CHUNK_BYTES)):
            try:
                chunk = decoder.decompress(packed, _CHUNK_BYTES)
            except zlib.error:
                return
            packed = decoder.unconsumed_tail
            yield chunk
