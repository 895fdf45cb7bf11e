"""Small things that are done on the side, while a page goes on loading."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from playwright.async_api import Error as PlaywrightError

_tasks: set[asyncio.Future[Any]] = set()  # the loop holds only weak references


def later(coroutine: Any) -> asyncio.Future[Any]:
    """Run a small thing on the side; that its page has gone is no fault."""

    async def run() -> None:
        with contextlib.suppress(PlaywrightError):
            await coroutine

    task = asyncio.ensure_future(run())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task
