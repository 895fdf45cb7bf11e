"""The ledger of runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from hongxing_crawler.core.record import utc_text
from hongxing_crawler.exceptions import StateError
from hongxing_crawler.store.moments import from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from hongxing_crawler.store.database import Database

KILLED = "killed"
UPLOAD_FAILED = "upload_failed"  # the crawl itself did all that it wanted to


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run. ``ended_at`` is None while it runs."""

    run_id: str
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    reason: str
    info: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    exported: bool = False


class RunTable:
    """All runs of this home."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._numbers: dict[str, int] = {}

    def number(self, run_id: str) -> int:
        """Return the number under which a run's rows are kept.

        Raises:
            StateError: No run of that name.
        """
        if run_id not in self._numbers:
            row = self._db.row("SELECT no FROM runs WHERE run_id = ?", (run_id,))
            if row is None:
                raise StateError(f"state database {self._db.path} knows no run {run_id}")
            self._numbers[run_id] = row[0]
        return self._numbers[run_id]

    def begin(self, run_id: str, started_at: datetime, info: dict[str, Any]) -> None:
        known = self._db.row("SELECT 1 FROM runs WHERE run_id = ?", (run_id,))
        if known is not None:
            raise StateError(
                f"state database {self._db.path} has a run {run_id} already; "
                "look at the clock, or wait a second"
            )
        (last,) = self._db.row("SELECT COALESCE(MAX(started_at), 0) FROM runs")
        if to_us(started_at) < last:
            raise StateError(
                f"the clock says {utc_text(started_at)}, but the last run of {self._db.path} began"
                f" at {utc_text(from_us(last))}; set the clock right, nothing was changed"
            )
        self._db.execute(
            "INSERT INTO runs (run_id, started_at, info) VALUES (?, ?, ?)",
            (run_id, to_us(started_at), _text(info)),
        )

    def end(
        self, run_id: str, ended_at: datetime, exit_code: int, reason: str, counts: dict[str, Any]
    ) -> None:
        self._db.execute(
            "UPDATE runs SET ended_at = ?, exit_code = ?, reason = ?, counts = ? WHERE no = ?",
            (to_us(ended_at), exit_code, reason, _text(counts), self.number(run_id)),
        )

    def amend(self, run_id: str, exit_code: int, reason: str, counts: dict[str, Any]) -> None:
        """Note how a run ended in the end, when its upload has."""
        self._db.execute(
            "UPDATE runs SET exit_code = ?, reason = ?, counts = ? WHERE no = ?",
            (exit_code, reason, _text(counts), self.number(run_id)),
        )

    def end_killed(self, now: datetime) -> list[str]:
        rows = self._db.rows("SELECT run_id FROM runs WHERE ended_at IS NULL ORDER BY no")
        names = [name for (name,) in rows]
        for name in names:
            self.end(name, now, 137, KILLED, {})
        return names

    def all(self) -> list[RunEntry]:
        return [
            RunEntry(
                run_id,
                from_us(started_at),
                from_us(ended_at) if ended_at is not None else None,
                exit_code,
                reason,
                msgspec.json.decode(info),
                msgspec.json.decode(counts),
                bool(exported),
            )
            for run_id, started_at, ended_at, exit_code, reason, info, counts, exported in (
                self._db.rows(
                    "SELECT run_id, started_at, ended_at, exit_code, reason, info, counts, exported"
                    " FROM runs ORDER BY no"
                )
            )
        ]

    def mark_exported(self, run_ids: Iterable[str]) -> None:
        self._db.run_many(
            "UPDATE runs SET exported = 1 WHERE run_id = ?", [(run_id,) for run_id in run_ids]
        )

    def gap_counts(self) -> list[tuple[str, str, int]]:
        """Count the pages whose last visit brought nothing, by outcome and reason."""
        return list(
            self._db.rows(
                "SELECT outcome, reason, COUNT(*) FROM pages"
                " WHERE outcome IN ('rejected', 'refused', 'failed', 'gone')"
                " GROUP BY outcome, reason ORDER BY outcome, reason"
            )
        )

    def unjudged(self) -> list[tuple[int, str]]:
        """Return number and name of the runs whose pages were not compared yet, oldest first."""
        return list(self._db.rows("SELECT no, run_id FROM runs WHERE judged = 0 ORDER BY no"))

    def mark_judged(self, run_no: int) -> None:
        self._db.execute("UPDATE runs SET judged = 1 WHERE no = ?", (run_no,))

    def rejects(self, run_no: int) -> Iterator[dict[str, Any]]:
        for url, kind, outcome, reason, status, visited_at in self._db.rows(
            "SELECT u.url, u.kind, p.outcome, p.reason, p.status, p.visited_at"
            " FROM pages p JOIN urls u ON u.id = p.url_id"
            " WHERE p.run_no = ? AND p.outcome IN ('rejected', 'refused', 'failed', 'gone')"
            " ORDER BY u.url",
            (run_no,),
        ):
            yield {
                "url": url,
                "kind": kind,
                "outcome": outcome,
                "reason": reason,
                "status": status,
                "visited_at": utc_text(from_us(visited_at)),
            }


def _text(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
