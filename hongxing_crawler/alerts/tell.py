"""Tell an event on every channel that wants it, side by side, and say which did not take it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hongxing_crawler.alerts.deadline import ChannelError, repeat
from hongxing_crawler.alerts.hook import run_hook
from hongxing_crawler.alerts.http import call_webhook, ping
from hongxing_crawler.alerts.mail import send_mail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hongxing_crawler.alerts.event import Event

_GRACE_S = 1.0  # a hook is killed, and reaped, just before its thread is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOptions:
    """Who is told, and how long it may take. Empty texts: not told."""

    ping_url: str = ""  # every start and every end
    webhook_url: str = ""  # failures and tests; with ``always`` every end
    mail_to: tuple[str, ...] = ()  # the same
    mail_from: str = ""
    smtp_url: str = "smtp://localhost"
    smtp_password: str = ""
    on_success: str = ""
    on_failure: str = ""
    always: bool = False
    timeout_s: float = 10.0  # of one try
    tries: int = 3

    @property
    def wants_any(self) -> bool:
        return any(
            (self.ping_url, self.webhook_url, self.mail_to, self.on_success, self.on_failure)
        )


def tell(event: Event, options: AlertOptions) -> list[str]:
    """Tell an event on every channel that wants it.

    Takes no longer than all tries of one channel. Never raises: a run does not fail because
    nobody could be told of it.

    Returns:
        One sentence for each channel that did not take it; without secrets.
    """
    channels = list(_channels(event, options))
    if not channels:
        return []
    with ThreadPoolExecutor(len(channels)) as pool:
        failures = pool.map(lambda channel: _deliver(channel[0], channel[1], options), channels)
        return [failure for failure in failures if failure]


def _channels(event: Event, options: AlertOptions) -> Iterator[tuple[str, Callable[[], None]]]:
    timeout_s = options.timeout_s
    is_trouble = event.kind in {"failure", "warning", "test"}
    is_wanted = is_trouble or (options.always and event.kind != "start")
    if options.ping_url:
        name = f"ping to {_host(options.ping_url)}"
        yield name, partial(ping, options.ping_url, event, timeout_s)
    if options.webhook_url and is_wanted:
        name = f"webhook at {_host(options.webhook_url)}"
        yield name, partial(call_webhook, options.webhook_url, event, timeout_s)
    if options.mail_to and is_wanted:
        name = f"mail by {_host(options.smtp_url)}"
        yield name, partial(_mail, event, options)
    hooks = {"success": options.on_success}
    hooks |= dict.fromkeys(("failure", "warning"), options.on_failure)
    hook = hooks.get(event.kind, "")
    if hook:
        yield "command", partial(run_hook, hook, event, max(timeout_s - _GRACE_S, timeout_s / 2))


def _mail(event: Event, options: AlertOptions) -> None:
    sender = options.mail_from or f"hongxing@{event.host}"
    send_mail(
        options.smtp_url,
        options.smtp_password,
        sender,
        options.mail_to,
        event,
        options.timeout_s,
    )


def _deliver(name: str, call: Callable[[], None], options: AlertOptions) -> str:
    try:
        repeat(options.tries, options.timeout_s, call)
    except ChannelError as error:
        return f"{name}: {error}"
    return ""


def _host(url: str) -> str:
    """The part of an address that is no secret."""
    return urlsplit(url).hostname or "?"
