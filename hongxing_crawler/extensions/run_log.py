"""The log of a run, kept with the run whatever is shown on the terminal."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scrapy.exceptions import NotConfigured
from scrapy.utils.log import get_scrapy_root_handler

from hongxing_crawler.running.run import run_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _LogFile(logging.FileHandler):
    """A file that gives up in silence: a full disk is named by the run's verdict, not here."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        del record


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at (UTC), level, logger, message, run, and error with a traceback."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "run": self.run_id,
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class RunLog:
    """Append what is logged to ``runs/<run>/log``, to the end of the process."""

    def __init__(self, crawler: Crawler, level: str, form: str) -> None:
        run = run_of(crawler)
        formatter = logging.Formatter(FORMAT)
        if form == "json":
            formatter = JsonFormatter(run.run_id)
            _install(crawler.settings, formatter)
        if not level:
            raise NotConfigured("HONGXING_LOG_LEVEL is empty")
        folder = run.home.run(run.run_id)
        folder.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(folder / "log", encoding="utf-8", errors="backslashreplace")
        handler.setLevel(level)
        handler.setFormatter(formatter)
        logging.getLogger().addHandler(handler)
        if form == "json":
            logging.getLogger().setLevel(logging.NOTSET)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        return cls(crawler, settings["HONGXING_LOG_LEVEL"], settings["HONGXING_LOG_FORMAT"])


def _install(settings: BaseSettings, formatter: logging.Formatter) -> None:
    """Let the terminal or LOG_FILE have JSON, by Scrapy's handler or by one of our own."""
    root = logging.getLogger()
    for other in root.handlers:
        other.setFormatter(formatter)
    if get_scrapy_root_handler() is not None or not settings.getbool("LOG_ENABLED"):
        return
    name = settings["LOG_FILE"]
    handler = logging.FileHandler(name, encoding="utf-8") if name else logging.StreamHandler()
    handler.setLevel(settings["LOG_LEVEL"])
    handler.setFormatter(formatter)
    root.addHandler(handler)
