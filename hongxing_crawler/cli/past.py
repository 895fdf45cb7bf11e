"""hongxing history and export-warc: what the archive knows of a page, and a part handed out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hongxing_crawler.cli.moments import parse_end, parse_start
from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.cli.tables import tell_count
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from datetime import datetime

_ENDING = ".warc.gz"


@click.command(cls=Command)
@click.argument("url", metavar="URL")
@common_options
@click.pass_obj
def history(shell: Shell, url: str) -> int:
    """Show every look at a page and what changed between them.

    URL is its address, or the id of its article. Tells what the editors changed from another form
    of the page and from spam that comes and goes, with the rules that know it. All captures are
    read again from the archive by the program of today.
    """
    from hongxing_crawler.cli.histories import show_history
    from hongxing_crawler.upkeep.history import read_history

    found = read_history(shell.home(), url, now)
    value = asdict(found)
    del value["bodies"]
    shell.result(value, show_history(found))
    return ExitCode.OK


@click.command("export-warc", cls=Command)
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="URL",
    help="The captures of this page, by address or article id; may be repeated.",
)
@click.option(
    "--since",
    metavar="DAY",
    callback=parse_start,
    help="Captures from this day on (China), or moment.",
)
@click.option(
    "--until",
    metavar="DAY",
    callback=parse_end,
    help="Captures up to the end of this day, or moment.",
)
@click.option("--with-media", is_flag=True, help="Also the pictures and files of the pages.")
@click.option("--with-text", is_flag=True, help="Also the cleaned texts, as conversion records.")
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write this file, ….warc.gz.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@common_options
@click.pass_obj
def export_warc(  # noqa: PLR0913 - one for each option
    shell: Shell,
    urls: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    out: Path,
    *,
    with_media: bool,
    with_text: bool,
    force: bool,
) -> int:
    """Write a page, or some days, to one WARC file.

    It stands by itself: any reader replays it. Requests and notes go along. A repeated body whose
    first capture is not in the file is written in full. With --since everything of that time goes
    in, files too.
    """
    from hongxing_crawler.upkeep.warc_export import Selection
    from hongxing_crawler.upkeep.warc_export import export_warc as write

    if not urls and since is None and until is None:
        raise click.UsageError("say what: --url URL, or --since DAY")
    if since and until and since > until:
        raise click.UsageError("--since lies behind --until")
    if not out.name.endswith(_ENDING):
        raise click.UsageError(f"{out.name} does not end in {_ENDING}, which readers look for")
    if out.exists() and not force:
        raise click.UsageError(f"{out} exists; --force replaces it")
    selection = Selection(urls, since, until, with_media, with_text)
    report = write(shell.home(), selection, out, now, shell.load_config().operator)
    texts = tell_count(report.text_count, "cleaned text")
    text = (
        f"{report.path}\n{tell_count(report.byte_count, 'byte')}, "
        f"{tell_count(report.exchange_count, 'exchange')} in "
        f"{tell_count(report.record_count, 'record')} from "
        f"{tell_count(report.source_count, 'WARC file')}\n"
        f"{tell_count(report.resolved_count, 'repeated body', 'repeated bodies')} written in full"
        f"{f', {texts}' if with_text else ''}; verified, every digest"
    )
    shell.result(asdict(report), text)
    return ExitCode.OK
