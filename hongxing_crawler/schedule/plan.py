"""What is run when: the jobs of one home, for systemd and cron alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

if TYPE_CHECKING:
    from pathlib import Path

_TIME_RE = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NAME_RE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_FIXITY_AFTER_MINUTES = 140  # after a night's crawl, which holds the home


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs of one home. Paths are absolute: neither cron nor systemd has a folder or a PATH."""

    name: str  # of units and of the block in a crontab
    python: Path
    folder: Path  # to run in
    home: Path
    config: Path | None = None
    site: str = ""  # a profile or its file; empty: what the settings say
    at: str = "02:20"
    zone: str = "Asia/Shanghai"
    mail_to: str = ""
    log_file: Path | None = None
    user: str = ""  # who runs it; empty: who installs it

    def __post_init__(self) -> None:
        if not _NAME_RE.fullmatch(self.name):
            raise ValueError(f"name {self.name!r}: letters, digits, . _ - and at most 60 of them")
        parse_time(self.at)
        zones = available_timezones()  # empty on a machine without zones: systemd will tell
        if zones and self.zone not in zones:
            raise ValueError(f"zone {self.zone!r}: not known here; write one like Asia/Shanghai")
        for text in map(str, (self.python, self.folder, self.home, self.config, self.log_file)):
            if not text.isprintable():
                raise ValueError(f"the path {text!r} holds a character that no crontab can hold")

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The crawl of the night, and a share of the archive read again after it."""
        hour, minute = parse_time(self.at)
        later = (60 * hour + minute + _FIXITY_AFTER_MINUTES) % (24 * 60)
        return (
            Job("", "crawl", self._crawl(), hour, minute),
            Job(
                "-verify",
                "verify a share of",
                self.command("verify", "--budget", "1/90", "--wait-lock", "6h"),
                *divmod(later, 60),
            ),
        )

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return the words of a command for this home."""
        where = ["--home", str(self.home)]
        if self.config is not None:
            where += ["--config", str(self.config)]
        return (str(self.python), "-m", "hongxing_crawler", *arguments, *where, "--quiet")

    def _crawl(self) -> tuple[str, ...]:
        log = ["--log-file", str(self.log_file)] if self.log_file is not None else []
        return self.command("crawl", *([self.site] if self.site else []), *log)


@dataclass(frozen=True, slots=True)
class Job:
    """One command, once a day."""

    suffix: str  # of its unit's name
    verb: str  # for descriptions
    command: tuple[str, ...]
    hour: int
    minute: int


def parse_time(text: str) -> tuple[int, int]:
    """Parse a time of day.

    >>> parse_time("02:20")
    (2, 20)

    Raises:
        ValueError: Not HH:MM.
    """
    match = _TIME_RE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time of day such as 02:20")
    return int(match[1]), int(match[2])
