"""A state database that cannot be used is named, with a remedy, and left as it is."""

import os
import sqlite3

import pytest
from store_crash import run_campaign
from store_kit import ONE, TWO, Archive, Clock, run_id

from hongxing_crawler.exceptions import DiskFullError, StateError
from hongxing_crawler.store.database import Database
from hongxing_crawler.store.schema import VERSION
from hongxing_crawler.store.state import State


def _open(path, **options):
    return State.open(path, now=Clock(), **options)


@pytest.fixture
def home(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE, *(f"{TWO}?{number}" for number in range(2_000)))
    archive.visit(ONE)
    archive.end()
    archive.state.close()
    return tmp_path


def _assert_refused(path, message):
    before = path.read_bytes()
    with pytest.raises(StateError, match=message):
        _open(path)
    assert path.read_bytes() == before


def test_a_state_is_opened_again(home):
    with _open(home / "state.sqlite") as state:
        assert state.counts() == {"done": 1, "pending": 2_000}
        assert state.find_damage() == []


def test_a_newer_version_is_left_alone(home):
    path = home / "state.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'schema_version'")
    connection.close()

    _assert_refused(path, rf"has version 999, but this hongxing_crawler knows only {VERSION}")


def test_a_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "state.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()

    _assert_refused(path, "another program")


@pytest.mark.parametrize("keep", [0, 50, 4_096, 100_000])
def test_a_file_that_was_cut_short_is_named(home, keep):
    path = home / "state.sqlite"
    path.write_bytes(path.read_bytes()[:keep])

    _assert_refused(path, "cut short.*hongxing reprocess")


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"not a database, but long enough to have a head\n" * 100)

    with pytest.raises(StateError, match=r"damaged|cut short"):
        _open(path)


def test_damaged_pages_are_found(home):
    path = home / "state.sqlite"
    content = bytearray(path.read_bytes())
    for offset in range(8_192, len(content) - 4_096, 4_096):
        content[offset : offset + 64] = os.urandom(64)
    path.write_bytes(content)

    with pytest.raises(StateError, match=r"is damaged.*reprocess"):
        _use_all(path)


def _use_all(path):
    with _open(path) as state:
        assert state.find_damage()
        list(state.url_counts())
        state.take(5_000)


def test_a_locked_database_is_named(home, monkeypatch):
    monkeypatch.setattr("hongxing_crawler.store.database._BUSY_S", 0.05)
    path = home / "state.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StateError, match="locked by another process"), _open(path) as state:
        state.requeue_in_flight()
    other.close()


def test_a_reader_does_not_disturb_and_cannot_write(home):
    path = home / "state.sqlite"
    with _open(path) as writer, _open(path, read_only=True) as reader:
        writer.take(1)
        writer.take(1)  # which writes down that the first is in flight
        assert reader.counts() == {"done": 1, "in_flight": 1, "pending": 1_999}
        with pytest.raises(StateError, match="cannot be written"):
            reader.requeue_in_flight()


def test_a_missing_state_is_not_made_by_a_reader(tmp_path):
    with pytest.raises(StateError, match="is missing"):
        _open(tmp_path / "state.sqlite", read_only=True)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(StateError, match=r"state\.sqlite"):
        _open(tmp_path / "nowhere" / "state.sqlite")


def test_a_full_disk_keeps_the_last_whole_state(home):
    path = home / "state.sqlite"
    database = Database.open(path)
    (pages,) = database.row("PRAGMA page_count")
    database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFullError, match="disk full; free some space"):
        _write_much(database)

    assert database.row("SELECT COUNT(*) FROM meta") == (1,)
    database.close()


def _write_much(database):
    with database.transaction():
        for number in range(1_000):
            values = (f"x{number}", "y" * 4_000)
            database.execute("INSERT INTO meta (name, value) VALUES (?, ?)", values)


def test_a_transaction_is_whole_or_not_at_all(home):
    database = Database.open(home / "state.sqlite")
    with pytest.raises(KeyError):
        _delete_and_fail(database)

    assert database.row("SELECT COUNT(*) FROM urls") == (2_001,)
    database.close()


def _delete_and_fail(database):
    with database.transaction():
        database.execute("DELETE FROM urls")
        raise KeyError


def test_a_durable_transaction_is_synced_and_a_light_one_is_not(home):
    database = Database.open(home / "state.sqlite")
    with database.transaction(durable=False):
        light = database.row("PRAGMA synchronous")
    with database.transaction():
        durable = database.row("PRAGMA synchronous")
    database.close()

    assert (light, durable) == ((1,), (2,))


def test_kills_lose_nothing_that_was_said_and_double_nothing():
    figures = run_campaign(kills=3, seed=20261123)

    assert figures["kills"] >= 3
    assert (figures["lost"], figures["doubled"], figures["damaged"]) == (0, 0, 0)


def test_run_names_sort_by_time():
    assert run_id(0) < run_id(1)
