"""What a checkup finds: one line for each thing looked at, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # it works, but not as well as it could
    FAIL = "fail"  # an upload or a crawl would stop here


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and what to set or to do."""

    name: str
    grade: Grade
    found: str
    advice: str = ""
    may_pass: bool = False  # a failure that may be gone later by itself


def worst(checks: list[Check]) -> Grade:
    """Return the worst grade of a checkup; ok for an empty one."""
    order = list(Grade)
    return max((check.grade for check in checks), key=order.index, default=Grade.OK)
