"""The main job, on our own small site: serve it, crawl it, say what came of it."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from hongxing_crawler.crawl import CrawlOptions, Progress, Then, crawl
from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.store.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.running.run import RunResult

PORTS = (8765, 8766)
_PORTS_NOTE = (
    "demo-ports.json"  # in the home, so that a second demo meets the articles of the first
)
_WAIT_S = 60.0


def run_demo(
    options: CrawlOptions,
    *,
    state: int = 1,
    progress: Progress | None = None,
    then: Then | None = None,
) -> RunResult:
    """Crawl the demo site into ``options.home``.

    The ports stay the same from one demo to the next, because they are part of every address:
    a second crawl then asks what is due, as it would on the real site. Nobody has to be polite to
    this machine, so there is no delay. In state 2 some days have passed: every page is due.

    Args:
        options: As for a crawl; the site is the demo's.
        state: 1, or 2 for the site as it is later: pages changed, removed and added.
        progress: As for ``crawl``.
        then: As for ``crawl``.

    Raises:
        HongxingError: As ``crawl`` does.
    """
    with _serve(state, options.home) as site:
        settings = {"HONGXING_BACKOFF_BASE_S": 0.1, **options.settings}
        profile = site.profile if state == 1 else always_due(site.profile)
        options = replace(options, site=profile, delay_s=0.0, settings=settings)
        return crawl(options, progress, then)


def always_due(profile: SiteProfile) -> SiteProfile:
    """Let every run ask every known page again, none of them by chance as if it were new."""
    revisit = replace(
        profile.revisit, article_first_s=0.0, article_ceiling_s=0.0, unconditional_share=0.0
    )
    return replace(profile, revisit=revisit)


@contextmanager
def _serve(state: int, home: Path) -> Iterator[DemoSite]:
    """Serve the site where the home knows it: on the ports of its first demo."""
    note = home / _PORTS_NOTE
    site = _start_again(state, note) if note.exists() else _start(state)
    try:
        Home(home).prepare()
        if not note.exists():
            note.write_text(json.dumps(site.ports), "utf-8")
        yield site
    finally:
        site.stop()


def _start(state: int) -> DemoSite:
    """Start on the usual ports, or on free ones when somebody else uses them."""
    try:
        return DemoSite(state=state, ports=PORTS).start()
    except OSError:
        return DemoSite(state=state).start()


def _start_again(state: int, note: Path) -> DemoSite:
    """Start on the ports of the note; another demo may still use them for a while.

    Raises:
        ConfigError: They stay in use, or the note cannot be read.
    """
    try:
        first, second = map(int, json.loads(note.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{note} names no two ports; take another home with --home") from error
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            return DemoSite(state=state, ports=(first, second)).start()
        except OSError as error:
            if time.monotonic() > deadline:
                raise ConfigError(
                    f"the ports {first} and {second}, which {note.parent} knows the demo by, are"
                    " in use by another program: stop it, or take another home with --home"
                ) from error
            time.sleep(0.5)
