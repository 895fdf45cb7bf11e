"""Read WARC record headers, strictly: what breaks the grammar is named."""

from __future__ import annotations

import re
from typing import NamedTuple

from hongxing_crawler.archive.fields import parse_date

_VERSION_RE = re.compile(rb"WARC/1\.[01]\r\n")
_FIELD_RE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_END = b"\r\n\r\n"
_ID_RE = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*:[!-~]+>")
_TYPES = frozenset({
    "warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion",
    "continuation",
})  # fmt: skip
_WITH_URI = _TYPES - {"warcinfo", "metadata"}
_REPEATABLE = frozenset({"warc-concurrent-to", "warc-protocol"})

Fields = dict[str, str]


class HeaderError(ValueError):
    """The header breaks the grammar of WARC 1.1, section 4 or 5."""


class Header(NamedTuple):
    """The fields of a record by lower-case name, and where its block begins."""

    fields: Fields
    block_start: int
    block_length: int


def parse_header(data: bytes) -> Header:
    r"""Read the header at the start of a record.

    Of repeated fields, which only WARC-Concurrent-To and WARC-Protocol may be, the values are
    joined by a line break.

    Args:
        data: The record from its first byte, at least up to the empty line.

    Raises:
        HeaderError: the grammar is broken, or a field that every record needs is missing.

    Source:
        WARC 1.1, sections 4 and 5.
    """
    if not _VERSION_RE.match(data):
        raise HeaderError(f"begins with {data[:20]!r}, not with WARC/1.1")
    end = data.find(_END)
    if end < 0:
        raise HeaderError("the header has no end")
    start = data.index(b"\n") + 1
    fields = _fields(data[start:end]) if end > start else {}
    _check(fields)
    return Header(fields, end + len(_END), _length(fields))


def _fields(data: bytes) -> Fields:
    fields: Fields = {}
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise HeaderError(f"the header is not UTF-8: {error.reason}") from error
    for line in text.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n"):
        found = _FIELD_RE.fullmatch(line)
        if not found:
            raise HeaderError(f"{line[:60]!r} is not a named field")
        name, value = found[1].lower(), found[2]
        if name not in fields:
            fields[name] = value
        elif name in _REPEATABLE:
            fields[name] += "\n" + value
        else:
            raise HeaderError(f"{found[1]} stands there twice")
    return fields


def _check(fields: Fields) -> None:
    for name in ("warc-type", "warc-record-id", "warc-date", "content-length"):
        if name not in fields:
            raise HeaderError(f"{name} is missing")
    kind = fields["warc-type"]
    if kind not in _TYPES:
        raise HeaderError(f"{kind!r} is not a record type")
    if kind in _WITH_URI and not fields.get("warc-target-uri"):
        raise HeaderError(f"a {kind} record needs WARC-Target-URI")
    if not _ID_RE.fullmatch(fields["warc-record-id"]):
        raise HeaderError(f"{fields['warc-record-id']!r} is not a record id")
    try:
        parse_date(fields["warc-date"])
    except ValueError as error:
        raise HeaderError(str(error)) from error


def _length(fields: Fields) -> int:
    value = fields["content-length"]
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise HeaderError(f"Content-Length {value[:20]!r} is not a number")
    return int(value)
