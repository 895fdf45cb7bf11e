"""The monitors: each a function from facts and limits to a finding, or to nothing.

A monitor that compares with the past needs a past: it says nothing about the first runs. Shares
are compared with what is usual for the site, so that a template that was never known, or spam
that has been there for years, is no news every night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from hongxing_crawler.monitors.facts import working_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from hongxing_crawler.monitors.facts import Facts
    from hongxing_crawler.monitors.limits import Limits

_WEEKS = 4  # of the same weekday, before a day can be unusual
_USUAL_NEW = 5  # new articles on a usual day, before a day can be low
_MANY_NEW = 50  # before a day can be high
_MANY_REMOVED = 10
_GROWTH_RUNS = 14
_GROWTH_BYTES = 500 << 20
_FORECAST_DAYS = 30
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Finding:
    """What a monitor found. ``is_gate``: the rows are not published until a person has looked."""

    name: str
    sentence: str
    is_gate: bool = False


def watch(facts: Facts, limits: Limits) -> list[Finding]:
    """Ask every monitor about a run that ended.

    A run that was stopped or turned away is judged by its pages alone, not by what it lacks.
    """
    return [
        Finding(name, sentence, name in GATES)
        for name, check in CHECKS.items()
        if (sentence := check(facts, limits))
    ]


def _quiet(facts: Facts, limits: Limits) -> str:
    """No new article for so many working days, on which runs did look."""
    if not (limits.quiet_days and facts.run.is_whole) or facts.run.count("articles_new"):
        return ""
    last = max((run.day for run in facts.history if run.count("articles_new")), default=None)
    if last is None:
        return ""
    looked = set(facts.days()) | {facts.run.day}
    quiet = [day for day in working_days(last, facts.run.day) if day in looked]
    if len(quiet) < limits.quiet_days:
        return ""
    return (
        f"no new article on {len(quiet)} working days, the last one came on {last}:"
        " look at a list page of the site, and at what was read of it"
    )


def _low(facts: Facts, limits: Limits) -> str:
    """Far fewer new articles than the same weekday brings, on two such days in a row.

    One day is no proof: China has holidays, some of them on days that change with the moon.
    """
    if not (limits.low_factor and facts.run.is_whole):
        return ""
    days = facts.days()
    days[facts.run.day] = days.get(facts.run.day, 0) + facts.run.count("articles_new")
    today, before = facts.run.day, facts.run.day - timedelta(days=7)
    usual = median(
        [count for day, count in days.items() if _is_earlier(day, before)][-2 * _WEEKS :] or [0]
    )
    weeks = sum(_is_earlier(day, before) for day in days)
    least = limits.low_factor * usual
    is_low = days[today] <= least and before in days and days[before] <= least
    if weeks < _WEEKS or usual < _USUAL_NEW or not is_low:
        return ""
    return (
        f"{days[today]} new articles, and {days[before]} a week ago, where this weekday"
        f" brings {usual:g}: look at the site's lists"
    )


def _is_earlier(day: date, before: date) -> bool:
    return day < before and day.weekday() == before.weekday()


def _high(facts: Facts, limits: Limits) -> str:
    """Far more new articles than ever: a flood of injected pages, or addresses that changed."""
    new, most = facts.run.count("articles_new"), max(facts.days().values(), default=0)
    if not limits.high_factor or len(facts.whole_runs) < _WEEKS or new < _MANY_NEW:
        return ""
    if new <= limits.high_factor * max(most, 1):
        return ""
    return (
        f"{new} new articles where no day brought more than {most}: look whether pages were"
        " injected, or whether the site has new addresses for old articles"
    )


def _share_check(
    part: str, whole: str, limit_name: str, what: str, advice: str
) -> Callable[[Facts, Limits], str]:
    """Make a monitor of a share that is far above what is usual."""

    def check(facts: Facts, limits: Limits) -> str:
        limit = getattr(limits, limit_name)
        share = facts.run.share(part, whole, limits.least_pages)
        usual = facts.usual_share(part, whole, 1) or 0.0
        if not limit or share is None or share - usual < limit:
            return ""
        said = f", usually {usual:.0%}" if usual else ""
        return f"{share:.0%} of {facts.run.count(whole)} {what}{said}: {advice}"

    return check


def _blocked(facts: Facts, limits: Limits) -> str:
    count = facts.run.count("pages_blocked")
    if not limits.blocked_count or count < limits.blocked_count:
        return ""
    return f"{count} block or captcha pages came: wait a day, then try a longer crawl.delay_s"


def _growth(facts: Facts, limits: Limits) -> str:
    sizes = [run.count("archived_bytes") for run in facts.whole_runs[-_GROWTH_RUNS:]]
    size, most = facts.run.count("archived_bytes"), max(sizes, default=0)
    if not limits.growth_factor or len(sizes) < _WEEKS or size < _GROWTH_BYTES:
        return ""
    if size <= limits.growth_factor * max(most, 1):
        return ""
    return (
        f"{size >> 20} MiB were archived, {most >> 20} MiB at most before:"
        " look at the largest files of the run"
    )


def _disk(facts: Facts, limits: Limits) -> str:
    if not limits.disk_days or facts.free_bytes is None:
        return ""
    since = facts.run.started_at - timedelta(days=_FORECAST_DAYS)
    recent = [run for run in facts.history if run.started_at >= since]
    if len(recent) < _WEEKS:
        return ""
    span_days = max((facts.run.started_at - recent[0].started_at) / timedelta(days=1), 1.0)
    per_day = sum(run.count("archived_bytes") for run in (*recent[1:], facts.run)) / span_days
    days = facts.free_bytes / per_day if per_day else float("inf")
    if days >= limits.disk_days:
        return ""
    return (
        f"the disk is full in {days:.0f} days, {facts.free_bytes >> 20} MiB are free and"
        f" {per_day / (1 << 20):.1f} MiB come a day: prune what is proved in S3, or find room"
    )


def _outbox(facts: Facts, limits: Limits) -> str:
    days = facts.outbox_age_s / _DAY_S
    if not limits.outbox_days or days < limits.outbox_days:
        return ""
    return (
        f"{facts.outbox_files} files wait for the bucket, the oldest for {days:.0f} days:"
        " hongxing upload says why"
    )


def _clock(facts: Facts, limits: Limits) -> str:
    skew = facts.clock_skew_s
    if not limits.clock_skew_s or abs(skew) < limits.clock_skew_s:
        return ""
    way = "ahead of" if skew > 0 else "behind"
    return f"this machine's clock is {abs(skew):.0f} s {way} the site's: set it by NTP"


def _removed(facts: Facts, limits: Limits) -> str:
    removed, known = facts.run.count("articles_deleted"), facts.run.count("articles_known")
    if not limits.removed_share or removed < _MANY_REMOVED or not known:
        return ""
    if removed < limits.removed_share * known:
        return ""
    return (
        f"{removed} of {known} articles were removed at once: look whether the site is ill"
        " before readers learn of it"
    )


CHECKS: dict[str, Callable[[Facts, Limits], str]] = {
    "quiet": _quiet,
    "low": _low,
    "high": _high,
    "generic": _share_check(
        "articles_generic",
        "articles",
        "generic_share",
        "articles fit no template of the site",
        "the site may have a new one, docs/runbook.md shows how to add it",
    ),
    "short": _share_check(
        "articles_short",
        "articles",
        "short_share",
        "articles have hardly any text",
        "hongxing clean --explain FILE shows why",
    ),
    "undated": _share_check(
        "articles_undated",
        "articles",
        "undated_share",
        "articles have no date",
        "hongxing clean --explain FILE shows why",
    ),
    "rejects": _share_check(
        "pages_rejected",
        "pages",
        "reject_share",
        "pages were rejected",
        "rejects.jsonl of the run says why",
    ),
    "spam": _share_check(
        "pages_injected",
        "articles",
        "spam_share",
        "articles carry injected spam",
        "spam.jsonl of the run says where; tell the site's operator",
    ),
    "guesses": _share_check(
        "texts_guessed",
        "articles",
        "guessed_share",
        "texts were damaged and their restoration could not be proved",
        "the report shows the places",
    ),
    "errors": _share_check(
        "pages_failed", "pages", "error_share", "pages failed", "the log of the run says why"
    ),
    "retries": _share_check(
        "retries",
        "requests",
        "retry_share",
        "requests had to be repeated",
        "the site is slow or overloaded, crawl.delay_s makes it easier",
    ),
    "blocked": _blocked,
    "media": _share_check(
        "media_failed",
        "media",
        "media_share",
        "images and attachments could not be fetched",
        "they are tried again, the report lists them",
    ),
    "growth": _growth,
    "disk": _disk,
    "outbox": _outbox,
    "clock": _clock,
    "removed": _removed,
}
GATES = frozenset({"short", "undated", "removed"})


def names() -> Iterator[str]:
    """Yield the names of all monitors."""
    yield from CHECKS
