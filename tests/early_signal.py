"""An extension for tests: Ctrl-C at a moment of a crawl's start, before its engine runs."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from scrapy import signals

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

MOMENTS = {"spider_opened": signals.spider_opened, "engine_started": signals.engine_started}


class EarlySignal:
    """Sends this process a SIGINT when it is made, or at the signal that a setting names."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> EarlySignal:
        self = cls()
        moment = crawler.settings["TEST_EARLY_SIGNAL"]
        if moment == "component_made":
            self.send()
        else:
            crawler.signals.connect(self.send, signal=MOMENTS[moment])
        return self

    def send(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
