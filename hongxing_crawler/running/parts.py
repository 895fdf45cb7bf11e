"""The pages of one article: which are still to be asked for, and in which order they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.core.document import Page


class PartQueue:
    """The other pages of an article, each address once, in the order of their finding."""

    def __init__(self, first: Page) -> None:
        self._known = {first.url}
        self._waiting: list[str] = []
        self.add(first)

    def add(self, page: Page) -> None:
        """Take in where a page says that others are."""
        for url in page.next_parts:
            if url not in self._known:
                self._known.add(url)
                self._waiting.append(url)

    def __iter__(self) -> Iterator[str]:
        while self._waiting:
            yield self._waiting.pop(0)


def sort_parts(pages: Iterable[Page]) -> list[Page]:
    """Order the pages of one article by the number in their address, the first page first."""
    return sorted(pages, key=lambda page: (len(page.url), _numbers(page.url)))


def _numbers(url: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d{1,9}", url)]
