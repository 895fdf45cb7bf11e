"""A command of the operator's own, with the event in its environment and on its input."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

from hongxing_crawler.alerts.deadline import ChannelError, RefusedError

if TYPE_CHECKING:
    from hongxing_crawler.alerts.event import Event


def run_hook(command: str, event: Event, timeout_s: float) -> None:
    """Run a command without a shell and wait for its end.

    It gets the event as JSON on its standard input, and HONGXING_EVENT, HONGXING_EXIT_CODE,
    HONGXING_RUN and HONGXING_SENTENCE. After ``timeout_s`` it is killed, with its children.

    Raises:
        RefusedError: It is not there, or said no by its exit code.
        ChannelError: It did not end in time.
    """
    variables = {
        "HONGXING_EVENT": event.kind,
        "HONGXING_EXIT_CODE": str(event.exit_code),
        "HONGXING_RUN": event.run_id,
        "HONGXING_SENTENCE": event.sentence,
    }
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's own words, and no shell
            shlex.split(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise RefusedError(str(error)) from error
    body = json.dumps(event.as_json(), ensure_ascii=False).encode()
    try:
        _, said = process.communicate(body, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise ChannelError(f"no end within {timeout_s:g} s, killed") from error
    if process.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        raise RefusedError(": ".join([f"exit {process.returncode}", *last]))
