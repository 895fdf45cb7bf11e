"""Labelled digests, ``sha256:…``: made one way, read in every way that other tools write."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PIECE_BYTES = 1 << 20
_ALGORITHMS = {
    "sha256": "sha256", "sha-256": "sha256", "sha1": "sha1", "sha-1": "sha1",
    "md5": "md5", "sha512": "sha512", "sha-512": "sha512",
}  # fmt: skip


class UnknownDigestError(ValueError):
    """The label or the form of a digest is not one we know."""


class Check:
    """A digest that is computed while bytes go by and compared at the end.

    >>> check = Check("sha1:2JMJ7L5RSW3YVVLZVNAK3A5RF7P3EQMZ")
    >>> check.update(b"")
    >>> check.holds
    False

    Args:
        label: Algorithm, colon, value in hexadecimal or base32.

    Raises:
        UnknownDigestError: the label cannot be read.
    """

    def __init__(self, label: str) -> None:
        name, _, value = label.partition(":")
        algorithm = _ALGORITHMS.get(name.lower(), "")
        if not algorithm:
            raise UnknownDigestError(f"{name[:20]!r} is not a digest algorithm")
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._expected = _decode(value, self._hash.digest_size)

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    @property
    def holds(self) -> bool:
        return self._hash.digest() == self._expected


def _decode(value: str, size: int) -> bytes:
    try:
        if len(value) == 2 * size:
            return bytes.fromhex(value)
        return base64.b32decode(value + "=" * (-len(value) % 8), casefold=True)
    except (ValueError, binascii.Error) as error:
        raise UnknownDigestError(f"{value[:20]!r} is neither hexadecimal nor base32") from error


def sha256_of(pieces: Iterable[bytes]) -> str:
    """Return the digest of a stream as ``sha256:…``."""
    total = hashlib.sha256()
    for piece in pieces:
        total.update(piece)
    return f"sha256:{total.hexdigest()}"


def sha256_of_file(path: Path) -> str:
    """Return the digest of a file as ``sha256:…``, in constant memory."""
    with path.open("rb") as file:
        return sha256_of(iter(lambda: file.read(_PIECE_BYTES), b""))
