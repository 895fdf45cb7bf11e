"""hongxing verify, repair, pack: the archive's files."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hongxing_crawler.archive.findings import Kind
from hongxing_crawler.cli.alerting import told
from hongxing_crawler.cli.buckets import verify_bucket
from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.cli.tables import tell_count, tell_elsewhere
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from hongxing_crawler.archive.fixity import FixityReport
    from hongxing_crawler.archive.repair import RepairReport
    from hongxing_crawler.upkeep.soundness import Soundness

_SHOWN_FINDINGS = 50


def _parse_share(
    context: click.Context, option: click.Parameter, text: str | None
) -> Fraction | None:
    """Read a part such as 1/90, 0.02 or 2%."""
    if text is None:
        return None
    try:
        share = Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        message = f"{text!r} is no share such as 1/90, 0.02 or 2%, more than 0 and at most 1"
        raise click.BadParameter(message, context, option)
    return share


@click.command(cls=Command)
@click.option("--deep", is_flag=True, help="Also check every media file and the whole state.")
@click.option(
    "--budget",
    metavar="SHARE",
    callback=_parse_share,
    help="Only compare this share of all bytes, 1/90 or 2%, the longest unread first; for cron.",
)
@common_options
@click.pass_obj
@told("verify")
def verify(shell: Shell, *, deep: bool, budget: Fraction | None) -> int:
    """Check WARC files and indexes; with --s3, the bucket.

    Exit 10 when something is damaged; what a repair has recorded as lost is told in one line
    and is no damage any more. Nothing is changed; --budget writes its log. Files that a
    running crawl still writes are left out.
    """
    from hongxing_crawler.upkeep.soundness import verify_home

    if shell.asks_s3:
        return verify_bucket(shell, deep=deep)
    if budget is not None and deep:
        raise click.UsageError("--budget and --deep exclude each other")
    if budget is not None:
        return _check_budget(shell, budget)
    sound = verify_home(shell.home(), now=now, deep=deep)
    checked = (
        f"{tell_count(sound.file_count, 'WARC file')}, "
        f"{tell_count(sound.record_count, 'record')}, "
        f"{sound.byte_count:,} bytes, {tell_count(sound.media_count, 'media file')}"
    )
    if sound.elsewhere.count:
        checked += f"; not {tell_elsewhere(sound.elsewhere)}: hongxing verify --s3 proves them"
    return _tell_findings(shell, sound, checked, known=_tell_losses(sound))


def _tell_losses(sound: Soundness) -> str:
    """Say in one line what a repair could not keep; nothing when nothing is lost."""
    places = [loss for loss in sound.known_losses if loss.kind is Kind.KNOWN_LOSS]
    revisits = len(sound.known_losses) - len(places)
    if not sound.known_losses:
        return ""
    size = sum(loss.length for loss in places)
    parts = [f"{tell_count(len(places), 'place')} in WARC files, {size:,} bytes"]
    parts += [f"{tell_count(revisits, 'revisit')} without the body they refer to"] * bool(revisits)
    return f"\nknown losses, recorded by repairs: {'; '.join(parts)} (--json names each)"


def _check_budget(shell: Shell, share: Fraction) -> int:
    """Read the files whose turn it is; a running crawl is no hindrance."""
    from hongxing_crawler.upkeep.soundness import check_fixity

    report = check_fixity(shell.home(), share, now=now())
    files = tell_count(report.file_count, "file")
    read = f"{files}, {report.byte_count:,} of {report.total_bytes:,} bytes"
    new = f", {report.new_count:,} of them new" if report.new_count else ""
    return _tell_findings(shell, report, read + new)


def _tell_findings(
    shell: Shell, report: Soundness | FixityReport, checked: str, *, known: str = ""
) -> int:
    findings = [str(finding) for finding in report.findings]
    found = tell_count(len(findings), "finding") if findings else "no findings"
    shell.result(asdict(report), f"checked {checked}: {found}{known}")
    if not findings:
        return ExitCode.OK
    if not shell.json:
        more = len(findings) - _SHOWN_FINDINGS
        shown = findings[:_SHOWN_FINDINGS] + ([f"… and {more:,} more"] if more > 0 else [])
        shell.complain("\n".join((*shown, "type hongxing repair, or take the files from a copy")))
    return ExitCode.DAMAGED


@click.command(cls=Command)
@common_options
@click.pass_obj
def repair(shell: Shell) -> int:
    """Make a damaged archive whole, ask for lost pages again.

    Files of killed runs are finished. Of a damaged file the whole records are copied; it is kept
    beside the copy under ….damaged. What was lost is named and fetched by the next crawl.
    """
    from hongxing_crawler.upkeep.soundness import repair_home

    home = shell.home()
    with shell.hold(home, "repair"):
        done = repair_home(home, now=now)
    lines = [_tell_repair(report) for report in done.files]
    lines += [f"{name}: missing; put it back from a copy if there is one" for name in done.missing]
    lines += [f"{path.name}: made anew" for path in done.indexes]
    lines += [f"lost, pending again: {url}" for url in done.pending_urls]
    shell.result(asdict(done), "\n".join(lines) or "nothing to repair")
    return ExitCode.OK


def _tell_repair(report: RepairReport) -> str:
    name = report.source.name
    if report.target is None:
        state = "no exchange in it can be read, take it from a copy"
        return f"{name}: {state if report.source.exists() else 'held no exchange, removed'}"
    lost = f"{report.lost_bytes:,} damaged bytes" if report.lost_bytes else "was whole"
    return f"{report.target.name}: {tell_count(report.record_count, 'record')} kept, {lost}"


@click.command(cls=Command)
@click.option("--run", "run_id", metavar="RUN", help="Pack only what this run archived.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write this file; default <home>/wacz/….",
)
@common_options
@click.pass_obj
def pack(shell: Shell, run_id: str | None, out: Path | None) -> int:
    """Pack the archive as one WACZ file.

    With index and page list, for ReplayWeb.page and pywb.
    """
    from hongxing_crawler.upkeep.home import pack_home

    home = shell.home()
    with shell.hold(home, "pack"):
        report = pack_home(home, now=now, run_id=run_id, out=out)
    text = f"{report.path}\n{report.byte_count:,} bytes, {tell_count(report.page_count, 'page')}"
    for name in report.missing:
        text += f"\nmissing, and not in the package: {home.warc / name}"
    shell.result(asdict(report), text)
    return ExitCode.OK
