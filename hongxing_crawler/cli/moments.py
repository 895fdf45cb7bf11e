"""Days and moments on the command line: days are those of the site's calendar, UTC+8."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple

import click

from hongxing_crawler.cli.shell import now

_SITE_ZONE = timezone(timedelta(hours=8))
_DAY_CHARS = len("2026-01-31")


class AsOf(NamedTuple):
    """A moment of the past, and the name of the folder that shows it."""

    moment: datetime
    name: str


def parse_as_of(_context: click.Context, _option: click.Parameter, text: str | None) -> AsOf | None:
    """Read a day, of which the end counts, or a moment with its zone; none that is to come."""
    moment = parse_end(_context, _option, text)
    if text is None or moment is None:
        return None
    if moment - timedelta(days=1) > now():
        raise click.BadParameter(f"{text} is still to come")
    is_day = len(text) == _DAY_CHARS
    local = moment.astimezone(_SITE_ZONE)
    return AsOf(moment, text if is_day else local.strftime("%Y-%m-%dT%H%M%S%z"))


def parse_start(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> datetime | None:
    """Read a day, of which the first moment counts, or a moment with its zone."""
    return _parse(text, is_end=False)


def parse_end(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> datetime | None:
    """Read a day, of which the last moment counts, or a moment with its zone."""
    return _parse(text, is_end=True)


def _parse(text: str | None, *, is_end: bool) -> datetime | None:
    if text is None:
        return None
    try:
        return _moment_of(text, is_end=is_end)
    except (ValueError, OverflowError) as error:
        message = (
            f"{text!r} is neither a day such as 2026-01-31 nor a moment such as "
            "2026-01-31T12:00+08:00"
        )
        raise click.BadParameter(message) from error


def _moment_of(text: str, *, is_end: bool) -> datetime:
    if len(text) != _DAY_CHARS:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return moment
    start = datetime.combine(date.fromisoformat(text), time.min, _SITE_ZONE)
    return start + timedelta(days=1) - timedelta(microseconds=1) if is_end else start
