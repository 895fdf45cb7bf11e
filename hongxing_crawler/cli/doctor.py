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

    from hongxing_crawler.config import Config
    from hongxing_crawler.core.checkup import Check

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
    from hongxing_crawler.core.checkup import Grade, worst

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


def check_browser(_shell: Shell, config: Config) -> Iterator[Check]:
    """Look for the browser, which only some sites need."""
    from hongxing_crawler.browser.find import find_browser, is_root, try_browser, what_is_missing
    from hongxing_crawler.core.checkup import Check, Grade

    if config.browser == "off":
        return
    if missing := what_is_missing():
        grade = Grade.FAIL if config.browser == "always" else Grade.OK
        found = "none; only pages that a script fills need one"
        yield Check("browser", grade, f"{found}: {missing}", missing if grade is Grade.FAIL else "")
    elif is_root():
        advice = "crawl as a user of its own, not as root"
        yield Check("browser", Grade.WARN, f"{find_browser()}, without its sandbox", advice)
    elif problem := try_browser():
        grade = Grade.FAIL if config.browser == "always" else Grade.WARN
        yield Check("browser", grade, f"{find_browser()} does not start", problem)
    else:
        yield Check("browser", Grade.OK, find_browser())


def check_bucket(shell: Shell, config: Config) -> Iterator[Check]:
    """Try the bucket when asked to."""
    from hongxing_crawler.core.checkup import Check, Grade

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
CHECKUPS: tuple[Checkup, ...] = (*MACHINE, check_browser, check_bucket)
