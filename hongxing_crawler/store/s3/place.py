"""Where in S3 a home goes: ``s3://bucket/prefix``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_BUCKET_RE = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_MAX_PREFIX_BYTES = 700  # of S3's 1,024 for a whole key; ours add less than 200
_USER_RE = re.compile(r"(?<=//)[^/]*@")

ALLOWED_URL = 's3://bucket/prefix, without "..", empty parts, user or password'
ALLOWED_ENDPOINT = "http://host:port or https://host, without user, password or path"


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and the prefix of all keys: empty, or ending with a slash."""

    bucket: str
    prefix: str = ""

    def key(self, name: str) -> str:
        """Return the key of a path of the home, its parts parted by slashes."""
        return f"{self.prefix}{name}"

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def parse_place(url: str) -> Place:
    """Parse the address of a bucket and a prefix in it.

    >>> parse_place("s3://archive/红星网/")
    Place(bucket='archive', prefix='红星网/')

    Raises:
        ValueError: Not of that form; the message does not repeat the address, which may hold what
            is nobody's business.
    """
    scheme, separator, rest = url.strip().partition("://")
    bucket, _, path = rest.partition("/")
    if scheme != "s3" or not separator or not _BUCKET_RE.fullmatch(bucket) or ".." in bucket:
        raise ValueError(f"not an address of a bucket; write {ALLOWED_URL}")
    prefix = path.removesuffix("/")
    parts = prefix.split("/") if prefix else []
    if any(part in {"", ".", ".."} or "\\" in part or not part.isprintable() for part in parts):
        raise ValueError(f"not a prefix of keys; write {ALLOWED_URL}")
    if len(prefix.encode("utf-8", "replace")) > _MAX_PREFIX_BYTES:
        raise ValueError(f"the prefix is longer than {_MAX_PREFIX_BYTES} bytes")
    return Place(bucket, f"{prefix}/" if prefix else "")


def parse_endpoint(url: str) -> str:
    """Check the address of an S3 server; empty means AWS, or what boto3's own chain names.

    >>> parse_endpoint("http://127.0.0.1:9000/")
    'http://127.0.0.1:9000'

    Raises:
        ValueError: Not of that form.
    """
    if not url:
        return ""
    parts = urlsplit(url.strip())
    port = parts.port  # raises ValueError when it is no number
    is_plain = not (parts.query or parts.fragment or parts.path.strip("/") or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain:
        raise ValueError(f"not the address of a server; write {ALLOWED_ENDPOINT}")
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError(f"not the address of a server; write {ALLOWED_ENDPOINT}")
    return f"{parts.scheme}://{parts.netloc}"


def hide_user(text: str) -> str:
    """Hide user and password of an address, wherever one stands in a text.

    >>> hide_user("s3://AKIA:secret@bucket/x")
    's3://…@bucket/x'
    """
    return _USER_RE.sub("…@", text)
