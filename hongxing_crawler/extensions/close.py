"""When the last page is stored: files, rows, run record."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy import signals

from hongxing_crawler.exceptions import HongxingError
from hongxing_crawler.running.finish import finish_run
from hongxing_crawler.running.run import run_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler


logger = logging.getLogger(__name__)


class CloseRun:
    """Finish the run when the spider has closed, whoever started it.

    It hangs on ``engine_stopped``, because by then Scrapy has closed the pipelines and the
    scheduler has given back what was in flight.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = run_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.engine_stopped, signal=signals.engine_stopped)
        return extension

    def engine_stopped(self) -> None:
        stats = self.crawler.stats
        reason = stats.get_value("finish_reason") or "cancelled"
        try:
            self.run.result = finish_run(self.run, str(reason), stats.get_stats())
        except (HongxingError, OSError) as error:
            self.run.failure = error  # Scrapy would log an error raised here, and exit 0
            logger.error("the run could not be finished: %s", error)  # noqa: TRY400 - no traceback
        except Exception as error:
            self.run.failure = error
            logger.exception("the run could not be finished")
        finally:
            if self.run.failure is not None:
                self.run.note("end", reason="unfinished", sentence=str(self.run.failure))
            self.run.close()
