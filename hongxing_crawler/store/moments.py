"""Moments and keys as the state database keeps them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Count microseconds since 1970, exactly (a float would round)."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def url_key(url: str) -> bytes:
    """Shorten an address to 16 bytes; ``art_`` and its hex is the id of an article there."""
    return hashlib.sha256(url.encode("utf-8", "replace")).digest()[:16]
