"""The state of an archive between and during runs: one file, one transaction a visit.

The WARC files are the record of what happened; this database is what follows from them, and what
the next run needs to know. A visit is stored whole or not at all, so that a kill at any moment
leaves URLs in flight, which the next start puts back, and nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Self

from hongxing_crawler.core.profile import Revisit
from hongxing_crawler.exceptions import StateError
from hongxing_crawler.store.articles import ArticleTable, compare_pages
from hongxing_crawler.store.captures import CaptureTable
from hongxing_crawler.store.database import Database
from hongxing_crawler.store.elsewhere import Elsewhere
from hongxing_crawler.store.frontier import Frontier
from hongxing_crawler.store.media_table import MediaTable
from hongxing_crawler.store.outbox import Outbox
from hongxing_crawler.store.revisit import Retry
from hongxing_crawler.store.runs import RunTable
from hongxing_crawler.store.takedowns import Consequences, TakedownTable
from hongxing_crawler.store.visits import VisitWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import date
    from pathlib import Path
    from types import TracebackType
    from typing import Any

    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.record import Article, MediaFile
    from hongxing_crawler.core.takedown import Takedown
    from hongxing_crawler.items import Capture, Original
    from hongxing_crawler.store.articles import Line
    from hongxing_crawler.store.frontier import Preview
    from hongxing_crawler.store.outbox import Finished
    from hongxing_crawler.store.runs import RunEntry
    from hongxing_crawler.store.visit import Found, Ticket, Visit


class State:
    """Everything that is kept between runs; open it with `State.open`."""

    def __init__(self, database: Database, now: Callable[[], datetime], retry: Retry) -> None:
        self._db = database
        self._now = now
        self._revisit = Revisit()
        self._run_id = ""
        self._taken: set[int] = set()  # in flight, but not yet marked so
        self._frontier = Frontier(database, retry)
        self._captures = CaptureTable(database)
        self._media = MediaTable(database)
        self._runs = RunTable(database)
        self.articles = ArticleTable(database)
        self.outbox = Outbox(database)
        self.elsewhere = Elsewhere(database)
        self.takedowns = TakedownTable(database, self._runs, self._captures, self.articles)
        self._writer = VisitWriter(
            now,
            self._frontier,
            self._captures,
            self._media,
            self._runs,
            self.articles,
            self.outbox,
        )

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        now: Callable[[], datetime],
        retry: Retry | None = None,
        read_only: bool = False,
        durable: bool = True,
    ) -> Self:
        """Open the state of a home, made when missing.

        Args:
            path: ``state.sqlite`` in the home.
            now: Gives the time, aware, in UTC.
            retry: How often a failed visit is tried in one run.
            read_only: For those who only look; nothing is made or changed.
            durable: False for a state that is made again when it is lost (``reprocess``): a power
                loss may then cost the last visits, a kill still costs nothing.

        Raises:
            StateError: The file is newer, damaged, cut short, locked or read-only; the message says
                which, and what to do.
        """
        database = Database.open(path, read_only=read_only, durable=durable)
        return cls(database, now, retry or Retry())

    def close(self) -> None:
        with suppress(StateError):  # a full disk: what is not marked is pending, as it will be
            self._mark_taken()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        return self._db.path

    @property
    def backup(self) -> Path | None:
        """A copy of the file as an older version of the program left it, when one was made now."""
        return self._db.backup

    def find_damage(self) -> list[str]:
        """Read the whole file and say what is wrong with it; empty when it is sound."""
        return self._db.find_damage()

    # Runs

    def begin_run(self, run_id: str, started_at: datetime, info: dict[str, Any]) -> None:
        """Write a run into the ledger."""
        with self._db.transaction():
            self._runs.begin(run_id, started_at, info)
        self._run_id = run_id

    def end_run(
        self, run_id: str, ended_at: datetime, exit_code: int, reason: str, counts: dict[str, Any]
    ) -> None:
        """Write a run's end into the ledger, and the log into the file."""
        with self._db.transaction():
            self._runs.end(run_id, ended_at, exit_code, reason, counts)
        self._db.checkpoint()

    def amend_run(self, run_id: str, exit_code: int, reason: str, counts: dict[str, Any]) -> None:
        """Write into the ledger how a run's upload ended."""
        with self._db.transaction():
            self._runs.amend(run_id, exit_code, reason, counts)

    def end_killed_runs(self) -> list[str]:
        """Close the books of runs that never ended; their ids."""
        with self._db.transaction():
            killed = self._runs.end_killed(self._now())
        self.judge_repeats()
        return killed

    def judge_repeats(self) -> None:
        """Compare the pages of each run that has ended, and take out what stands on many of them.

        Done once a run, before its rows are written: an article of an earlier run that loses a
        block gets a ``changed`` row in this one.
        """
        for run_no, run_id in self._runs.unjudged():
            self.articles.repeats.forget()  # a transaction that was undone may have written some
            with self._db.transaction():
                compare_pages(self.articles, run_no, run_id)
                self._runs.mark_judged(run_no)

    def runs(self) -> list[RunEntry]:
        """Return the ledger, oldest run first."""
        return self._runs.all()

    # Frontier

    def add_found(self, found: Iterable[Found], found_on: str) -> int:
        """Take URLs into the frontier; how many were not known. Seeds are asked in any case."""
        found = list(found)
        with self._db.transaction():
            self._frontier.wake(link.url for link in found if link.kind == "seed")
            parent = self._frontier.find_id(found_on) if found_on else None
            return self._frontier.count_new(found, parent)

    def plan(
        self,
        run_id: str,
        profile: SiteProfile,
        now: datetime,
        *,
        full: bool = False,
        since: date | None = None,
    ) -> int:
        """Put what failed or is due back into the frontier; how many URLs that are.

        WARC files are looked for beside the database: what is neither there nor known to be in the
        bucket is asked for without validators and never referred to.

        Args:
            run_id: The run that asks.
            profile: The site, for its revisit rules.
            now: When the run started.
            full: Everything is due, gone pages too.
            since: Of the articles, only those of that day or later.
        """
        self._revisit, self._run_id = profile.revisit, run_id
        warc_folder = self.path.parent / "warc"
        with self._db.transaction():
            if warc_folder.is_dir():
                self.elsewhere.heal(self.path.parent)
                kept = self.elsewhere.warc_names()
                self._captures.find_missing_files(warc_folder, kept)
            return self._frontier.plan(now, full=full, since=since)

    def take(self, limit: int) -> list[Ticket]:
        """Hand out up to ``limit`` pending URLs, best first; they are in flight from now on.

        That is written down when the next ones are taken: most visits end before, and then it
        never is. A kill finds them pending, which is what a restart makes of them.
        """
        self._mark_taken()
        share = self._revisit.unconditional_share
        tickets = self._frontier.find_next(limit, self._now(), self._run_id, share)
        self._taken.update(ticket.id for ticket in tickets)
        return tickets

    def _mark_taken(self) -> None:
        if self._taken:
            with self._db.transaction(durable=False):
                self._frontier.mark_in_flight(self._taken)
            self._taken.clear()

    def claim(self, found: Found, found_on: str) -> Ticket:
        """Hand out one URL now, whatever its state; it is made known when it is not.

        For `reprocess`, which has the visits' order and finders from the archive: the ticket is
        conditional whenever it can be, because the archive knows what was asked.
        """
        with self._db.transaction(durable=False):
            parent = self._frontier.find_id(found_on) if found_on else None
            self._frontier.add([found], parent)
            return self._frontier.claim(found.url, found_on)

    def release(self, ids: Iterable[int]) -> None:
        """Give tickets back unused."""
        self._mark_taken()
        with self._db.transaction(durable=False):
            self._frontier.release(ids)

    def requeue_in_flight(self) -> int:
        """Put back what a killed or stopped run left in flight; how many URLs that are."""
        self._mark_taken()
        with self._db.transaction():
            return self._frontier.requeue_in_flight()

    def has_pending(self) -> bool:
        return self._frontier.has_pending(besides=self._taken)

    def counts(self) -> dict[str, int]:
        """Count the URLs by state (``pending``, ``in_flight``, ``done``, ``failed``, ``gone``)."""
        self._mark_taken()
        return self._frontier.counts()

    def next_due_at(self) -> datetime | None:
        """Tell when the next page that was visited is to be asked again."""
        return self._frontier.next_due_at()

    def preview(
        self, *, full: bool, since: date | None, starts: Mapping[str, str], limit: int = 20
    ) -> Preview:
        """Tell what a run that starts now would ask; nothing is changed."""
        now = self._now()
        return self._frontier.preview(now, full=full, since=since, starts=starts, limit=limit)

    def url_counts(self) -> Iterator[tuple[str, str, str, int]]:
        """Yield the page where URLs were found, their kind, their state, and how many they are."""
        self._mark_taken()
        return self._frontier.counts_by_origin()

    # Visits

    def finish(self, run_id: str, visit: Visit) -> list[Article]:
        """Store all that a visit brought, in one durable transaction.

        A visit that failed after it was stored (an error of a later component) changes nothing.

        Returns:
            The rows as stored, their history filled in: ``new``, ``changed``, ``deleted`` (a
            tombstone), or ``snapshot`` for an article that did not change.
        """
        with self._db.transaction():
            rows, new = self._writer.write(run_id, visit, self._revisit)
        self._taken.discard(visit.ticket.id)
        self._frontier.remember(new)
        return rows

    # Captures and media

    def add_captures(self, run_id: str, captures: Iterable[Capture]) -> None:
        """Note captures that belong to no visit, such as robots.txt."""
        with self._db.transaction():
            for capture in captures:
                self._captures.add(self._runs.number(run_id), None, "", capture)

    def add_captures_of(self, run_id: str, captures: Iterable[tuple[str, Capture]]) -> None:
        """Note captures with the page whose visit archived each; empty for those of no visit."""
        run_no = self._runs.number(run_id)
        with self._db.transaction():
            for page, capture in captures:
                number = self._frontier.find_number(page) if page else None
                self._captures.add(run_no, number, page, capture)

    def captures(self, run_id: str | None = None) -> Iterator[Capture]:
        """Yield the captures of a run, or of all, in the order of their writing."""
        return self._captures.of_run(self._runs.number(run_id) if run_id else None)

    def original(self, url: str) -> Original | None:
        """Find the last full capture of an address that a revisit record may refer to."""
        return self._captures.original(url)

    def relocate(self, filename: str, places: Mapping[str, tuple[int, int]]) -> list[str]:
        """Take in what a repair left of a WARC file, and ask again for what it lost.

        Args:
            filename: The file.
            places: Offset and length by record id, ``urn:uuid:…``; empty for a file that is gone.

        Returns:
            The URLs that are pending again, because a capture of theirs is lost.
        """
        with self._db.transaction():
            self.outbox.forget([f"warc/{filename}"])  # queued again as it is now
            self.elsewhere.forget([f"warc/{filename}"])
            return self._frontier.ask_again(self._captures.relocate(filename, places))

    def record_ids_in(self, filename: str) -> dict[int, str]:
        """Return the captures of a WARC file: offset to record id, ``urn:uuid:…``."""
        return self._captures.ids_in(filename)

    def lost_record_ids(self) -> list[str]:
        """Return the captures that a repair has recorded as lost: ``urn:uuid:…``."""
        return self._captures.lost_ids()

    def kind_of(self, url: str) -> str:
        """Return what the frontier takes an address for; empty for one that it does not know."""
        return self._frontier.find_kind(url)

    def capture_files(self, url: str) -> list[str]:
        """Return the WARC files that hold what visits of an address archived."""
        return self._captures.files_of(url)

    def captures_of(self, url: str) -> Iterator[tuple[str, Capture]]:
        """Yield what visits of an address archived, each with its run, in order."""
        return self._captures.of_url(url)

    def warc_file(self, filename: str, size: int, sha256: str) -> None:
        """Note the size and digest of a complete WARC file."""
        with self._db.transaction():
            self._captures.add_file(filename, size, sha256)

    def finish_warcs(self, files: Iterable[Finished]) -> None:
        """Note complete WARC files, and queue them for upload."""
        files = list(files)
        with self._db.transaction():
            for file in files:
                name = file.path.rpartition("/")[2]
                self._captures.add_file(name, file.bytes, file.sha256)
            self.outbox.add(files, self._now())

    def warc_files(self) -> Iterator[tuple[str, int | None, str, bool]]:
        """Yield name, bytes, sha256 and whether it is missing, for each WARC file."""
        return self._captures.files()

    def media(self, url: str) -> MediaFile | None:
        """Return what became of a file, by its address as on the page."""
        return self._media.find(url)

    def media_keys(self) -> Iterator[str]:
        """Yield the path of every stored picture and attachment."""
        return self._media.keys()

    def has_media(self, sha256: str) -> bool:
        return self._media.has_bytes(sha256)

    # Takedowns

    def take_down(
        self, takedown: Takedown, info: dict[str, Any], after: Consequences | None = None
    ) -> None:
        """Carry out a takedown in one transaction; one that is known changes nothing.

        It is a run of its own, so that readers of deltas learn of it.

        Args:
            takedown: What was decided.
            info: For the ledger of runs.
            after: What became of files and records; None in a state made from the archive, where
                the run and its rows are written as those of any other run.
        """
        self._db.execute("PRAGMA secure_delete = ON")  # free pages of the file hold nothing of it
        with self._db.transaction():
            if self.takedowns.is_known(takedown.id):
                return
            if after is not None:
                at = datetime.fromisoformat(takedown.at)
                self._runs.begin(takedown.id, at, info)
                counts = {"articles_deleted": len(takedown.articles)}
                self._runs.end(takedown.id, at, 0, "takedown", counts)
                for run_id in takedown.run_ids:
                    self.takedowns.write_rows(takedown, run_id)
                self.takedowns.forget(takedown, after)
            self.takedowns.exclude(takedown)
        self._db.checkpoint()

    def write_tombstones(self, takedown: Takedown, run_id: str) -> None:
        """Put the tombstones of a takedown into the delta of one run."""
        with self._db.transaction():
            self.takedowns.write_rows(takedown, run_id)

    # What a run did

    def op_counts(self, run_id: str) -> dict[str, int]:
        """Count the rows of a run's delta by ``op``."""
        return self.articles.op_counts(self._runs.number(run_id))

    def delta(self, run_id: str) -> Iterator[Article]:
        """Yield the rows that a run wrote, sorted by id."""
        return self.articles.delta(self._runs.number(run_id))

    def delta_lines(self, run_id: str) -> Iterator[Line]:
        """Yield the same rows as lines of JSON, each with its ``op``."""
        return self.articles.delta_lines(self._runs.number(run_id))

    def rejects(self, run_id: str) -> Iterator[dict[str, Any]]:
        """Yield the pages of a run that brought no content, with the reason, sorted by URL."""
        return self._runs.rejects(self._runs.number(run_id))

    def gap_counts(self) -> list[tuple[str, str, int]]:
        """Count the pages that last brought no content, by outcome and reason."""
        return self._runs.gap_counts()

    def runs_to_export(self) -> list[RunEntry]:
        """Return the runs whose delta is not on disk yet: the last one, and those killed."""
        return [entry for entry in self._runs.all() if not entry.exported]

    def mark_exported(self, run_ids: Iterable[str], files: Iterable[Finished] = ()) -> None:
        """Note that the deltas of runs are on disk, and queue what was written for upload."""
        with self._db.transaction():
            self._runs.mark_exported(run_ids)
            self.outbox.add(files, self._now())

    # Outbox

    def queue(self, files: Iterable[Finished]) -> None:
        """Queue finished files for upload."""
        with self._db.transaction():
            self.outbox.add(files, self._now())

    def changing_outbox(self, *, durable: bool = True) -> AbstractContextManager[None]:
        """Open a transaction for changes of the outbox."""
        return self._db.transaction(durable=durable)
