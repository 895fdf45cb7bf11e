"""The main job, on our own small site: serve it, crawl it, say what came of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from hongxing_crawler.crawl import CrawlOptions, Progress, crawl
from hongxing_crawler.demo.site import DemoSite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.run import RunResult

PORTS = (8765, 8766)  # fixed, so that a second demo meets the articles of the first


def run_demo(
    options: CrawlOptions, *, state: int = 1, progress: Progress | None = None
) -> RunResult:
    """Crawl the demo site into ``options.home``.

    The ports stay the same from one demo to the next, because they are part of every address:
    a second crawl then asks what is due, as it would on the real site. Nobody has to be polite to
    this machine, so there is no delay. In state 2 some days have passed: every page is due.

    Args:
        options: As for a crawl; the site is the demo's.
        state: 1, or 2 for the site as it is later: pages changed, removed and added.
        progress: As for ``crawl``.

    Raises:
        HongxingError: As ``crawl`` does.
    """
    with _serve(state) as site:
        settings = {"HONGXING_BACKOFF_BASE_S": 0.1, **options.settings}
        profile = site.profile if state == 1 else always_due(site.profile)
        return crawl(replace(options, site=profile, delay_s=0.0, settings=settings), progress)


def always_due(profile: SiteProfile) -> SiteProfile:
    """Let every known page be asked again by every run."""
    revisit = replace(profile.revisit, article_first_s=0.0, article_ceiling_s=0.0)
    return replace(profile, revisit=revisit)


@contextmanager
def _serve(state: int) -> Iterator[DemoSite]:
    """Serve the site on its usual ports, or on free ones when somebody else uses them."""
    site = DemoSite(state=state, ports=PORTS)
    try:
        site.start()
    except OSError:
        site = DemoSite(state=state).start()
    try:
        yield site
    finally:
        site.stop()
