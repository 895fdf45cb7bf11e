"""The command line: ``hongxing COMMAND``; each command is thin and imports late.

``hongxing --help`` must answer at once, so the modules of the commands import nothing heavy
at their top: what a command needs is imported when it runs.
"""

from __future__ import annotations

import signal
import traceback
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from hongxing_crawler import __version__
from hongxing_crawler.cli.shell import Shell, common_options, end_streams, open_missing_streams
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

# In the order in which a newcomer meets them: name -> module and object.
COMMANDS = {
    "demo": "crawling:demo",
    "crawl": "crawling:crawl",
    "status": "rows:status",
    "report": "rows:report",
    "export": "rows:export",
    "reprocess": "rows:reprocess",
    "verify": "archives:verify",
    "repair": "archives:repair",
    "pack": "archives:pack",
    "upload": "upload:upload",
    "history": "past:history",
    "export-warc": "past:export_warc",
    "takedown": "removing:takedown",
    "prune": "pruning:prune",
    "fetch": "pruning:fetch",
    "completion": "completing:completion",
    "clean": "pages:clean",
    "restore": "pages:restore",
    "schedule": "scheduling:schedule",
    "alert": "alerting:alert",
    "restore-home": "buckets:restore_home",
    "doctor": "doctor:doctor",
    "schema": "pages:schema",
    "config": "settings:config",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="hongxing_crawler %(version)s")
@common_options
def app() -> None:
    """Archive 红星网 and sites like it: WARC, clean JSON Lines, media.

    Start with `hongxing demo`, then `hongxing crawl --max-pages 20`. Exit codes and settings
    are explained in docs/.
    """


class _Terminated(BaseException):
    """SIGTERM arrived; raised where the program stands, so that files are closed in order."""


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _report(shell: Shell, error: Exception) -> ExitCode:
    from hongxing_crawler.cli.verdict import judge

    code, sentence = judge(error)
    if shell.verbose:
        click.echo("".join(traceback.format_exception(error)), err=True)
    shell.fail(code, sentence)
    return code


def _run(shell: Shell, arguments: Sequence[str] | None) -> Any:
    try:
        return app.main(arguments, "hongxing", standalone_mode=False, obj=shell)
    except click.ClickException as error:
        with suppress(BrokenPipeError):
            error.show()
        shell.tell_machines(error.exit_code, error.format_message())
        return error.exit_code
    except click.Abort:
        shell.fail(ExitCode.INTERRUPTED, "interrupted; what is on disk is complete")
        return ExitCode.INTERRUPTED
    except _Terminated:
        shell.fail(ExitCode.TERMINATED, "terminated; what is on disk is complete")
        return ExitCode.TERMINATED
    except Exception as error:  # noqa: BLE001 - the one place that turns any error into a code
        return _report(shell, error)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; see docs/exit-codes.md."""
    open_missing_streams()
    signal.signal(signal.SIGTERM, _terminate)
    code = int(_run(Shell(), arguments) or ExitCode.OK)
    if arguments is None:  # a program of its own: what comes when all is done changes no code
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_streams()
    return code
