"""The log of a run, kept with the run whatever is shown on the terminal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy.exceptions import NotConfigured

from hongxing_crawler.run import run_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _LogFile(logging.FileHandler):
    """A file that gives up in silence: a full disk is named by the run's verdict, not here."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        del record


class RunLog:
    """Append what is logged to ``runs/<run>/log``, to the end of the process."""

    def __init__(self, crawler: Crawler, level: str) -> None:
        folder = run_of(crawler).home.run(run_of(crawler).run_id)
        folder.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(folder / "log", encoding="utf-8", errors="backslashreplace")
        handler.setLevel(level)
        handler.setFormatter(logging.Formatter(FORMAT))
        logging.getLogger().addHandler(handler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        level = crawler.settings["HONGXING_LOG_LEVEL"]
        if not level:
            raise NotConfigured("HONGXING_LOG_LEVEL is empty")
        return cls(crawler, level)
