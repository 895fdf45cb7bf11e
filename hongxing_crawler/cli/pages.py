"""hongxing clean, restore, schema: one page or one text through the core, nothing kept."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options, write, write_line

if TYPE_CHECKING:
    from hongxing_crawler.core.restore import Restored

_MAX_BYTES = 64 << 20
_NO_URL = "http://unknown.invalid/"


def _read(file: BinaryIO) -> bytes:
    from hongxing_crawler.exceptions import PageError

    data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise PageError(f"{file.name}: larger than {_MAX_BYTES >> 20} MiB, no page")
    return data


def _check_url(_context: click.Context, _parameter: click.Parameter, url: str) -> str:
    from hongxing_crawler.core.urls import canonical_url

    try:
        canonical_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return url


@click.command(cls=Command)
@click.argument("file", type=click.File("rb"))
@click.option(
    "--url",
    metavar="URL",
    default=_NO_URL,
    callback=_check_url,
    help="Where the page came from: links are read from there.",
)
@click.option("--site", metavar="NAME|FILE.toml", help="Read by this profile; default: any page.")
@click.option("--explain", is_flag=True, help="Tell what was removed and why, instead of the row.")
@click.option(
    "--html",
    "html_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT",
    help="Write the explanation as a web page too.",
)
@common_options
@click.pass_obj
def clean(
    shell: Shell,
    file: BinaryIO,
    url: str,
    site: str | None,
    *,
    explain: bool,
    html_path: Path | None,
) -> None:
    """Clean one HTML page and print its row as JSON.

    FILE is the page as received, - reads it from standard input. Exit 3 when it holds no
    article.
    """
    from hongxing_crawler.core.clean import clean_page
    from hongxing_crawler.core.record import Origin, build_article, encode
    from hongxing_crawler.exceptions import PageError
    from hongxing_crawler.sites.profile import load_profile

    cleaned = clean_page(_read(file), url, load_profile(site) if site else None)
    if html_path is not None:
        from hongxing_crawler.report.explain import explain_html

        html_path.write_text(explain_html(cleaned), "utf-8")
    if explain:
        from hongxing_crawler.report.explain import explain_text

        write_line(explain_text(cleaned))
        return
    try:
        row = build_article(cleaned, origin=Origin(requested_url=url))
    except PageError as error:
        raise PageError(f"{file.name} holds no article: {error}") from error
    if not shell.quiet:
        write(encode(row) + b"\n")


def _decode(data: bytes) -> str:
    """Keep UTF-8 as it is, line ends and all; other charsets are found out as for a page."""
    from hongxing_crawler.core.charset import decode

    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return decode(data).text


def _width() -> int:
    """Columns to fill; a pipe and a file get lines of a common width."""
    return shutil.get_terminal_size((100, 24)).columns


def _tell(restored: Restored) -> dict[str, object]:
    """What a program wants to know: the text, its verdict, and each damaged place."""
    return {
        "verdict": restored.verdict,
        "edits": len(restored.edits),
        "text": restored.text,
        "noise_count": restored.noise_count,
        "table": [asdict(row) for row in restored.table],
        "places": [asdict(place) for place in restored.places],
    }


@click.command(cls=Command)
@click.argument("file", type=click.File("rb"))
@click.option("--explain", is_flag=True, help="Tell each repaired place, instead of the text.")
@common_options
@click.pass_obj
def restore(shell: Shell, file: BinaryIO, *, explain: bool) -> None:
    """Restore one damaged text and print it.

    Sound text comes out as it went in. FILE is text in any Chinese encoding, - reads it from
    standard input. Prints UTF-8.
    """
    from hongxing_crawler.core.restore import restore as restore_text
    from hongxing_crawler.core.restore.explain import explain as explain_restored

    text = _decode(_read(file))
    restored = restore_text(text)
    if shell.json:
        shell.result(_tell(restored))
    elif explain:
        write_line(explain_restored(text, restored, _width()))
    else:
        write(restored.text.encode())


@click.command(cls=Command)
@common_options
def schema() -> None:
    """Print the JSON Schema of a row."""
    from hongxing_crawler.core.record import json_schema

    write_line(json.dumps(json_schema(), ensure_ascii=False, indent=2))
