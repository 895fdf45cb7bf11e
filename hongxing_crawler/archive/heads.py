"""HTTP heads as bytes: what is kept, what is hidden, what an index needs from them."""

from __future__ import annotations

import re

REDACTED = b"[redacted by hongxing-crawler]"
MASK = b"X-Crawler-"

_SECRET_RE = re.compile(
    rb"""
    ^((?:set-cookie2?|cookie2?|(?:proxy-)?authorization)[ \t]*:)  # the name stays
    (?:[^\n]|\n[ \t])*?                                           # the value and its folded lines
    (?=\r?\n(?![ \t])|\r?\Z)                                      # the line end stays
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_TRANSFER_CODING_RE = re.compile(rb"(?im)^(?=transfer-encoding[ \t]*:)")
_MASKED_RE = re.compile(rb"(?im)^X-Crawler-(?=transfer-encoding[ \t]*:)")
_STATUS_RE = re.compile(rb"HTTP/[0-9.]+[ \t]+([1-9][0-9]{2})(?![0-9])")
_MIME_RE = re.compile(
    rb"^content-type[ \t]*:[ \t]*([\w!#$&^.+-]+/[\w!#$&^.+-]+)", re.IGNORECASE | re.MULTILINE
)
_MEDIA_TYPE_RE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)


def redact(head: bytes) -> bytes:
    r"""Replace the values of cookies and authorization; every other byte stays.

    Secrets in other headers, in the URL or in the body are left alone.

    >>> redact(b"HTTP/1.1 200 OK\r\nset-cookie: id=7;\r\n path=/\r\nX: \xba\xec\r\n\r\n")
    b'HTTP/1.1 200 OK\r\nset-cookie: [redacted by hongxing-crawler]\r\nX: \xba\xec\r\n\r\n'

    Args:
        head: Start line, header lines and the empty line, as bytes.

    Returns:
        The head with a marker in the place of each secret value.
    """
    return _SECRET_RE.sub(rb"\1 " + REDACTED, head)


def mask_transfer_coding(head: bytes) -> bytes:
    r"""Rename ``Transfer-Encoding``, because the stored body no longer has that coding.

    Readers that believe the header fail on the body, or undo a coding that is not there when
    the body happens to begin like a chunk. The name gets the prefix that other crawlers use,
    the line stays in its place with its value.

    >>> mask_transfer_coding(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    b'HTTP/1.1 200 OK\r\nX-Crawler-Transfer-Encoding: chunked\r\n\r\n'
    """
    return _TRANSFER_CODING_RE.sub(MASK, head)


def unmask_transfer_coding(head: bytes) -> bytes:
    """Undo ``mask_transfer_coding``; a server that sends the masked name itself is not expected."""
    return _MASKED_RE.sub(b"", head)


def status_of(head: bytes) -> int:
    r"""Read the status code of a response head, 0 when it has none.

    >>> status_of(b"HTTP/1.1 404\r\n\r\n"), status_of(b"ICY 200 OK\r\n\r\n")
    (404, 0)
    """
    found = _STATUS_RE.match(head)
    return int(found[1]) if found else 0


def mime_of(head: bytes) -> str:
    r"""Read the media type of a response head in lower case, empty when it has none.

    >>> mime_of(b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML;charset=gbk\r\n\r\n")
    'text/html'
    """
    found = _MIME_RE.search(head)
    return found[1].decode("ascii", "replace").lower() if found else ""


def media_type(value: str) -> str:
    """Read the media type of a Content-Type value in lower case, empty when it has none.

    >>> media_type("Image/PNG; x=1"), media_type("picture")
    ('image/png', '')
    """
    found = _MEDIA_TYPE_RE.match(value.strip())
    return found[0].lower() if found else ""
