"""The main job, on our own small site: serve it, crawl it, say what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hongxing_crawler.crawl import CrawlOptions, Progress, crawl
from hongxing_crawler.demo.site import DemoSite

if TYPE_CHECKING:
    from hongxing_crawler.run import RunResult

PORTS = (8765, 8766)  # fixed, so that a second demo meets the articles of the first


def run_demo(
    options: CrawlOptions, *, state: int = 1, progress: Progress | None = None
) -> RunResult:
    """Crawl the demo site into ``options.home``.

    The ports stay the same from one demo to the next, because they are part of every address:
    a second crawl then asks conditionally, as it would on the real site. Nobody has to be
    polite to this machine, so there is no delay.

    Args:
        options: As for a crawl; the site is the demo's.
        state: 1, or 2 for the site as it is later: pages changed, removed and added.
        progress: As for ``crawl``.

    Raises:
        HongxingError: As ``crawl`` does.
    """
    with DemoSite(state=state, ports=PORTS) as site:
        settings = {"HONGXING_BACKOFF_BASE_S": 0.1, **options.settings}
        return crawl(
            replace(options, site=site.profile, delay_s=0.0, settings=settings), progress
        )
