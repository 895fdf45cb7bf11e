"""Tell of starts and ends of commands that run by themselves; and hongxing alert, to try it."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import click

from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from hongxing_crawler.alerts.event import Event, Kind
    from hongxing_crawler.alerts.tell import AlertOptions
    from hongxing_crawler.config import Config

    AnyCommand = TypeVar("AnyCommand", bound=Callable[..., int])

PASSWORD_VARIABLE = "HONGXING_SMTP_PASSWORD"  # noqa: S105 - its name
_TOLD_BY_ITSELF = frozenset(ExitCode)


def told(name: str) -> Callable[[AnyCommand], AnyCommand]:
    """Make a command tell its start and its end to whom the settings name, and measure it.

    What it brought is what it left in ``shell.outcome``. An alert that cannot be delivered, or a
    file of metrics that cannot be written, is complained of on stderr, and changes nothing else.
    """

    def decorate(command: AnyCommand) -> AnyCommand:
        @wraps(command)
        def run(shell: Shell, *arguments: Any, **values: Any) -> int:
            if values.get("dry_run"):
                return command(shell, *arguments, **values)
            config, started_at = shell.load_config(), now()
            teller = _Teller(shell, config, alert_options(config), name)
            teller.tell("start")
            try:
                code = command(shell, *arguments, **values)
            except BaseException as error:
                measure(shell, config, name, started_at, _judge(error)[0])
                teller.tell_error(error)
                raise
            measure(shell, config, name, started_at, int(code))
            teller.tell_end(code)
            return code

        return run  # type: ignore[return-value]

    return decorate


def _judge(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the sentence of an error that ends a command."""
    from hongxing_crawler.cli.verdict import judge

    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message()
    if isinstance(error, Exception) and not isinstance(error, click.Abort):
        return judge(error)
    return int(ExitCode.INTERRUPTED), "stopped; what is on disk is complete"  # a signal


def measure(shell: Shell, config: Config, name: str, started_at: datetime, code: int) -> None:
    """Write the file of metrics when the settings name one."""
    if not config.metrics_file:
        return
    from hongxing_crawler.exceptions import HongxingError
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.upkeep.look import look_at
    from hongxing_crawler.upkeep.metrics import CommandEnd, write_metrics

    ended_at = now()
    end = CommandEnd(name, ended_at, (ended_at - started_at).total_seconds(), int(code))
    try:
        look = look_at(Home(config.home), now=now)
    except (HongxingError, OSError):
        look = None
    try:
        write_metrics(Path(config.metrics_file), end, look, config.home)
    except OSError as error:
        shell.complain(f"could not write the metrics {config.metrics_file}: {error.strerror}")


class _Teller:
    """The events of one command."""

    def __init__(self, shell: Shell, config: Config, options: AlertOptions, name: str) -> None:
        self.shell = shell
        self.options = options
        self.base = {"command": name, "home": str(config.home), "identity": str(uuid4())}

    def tell_end(self, code: int) -> None:
        from hongxing_crawler.alerts.event import kind_of

        outcome = self.shell.outcome
        self.tell(kind_of(code, outcome.get("findings")), exit_code=int(code), **outcome)

    def tell_error(self, error: BaseException) -> None:
        from hongxing_crawler.alerts.event import kind_of

        code, sentence = _judge(error)
        self.tell(kind_of(code), exit_code=int(code), sentence=sentence)

    def tell(self, kind: Kind, **values: Any) -> list[str]:
        if not self.options.wants_any:
            return []
        from hongxing_crawler.alerts.tell import tell

        failures = tell(make_event(kind, **self.base, **values), self.options)
        for failure in failures:
            self.shell.complain(f"could not tell: {failure}")
        return failures


def make_event(kind: Kind, **values: Any) -> Event:
    """Make an event of now and of this machine."""
    from hongxing_crawler.alerts.event import Event

    return Event(kind=kind, host=socket.gethostname(), at=now(), **values)


def alert_options(config: Config) -> AlertOptions:
    """Return who is told by the settings."""
    from hongxing_crawler.alerts.tell import AlertOptions

    return AlertOptions(
        ping_url=config.alerts_ping_url,
        webhook_url=config.alerts_webhook_url,
        mail_to=config.alerts_mail_to,
        mail_from=config.alerts_mail_from,
        smtp_url=config.alerts_smtp_url,
        smtp_password=os.environ.get(PASSWORD_VARIABLE, ""),
        on_success=config.alerts_on_success,
        on_failure=config.alerts_on_failure,
        always=config.alerts_always,
        timeout_s=config.alerts_timeout,
        tries=config.alerts_tries,
    )


@click.command(cls=Command)
@click.option(
    "--unit-failed",
    is_flag=True,
    help="For systemd's OnFailure: tell how the unit ended, when it could not do so itself.",
)
@common_options
@click.pass_obj
def alert(shell: Shell, *, unit_failed: bool) -> int:
    """Send a test message to everybody whom the settings name.

    Exit 4 when one of them did not take it.
    """
    from hongxing_crawler.alerts.tell import tell
    from hongxing_crawler.exceptions import ConfigError

    config = shell.load_config()
    options = alert_options(config)
    if not options.wants_any:
        raise ConfigError(
            "nobody is to be told: name somebody in the table [alerts] of hongxing.toml,"
            " docs/alerts.md shows how"
        )
    event = _unit_event(config) if unit_failed else _test_event(config)
    if event is None:
        shell.result({"told": False, "why": "the unit told it itself"})
        return ExitCode.OK
    if failures := tell(event, options):
        raise ConfigError("\n".join(f"could not tell: {failure}" for failure in failures))
    shell.result(asdict(event), f"told: {event.subject}")
    return ExitCode.OK


def _test_event(config: Config) -> Event:
    sentence = "if you can read this, alerts arrive"
    return make_event("test", command="alert", home=str(config.home), sentence=sentence)


def _unit_event(config: Config) -> Event | None:
    """Tell from what systemd passes on how a unit ended; None when it said so by itself."""
    unit = os.environ.get("MONITOR_UNIT", "a unit of systemd")
    result = os.environ.get("MONITOR_SERVICE_RESULT", "unknown")
    status = os.environ.get("MONITOR_EXIT_STATUS", "")
    if result == "exit-code" and status in {str(int(code)) for code in _TOLD_BY_ITSELF}:
        return None
    sentence = (
        f"{unit} ended by {result}{f' ({status})' if status else ''}; what was archived is safe,"
        f" the next run repairs the last file and goes on; journalctl -u {unit} says more"
    )
    return make_event(
        "failure",
        command=unit,
        home=str(config.home),
        exit_code=int(ExitCode.UNEXPECTED),
        sentence=sentence,
    )
