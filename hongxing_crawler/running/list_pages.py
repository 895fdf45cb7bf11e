"""A pager that never ends: noticed when its pages repeat, not only when a limit is reached."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hongxing_crawler.store.visit import Found, Ticket

_CONTENT = frozenset({"article", "topic", "page"})


class ListPages:
    """What the lists of a run showed.

    A list that hangs on another one and shows what some list has shown before, or nothing at all,
    is not followed to further lists: the last page of a pager often comes for every higher number.
    """

    def __init__(self) -> None:
        self._lists: set[str] = set()
        self._first_with: dict[bytes, str] = {}  # the list that showed these pages first

    def choose(self, ticket: Ticket, links: Sequence[Found]) -> Sequence[Found]:
        """Return the links of a page that are worth following."""
        if ticket.kind != "list":
            return links
        self._lists.add(ticket.url)
        shown = "\n".join(sorted({link.url for link in links if link.kind in _CONTENT}))
        key = hashlib.sha256(shown.encode("utf-8", "replace")).digest()[:16]
        is_new = self._first_with.setdefault(key, ticket.url) == ticket.url and shown
        if is_new or ticket.found_on not in self._lists:
            return links
        return [link for link in links if link.kind != "list"]
