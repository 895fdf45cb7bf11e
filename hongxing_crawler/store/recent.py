"""Addresses seen lately, so that most links of a page need no question to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class RecentUrls:
    """A bounded set that forgets what was not met for long.

    Two generations: what is met in the old one moves to the young one; when that is full, the old
    one is dropped. Forgetting costs a question, never a URL.
    """

    def __init__(self, max_count: int = 50_000) -> None:
        self._max_count = max_count
        self._young: set[str] = set()
        self._old: set[str] = set()

    def __contains__(self, url: str) -> bool:
        if url in self._young:
            return True
        if url not in self._old:
            return False
        self.add((url,))
        return True

    def add(self, urls: Iterable[str]) -> None:
        self._young.update(urls)
        if len(self._young) >= self._max_count:
            self._old, self._young = self._young, set()
