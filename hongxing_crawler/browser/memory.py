"""What the browser's processes hold together, looked at often and at little cost."""

from __future__ import annotations

import os
import time

from hongxing_crawler.browser import processes

LOOK_S = 0.1
_SEARCH_S = 0.3  # processes come with pages, less often than they grow


class MemoryWatch:
    """Weigh the browser's processes.

    The exact weight of a process, shared pages counted in shares, takes the kernel 1 to 3 ms. So
    what cannot be less is read first, all pages that it has in memory, in 20 µs; while the sum of
    those is within the limit, nothing else is asked.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.peak_bytes = 0  # at most this was ever held
        self._pids: list[int] = []
        self._searched_at = 0.0

    def find_heaviest(self) -> int:
        """Weigh all; return the heaviest process when they hold too much together, or 0."""
        pids = self._find()
        held = sum(map(processes.resident_of, pids))
        sizes: dict[int, int] = {}
        if held > self.max_bytes:
            sizes = {pid: processes.memory_of(pid) for pid in pids}
            held = sum(sizes.values())
        self.peak_bytes = max(self.peak_bytes, held)
        return max(sizes, key=lambda pid: sizes[pid]) if held > self.max_bytes else 0

    def _find(self) -> list[int]:
        if time.monotonic() - self._searched_at >= _SEARCH_S:
            below = processes.children_of(os.getpid())
            self._pids = [pid for pid in below if processes.is_browser(pid)]
            self._searched_at = time.monotonic()
        return self._pids
