"""Keys that the database knows, so that a link of a large crawl costs no question to it."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PREFIX = itemgetter(slice(0, 2))
_BUCKET_COUNT = 65_536
_KEY_BYTES = 16


class KnownKeys:
    """The keys of a table, read once it was asked often enough that reading pays.

    They are held packed, by their first two bytes: 18 bytes a key in the place of 70 in a set.
    What is not in here may be known all the same; then the database has the last word.
    """

    def __init__(
        self,
        read: Callable[[int], Iterable[bytes]],
        *,
        patience: int = 2_000,
        max_count: int = 2_000_000,
    ) -> None:
        """Prepare, and read nothing yet.

        Args:
            read: Reads all keys of 16 bytes, sorted; nothing when there are more than its argument.
            patience: Keys that are asked for in vain before all are read.
            max_count: Of larger tables nothing is held, because memory has its bounds: 36 MB.
        """
        self._read = read
        self._patience = patience
        self._max_count = max_count
        self._buckets: list[bytes] = []
        self._count = 0

    def __contains__(self, key: bytes) -> bool:
        if not self._buckets:
            self._patience -= 1
            if self._patience:
                return False
            self._fill()
        return key in self._buckets[int.from_bytes(key[:2], "big")]

    def add(self, keys: Iterable[bytes]) -> None:
        """Take in keys that the table has got since."""
        if not self._buckets:
            return
        for key in keys:
            self._buckets[int.from_bytes(key[:2], "big")] += key
            self._count += 1
        if self._count > self._max_count:
            self._empty()

    def _empty(self) -> None:
        self._buckets, self._count = [b""] * _BUCKET_COUNT, 0

    def _fill(self) -> None:
        self._empty()
        for prefix, keys in groupby(self._read(self._max_count), key=_PREFIX):
            bucket = b"".join(keys)
            self._buckets[int.from_bytes(prefix, "big")] = bucket
            self._count += len(bucket) // _KEY_BYTES
