"""hongxing takedown: remove a page from everything that a home holds."""

from __future__ import annotations

import getpass
import sys
from dataclasses import asdict

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.exit_codes import ExitCode


@click.command(cls=Command)
@click.argument("urls", nargs=-1, metavar="URL...")
@click.option("--reason", metavar="TEXT", default="", help="Why; it stays in the archive for ever.")
@click.option("--by", metavar="NAME", help="Who decided; default the user who types this.")
@click.option(
    "--with-media", is_flag=True, help="Also its pictures and files that no other article shows."
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--resume", "resuming", is_flag=True, help="Only end a takedown that was interrupted."
)
@common_options
@click.pass_obj
def takedown(  # noqa: PLR0913 - one value for each flag
    shell: Shell,
    urls: tuple[str, ...],
    reason: str,
    by: str | None,
    *,
    with_media: bool,
    dry_run: bool,
    yes: bool,
    resuming: bool,
) -> int:
    """Remove a page from the archive, for good.

    URL is its address, or the id of its article. Its records are replaced by tombstones that say
    why, when and by whom; index, rows, state and packages lose it as well, and no crawl asks for
    it again. Nothing else changes, and the command proves that. There is no way back: keep a copy
    elsewhere if the law asks for one.
    """
    from hongxing_crawler.cli.takedowns import show_plan, show_takedown
    from hongxing_crawler.takedown.plan import Order, plan_takedown, take_down

    home = shell.home()
    if resuming:
        with shell.hold(home, "takedown"):
            shell.result({"resumed": True}, "nothing is left to do")
        return ExitCode.OK
    if not urls:
        raise click.UsageError("name the page: its address, or its article's id")
    if not reason.strip():
        raise click.UsageError("say why with --reason TEXT; it stays in the archive")
    order = Order(urls, reason, by or getpass.getuser(), with_media)
    if dry_run:
        plan = plan_takedown(home, order, now)
        shell.result(asdict(plan), show_plan(plan))
        return ExitCode.OK
    with shell.hold(home, "takedown"):
        if not yes:
            _confirm(shell, show_plan(plan_takedown(home, order, now)))
        done = take_down(home, order, now)
    shell.result(asdict(done), show_takedown(done, home))
    return ExitCode.OK


def _confirm(shell: Shell, text: str) -> None:
    """Show what would go and ask; without a terminal nobody can answer."""
    if shell.json or not sys.stdin.isatty():
        raise click.UsageError("nobody is here to ask: say --yes, or look first with --dry-run")
    click.echo(text, err=True)
    click.confirm("Remove all this for good?", abort=True, err=True)
