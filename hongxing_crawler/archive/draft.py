"""Records before they are written: block, digests, header, and the bytes of the whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hongxing_crawler.archive.fields import header_block
from hongxing_crawler.archive.members import deflate, deflate_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1 << 20
_END = b"\r\n\r\n"


class Block:
    """What a record holds: a head in memory and a body in memory or in a file.

    Digests are sha256 in hexadecimal: the padded base32 form is not a token, which the header
    grammar asks for, and a hexadecimal value is the name under which media files are stored.
    """

    def __init__(self, head: bytes, body: bytes | Path = b"") -> None:
        self.head = head
        self.body = body
        if isinstance(body, Path):
            self.body_length, self._digests = _digest_file(head, body)
        else:
            self.body_length = len(body)

    @property
    def in_memory(self) -> bool:
        return isinstance(self.body, bytes)

    @property
    def length(self) -> int:
        return len(self.head) + self.body_length

    @cached_property
    def payload_digest(self) -> str:
        if isinstance(self.body, Path):
            return self._digests[1]
        return "sha256:" + hashlib.sha256(self.body).hexdigest()

    @property
    def digest(self) -> str:
        if isinstance(self.body, Path):
            return self._digests[0]
        whole = hashlib.sha256(self.head)
        whole.update(self.body)
        return "sha256:" + whole.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        yield self.head
        if isinstance(self.body, Path):
            yield from _read_exactly(self.body, self.body_length)
        else:
            yield self.body


def _digest_file(head: bytes, path: Path) -> tuple[int, tuple[str, str]]:
    whole, payload, length = hashlib.sha256(head), hashlib.sha256(), 0
    with path.open("rb") as source:
        while piece := source.read(_CHUNK_BYTES):
            whole.update(piece)
            payload.update(piece)
            length += len(piece)
    return length, (f"sha256:{whole.hexdigest()}", f"sha256:{payload.hexdigest()}")


def _read_exactly(path: Path, length: int) -> Iterator[bytes]:
    seen = 0
    with path.open("rb") as source:
        while piece := source.read(_CHUNK_BYTES):
            seen += len(piece)
            yield piece
    if seen != length:
        raise OSError(f"{path} changed while it was archived: {length} bytes, then {seen}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A record ready to be written: its header lines without lengths and digest, and its block."""

    record_id: str  # urn:uuid:…
    fields: tuple[tuple[str, str], ...]
    block: Block

    def members(self, level: int) -> Iterator[bytes]:
        """Yield the gzip member of this record, in one piece unless the body lies in a file."""
        header = header_block(
            (
                *self.fields,
                ("WARC-Block-Digest", self.block.digest),
                ("Content-Length", str(self.block.length)),
            )
        )
        if self.block.in_memory:
            yield deflate(b"".join(self._stream(header)), level)
        else:
            yield from deflate_stream(self._stream(header), level)

    def _stream(self, header: bytes) -> Iterator[bytes]:
        yield header
        yield from self.block.pieces()
        yield _END
