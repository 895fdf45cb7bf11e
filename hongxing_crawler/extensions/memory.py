"""Stop a crawl that takes too much memory, by the memory of its own process."""

from __future__ import annotations

from pathlib import Path

from scrapy.extensions.memusage import MemoryUsage

_STATUS = Path("/proc/self/status")
_PEAK = "VmHWM:"


class OwnMemoryUsage(MemoryUsage):
    """Scrapy's extension, which asks the kernel for what it says of this process alone.

    ``getrusage``, which Scrapy's own asks, counts the peak of the process that started this one:
    below a large scheduler or test runner a crawl would be stopped in its first second.
    """

    def get_virtual_size(self) -> int:
        """Return the peak of memory of this process, in bytes."""
        try:
            lines = _STATUS.read_text().splitlines()
        except OSError:  # no /proc in this jail
            return super().get_virtual_size()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(_PEAK))
