"""Repeat calls to a bucket: with back-off and jitter, as long as that may help, and no longer."""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from hongxing_crawler.exceptions import UploadError
from hongxing_crawler.store.s3.errors import FAILURES, Trouble, TroubleKind, explain

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a call is repeated; times in seconds.

    The waits are random between nothing and a limit that doubles (full jitter), so that many
    clients do not come back at once.
    """

    tries: int = 6
    base_s: float = 0.5
    max_s: float = 20.0
    stop: threading.Event = field(default_factory=threading.Event)  # set: others gave up

    def wait(self, attempt: int) -> None:
        """Wait before the next try; ``attempt`` counts from 0."""
        self.stop.wait(random.uniform(0, min(self.max_s, self.base_s * 2**attempt)))  # noqa: S311 - no secret


class ReadBackError(ConnectionError):
    """What was just stored is not seen, or is seen otherwise; asked again for a while."""


class GivenUpError(UploadError):
    """Another worker met the end of all hope; this one stopped in the middle."""


def persist(call: Callable[[], Result], where: str, patience: Patience) -> Result:
    """Make a call until it succeeds.

    Args:
        call: What to do; it may be done more than once.
        where: What it is about, for messages.
        patience: How often.

    Raises:
        StorageError: A person has to act.
        ConflictError: Another object lies there.
        UploadError: It never succeeded.
    """
    for attempt in range(patience.tries):
        if patience.stop.is_set():
            raise GivenUpError(f"{where}: stopped")
        try:
            return call()
        except FAILURES as error:
            trouble = explain(error)
            if trouble.kind is not TroubleKind.RETRY or attempt + 1 == patience.tries:
                raise final(trouble).error(where) from None
            level = logging.DEBUG if isinstance(error, ReadBackError) else logging.INFO
            logger.log(level, "%s: %s; again", where, trouble.sentence)
        patience.wait(attempt)
    raise AssertionError("unreachable: the last try returns or raises")


def final(trouble: Trouble) -> Trouble:
    """Return the trouble that remains when repeating did not help."""
    if trouble.kind is TroubleKind.RETRY:
        return Trouble(TroubleKind.AWAY, trouble.code, trouble.sentence)
    return trouble
