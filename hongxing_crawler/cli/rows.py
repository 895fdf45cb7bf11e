"""hongxing status, export, reprocess, report: what a home holds, and its rows."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hongxing_crawler.cli.moments import parse_as_of
from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from hongxing_crawler.cli.moments import AsOf
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.reprocessing.run_files import RunFiles

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(cls=Command)
@click.option(
    "--runs", default=5, type=click.IntRange(0), metavar="N", help="Show the last N runs."
)
@common_options
@click.pass_obj
def status(shell: Shell, runs: int) -> int:
    """Show what the home holds and its last runs.

    And whether a run is at work, and since when. Changes nothing.
    """
    from hongxing_crawler.cli.tables import show_status
    from hongxing_crawler.upkeep.look import look_at

    found = look_at(shell.home(), now=now, run_count=runs)
    shell.result(asdict(found), show_status(found))
    return ExitCode.OK


@click.command(cls=Command)
@click.option("--out", type=_FOLDER, metavar="DIR", help="Write there; default <home>/export.")
@click.option(
    "--as-of",
    metavar="DAY",
    callback=parse_as_of,
    help="The articles as they were at the end of that day in China, or at a moment with its "
    "zone (2026-11-23T12:00+08:00); no deltas.",
)
@click.option(
    "--format",
    "formats",
    metavar="FORMATS",
    help="jsonl.gz, or jsonl.gz,parquet for Parquet with types as well.",
)
@common_options
@click.pass_obj
def export(shell: Shell, out: Path | None, as_of: AsOf | None, formats: str | None) -> int:
    """Write the rows again from the state.

    The dataset card, the snapshot, and deltas that are missing; every crawl does so by itself.
    With --out all of them, from a home that may be read-only.
    """
    from hongxing_crawler.upkeep.home import export_as_of, export_elsewhere, export_home

    home = shell.home()
    typed = {"with_parquet": shell.load_config(export__format=formats).with_parquet}
    with nullcontext() if out else shell.hold(home, "export"):
        if as_of is not None:
            paths = export_as_of(home, now, out or home.export, as_of.moment, as_of.name, **typed)
        elif out is not None:
            paths = export_elsewhere(home, now, out, **typed)
        else:
            paths = export_home(home, now, **typed)
    shell.result(paths, "\n".join(f"{name:<6} {path}" for name, path in paths.items()))
    return ExitCode.OK


@click.command(cls=Command)
@click.argument("warcs", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=_FOLDER, metavar="DIR", help="Write there; default <home>/reprocessed.")
@click.option(
    "--site", metavar="NAME|FILE.toml", help="Read by this profile, not by that of the crawl."
)
@common_options
@click.pass_obj
def reprocess(shell: Shell, warcs: tuple[Path, ...], out: Path | None, site: str | None) -> int:
    """Make the rows again from the archive.

    Without the network. With the same program and profile they are those of the crawl, byte for
    byte, and the command says so. Without WARC files all those of the home are read. The home's
    own rows stay as they are.
    """
    from hongxing_crawler.cli.tables import show_reprocessed
    from hongxing_crawler.upkeep.home import reprocess_home, reprocess_warcs

    profile_of = _choose_profile(site)
    if warcs:
        folder = out or Path("reprocessed")
        done = reprocess_warcs(warcs, folder, profile_of)
    else:
        home = shell.home(without_state=True)
        with nullcontext() if out else shell.hold(home, "reprocess"):
            done = reprocess_home(home, out or home.root / "reprocessed", profile_of, now=now)
    shell.result(asdict(done), show_reprocessed(done))
    return ExitCode.PARTIAL if done.result.problems else ExitCode.OK


@click.command(cls=Command)
@click.argument("run_id", required=False, metavar="[RUN]")
@common_options
@click.pass_obj
def report(shell: Shell, run_id: str | None) -> int:
    """Write the web page of a run again.

    RUN is the last one by default; hongxing status lists them.
    """
    from hongxing_crawler.upkeep.home import write_report

    home = shell.home()
    with shell.hold(home, "report"):
        paths = write_report(home, now, run_id)
    shell.result(paths, "\n".join(f"{name:<6} {path}" for name, path in paths.items()))
    return ExitCode.OK


def _choose_profile(site: str | None) -> Any:
    from hongxing_crawler.sites.profile import load_profile

    chosen = load_profile(site) if site else None

    def profile_of(run: RunFiles) -> SiteProfile:
        return chosen or run.profile or load_profile(run.site)

    return profile_of
