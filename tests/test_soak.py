"""Two weeks of the simulated year, with every trouble in them; ``make soak`` lives all of it."""

import pytest

pytest.importorskip("time_machine")

from soak import begin_year

NIGHTS = 13


def test_every_trouble_is_told_at_once_and_nothing_else_is(tmp_path):
    with begin_year(tmp_path, NIGHTS) as year:
        for number in range(NIGHTS):
            year.live(number, *(["--full"] if number == NIGHTS - 1 else []))

        assert [(night.number, night.problems) for night in year.nights if night.problems] == []
        assert list(year.lost()) == []
        told = {name for night in year.nights for name in night.alerts}
        assert {"exit 5", "exit 7", "spam", "spam_hosts", "generic", "clock"} <= told
        assert len(year.site.published) > 30
