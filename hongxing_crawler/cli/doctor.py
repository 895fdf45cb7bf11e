"""hongxing doctor: is everything as a crawl and an upload need it, and what to set when not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hongxing_crawler.cli.doctor_checks import MACHINE
from hongxing_crawler.cli.shell import Command, Shell, common_options
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hongxing_crawler.checkup import Check
    from hongxing_crawler.config import Config

    Checkup = Callable[[Shell, Config], Iterator[Check]]


@click.command(cls=Command)
@common_options
@click.pass_obj
def doctor(shell: Shell) -> int:
    """Look whether everything is as it should be.

    With --s3, with or without an address, also try what the bucket really does: small objects are
    put below a prefix of their own, and taken away. Exit 4 when something has to be set right, 5
    when the bucket is away.
    """
    from hongxing_crawler.checkup import Grade, worst

    config = shell.load_config()
    checks: list[Check] = []
    for checkup in CHECKUPS:
        for check in checkup(shell, config):
            checks.append(check)
            if not shell.json and not shell.quiet:
                _show(check)
    failed = [check for check in checks if check.grade is Grade.FAIL]
    shell.result({"ok": not failed, "grade": worst(checks), "checks": [asdict(c) for c in checks]})
    if not failed:
        return ExitCode.OK
    sentence = "; ".join(f"{check.name}: {check.advice or check.found}" for check in failed)
    shell.complain(sentence)
    is_away = all(check.may_pass for check in failed)
    return ExitCode.TEMPORARY if is_away else ExitCode.CONFIG


def _show(check: Check) -> None:
    from hongxing_crawler.cli.shell import write_line

    write_line(f"{check.grade:<5} {check.name:<24} {check.found}")
    if check.advice and check.advice != check.found:
        write_line(f"{'':<5} {'':<24} → {check.advice}")


def check_home(_shell: Shell, config: Config) -> Iterator[Check]:
    """Look at the folder that everything is kept in."""
    from hongxing_crawler.checkup import Check, Grade

    home = config.home
    place = next(folder for folder in (home, *home.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    known = "is there" if (home / "state.sqlite").is_file() else "is made by the first crawl"
    yield Check("home", Grade.OK, f"{home} {known}")
    found = f"{free / 1e9:,.1f} GB free"
    if free < _LITTLE_BYTES:
        yield Check("disk", Grade.WARN, found, "make room: a crawl stops when the disk is full")
    else:
        yield Check("disk", Grade.OK, found)


def check_bucket(shell: Shell, config: Config) -> Iterator[Check]:
    """Try the bucket when asked to."""
    from hongxing_crawler.checkup import Check, Grade

    if not shell.asks_s3:
        if config.s3_url:
            yield Check("bucket", Grade.OK, f"{config.s3_url}, not tried: add --s3")
        return
    from hongxing_crawler.cli.upload import s3_options
    from hongxing_crawler.store.s3.client import Bucket
    from hongxing_crawler.store.s3.probes import examine

    options = s3_options(config)
    yield from examine(Bucket.open(options), options, retention=options.retention.mode)


# Each looks at one thing and may yield any number of checks.
CHECKUPS: tuple[Checkup, ...] = (*MACHINE, check_bucket)
