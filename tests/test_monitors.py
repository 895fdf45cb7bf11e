from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.monitors.checks import CHECKS, GATES, watch
from hongxing_crawler.monitors.facts import Facts, RunFacts
from hongxing_crawler.monitors.limits import Limits

START = datetime(2026, 3, 1, 18, 20, tzinfo=UTC)  # Monday, 02:20 in China
QUIET_RUN = {
    "pages": 60,
    "pages_rejected": 1,
    "pages_failed": 0,
    "articles_new": 12,
    "articles": 12,
    "articles_known": 9_000,
    "requests": 80,
    "media": 20,
    "archived_bytes": 4 << 20,
}


def _run(day, exit_code=ExitCode.OK, **counts):
    started_at = START + timedelta(days=day)
    return RunFacts(f"run_{day}", started_at, exit_code, QUIET_RUN | counts)


def _nights(count, **counts):
    """Nights on which the site publishes from Monday to Friday, as it does."""
    runs = (_run(day) for day in range(count))
    return tuple(
        replace(
            run, counts={**run.counts, "articles_new": 0 if run.day.weekday() > 4 else 12} | counts
        )
        for run in runs
    )


def _facts(run, history=_nights(42), **values):  # noqa: B008 - tuples do not change
    return Facts(run=run, history=history, free_bytes=500 << 30, **values)


def _found(facts, **limits):
    return [finding.name for finding in watch(facts, Limits(**limits))]


def test_a_night_like_every_other_is_no_news():
    assert _found(_facts(_run(42))) == []


def test_a_year_of_nights_with_holidays_is_no_news():
    """Spring Festival, Labour Day, National Day: up to nine days without a new article."""
    holidays = {*range(18, 27), *range(90, 95), *range(213, 221)}
    history = []
    for day, night in enumerate(_nights(365)):
        new = 0 if day in holidays else night.count("articles_new")
        run = replace(night, counts={**night.counts, "articles_new": new})
        assert _found(_facts(run, tuple(history))) == [], run.day
        history.append(run)


# What is wrong with the night, and the monitor that has to say so.
TROUBLES = [
    ("a new template", {"articles_generic": 9}, "generic"),
    ("bodies are empty", {"articles_short": 9}, "short"),
    ("dates are missing", {"articles_undated": 9}, "undated"),
    ("pages are rejected", {"pages_rejected": 30}, "rejects"),
    ("the site is hacked", {"articles_injected": 3}, "spam"),
    ("links to new hosts", {"spam_hosts_new": 10}, "spam_hosts"),
    ("a mirror damages the text", {"articles_guessed": 5}, "guesses"),
    ("pages fail", {"pages_failed": 20}, "errors"),
    ("requests are repeated", {"retries": 30}, "retries"),
    ("a captcha came", {"pages_blocked": 1}, "blocked"),
    ("pictures are missing", {"media_failed": 10}, "media"),
    ("a video of 2 GB came", {"archived_bytes": 2 << 30}, "growth"),
    ("a thousand new pages", {"articles_new": 1_000}, "high"),
    ("half of the site is gone", {"articles_deleted": 4_000}, "removed"),
]


@pytest.mark.parametrize(("what", "counts", "name"), TROUBLES, ids=[case[0] for case in TROUBLES])
def test_a_trouble_is_told_on_the_first_run_that_sees_it(what, counts, name):
    del what

    (finding,) = watch(_facts(_run(42, **counts)), Limits())

    assert finding.name == name
    assert finding.is_gate == (name in GATES)
    assert finding.sentence.count(":") >= 1, "what it is, and what to do"


@pytest.mark.parametrize(("what", "counts", "name"), TROUBLES, ids=[case[0] for case in TROUBLES])
def test_each_monitor_can_be_switched_off(what, counts, name):
    del what
    limit = {
        "generic": "generic_share",
        "rejects": "reject_share",
        "spam_hosts": "new_spam_hosts",
        "guesses": "guessed_share",
        "errors": "error_share",
        "retries": "retry_share",
        "blocked": "blocked_count",
        "growth": "growth_factor",
        "high": "high_factor",
    }.get(name, f"{name}_share")

    assert _found(_facts(_run(42, **counts)), **{limit: 0}) == []


@pytest.mark.parametrize(
    ("counts", "usual"),
    [
        ({"articles_generic": 9}, {"articles_generic": 9}),
        ({"articles_injected": 8}, {"articles_injected": 8}),
        ({"articles_undated": 14}, {"articles_undated": 14}),
    ],
)
def test_what_has_always_been_so_is_no_news(counts, usual):
    assert _found(_facts(_run(42, **counts), _nights(42, **usual))) == []


@pytest.mark.parametrize(
    ("hits", "total", "found"),
    [(1, 1, False), (2, 2, False), (2, 6, False), (3, 3, True), (3, 5, True)],
)
def test_a_share_of_few_pages_speaks_when_it_is_beyond_chance(hits, total, found):
    few = {"articles": total, "articles_injected": hits}

    assert _found(_facts(_run(42, **few))) == (["spam"] if found else [])


def test_a_few_new_hosts_are_no_outbreak():
    assert _found(_facts(_run(42, spam_hosts_new=9))) == []
    assert _found(_facts(_run(42, spam_hosts_new=9)), new_spam_hosts=9) == ["spam_hosts"]


def test_hosts_are_new_only_after_a_run_that_saw_the_whole_site():
    stopped = replace(_run(0), exit_code=ExitCode.STOPPED)

    assert _found(_facts(_run(1, spam_hosts_new=400), ())) == []
    assert _found(_facts(_run(1, spam_hosts_new=400), (stopped,))) == []
    assert _found(_facts(_run(1, spam_hosts_new=400), (stopped, _run(0)))) == ["spam_hosts"]


def test_a_first_run_has_nothing_to_compare_with():
    odd = _run(0, articles_injected=10, articles_generic=10, articles_guessed=10)

    assert _found(_facts(odd, ())) == []
    assert _found(_facts(_run(0, articles_undated=10), ())) == ["undated"]


@pytest.mark.parametrize(("last_new", "days"), [(31, 9), (30, 10)])
def test_a_site_that_falls_silent_is_told_of(last_new, days):
    history = tuple(
        replace(run, counts={**run.counts, "articles_new": 12 if day <= last_new else 0})
        for day, run in enumerate(_nights(42))
    )

    (finding,) = watch(_facts(_run(42, articles_new=0), history), Limits(low_factor=0))

    assert finding.name == "quiet"
    assert f"on {days - 2} working days" in finding.sentence


def test_days_on_which_no_run_looked_are_not_quiet():
    history = (*_nights(20), _run(41, articles_new=0))

    assert _found(_facts(_run(42, articles_new=0), history), low_factor=0) == []


def test_a_run_that_was_turned_away_is_not_blamed_for_what_it_lacks():
    blocked = _run(42, ExitCode.BLOCKED, articles_new=0, articles=0, articles_read=0)

    assert _found(_facts(blocked, _nights(30))) == []


def test_lists_that_bring_a_tenth_are_told_of_after_eight_working_days():
    history = list(_nights(42))
    found = []
    for day in range(42, 54):
        run = _run(day)
        run = replace(run, counts={**run.counts, "articles_new": 1 if run.day.weekday() < 5 else 0})
        found += [(day, name) for name in _found(_facts(run, tuple(history)))]
        history.append(run)

    assert found[0] == (51, "low")
    assert {name for _, name in found} == {"low"}


def test_the_first_runs_bring_thousands_and_that_is_no_flood():
    history = tuple(_run(day, articles_new=10_000) for day in range(3))

    assert _found(_facts(_run(3, articles_new=20_000), history)) == []


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"clock_skew_s": 7_200.0}, "clock"),
        ({"clock_skew_s": -301.0}, "clock"),
        ({"outbox_age_s": 3.5 * 86_400, "outbox_files": 12}, "outbox"),
        ({"free_bytes": 60 << 20}, "disk"),
        ({"killed_runs": ("run_40", "run_41")}, "killed"),
    ],
)
def test_the_machine_is_looked_at(values, name):
    facts = replace(_facts(_run(42)), **values)

    assert _found(facts) == [name]


def test_the_forecast_of_the_disk_counts_snapshots_of_the_rows():
    facts = replace(_facts(_run(42), _nights(42, exported_bytes=200 << 20)), free_bytes=4 << 30)

    assert _found(facts) == ["disk"]
    assert _found(replace(facts, history=_nights(42))) == []


@pytest.mark.parametrize(
    "values", [{"clock_skew_s": 200.0}, {"outbox_age_s": 86_400.0}, {"free_bytes": 1 << 30}]
)
def test_a_machine_that_is_well_is_no_news(values):
    assert _found(replace(_facts(_run(42)), **values)) == []


def test_every_monitor_is_documented(request):
    text = (request.config.rootpath / "docs" / "monitors.md").read_text("utf-8")

    for name in CHECKS:
        star = " *" if name in GATES else ""
        assert f"\n| `{name}`{star} |" in text
    for limit in fields(Limits):
        assert f"`{limit.name}`" in text
