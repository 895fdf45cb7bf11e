"""Calls that end in time, whatever the other side does."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_PAUSE_S = 1.0


class ChannelError(Exception):
    """A message could not be delivered; says why, without secrets."""


class RefusedError(ChannelError):
    """The other side refuses, and would refuse again."""


def within(seconds: float, call: Callable[[], None]) -> None:
    """Run a call in a thread of its own, and give it up after some seconds.

    A socket's time-out starts anew with every byte, so that a server that sends one now and
    then would hold its caller forever. The thread that is given up dies with the program.

    Raises:
        ChannelError: The call did not end in time, or raised one.
    """
    failures: list[Exception] = []

    def run() -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise ChannelError(f"no answer within {seconds:g} s")
    if failures:
        error = failures[0]
        raise error if isinstance(error, ChannelError) else ChannelError(_short(error))


def repeat(tries: int, timeout_s: float, call: Callable[[], None]) -> None:
    """Try a call some times, with longer and longer pauses.

    Raises:
        ChannelError: The last failure; a refusal at once.
    """
    for attempt in range(1, tries + 1):
        try:
            within(timeout_s, call)
        except RefusedError:
            raise
        except ChannelError:
            if attempt == tries:
                raise
            time.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
        else:
            return


def _short(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return f"{type(error).__name__}: {reason}"
