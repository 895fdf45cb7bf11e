"""hongxing prune: remove what the retention rules let go; hongxing fetch: bring it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from hongxing_crawler.config import Config
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.upkeep.prune import Retention
    from hongxing_crawler.upkeep.prune_proved import ArchiveRetention, Pruned

    Row = dict[str, Any]


@click.command(cls=Command)
@click.option("--yes", is_flag=True, help="Remove it; without, only say what would go.")
@click.option("--deep", is_flag=True, help="Read each object whole before its file goes.")
@common_options
@click.pass_obj
def prune(shell: Shell, *, yes: bool, deep: bool) -> int:
    """Remove old files that newer ones or the bucket replace.

    Logs, reports, snapshots and archived files, by the rules in [retention] of the settings;
    without --yes nothing is changed. WARC files and media go only when the bucket shows, at that
    moment, that it has them; hongxing fetch brings them back. Indexes, deltas and what
    latest.json names are never removed.
    """
    from hongxing_crawler.exceptions import ConfigError
    from hongxing_crawler.upkeep.prune import Retention
    from hongxing_crawler.upkeep.prune_proved import ArchiveRetention, Pruned, find_proved

    config, home = shell.load_config(), shell.home()
    rules = Retention(config.retention_logs, config.retention_reports, config.retention_rows)
    archive = ArchiveRetention(config.retention_warc, config.retention_media)
    if rules == Retention() and archive == ArchiveRetention():
        raise ConfigError(
            "everything is kept for ever: set logs, reports, rows, warc or media in the table"
            ' [retention] of hongxing.toml, such as "365d"'
        )
    if yes:
        with shell.hold(home, "prune"):
            pruned = _prune_archive(config, home, archive, deep=deep)
            files = _prune_rest(home, rules, is_removed=True)
    else:
        pruned = Pruned(find_proved(home, archive, now=now))
        files = _prune_rest(home, rules, is_removed=False)
    files += [
        {
            "kind": kept.path.partition("/")[0],
            "path": str(home.root / kept.path),
            "bytes": kept.bytes,
        }
        for kept in pruned.removed
    ]
    return _tell(shell, home, files, pruned, is_removed=yes)


def _prune_rest(home: Home, rules: Retention, *, is_removed: bool) -> list[Row]:
    from hongxing_crawler.upkeep.prune import find_spare, remove_spare

    spare = find_spare(home, rules, now=now)
    if is_removed:
        remove_spare(home, spare, now=now)
    return [{"kind": item.kind, "path": str(item.path), "bytes": item.bytes} for item in spare]


def _prune_archive(config: Config, home: Home, rules: ArchiveRetention, *, deep: bool) -> Pruned:
    from hongxing_crawler.cli.upload import s3_options
    from hongxing_crawler.upkeep.prune_proved import ArchiveRetention, Pruned, prune_proved

    if rules == ArchiveRetention():
        return Pruned()
    tries = config.upload_tries
    return prune_proved(home, rules, s3_options(config), now=now, deep=deep, tries=tries)


def _tell(shell: Shell, home: Home, files: list[Row], pruned: Pruned, *, is_removed: bool) -> int:
    from hongxing_crawler.cli.tables import align, show_size

    total = sum(item["bytes"] for item in files)
    start = len(f"{home.root}/")
    names = [(item["kind"], show_size(item["bytes"]), item["path"][start:]) for item in files]
    what = "removed" if is_removed else "would go; hongxing prune --yes removes it"
    text = "\n".join([align(names, right=(1,)), f"{show_size(total)} {what}"]).lstrip()
    value = {"removed": is_removed, "bytes": total, "files": files, "refused": pruned.refused}
    shell.result(value, text)
    if not pruned.refused:
        return ExitCode.OK
    if not shell.json:
        shell.complain("\n".join(("not proved by the bucket, so kept:", *pruned.refused)))
    return ExitCode.DAMAGED


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="[RUN|PATH]...")
@common_options
@click.pass_obj
def fetch(shell: Shell, names: tuple[str, ...]) -> int:
    """Bring files back that were pruned, from the bucket.

    All of them, or those of a run, of a folder (warc/, media/) or of a name. Each is proved by its
    sha256. They stay until the next hongxing prune --yes.
    """
    from hongxing_crawler.cli.tables import show_size, tell_count
    from hongxing_crawler.cli.upload import s3_options
    from hongxing_crawler.upkeep.prune_proved import fetch_back

    config, home = shell.load_config(), shell.home()
    with shell.hold(home, "fetch"):
        done = fetch_back(home, s3_options(config), names, now=now, tries=config.upload_tries)
    size = sum(kept.bytes for kept in done)
    value = {"files": [kept.path for kept in done], "bytes": size}
    shell.result(
        value,
        f"back: {tell_count(len(done), 'file')}, {show_size(size)}" if done else "nothing to fetch",
    )
    return ExitCode.OK
