"""hongxing crawl and demo: one run, and what it brought."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hongxing_crawler.cli.alerting import told
from hongxing_crawler.cli.shell import Command, Shell, common_options, now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hongxing_crawler.config import Config
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.crawl import CrawlOptions, Progress
    from hongxing_crawler.running.run import RunResult

_SITE_ZONE = timezone(timedelta(hours=8))
_LEVELS = ("INFO", "DEBUG")  # on the terminal, by the number of -v


def _parse_since(_context: click.Context, _option: click.Parameter, text: str | None) -> str:
    """Turn a day, or an age such as 7d, into a day of the site's calendar."""
    from hongxing_crawler.config import parse_duration

    if text is None:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    try:
        age = timedelta(seconds=parse_duration(text))
        return (now().astimezone(_SITE_ZONE) - age).date().isoformat()
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is neither a day such as 2026-01-31 nor an age such as 7d"
        raise click.BadParameter(message) from error


_RUN_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--full",), {"is_flag": True, "help": "Ask every known page again, without conditions."}),
    (
        ("--since",),
        {
            "metavar": "DAY|7d",
            "callback": _parse_since,
            "help": "Leave articles alone that are older, as far as their addresses tell.",
        },
    ),
    (("--max-pages",), {"type": int, "metavar": "N", "help": "Stop after N pages; go on later."}),
    (("--max-duration",), {"metavar": "TIME", "help": "Stop after 90s, 30m, 2h …; go on later."}),
    (
        ("--log-file",),
        {
            "type": click.Path(dir_okay=False, path_type=Path),
            "help": "Append the log to this file too.",
        },
    ),
    (("--no-upload",), {"is_flag": True, "help": "Leave the bucket alone; upload later."}),
)


def _run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for names, attributes in reversed(_RUN_OPTIONS):
        function = click.option(*names, **attributes)(function)
    return function


@click.command(cls=Command)
@click.argument("site", required=False, metavar="[SITE|FILE.toml]")
@click.option("--seed", "seeds", multiple=True, metavar="URL", help="One more start page.")
@click.option("--js", is_flag=True, help="Look at every page in a browser.")
@click.option("--videos", is_flag=True, help="Fetch films, too.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked; ask and write nothing.")
@_run_options
@common_options
@click.pass_obj
@told("crawl")
def crawl(
    shell: Shell, /, site: str | None, seeds: tuple[str, ...], *, dry_run: bool, **flags: Any
) -> int:
    """Crawl a site: what is new, changed or gone.

    SITE is the name of a profile (hongxing, generic) or a file of your own. A run that was
    stopped, by whatever, goes on where it was: type the same command again.
    """
    from hongxing_crawler.config import load_site
    from hongxing_crawler.crawl import crawl as run_crawl

    config = _load_config(shell, flags, site=site)
    profile = load_site(config, seeds=seeds)
    if not (profile.seeds or profile.sitemaps or profile.feeds):
        raise click.UsageError(f"{profile.name} has no start page: name one with --seed URL")
    if dry_run:
        return _preview(shell, config, profile, flags)
    options = _options(shell, config, profile, flags)
    return _crawl(shell, config, options, flags, partial(run_crawl, options))


def _preview(shell: Shell, config: Config, profile: SiteProfile, flags: dict[str, Any]) -> int:
    from hongxing_crawler.cli.tables import show_preview
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.upkeep.look import preview_run

    since = date.fromisoformat(flags["since"]) if flags["since"] else None
    preview = preview_run(Home(config.home), profile, now=now, full=flags["full"], since=since)
    found = {
        "home": str(config.home),
        "site": profile.name,
        "urls": sum(preview.kinds.values()),
        "kinds": preview.kinds,
        "max_pages": config.max_pages,
        "first": [{"kind": kind, "url": url} for kind, url in preview.first],
    }
    shell.result(found, show_preview(preview, config.max_pages, config.delay_s))
    return 0


@click.command(cls=Command)
@click.option(
    "--state",
    type=click.IntRange(1, 2),
    metavar="1|2",
    default=1,
    help="1: the site as it is; 2: some days later, with changed and removed pages.",
)
@_run_options
@common_options
@click.pass_obj
def demo(shell: Shell, /, state: int, **flags: Any) -> int:
    """Crawl a small replica of the site on this machine.

    Nothing leaves the machine. Everything is kept in var/demo, or in --home. Ten articles stand
    behind scripts: they need a browser, and a line says when there is none.
    """
    from hongxing_crawler.demo.run import run_demo
    from hongxing_crawler.sites.profile import load_profile

    config = _load_config(shell, flags)
    options = _options(shell, config, load_profile("hongxing"), flags, home=_demo_home(config))
    return _crawl(shell, config, options, flags, partial(run_demo, options, state=state))


def _load_config(shell: Shell, flags: dict[str, Any], **more: object) -> Config:
    return shell.load_config(
        crawl__max_pages=flags["max_pages"],
        crawl__max_duration=flags["max_duration"],
        crawl__videos="true" if flags.get("videos") else None,
        **more,
    )


def _options(
    shell: Shell, config: Config, profile: SiteProfile, flags: dict[str, Any], **more: Any
) -> CrawlOptions:
    from hongxing_crawler.crawl import CrawlOptions

    values = {
        "home": config.home,
        "site": profile,
        "full": flags["full"],
        "since": flags["since"],
        "max_pages": config.max_pages,
        "max_duration_s": config.max_duration,
        "browser": _browser_mode(config, flags),
        "videos": config.videos,
        "video_max_bytes": config.video_max_mb << 20,
        "concurrency": config.concurrency,
        "delay_s": config.delay_s,
        "wait_lock_s": config.wait_lock,
        "operator": config.operator,
        "limits": config.limits,
        "with_parquet": config.with_parquet,
        "log_level": _LEVELS[min(max(shell.verbose, 1), len(_LEVELS)) - 1],
        "log_file": flags["log_file"] and str(flags["log_file"]),
        "log_format": config.log_format,
        "settings": {"LOG_ENABLED": bool(shell.verbose or flags["log_file"])},
    }
    return CrawlOptions(**values | more)


def _browser_mode(config: Config, flags: dict[str, Any]) -> str:
    """Return when a browser is used; who asks for one gets told now when there is none.

    Raises:
        ConfigError: ``--js`` without a browser that starts.
    """
    from hongxing_crawler.browser.find import try_browser
    from hongxing_crawler.exceptions import ConfigError

    if not flags.get("js"):
        return config.browser
    if missing := try_browser():
        raise ConfigError(f"--js: {missing}")
    return "always"


def _demo_home(config: Config) -> Path:
    return config.home / "demo" if config.origins["home"] == "default" else config.home


def _crawl(
    shell: Shell,
    config: Config,
    options: CrawlOptions,
    flags: dict[str, Any],
    run: Callable[..., RunResult],
) -> int:
    from dataclasses import asdict

    from hongxing_crawler.cli.run_end import end_run
    from hongxing_crawler.cli.tables import show_run
    from hongxing_crawler.cli.upload import while_crawling
    from hongxing_crawler.store.home import Home

    home, is_wanted = Home(options.home), not flags["no_upload"]
    with ExitStack() as beside:
        beside.enter_context(while_crawling(config, home, is_wanted=is_wanted))
        progress = beside.enter_context(_progress(shell))

        def then(result: RunResult) -> RunResult:
            beside.close()
            return end_run(config, home, result, is_wanted=is_wanted)

        result = run(progress=progress, then=then)
    shell.outcome = {
        "sentence": result.sentence,
        "run_id": result.run_id,
        "seconds": result.seconds,
        "counts": result.counts,
        "warnings": tuple(result.warnings),
        "findings": {finding.name: finding.sentence for finding in result.findings},
    }
    shell.result(asdict(result), show_run(result))
    if result.exit_code and not shell.json:
        shell.complain(result.sentence)
    for finding in result.findings:
        if not (finding.is_gate or shell.json):
            shell.complain(f"monitor {finding.name}: {finding.sentence}")
    return result.exit_code


@contextmanager
def _progress(shell: Shell) -> Iterator[Progress | None]:
    """Show what is going on, on a terminal only: nothing under cron or with -q."""
    if shell.quiet or shell.json or not sys.stderr.isatty():
        yield None
        return
    from hongxing_crawler.cli.progress import CrawlProgress

    with CrawlProgress() as shown:
        yield shown.update
