"""hongxing verify, repair, pack: the archive's files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from hongxing_crawler.archive.repair import RepairReport

_SHOWN_FINDINGS = 50


@click.command(cls=Command)
@click.option("--deep", is_flag=True, help="Also check every digest, media file and the state.")
@common_options
@click.pass_obj
def verify(shell: Shell, *, deep: bool) -> int:
    """Check WARC files and indexes.

    Exit 10 when something is damaged. Nothing is changed. Files that a running crawl still
    writes are left out.
    """
    from hongxing_crawler.soundness import verify_home

    sound = verify_home(shell.home(), now=now, deep=deep)
    findings = [str(finding) for finding in sound.findings]
    checked = (
        f"{sound.file_count:,} WARC files, {sound.record_count:,} records, "
        f"{sound.byte_count:,} bytes, {sound.media_count:,} media files"
    )
    shell.result(asdict(sound), f"checked {checked}: {len(findings) or 'no'} findings")
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
    """Finish files of killed runs, make missing indexes.

    A torn tail is cut off; when whole records follow damage, they are copied and the damaged
    file is kept beside them. The next crawl does the same by itself.
    """
    from hongxing_crawler.soundness import repair_home

    home = shell.home()
    with shell.hold(home, "repair"):
        reports, indexes = repair_home(home)
    lines = [_tell_repair(report) for report in reports]
    lines += [f"{path.name}: made anew" for path in indexes]
    value = {"files": [asdict(report) for report in reports], "indexes": indexes}
    shell.result(value, "\n".join(lines) or "nothing to repair")
    return ExitCode.OK


def _tell_repair(report: RepairReport) -> str:
    if report.target is None:
        return f"{report.source.name}: held no exchange, removed"
    lost = f"{report.lost_bytes:,} torn bytes cut off" if report.lost_bytes else "was whole"
    return f"{report.target.name}: {report.record_count:,} records kept, {lost}"


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
    from hongxing_crawler.upkeep import pack_home

    home = shell.home()
    with shell.hold(home, "pack"):
        report = pack_home(home, now=now, run_id=run_id, out=out)
    text = f"{report.path}\n{report.byte_count:,} bytes, {report.page_count:,} pages"
    shell.result(asdict(report), text)
    return ExitCode.OK
