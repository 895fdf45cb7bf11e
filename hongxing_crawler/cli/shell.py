"""What every command shares: the options of all, the settings, and how results are printed."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hongxing_crawler.config import Config
    from hongxing_crawler.store.home import Home

    AnyCallable = TypeVar("AnyCallable", bound=Callable[..., Any])


class Shell:
    """The frame around one command: its common options, its settings, its output."""

    def __init__(self) -> None:
        self.json = False
        self.quiet = False
        self.verbose = 0
        self.asks_s3 = False  # --s3, with or without an address
        self.config_file: Path | None = None
        self.flags: dict[str, object] = {}
        self.outcome: dict[str, Any] = {}  # fields of an alert: what the command brought

    def set_option(self, name: str, value: Any) -> None:
        """Take a common option; one after the command wins over one before it."""
        if name in {"json", "quiet"}:
            setattr(self, name, getattr(self, name) or value)
        elif name == "verbose":
            self.verbose = max(self.verbose, value)
        elif name == "config" and value is not None:
            self.config_file = value
        elif name == "s3_url" and value is not None:
            self.asks_s3 = True
            self.flags |= {"s3.url": value} if value != _OF_SETTINGS else {}
        elif value is not None:
            self.flags[_FLAG_KEYS.get(name, name)] = value

    def load_config(self, **flags: object) -> Config:
        """Read the settings; ``flags`` are the command's own, by key with ``__`` for the dot."""
        from hongxing_crawler.config import load_config
        from hongxing_crawler.exceptions import ConfigError

        own = {name.replace("__", "."): value for name, value in flags.items()}
        try:
            return load_config(self.config_file, os.environ, {**self.flags, **own})
        except ConfigError as error:
            if all(line.startswith("--") for line in str(error).splitlines()):
                raise click.UsageError(str(error), click.get_current_context()) from error
            raise

    def home(self, *, without_state: bool = False) -> Home:
        """Return the home of the settings, which has to be there."""
        from hongxing_crawler.exceptions import ConfigError
        from hongxing_crawler.store.home import Home

        home = Home(self.load_config().home)
        is_home = home.warc.is_dir() if without_state else home.state.is_file()
        if not is_home:
            raise ConfigError(
                f"{home.root} is no home of an archive: it has no "
                f"{'warc folder' if without_state else 'state.sqlite'}; "
                "name one with --home or HONGXING_HOME, or make one with hongxing crawl"
            )
        return home

    @contextmanager
    def hold(self, home: Home, command: str) -> Iterator[None]:
        """Keep other runs out of a home while a command changes it."""
        from hongxing_crawler.store.lock import Holder, hold

        who = f"{command}, process {os.getpid()} on {socket.gethostname()}"
        since = now().strftime("%Y-%m-%dT%H:%M:%SZ")
        with hold(home.lock, Holder(who, "", since), wait_s=self.load_config().wait_lock):
            self._end_takedown(home)
            yield

    def _end_takedown(self, home: Home) -> None:
        """Carry an interrupted takedown to its end before anything else is done."""
        if home.takedown.is_dir():
            from hongxing_crawler.takedown.carry_out import resume

            if done := resume(home, now):
                self.complain(f"the takedown {done}, which was interrupted, is carried out now")

    def result(self, value: Any, text: str = "") -> None:
        """Print what the command found: one JSON object with --json, else the text."""
        if self.json:
            write_line(json.dumps(value, ensure_ascii=False, default=str))
        elif text and not self.quiet:
            write_line(text)

    def fail(self, code: int, sentence: str) -> None:
        """Print why the command failed: to stderr, and as an object with --json."""
        self.tell_machines(code, sentence)
        self.complain(sentence)

    def tell_machines(self, code: int, sentence: str) -> None:
        if self.json:
            write_line(json.dumps({"exit_code": code, "error": sentence}, ensure_ascii=False))

    def complain(self, sentence: str) -> None:
        """Say on stderr what went wrong and what to do."""
        with suppress(BrokenPipeError):  # who reads stderr may be gone as well
            click.echo(f"hongxing: {sentence}", err=True)


def now() -> datetime:
    """The clock of the commands."""
    return datetime.now(UTC)


def write(data: bytes) -> None:
    """Write bytes to stdout; a reader who has gone away (``| head``) is no error."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        close_stdout()


def write_line(text: str) -> None:
    """Write a line to stdout as UTF-8, whatever the terminal's locale says."""
    write(f"{text}\n".encode("utf-8", "surrogateescape"))


def close_stdout() -> None:
    """Send what is still to be printed nowhere, so that the end of the program is silent."""
    _close(sys.stdout.fileno())


def _close(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def open_missing_streams() -> None:
    """Give stdin, stdout and stderr that were closed (``>&-``) a place that holds nothing.

    Python leaves them None, and the next file that is opened would take their number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def end_streams() -> None:
    """Write out what is buffered; a reader who has gone away is no error."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            _close(stream.fileno())


class CommonOption(click.Option):
    """An option that every command takes; shown in a section of its own."""


class Command(click.Command):
    """A command whose help lists its own options first and the common ones apart."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records: dict[bool, list[tuple[str, str]]] = {False: [], True: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and not isinstance(parameter, click.Argument):
                records[isinstance(parameter, CommonOption)].append(record)
        for is_common, title in ((False, "Options"), (True, "Options of every command")):
            if records[is_common]:
                with formatter.section(title):
                    formatter.write_dl(records[is_common])


def _take(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    if value is not None and parameter.name is not None:
        ctx.ensure_object(Shell).set_option(parameter.name, value)
    return value


_FILE = {"type": click.Path(path_type=Path), "metavar": "FILE"}
_FOLDER = {"type": click.Path(), "metavar": "DIR"}
_FLAG_KEYS = {
    "ping_url": "alerts.ping_url",
    "metrics_file": "metrics.file",
    "log_format": "log.format",
}
_OF_SETTINGS = "-"  # --s3 without an address
_COMMON: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--config",), {**_FILE, "help": "Settings; default hongxing.toml here."}),
    (("--home",), {**_FOLDER, "help": "Where everything is kept; default var."}),
    (
        ("--s3", "s3_url"),
        {
            "is_flag": False,
            "flag_value": _OF_SETTINGS,
            "metavar": "[URL]",
            "help": "The bucket, s3://bucket/prefix; without URL that of the settings.",
        },
    ),
    (("--ping-url",), {"metavar": "URL", "help": "A monitor that is told of start and end."}),
    (("--metrics-file",), {"metavar": "FILE", "help": "Write figures for Prometheus here."}),
    (("--log-format",), {"metavar": "text|json", "help": "Form of the log's lines."}),
    (("--wait-lock",), {"metavar": "TIME", "help": "Wait so long for another run, 90s, 10m, 2h."}),
    (("--json",), {"is_flag": True, "help": "Print one JSON object for machines."}),
    (("--quiet", "-q"), {"is_flag": True, "help": "Print nothing when all is well."}),
    (("--verbose", "-v"), {"count": True, "help": "Say more; with errors, the traceback."}),
)


def common_options(function: AnyCallable) -> AnyCallable:
    """Add the options that stand before or after any command."""
    for names, attributes in reversed(_COMMON):
        add = click.option(
            *names, cls=CommonOption, expose_value=False, callback=_take, **attributes
        )
        function = add(function)
    return function
