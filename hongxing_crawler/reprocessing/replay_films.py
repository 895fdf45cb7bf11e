"""Films again from the archive: the steps of the crawl, answered by what it archived."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hongxing_crawler.archive.reader import read_at
from hongxing_crawler.exceptions import ArchiveError
from hongxing_crawler.reprocessing.response_heads import read_headers
from hongxing_crawler.running.failures import REASONS
from hongxing_crawler.running.films import NOT_FETCHED, FilmLimits, FilmTaker, Got, find_refusal
from hongxing_crawler.running.reading import header_address
from hongxing_crawler.store.codings import decode_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hongxing_crawler.archive.captures import ArchivedExchange
    from hongxing_crawler.archive.reader import Record
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.record import MediaFile
    from hongxing_crawler.core.urls import Scope
    from hongxing_crawler.reprocessing.run_files import RunFiles
    from hongxing_crawler.running.films import Ask

_CUT: Final = {"length": "too_large", "disconnect": "broken_off", "time": "timeout"}


def body_record(exchange: ArchivedExchange, located: Mapping[str, tuple[Path, int]]) -> Record:
    """Return the record that holds an exchange's body: its own, or the one that it repeats.

    Raises:
        ArchiveError: That one is in none of the files.
    """
    if exchange.original is None:
        return exchange.record
    place = located.get(exchange.original.record_id)
    if place is None:
        raise ArchiveError(f"the original {exchange.original.record_id} is in none of the files")
    return read_at(*place)


@dataclass(frozen=True, slots=True)
class FilmReplay:
    """The films of one page. ``last``: the last exchange of each file, by page and address."""

    last: Mapping[tuple[str, str], ArchivedExchange]
    located: Mapping[str, tuple[Path, int]]
    page: str

    def take(self, url: str, profile: SiteProfile, scope: Scope, run: RunFiles) -> MediaFile:
        """Describe a film as the run that asked for it did; nothing is kept.

        Raises:
            ArchiveError: A body that was archived is in none of the files.
        """
        limits = FilmLimits(run.video_max_bytes, run.video_max_pieces)
        with tempfile.TemporaryDirectory() as folder:
            steps = FilmTaker(profile, scope, limits, Path(folder), None).steps(url)
            try:
                ask = next(steps)
                while True:
                    refusal = find_refusal(ask.url, profile, scope)
                    got = Got(reason=refusal) if refusal else self._answer(ask, Path(folder))
                    ask = steps.send(got)
            except StopIteration as end:
                film: MediaFile = end.value
                return film
            finally:
                steps.close()

    def _answer(self, ask: Ask, folder: Path) -> Got:
        exchange = self.last.get((self.page, ask.url)) or self.last.get(("", ask.url))
        if exchange is None:
            return Got(reason=NOT_FETCHED)
        noted = exchange.metadata
        if exchange.capture.record_type == "metadata":
            error = noted.get("fetch-error", "")
            return Got(reason="robots_denied" if "robots-denied" in noted else _named(error))
        headers = read_headers(exchange.response_head)
        if cut := exchange.record.fields.get("warc-truncated"):
            declared = (headers.get("Content-Length") or b"").decode("latin-1")
            size = int(declared) if declared.isdecimal() and len(declared) < 19 else 0
            is_long = cut == "length"
            size = max(size, exchange.record.payload_length) if is_long else 0
            return Got(reason=_CUT.get(cut, cut), size=size)
        location = header_address(headers.get("Location"))
        body = self._body(exchange, headers.getlist("Content-Encoding"), ask, folder)
        if body is None:
            return Got(reason="too_large", size=ask.max_bytes)
        return Got(exchange.capture.status, location, body)

    def _body(
        self, exchange: ArchivedExchange, codings: list[bytes], ask: Ask, folder: Path
    ) -> Path | None:
        """Write a body into a file, decoded; None when it is too large then."""
        record = body_record(exchange, self.located)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
            file.writelines(record.pieces())
        names = b",".join(codings).decode("latin-1").lower().split(",")
        try:
            return decode_file(
                Path(file.name), [name.strip() for name in names if name.strip()], ask.max_bytes
            )
        except ValueError:
            return None


def _named(error: str) -> str:
    return REASONS.get(error, error) or NOT_FETCHED
