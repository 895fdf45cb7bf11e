"""hongxing prune: remove what the retention rules let go."""

from __future__ import annotations

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.exit_codes import ExitCode


@click.command(cls=Command)
@click.option("--yes", is_flag=True, help="Remove it; without, only say what would go.")
@common_options
@click.pass_obj
def prune(shell: Shell, *, yes: bool) -> int:
    """Remove old logs, reports and replaced snapshots.

    By the rules in [retention] of the settings; without --yes nothing is changed. The archive
    itself, deltas and what latest.json names are never removed.
    """
    from hongxing_crawler.cli.tables import align, show_size
    from hongxing_crawler.exceptions import ConfigError
    from hongxing_crawler.upkeep.prune import Retention, find_spare, remove_spare

    config, home = shell.load_config(), shell.home()
    rules = Retention(config.retention_logs, config.retention_reports, config.retention_rows)
    if rules == Retention():
        raise ConfigError(
            "everything is kept for ever: set logs, reports or rows in the table [retention] of"
            ' hongxing.toml, such as "365d"'
        )
    if yes:
        with shell.hold(home, "prune"):
            spare = find_spare(home, rules, now=now)
            remove_spare(home, spare, now=now)
    else:
        spare = find_spare(home, rules, now=now)
    total = sum(item.bytes for item in spare)
    files = [{"kind": item.kind, "path": str(item.path), "bytes": item.bytes} for item in spare]
    names = [
        (item.kind, show_size(item.bytes), str(item.path.relative_to(home.root))) for item in spare
    ]
    what = "removed" if yes else "would go; hongxing prune --yes removes it"
    text = "\n".join([align(names, right=(1,)), f"{show_size(total)} {what}"]).lstrip()
    shell.result({"removed": yes, "bytes": total, "files": files}, text)
    return ExitCode.OK
