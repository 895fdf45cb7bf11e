"""hongxing completion: what makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hongxing_crawler.cli.shell import Command, Shell, common_options, write_line
from hongxing_crawler.exit_codes import ExitCode


@click.command(cls=Command)
@click.argument("shell_name", type=click.Choice(["bash", "zsh", "fish"]), metavar="bash|zsh|fish")
@common_options
@click.pass_obj
def completion(_shell: Shell, shell_name: str) -> int:
    """Print what completes commands with the Tab key.

    For bash: hongxing completion bash > ~/.local/share/bash-completion/completions/hongxing
    """
    from hongxing_crawler.cli import app

    kind = get_completion_class(shell_name)
    if kind is None:  # click knows these three
        raise click.UsageError(f"{shell_name}: not known")
    write_line(kind(app, {}, "hongxing", "_HONGXING_COMPLETE").source())
    return ExitCode.OK
