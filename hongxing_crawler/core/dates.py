"""Dates as Chinese pages print them. Parsers here see one short line, never a page."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
_LONGEST_LINE = 300
_DIGITS = {char: str(n) for n, char in enumerate("〇一二三四五六七八九")} | {
    "○": "0",
    "零": "0",
    "Ｏ": "0",
    "О": "0",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_TIME = (
    r"(?:[ T,，日(（-]{0,4}(?:星期.|周.|週.)?[)）]?[ ,]{0,3}"
    r"(?P<half>上午|下午|晚上|中午|凌晨|AM|PM|am|pm)?[ ]?"
    r"(?P<hour>[0-2]?\d)\s?[:：时時]\s?(?P<minute>[0-5]\d)(?:\s?[:：分]\s?(?P<second>[0-5]\d))?"
    r"(?:\.\d{1,6})?[ ]?(?P<zone>Z|[+-]\d\d:?\d\d)?(?P<after>[ ]?[AaPp]\.?[Mm])?)?"
)
_NUMERIC_RE = re.compile(
    r"(?<![\d.])(?P<year>(?:19|20)\d\d)[ ]?(?P<mark>[-/.年]|－)[ ]?"
    r"(?P<month>1[0-2]|0?[1-9])[ ]?[-/.月－][ ]?"
    r"(?P<day>3[01]|[12]\d|0?[1-9])(?:(?!\d)|(?<=\d\d)(?=[0-2]\d[:：][0-5]\d))[ ]?日?" + _TIME
)
# Year, day and clock in boxes of their own, as 2020 03/20 16:56:08.
_BOXED_RE = re.compile(
    r"(?<!\d)(?P<year>20\d\d)[ ]?(?P<month>0[1-9]|1[0-2])/(?P<day>[0-2]\d|3[01])[ ]?"
    r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?!\d)"
)
_COMPACT_RE = re.compile(
    r"(?<!\d)(?P<year>20\d\d|19\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>[0-2]\d|3[01])"
    r"(?:[ T]?(?P<hour>[01]\d|2[0-3]):?(?P<minute>[0-5]\d):?(?P<second>[0-5]\d)?)?(?!\d)"
)
_HANZI_RE = re.compile(
    r"([一二][〇○零Ｏ九О一二三四五六七八]{3})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日"
)
_ROC_RE = re.compile(
    r"民[国國]\s?(?P<year>\d{2,3})\s?年\s?(?P<month>1[0-2]|0?[1-9])\s?月\s?(?P<day>3[01]|[12]\d|0?[1-9])\s?日?"
    + _TIME
)
_ENGLISH_RE = re.compile(
    r"(?:(?P<day1>[0-3]?\d)(?:st|nd|rd|th)?\s(?:of\s)?)?(?P<name>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?[\s,-]{1,2}"
    r"(?:(?P<day2>[0-3]?\d)(?:st|nd|rd|th)?,?\s)?(?P<year>(?:19|20)\d\d)" + _TIME,
    re.IGNORECASE,
)
_DAY_FIRST_RE = re.compile(
    r"(?<!\d)(?P<month>0?[1-9]|1[0-2])/(?P<day>3[01]|[12]\d|0?[1-9])/(?P<year>(?:19|20)\d\d)(?!\d)"
    + _TIME
)


@dataclass(frozen=True, slots=True)
class PublishedAt:
    """A point in time as a page names it. ``value``: ISO 8601 with +08:00, or ""."""

    value: str = ""
    precision: str = "none"  # second | minute | day | none
    raw: str = ""


def parse_date(text: str) -> PublishedAt:
    """Read the first full date in a short text; a time without a zone is China's.

    Two-digit years, months without a day and bare times are left alone: no date beats a
    wrong one.

    >>> parse_date("时间: 2020-03-20 16:56").value
    '2020-03-20T16:56:00+08:00'
    >>> parse_date("二〇二〇年三月二十日").precision
    'day'

    Args:
        text: A label and a date, a meta value, a signature line. Only the first 300
            characters are read.

    Returns:
        ISO 8601 with +08:00, its precision, and the characters that were read as a date.
    """
    line = unicodedata.normalize("NFKC", text[:_LONGEST_LINE])
    for pattern in (_NUMERIC_RE, _ROC_RE, _ENGLISH_RE, _DAY_FIRST_RE, _BOXED_RE, _COMPACT_RE):
        for match in pattern.finditer(line):
            found = _from_match(match)
            if found.value:
                return found
    return _from_hanzi(line)


def _from_match(match: re.Match[str]) -> PublishedAt:
    part = match.groupdict()
    year = int(part["year"]) + (1911 if int(part["year"]) < 1000 else 0)
    if part.get("name"):
        month = _MONTHS.index(part["name"].lower()[:3]) + 1
        day = part.get("day1") or part.get("day2")
        if not day:
            return PublishedAt()
    else:
        month, day = int(part["month"]), part["day"]
        if match.re is _DAY_FIRST_RE and month <= 12 and int(day) <= 12 and month != int(day):
            return PublishedAt()  # 7/5/2005 may be May or July
    hour = int(part["hour"]) if part.get("hour") else 0
    late = (part.get("half") or part.get("after") or "").strip().lower().replace(".", "")
    if late in {"下午", "晚上", "pm"} and hour < 12:
        hour += 12
    precision = "second" if part.get("second") else "minute" if part.get("hour") else "day"
    try:
        when = datetime(
            year,
            month,
            int(day),
            hour % 24,
            int(part.get("minute") or 0),
            int(part.get("second") or 0),
            tzinfo=CHINA,
        )
    except ValueError:
        return PublishedAt()
    zone = part.get("zone")
    if zone:
        when = _in_china(when, zone)
    return PublishedAt(when.isoformat(), precision, match[0].strip())


def _in_china(when: datetime, zone: str) -> datetime:
    if zone == "Z":
        offset = UTC
    else:
        sign = -1 if zone[0] == "-" else 1
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        offset = timezone(sign * timedelta(minutes=min(minutes, 14 * 60)))
    return when.replace(tzinfo=offset).astimezone(CHINA)


def _from_hanzi(line: str) -> PublishedAt:
    match = _HANZI_RE.search(line)
    if not match:
        return PublishedAt()
    year = int("".join(_DIGITS[char] for char in match[1]))
    try:
        when = datetime(year, _small_number(match[2]), _small_number(match[3]), tzinfo=CHINA)
    except ValueError:
        return PublishedAt()
    return PublishedAt(when.isoformat(), "day", match[0])


def _small_number(hanzi: str) -> int:
    """Read 一 to 三十一.

    >>> _small_number("二十三"), _small_number("十"), _small_number("三十")
    (23, 10, 30)
    """
    tens, found, ones = hanzi.partition("十")
    if not found:
        return int(_DIGITS[hanzi]) if len(hanzi) == 1 else 0
    return (int(_DIGITS[tens]) if tens else 1) * 10 + (int(_DIGITS[ones]) if ones else 0)
