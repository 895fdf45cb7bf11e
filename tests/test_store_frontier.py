"""The frontier: order, flight, failure, and when a page is due again."""

from dataclasses import replace
from datetime import date

import pytest
from store_kit import EAGER, LIST, ONE, PROFILE, TWO, Archive

from hongxing_crawler.core.profile import Revisit
from hongxing_crawler.store.recent import RecentUrls
from hongxing_crawler.store.revisit import PageState, choose_interval_s, is_sampled, settle
from hongxing_crawler.store.visit import Found

DAY_S = 86_400.0


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    yield archive
    archive.state.close()


def test_articles_come_before_lists_and_first_found_first(archive):
    archive.begin()
    archive.add(LIST, kind="list", priority=2)
    archive.add(TWO, ONE)

    assert [ticket.url for ticket in archive.state.take(10)] == [TWO, ONE, LIST]


def test_what_is_taken_is_not_taken_twice(archive):
    archive.begin()
    archive.add(ONE, TWO)

    assert [ticket.url for ticket in archive.state.take(1)] == [ONE]
    assert [ticket.url for ticket in archive.state.take(5)] == [TWO]
    assert archive.state.take(5) == []
    assert not archive.state.has_pending()


def test_released_tickets_are_pending_again(archive):
    archive.begin()
    archive.add(ONE)
    archive.state.release([ticket.id for ticket in archive.state.take(5)])

    assert archive.state.counts() == {"pending": 1}


def test_a_link_is_known_once(archive):
    archive.begin()

    assert archive.add(ONE, TWO) == 2
    assert archive.add(ONE) == 0
    archive.reopen()
    assert archive.add(TWO) == 0


def test_a_seed_is_asked_though_it_is_not_due(archive):
    archive.begin(PROFILE)
    archive.add(ONE, TWO)
    archive.visit(ONE)
    archive.visit(TWO)
    archive.add(ONE, kind="seed")

    assert [ticket.url for ticket in archive.state.take(5)] == [ONE]


def test_links_come_with_their_page(archive):
    archive.begin()
    archive.add(LIST, kind="list")
    archive.visit(
        LIST, links=[Found(ONE, "article", 10, 2), Found(LIST, "list"), Found(ONE, "page")]
    )

    (ticket,) = archive.state.take(10)

    assert (ticket.url, ticket.kind, ticket.depth, ticket.found_on) == (ONE, "article", 2, LIST)


def test_a_killed_runs_flight_goes_back(archive):
    archive.begin()
    archive.add(ONE, TWO)
    archive.state.take(1)
    archive.reopen()

    assert archive.state.requeue_in_flight() == 1
    assert archive.state.counts() == {"pending": 2}


def test_a_failed_visit_waits_and_is_given_up_after_three(archive):
    archive.begin()
    archive.add(ONE)
    waits = []
    for _ in range(2):
        archive.visit(ONE, "failed", status=500)
        assert archive.state.take(1) == []
        assert archive.state.has_pending()
        waits.append(0)
        while not (tickets := archive.state.take(1)):
            archive.clock.forward(seconds=1)
            waits[-1] += 1
        archive.state.release([tickets[0].id])
    archive.visit(ONE, "failed", status=500, reason="http_500")

    assert waits == [2, 8]
    assert tickets[0].attempts == 2
    assert archive.state.counts() == {"failed": 1}


def test_the_server_decides_how_long_to_wait(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE, "failed", status=503, retry_after_s=120.0)
    archive.clock.forward(seconds=119)
    early = archive.state.take(1)
    archive.clock.forward(seconds=1)

    assert early == []
    assert [ticket.attempts for ticket in archive.state.take(1)] == [1]


def test_what_failed_is_tried_by_the_next_run(archive):
    archive.begin(PROFILE)
    archive.add(ONE)
    for _ in range(3):
        archive.visit(ONE, "failed", status=500)
        archive.clock.forward(seconds=60)

    assert archive.begin(PROFILE) == 1
    assert archive.ticket(ONE).attempts == 0


def test_lists_are_due_in_every_run_and_articles_later_and_later(archive):
    archive.begin(PROFILE)
    archive.add(LIST, kind="list")
    archive.add(ONE)
    archive.visit(LIST)
    archive.visit(ONE)
    asked = []
    for _ in range(16):
        archive.begin(PROFILE)
        tickets = {ticket.url for ticket in archive.state.take(10)}
        archive.state.requeue_in_flight()
        assert LIST in tickets
        archive.visit(LIST)
        if ONE in tickets:
            asked.append(archive.day)
            archive.visit(ONE)

    assert asked == [1, 3, 7, 15]


def test_full_asks_for_everything(archive):
    archive.begin()
    archive.add(LIST, kind="list")
    archive.add(ONE, TWO)
    archive.visit(LIST)
    archive.visit(ONE)
    archive.visit(TWO, "gone", status=404)
    archive.begin(PROFILE, full=True)
    everything = {ticket.url for ticket in archive.state.take(10)}

    assert everything == {LIST, ONE, TWO}


def test_since_asks_for_lists_and_for_articles_of_that_day_or_later(archive):
    archive.begin()
    archive.add(LIST, kind="list")
    archive.add(ONE, TWO)
    archive.visit(LIST)
    for url, day in ((ONE, "2026-11-19"), (TWO, "2026-11-20")):
        row = archive.article(url, "文", archive.capture(url))
        archive.visit(url, articles=[replace(row, published_day=day)])
    archive.begin(since=date(2026, 11, 20))

    assert {ticket.url for ticket in archive.state.take(10)} == {LIST, TWO}


def test_a_gone_page_that_was_never_there_is_forgotten_too(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE, "gone", status=404)
    archive.begin()
    archive.visit(ONE, "gone", status=404)

    assert archive.begin() == 0
    assert archive.state.counts() == {"gone": 1}


@pytest.mark.parametrize(
    ("kind", "previous", "changed", "expected"),
    [
        ("article", None, True, DAY_S),
        ("article", DAY_S, False, 2 * DAY_S),
        ("article", 64 * DAY_S, True, DAY_S),
        ("article", 150 * DAY_S, False, 180 * DAY_S),
        ("page", None, False, DAY_S),
        ("list", 64 * DAY_S, False, 0.0),
        ("sitemap", None, True, 0.0),
    ],
)
def test_intervals(kind, previous, changed, expected):
    assert choose_interval_s(Revisit(), kind, previous, changed=changed) == expected


@pytest.mark.parametrize(("kind", "expected"), [("article", 180 * DAY_S), ("list", DAY_S)])
def test_what_is_gone_rests(kind, expected):
    once = settle(Revisit(), kind, PageState(seen=1), is_gone=True, changed=False)
    twice = settle(Revisit(), kind, once, is_gone=True, changed=False)

    assert (once.interval_s, twice.interval_s, twice.state) == (0.0, expected, "gone")


def test_a_page_that_comes_back_is_looked_at_soon():
    gone = settle(Revisit(), "article", PageState(seen=1), is_gone=True, changed=False)
    back = settle(Revisit(), "article", gone, is_gone=False, changed=False)

    assert (gone.interval_s, back.interval_s, back.gone_count) == (0.0, DAY_S, 0)


def test_a_share_of_nothing_and_of_all():
    assert not is_sampled(ONE, "run", 0.0)
    assert is_sampled(ONE, "run", 1.0)


def test_recent_addresses_are_few_and_the_latest():
    recent = RecentUrls(max_count=3)
    recent.add(["a", "b", "c"])
    assert "a" in recent
    recent.add(["d", "e"])

    assert [url in recent for url in "acde"] == [True, False, True, True]


def test_the_eager_profile_asks_at_once(archive):
    archive.begin(EAGER)
    archive.add(ONE)
    archive.visit(ONE)

    assert archive.begin(EAGER) == 1
