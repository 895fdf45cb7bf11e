"""Keep the greatest few of many, and count all."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

from hongxing_crawler.report.run_data import Listing

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Newest(Generic[T]):
    """A bounded list of what has the greatest keys; the first comer wins among equals.

    >>> newest = Newest(1)
    >>> newest.add("2026-11-22", lambda: "yesterday")
    >>> newest.add("2026-11-23", lambda: "today")
    >>> newest.listing()
    Listing(entries=('today',), total=2)
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[str, int, T]] = []
        self._numbers = count(0, -1)
        self.total = 0

    def add(self, key: str, make: Callable[[], T]) -> None:
        """Count an entry, and make it if it is among the greatest so far."""
        self.total += 1
        number = next(self._numbers)
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, (key, number, make()))
        elif self._heap and (key, number) > self._heap[0][:2]:
            heapq.heapreplace(self._heap, (key, number, make()))

    def listing(self) -> Listing[T]:
        """The entries, greatest first."""
        entries = sorted(self._heap, key=lambda item: item[:2], reverse=True)
        return Listing(tuple(entry for _, _, entry in entries), self.total)
