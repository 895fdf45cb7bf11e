"""The browser's processes: how much memory they take, and their end, whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

_PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def children_of(pid: int) -> list[int]:
    """Return the processes below one, nearest first; empty where there is no /proc."""
    found, waiting = [], [pid]
    while waiting:
        below = _children(waiting.pop(0))
        found += below
        waiting += below
    return found


def _children(pid: int) -> list[int]:
    """Return the children of all threads of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for path in (_PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (path / "children").read_text().split())
    return found


def memory_of(pid: int) -> int:
    """Return the bytes that a process holds for itself, shared pages counted in shares."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def resident_of(pid: int) -> int:
    """Return the bytes of a process that are in memory, shared pages counted in full."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE_BYTES
    return 0


def is_browser(pid: int) -> bool:
    """Tell the browser's processes from the driver and from what else we started."""
    with contextlib.suppress(OSError):
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        return b"chrom" in words[0].rpartition(b"/")[2]
    return False


def kill(pids: list[int]) -> None:
    """End processes at once; those that are gone are no fault."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
