"""What is told: how a command ended, in the forms that channels need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Kind = Literal["start", "success", "warning", "failure", "note", "test"]

# Ends that need nobody, and yet are no news of a good night either: somebody stopped the run,
# or another one was at work. A monitor that waits for a success still misses it.
_NOTES = frozenset({ExitCode.LOCKED, ExitCode.INTERRUPTED, ExitCode.TERMINATED})
_SUCCESSES = frozenset({ExitCode.OK, ExitCode.PARTIAL, ExitCode.STOPPED})
_SHOWN_WARNINGS = 20


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell. Everything in it is shown to people, so nothing in it is a secret."""

    kind: Kind
    command: str  # crawl, verify …
    host: str
    home: str
    at: datetime
    exit_code: int = 0
    sentence: str = ""
    run_id: str = ""
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    findings: dict[str, str] = field(default_factory=dict)  # of monitors: name to sentence
    identity: str = ""  # a UUID that start and end of a command share

    @property
    def subject(self) -> str:
        """One line: what, where, how."""
        what = f"hongxing {self.command} on {self.host}"
        if self.kind == "start":
            return f"{what}: started"
        if self.kind == "test":
            return f"{what}: a test, nothing is wrong"
        name = _name(self.exit_code)
        ended = "ok" if not self.exit_code else f"exit {self.exit_code} ({name})"
        return f"{what}: {', '.join([ended, *self.findings])}"

    @property
    def text(self) -> str:
        """Some lines for people: the sentence first, then what it brought."""
        lines = [self.subject, ""]
        if self.sentence:
            lines += [self.sentence, ""]
        lines += [f"monitor {name}: {sentence}\n" for name, sentence in self.findings.items()]
        lines += [f"home: {self.home}", f"at: {self.at:%Y-%m-%dT%H:%M:%SZ}"]
        if self.run_id:
            lines += [f"run: {self.run_id}, {self.seconds:.0f} s"]
        lines += [f"{name}: {count}" for name, count in sorted(self.counts.items()) if count]
        if self.warnings:
            shown = self.warnings[:_SHOWN_WARNINGS]
            lines += ["", "warnings:", *(f"- {warning}" for warning in shown)]
            if left := len(self.warnings) - len(shown):
                lines.append(f"- and {left} more, in run.json")
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, Any]:
        """Return the fields of a webhook's body; documented in docs/alerts.md."""
        return {
            "event": self.kind,
            "command": self.command,
            "host": self.host,
            "home": self.home,
            "at": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            "exit_code": self.exit_code,
            "exit_name": _name(self.exit_code),
            "sentence": self.sentence,
            "run_id": self.run_id,
            "seconds": self.seconds,
            "counts": self.counts,
            "warnings": list(self.warnings),
            "findings": self.findings,
            "text": "\n".join(filter(None, [self.subject, self.sentence, *self.findings.values()])),
        }


def kind_of(exit_code: int, findings: Mapping[str, str] | None = None) -> Kind:
    """Tell what an end is to those who are told."""
    if exit_code in _SUCCESSES:
        return "warning" if findings else "success"
    return "note" if exit_code in _NOTES else "failure"


def _name(exit_code: int) -> str:
    try:
        return ExitCode(exit_code).name.lower()
    except ValueError:
        return "unknown"
