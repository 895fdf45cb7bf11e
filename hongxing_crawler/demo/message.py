"""HTTP messages as the demo server reads and writes them: bytes, nothing tidied."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

_CHUNK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """One request as received. ``at`` is the time of arrival in seconds since the epoch."""

    site: str  # www | img, or the name given to the server
    method: str
    target: str  # path and query as sent
    headers: tuple[tuple[str, str], ...]
    at: float = 0.0

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    def get_header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """One response. Header values are bytes, so that a GBK file name can stand in them.

    The last three fields are faults: a pause before the first byte, bytes after which the
    connection ends, and whether it ends in a reset.
    """

    status: int = 200
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes = b""
    chunked: bool = False
    delay_s: float = 0.0
    cut_after_bytes: int | None = field(default=None)
    reset: bool = False

    def get_header(self, name: str) -> bytes:
        return next((value for key, value in self.headers if key.lower() == name.lower()), b"")

    def encode(self, *, with_body: bool = True) -> bytes:
        """Write the response as bytes, with its framing header unless one is given."""
        lines = [f"HTTP/1.1 {self.status} {_phrase(self.status)}".encode()]
        lines += [name.encode() + b": " + value for name, value in self.headers]
        if self.chunked:
            lines.append(b"Transfer-Encoding: chunked")
        elif not self.get_header("Content-Length") and self.status not in {204, 304}:
            lines.append(b"Content-Length: %d" % len(self.body))
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        if not with_body or self.status in {204, 304}:
            return head
        return head + (_split_chunks(self.body) if self.chunked else self.body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _split_chunks(body: bytes) -> bytes:
    starts = range(0, len(body), _CHUNK_BYTES)
    parts = [body[start : start + _CHUNK_BYTES] for start in starts]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def parse_head(head: bytes, site: str, at: float) -> Request:
    r"""Read a request's first line and headers.

    >>> parse_head(b"GET /a?b HTTP/1.1\r\nHost: x", "www", 0.0).target
    '/a?b'

    Raises:
        ValueError: The first line has no three parts.
    """
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    pairs = (line.partition(":") for line in rest)
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    return Request(site, method, target, headers, at)
