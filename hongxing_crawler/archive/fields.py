"""The text parts of WARC records: header blocks, warc-fields bodies, dates, addresses."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = b"WARC/1.1\r\n"

_READABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_CONTROL_RE = re.compile(r"[\x00-\x1f\x7f]+")
_UNSAFE_URI_RE = re.compile(r"[^!-;=?-~]")
_NAME_RE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DATE_RE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")


def header_block(fields: Iterable[tuple[str, str]]) -> bytes:
    """Write a WARC header with its version line and its closing empty line."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return VERSION + lines.encode() + b"\r\n"


def fields_body(fields: Iterable[tuple[str, str]]) -> bytes:
    r"""Write an ``application/warc-fields`` body, one line a field.

    Line breaks inside a value become a space, so a value from the web cannot add a field.

    >>> fields_body([("via", "http://a.cn/\r\nrobots: ignore")])
    b'via: http://a.cn/ robots: ignore\r\n'

    Raises:
        ValueError: a name is not a token.
    """
    return "".join(f"{_checked(name)}: {one_line(value)}\r\n" for name, value in fields).encode()


def read_fields(body: bytes) -> dict[str, str]:
    r"""Read an ``application/warc-fields`` body; the last of repeated names wins.

    >>> read_fields(b"via: http://a.cn/\r\nnote: a: b\r\n")
    {'via': 'http://a.cn/', 'note': 'a: b'}
    """
    lines = body.decode("utf-8", "replace").split("\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip(): value.strip(" \t\r") for name, _, value in pairs}


def _checked(name: str) -> str:
    if not _NAME_RE.fullmatch(name):
        raise ValueError(f"{name!r} is not a field name; use letters, digits and -")
    return name


def one_line(value: str) -> str:
    """Replace control characters, so that a value stays on its line."""
    if value.isprintable():
        return value
    return _CONTROL_RE.sub(" ", value).strip(" ").encode("utf-8", "replace").decode()


def escape_head(head: bytes) -> str:
    r"""Write the bytes of an HTTP head as one line of ASCII that ``unescape_head`` undoes.

    >>> escape_head(b'HTTP/1.1 304 Not Modified\r\nETag: "5%"\r\n\r\n')
    'HTTP/1.1 304 Not Modified%0D%0AETag: "5%25"%0D%0A%0D%0A'
    """
    return quote_from_bytes(head, safe=_READABLE)


def unescape_head(value: str) -> bytes:
    """Give back what ``escape_head`` received."""
    return unquote_to_bytes(value)


def warc_uri(url: str) -> str:
    """Percent-encode what may not stand in a WARC-Target-URI; an encoded URL stays as it is.

    >>> warc_uri("http://a.cn/红?x=%E7%BA%A2 1")
    'http://a.cn/%E7%BA%A2?x=%E7%BA%A2%201'
    """
    if url.isascii() and not _UNSAFE_URI_RE.search(url):
        return url
    encoded = url.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return _UNSAFE_URI_RE.sub(lambda match: quote(match[0], safe=""), encoded)


def format_date(moment: datetime) -> str:
    """Write a WARC-Date in UTC, with microseconds when there are any.

    >>> format_date(datetime(2026, 11, 23, 8, 0, 0, 5, tzinfo=UTC))
    '2026-11-23T08:00:00.000005Z'

    Raises:
        ValueError: the time has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a WARC-Date needs an aware time")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_date(value: str) -> datetime:
    """Read a WARC-Date; digits below the microsecond are dropped.

    Raises:
        ValueError: the value is not of the form of WARC 1.1, section 5.4.
    """
    found = _DATE_RE.fullmatch(value)
    if not found:
        raise ValueError(f"{value!r} is not a WARC date")
    micros = (found[2] or "")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{found[1]}.{micros}+00:00")
