"""The exit codes: an interface that cron, systemd and monitors rely on."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended; any other code is a failure too. Explained in docs/exit-codes.md."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    PARTIAL = 3
    CONFIG = 4
    TEMPORARY = 5
    QUALITY = 6
    BLOCKED = 7
    STOPPED = 8
    ARCHIVE = 9
    DAMAGED = 10
    LOCKED = 75
    INTERRUPTED = 130
    TERMINATED = 143
