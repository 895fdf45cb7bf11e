"""Why a request brought no page, as Scrapy exceptions; and why an item is no row.

They stand in a room of their own because several components raise or judge them.
"""

from __future__ import annotations

from scrapy.exceptions import DropItem, IgnoreRequest


class RefusedError(IgnoreRequest):
    """A request that our own rules forbid; it never left this machine."""


class RobotsDeniedError(IgnoreRequest):
    """robots.txt forbids this URL."""


class RobotsUnreachableError(IgnoreRequest):
    """robots.txt could not be read, so nothing may be fetched from its host."""


class HostDownError(IgnoreRequest):
    """A host answered nothing many times in a row; it is left alone for this run."""


class RunStoppingError(IgnoreRequest):
    """The run ended while this request waited; its URL is asked by the next run."""


class ArchiveStoppedError(IgnoreRequest):
    """The archive cannot be written: the response must not be parsed."""


class NotAnArticle(DropItem):
    """A visit that brought links, a redirect or a failure, and is stored; there is no row."""


class PartFailedError(Exception):
    """One page of an article could not be fetched now: the article is left for another time."""
