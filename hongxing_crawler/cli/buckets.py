"""hongxing restore-home, and verify --s3: a home and its bucket."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.cli.tables import tell_count
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from hongxing_crawler.upkeep.bucket_check import BucketReport
    from hongxing_crawler.upkeep.restore_home import Restored

_SHOWN = 50


def verify_bucket(shell: Shell, *, deep: bool) -> int:
    """Compare home, bucket and manifests; exit 10 when something is lost or damaged."""
    from hongxing_crawler.cli.upload import s3_options
    from hongxing_crawler.upkeep.bucket_check import count_kinds
    from hongxing_crawler.upkeep.bucket_check import verify_bucket as compare

    config, home = shell.load_config(), shell.home()
    options = s3_options(config)
    report = compare(home, options, now=now, deep=deep, tries=config.upload_tries)
    kinds = count_kinds(report)
    found = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items()) or "no difference"
    text = (
        f"{report.target}\ncompared {tell_count(report.object_count, 'object')},"
        f" {report.byte_count:,} bytes, {tell_count(report.file_count, 'file')},"
        f" {tell_count(report.pruned_count, 'pruned one')},"
        f" {tell_count(report.manifest_count, 'manifest')}: {found}"
    )
    shell.result(asdict(report) | {"kinds": kinds}, text)
    if report.mismatches and not shell.json:
        shown = [str(item) for item in report.mismatches[:_SHOWN]]
        more = len(report.mismatches) - len(shown)
        shell.complain("\n".join((*shown, *([f"… and {more:,} more"] if more else []))))
    return _code_of(report)


def _code_of(report: BucketReport) -> ExitCode:
    if report.is_harmed:
        return ExitCode.DAMAGED
    return ExitCode.TEMPORARY if report.waits else ExitCode.OK


@click.command("restore-home", cls=Command)
@click.argument("url", required=False, metavar="[s3://bucket/prefix]")
@common_options
@click.pass_obj
def restore_home(shell: Shell, url: str | None) -> int:
    """Make a working home again from its bucket alone.

    Fetches archive, media and rows into --home, a new folder, proves every file by its sha256, and
    makes state and index from the archive. After that hongxing crawl goes on as if nothing had
    happened. Stopped, by whatever, it goes on when it is typed again.
    """
    from hongxing_crawler.cli.upload import s3_options
    from hongxing_crawler.exceptions import HongxingError
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.upkeep.restore_home import abandon_target, claim_target
    from hongxing_crawler.upkeep.restore_home import restore_home as restore

    config = shell.load_config(**({"s3__url": url} if url else {}))
    home, s3 = Home(config.home), s3_options(config)
    was_there = home.root.exists()
    claim_target(home)
    with shell.hold(home, "restore-home"):
        try:
            done = restore(home, s3, tries=config.upload_tries, tell=_teller(shell))
        except HongxingError:
            abandon_target(home, was_there=was_there)
            raise
    shell.result(asdict(done) | {"home": home.root}, _show(home.root.as_posix(), done))
    return ExitCode.PARTIAL if done.problems or done.other_rows else ExitCode.OK


def _teller(shell: Shell) -> Callable[[str], None]:
    def tell(text: str) -> None:
        if sys.stderr.isatty() and not (shell.quiet or shell.json):
            click.echo(text, err=True)

    return tell


def _show(home: str, done: Restored) -> str:
    from hongxing_crawler.cli.tables import align, show_size

    rows = [
        ("from", done.source),
        ("home", home),
        ("files", f"{done.file_count:,}, {show_size(done.byte_count)}, all compared"),
        ("runs", f"{len(done.runs):,}"),
        ("rows", f"{tell_count(done.same_rows_count, 'file')} as the archive gives, byte for byte"),
    ]
    notes = [f"not what the archive gives now: {name}" for name in done.other_rows]
    notes += [f"nothing tells its sha256: {name}" for name in done.unproved]
    return "\n".join((align(rows), *notes, *done.problems, "go on with hongxing crawl"))
