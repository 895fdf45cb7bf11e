"""The monitors: each a function from facts and limits to a finding, or to nothing.

A monitor that compares with the past needs a past: it says nothing about the first runs. Shares
are compared with what is usual for the site, so that a template that was never known, or spam
that has been there for years, is no news every night.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import comb
from statistics import median
from typing import TYPE_CHECKING

from hongxing_crawler.monitors.facts import working_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hongxing_crawler.monitors.facts import Facts
    from hongxing_crawler.monitors.limits import Limits

_RARE = 0.02  # what was never seen may still come now and then
_NO_CHANCE = 1e-4
_WEEKS = 4  # runs to compare with, before one can be unusual
_LOW_DAYS = 8
_USUAL_DAYS = 40
_SATURDAY = 5
_USUAL_NEW = 5  # new articles on a usual day, before days can be low
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
    """Far fewer new articles than usual on eight working days together.

    Fewer days are no proof: the holidays of China are up to nine days long, weekends included,
    and some of them change their days with the moon.
    """
    days = facts.days()
    days[facts.run.day] = days.get(facts.run.day, 0) + facts.run.count("articles_new")
    worked = sorted(day for day in days if day.weekday() < _SATURDAY)
    recent, before = worked[-_LOW_DAYS:], worked[:-_LOW_DAYS]
    usual = median([days[day] for day in before[-_USUAL_DAYS:]] or [0])
    came = sum(days[day] for day in recent)
    if not (limits.low_factor and facts.run.is_whole and len(before) >= _LOW_DAYS):
        return ""
    if usual < _USUAL_NEW or came > limits.low_factor * usual * len(recent) or not came:
        return ""
    return (
        f"{came} new articles on the last {len(recent)} working days, where one day"
        f" brings {usual:g}: look at the site's lists, one may be read no longer"
    )


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
    part: str, whole: str, limit_name: str, what: str, advice: str, *, is_news: bool = False
) -> Callable[[Facts, Limits], str]:
    """Make a monitor of a share that is far above what is usual.

    One of ``is_news`` has nothing to say when there is no usual to compare with.
    """

    def check(facts: Facts, limits: Limits) -> str:
        limit = getattr(limits, limit_name)
        hits, total = facts.run.count(part), facts.run.count(whole)
        known = facts.usual_share(part, whole)
        usual = known or 0.0
        if not (limit and total) or hits / total - usual < limit or (known is None and is_news):
            return ""
        is_rare = known is not None and chance(hits, total, max(usual, _RARE)) <= _NO_CHANCE
        if total < limits.least_pages and not is_rare:
            return ""
        said = f", usually {usual:.0%}" if usual else ""
        return f"{hits} of {total} {what}{said}: {advice}"

    return check


def chance(hits: int, total: int, usual: float) -> float:
    """Return how probable so many hits, or more, are when each has the usual probability.

    >>> chance(1, 2, 0.5)
    0.75
    """
    return sum(
        comb(total, count) * usual**count * (1 - usual) ** (total - count)
        for count in range(hits, total + 1)
    )


def _blocked(facts: Facts, limits: Limits) -> str:
    count = facts.run.count("pages_blocked")
    if not limits.blocked_count or count < limits.blocked_count:
        return ""
    return f"{count} block or captcha pages came: wait a day, then try a longer crawl.delay_s"


def _spam_hosts(facts: Facts, limits: Limits) -> str:
    """Injected links to hosts that no run has seen: another attacker, or one with more to sell.

    Until one run has seen the whole site, hosts that were there for years are new every night.
    """
    count = facts.run.count("spam_hosts_new")
    if not (limits.new_spam_hosts and facts.whole_runs) or count < limits.new_spam_hosts:
        return ""
    return (
        f"injected links lead to {count} hosts that no run has seen before: spam.jsonl of the run"
        " names them and their pages; tell the site's operator"
    )


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
    written = sum(run.count("archived_bytes", "exported_bytes") for run in recent[1:])
    per_day = (written + facts.run.count("archived_bytes")) / span_days
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


def _killed(facts: Facts, limits: Limits) -> str:
    """A run that was killed could not say so itself: the next one does."""
    killed = facts.killed_runs
    if not limits.killed_count or len(killed) < limits.killed_count:
        return ""
    what = f"{killed[-1]} was" if len(killed) == 1 else f"{len(killed)} runs were"
    return (
        f"{what} killed, its work is taken over: look for a power cut, a reboot or a lack of"
        " memory in the machine's log"
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
        is_news=True,
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
        "articles_injected",
        "articles",
        "spam_share",
        "articles carry injected spam",
        "spam.jsonl of the run says where; tell the site's operator",
        is_news=True,
    ),
    "spam_hosts": _spam_hosts,
    "guesses": _share_check(
        "articles_guessed",
        "articles",
        "guessed_share",
        "texts were damaged and their restoration could not be proved",
        "the report shows the places",
        is_news=True,
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
    "killed": _killed,
}
GATES = frozenset({"short", "undated", "removed"})


def names() -> Iterator[str]:
    """Yield the names of all monitors."""
    yield from CHECKS
