"""Visits in, history out: what a run leaves behind and the next one makes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from store_kit import EAGER, LIST, ONE, PROFILE, TWO, WARC, Archive, picture, run_id

from hongxing_crawler.core.record import MediaFile, article_id, replay_row, utc_text
from hongxing_crawler.exceptions import StateError
from hongxing_crawler.store.visit import Found, Visit


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    yield archive
    archive.state.close()


def test_a_first_visit_makes_a_new_row(archive):
    archive.begin()
    archive.add(ONE)

    (row,) = archive.visit(ONE)

    assert (row.op, row.revision, row.run_id, row.id) == ("new", 1, run_id(0), article_id(ONE))
    assert row.first_seen_at == row.last_seen_at == utc_text(archive.clock())
    assert replay_row(row)


def test_changed_text_makes_a_revision(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    archive.begin()

    (row,) = archive.visit(ONE, body="新正文。")

    assert (row.op, row.revision, row.run_id) == ("changed", 2, run_id(1))
    assert row.first_seen_at < row.last_seen_at
    assert [version.revision for version in archive.state.articles.versions(ONE)] == [1, 2]


def test_the_same_text_makes_no_row_but_is_seen(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    archive.begin()

    (row,) = archive.visit(ONE)

    assert (row.op, row.revision, row.run_id) == ("snapshot", 1, run_id(0))
    assert row.last_seen_at == utc_text(archive.clock())
    assert list(archive.state.delta(run_id(1))) == []
    assert [item.last_seen_at for item in archive.state.articles.snapshot()] == [row.last_seen_at]


def test_not_modified_is_the_same_text(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    archive.begin()

    (row,) = archive.visit(ONE, "unchanged", status=304)

    assert (row.op, row.last_seen_at) == ("snapshot", utc_text(archive.clock()))


def test_not_modified_that_was_not_asked_for_is_an_error(archive):
    archive.begin()
    archive.add(ONE)

    rows = archive.visit(ONE, "unchanged", status=304)

    assert rows == []
    assert archive.state.counts() == {"pending": 1}


def test_a_picture_that_comes_late_changes_the_row_but_not_the_revision(archive):
    archive.begin()
    archive.add(ONE)
    address = "http://img.cn/1"
    lost = archive.article(ONE, "文", archive.capture(ONE), [address], {})
    kept = archive.article(ONE, "文", archive.capture(ONE), [address], {address: picture(address)})
    archive.visit(ONE, articles=[lost])
    archive.begin()

    (row,) = archive.visit(ONE, articles=[kept])

    assert (row.op, row.revision, row.images[0].status) == ("changed", 1, "stored")


def test_other_spam_around_the_same_text_is_no_change(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    archive.begin()
    row = archive.article(ONE, "正文。", archive.capture(ONE))
    noisy = replace(row, cleaning=replace(row.cleaning, warnings=("new wheel",)), list_url="x")

    (stored,) = archive.visit(ONE, articles=[noisy])

    assert stored.op == "snapshot"


def test_a_page_is_buried_only_when_visits_agree(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    archive.begin()
    first = archive.visit(ONE, "gone", status=404)
    archive.begin()
    (tombstone,) = archive.visit(ONE, "gone", status=404)

    assert first == []
    assert (tombstone.op, tombstone.deleted_at) == ("deleted", utc_text(archive.clock()))
    assert (tombstone.article_body, tombstone.revision) == ("正文。", 1)
    assert list(archive.state.articles.snapshot()) == []
    assert archive.state.counts() == {"gone": 1}


def test_a_page_that_is_back_once_starts_the_count_again(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    for outcome, status in (("gone", 404), ("done", 200), ("gone", 404)):
        archive.begin()
        archive.visit(ONE, outcome, status=status)

    assert [row.op for row in archive.state.articles.snapshot()] == ["snapshot"]


def test_a_buried_page_may_rise(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    for _ in range(2):
        archive.begin()
        archive.visit(ONE, "gone", status=404)
    archive.begin(full=True)

    (row,) = archive.visit(ONE)

    assert (row.op, row.revision, row.deleted_at) == ("changed", 1, "")
    assert archive.state.counts() == {"done": 1}


def test_an_article_that_moved_is_buried_at_its_old_address(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    for _ in range(2):
        archive.begin()
        rows = archive.visit(
            ONE, status=301, reason="redirect", articles=[], links=[Found(TWO, "article", 10)]
        )

    assert [row.op for row in rows] == ["deleted"]
    assert archive.ticket(TWO).found_on == ONE


def test_two_changes_in_one_run_are_one_row(archive):
    archive.begin()
    archive.add(ONE, TWO)
    archive.visit(ONE)
    other = archive.article(ONE, "别的。", archive.capture(ONE))
    archive.visit(TWO, articles=[other])

    (row,) = archive.state.delta(run_id(0))

    assert (row.op, row.article_body) == ("new", "别的。")


def test_a_row_that_breaks_the_schema_does_not_get_in(archive):
    archive.begin()
    archive.add(ONE)
    row = replace(archive.article(ONE, "文", archive.capture(ONE)), date_published="yesterday")

    with pytest.raises(ValueError, match="date_published"):
        archive.visit(ONE, articles=[row])

    assert archive.state.counts() == {"in_flight": 1}
    assert list(archive.state.captures()) == []


def test_captures_come_back_as_they_were(archive):
    archive.begin()
    archive.add(ONE)
    captures = [
        archive.capture(ONE, extra={"a": "中"}),
        archive.capture("http://img.cn/1", mime="image/jpeg"),
    ]
    archive.visit(ONE, captures=captures)
    robots = archive.capture("https://www.hxw.gov.cn/robots.txt", 404)
    archive.state.add_captures(archive.run_id, [robots])

    assert list(archive.state.captures(run_id(0))) == [*captures, robots]
    assert list(archive.state.captures()) == [*captures, robots]


def test_originals_are_the_last_full_captures(archive):
    archive.begin()
    archive.add(ONE)
    picture_capture = archive.capture("http://img.cn/1")
    page = archive.capture(ONE, body="new")
    again = replace(archive.capture(ONE, body="new"), record_type="revisit")
    archive.visit(ONE, captures=[archive.capture(ONE, body="old"), picture_capture, page, again])

    assert archive.state.original(ONE).record_id == page.record_id
    assert archive.state.original("http://img.cn/1").payload_digest == "sha256:body"
    assert archive.state.original(TWO) is None


@pytest.mark.parametrize("status", [404, 301, 500])
def test_errors_are_no_originals(archive, status):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE, "rejected", status=status)

    assert archive.state.original(ONE) is None


def test_a_missing_archive_is_not_referred_to(archive, tmp_path):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    (tmp_path / "warc").mkdir()
    archive.begin()
    without = archive.ticket(ONE)
    (tmp_path / "warc" / f"{WARC}.open").touch()
    archive.state.release([without.id])
    archive.begin()
    with_archive = archive.ticket(ONE)

    assert (without.original, without.conditional) == (None, False)
    assert with_archive.original.url == ONE
    assert with_archive.conditional


def test_validators_are_sent_back(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE, last_modified="Fri, 20 Mar 2020 08:56:00 GMT")
    archive.begin()

    ticket = archive.ticket(ONE)

    assert (ticket.etag, ticket.last_modified) == ('"正文。"', "Fri, 20 Mar 2020 08:56:00 GMT")
    assert (ticket.conditional, ticket.known) == (True, True)


def test_an_article_with_a_lost_picture_is_asked_in_full(archive):
    archive.begin()
    archive.add(ONE)
    lost = archive.article(ONE, "文", archive.capture(ONE), ["http://img.cn/1"], {})
    archive.visit(ONE, articles=[lost])
    archive.begin()

    assert not archive.ticket(ONE).conditional


def test_a_share_is_asked_in_full_and_the_choice_is_the_runs(archive):
    urls = [f"{ONE}?{number}" for number in range(60)]
    archive.begin()
    archive.add(*urls)
    for url in urls:
        archive.visit(url)
    profile = replace(EAGER, revisit=replace(EAGER.revisit, unconditional_share=0.5))
    archive.begin(profile)
    first = {ticket.url for ticket in archive.state.take(100) if ticket.conditional}
    archive.state.requeue_in_flight()
    again = {ticket.url for ticket in archive.state.take(100) if ticket.conditional}
    archive.state.requeue_in_flight()
    archive.begin(profile)
    other = {ticket.url for ticket in archive.state.take(100) if ticket.conditional}

    assert 10 < len(first) < 50
    assert first == again
    assert first != other


def test_files_are_remembered_by_address_and_bytes(archive):
    archive.begin()
    archive.add(ONE)
    kept, lost = picture("http://img.cn/1"), MediaFile("http://img.cn/2", status="failed")
    archive.visit(ONE, media={kept.url: kept, lost.url: lost})

    assert archive.state.media(kept.url) == kept
    assert archive.state.media(lost.url) == lost
    assert archive.state.media("http://img.cn/3") is None
    assert archive.state.has_media("ab" * 32)
    assert not archive.state.has_media("cd" * 32)


def test_rejects_say_why(archive):
    archive.begin()
    archive.add(ONE, TWO)
    archive.visit(ONE, "rejected", reason="no_title")
    archive.visit(TWO)

    (reject,) = archive.state.rejects(run_id(0))

    assert (reject["url"], reject["outcome"], reject["reason"]) == (ONE, "rejected", "no_title")


def test_the_ledger_knows_killed_runs(archive):
    archive.begin()
    archive.end()
    archive.begin()
    archive.reopen()

    assert archive.state.end_killed_runs() == [run_id(1)]
    assert [entry.reason for entry in archive.state.runs()] == ["finished", "killed"]
    assert archive.state.end_killed_runs() == []


def test_a_run_has_its_name_once(archive):
    archive.begin()

    with pytest.raises(StateError, match="look at the clock"):
        archive.state.begin_run(archive.run_id, archive.clock(), {})


def test_a_visit_of_an_unknown_run_is_refused(archive):
    archive.begin()
    archive.add(ONE)
    ticket = archive.ticket(ONE)

    with pytest.raises(StateError, match="knows no run"):
        archive.state.finish("run_20200101T000000Z", Visit(ticket, "done"))


def test_a_claim_is_as_the_archive_says(archive):
    archive.begin()
    archive.add(LIST, kind="list")
    ticket = archive.state.claim(Found(ONE, "article", 0, 3), LIST)

    assert (ticket.url, ticket.found_on, ticket.depth) == (ONE, LIST, 3)
    assert archive.state.counts() == {"in_flight": 1, "pending": 1}
    assert list(archive.state.url_counts()) == [
        ("", "list", "pending", 1),
        (LIST, "article", "in_flight", 1),
    ]


def test_the_state_as_it_was(archive):
    archive.begin()
    archive.add(ONE)
    archive.visit(ONE)
    seen_at = archive.clock()
    archive.begin(full=True)
    archive.visit(ONE, body="新。")

    bodies = [row.article_body for row in archive.state.articles.as_of(seen_at)]
    before = list(archive.state.articles.as_of(seen_at - timedelta(days=1)))

    assert (bodies, before) == (["正文。"], [])


def test_an_error_after_the_visit_was_stored_changes_nothing(archive):
    archive.begin()
    archive.add(ONE)
    ticket = archive.ticket(ONE)
    archive.state.finish(archive.run_id, Visit(ticket, "done", finished_at=archive.clock()))

    assert archive.state.finish(archive.run_id, Visit(ticket, "failed")) == []
    assert archive.state.counts() == {"done": 1}


def test_plan_uses_the_rules_of_the_site(archive):
    archive.begin(PROFILE)
    archive.add(ONE)
    archive.visit(ONE)
    archive.day -= 1
    archive.end()
    archive.state.begin_run("run_20261123T090000Z", archive.clock(), {})

    due = archive.state.plan("run_20261123T090000Z", PROFILE, archive.clock() + timedelta(hours=1))

    assert due == 0
