"""What belongs to a run when its crawl is over: upload, record, report, under the run's lock."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hongxing_crawler.cli.shell import now
from hongxing_crawler.exceptions import HongxingError
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.upkeep.run_end import UploadEnd, join_ends, record_end

if TYPE_CHECKING:
    from hongxing_crawler.config import Config
    from hongxing_crawler.running.run import RunResult
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.s3.upload import UploadReport
    from hongxing_crawler.store.state import State

_LEFT_ALONE = frozenset({ExitCode.INTERRUPTED, ExitCode.TERMINATED})  # somebody wants to stop


def end_run(config: Config, home: Home, crawl: RunResult, *, is_wanted: bool) -> RunResult:
    """Upload what a crawl left, note how that ended, and write the run's report.

    Args:
        config: The settings; without a bucket in them there is only the report.
        home: The home, whose lock is held.
        crawl: How the crawl ended.
        is_wanted: Whether an upload may be tried.
    """
    if not (is_wanted and config.s3_url) or crawl.exit_code in _LEFT_ALONE:
        return _with_report(home, crawl)
    return _Ending(home, crawl).upload(config)


class _Ending:
    """The end of a run with its upload; the run's own files are written and sent last."""

    def __init__(self, home: Home, crawl: RunResult) -> None:
        self.home, self.crawl, self.result = home, crawl, crawl
        self.held = frozenset({f"runs/{crawl.run_id}/run.json"})
        self._begun_s = time.monotonic()

    def upload(self, config: Config) -> RunResult:
        from hongxing_crawler.cli.upload import s3_options, upload_options
        from hongxing_crawler.cli.verdict import judge
        from hongxing_crawler.store.state import State
        from hongxing_crawler.upkeep.upload import upload_home

        s3, options = s3_options(config), upload_options(config)
        self._target = str(s3.place)
        try:
            upload_home(self.home, s3, options, now=now, whole=False, last=self)
        except HongxingError as error:
            code, sentence = judge(error)
            end = UploadEnd(int(code), sentence, self._target, self._seconds())
            try:
                with State.open(self.home.state, now=now) as state:
                    self._record(state, end)
            except (HongxingError, OSError) as trouble:
                note = f"how the upload ended could not be noted: {trouble}"
                self.result = replace(self.result, warnings=[*self.result.warnings, note])
        return self.result

    def write(self, state: State, report: UploadReport) -> None:
        """Write record and report of a run whose upload went well, before they go up as well."""
        end = UploadEnd(
            0, "all is well", self._target, self._seconds(), report.sent_count, report.sent_bytes
        )
        self._record(state, end)

    def _record(self, state: State, end: UploadEnd) -> None:
        waiting = 0 if end.exit_code == 0 else state.outbox.look().count
        end = replace(end, waiting_count=waiting)
        self.result = join_ends(self.crawl, end)
        record_end(self.home, state, self.crawl, end, self.result)
        self.result = _with_report(self.home, self.result)

    def _seconds(self) -> float:
        return round(time.monotonic() - self._begun_s, 3)


def _with_report(home: Home, result: RunResult) -> RunResult:
    """Write the run's report; a report that fails is a warning, the crawl is done all the same."""
    from hongxing_crawler.upkeep.home import write_report

    try:
        paths = write_report(home, now, result.run_id)
    except (HongxingError, OSError) as error:
        return replace(result, warnings=[*result.warnings, f"no report: {error}"])
    return replace(result, paths=result.paths | paths)
