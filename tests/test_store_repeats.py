"""Evidence across pages: what stands on many pages goes, whatever the order of the visits."""

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from repeats_kit import BASE, blocks_of, headline, row, shown, site
from store_kit import Clock

from hongxing_crawler.core.profile import Revisit, SiteProfile
from hongxing_crawler.core.record import replay_row
from hongxing_crawler.store import database, schema
from hongxing_crawler.store.repeats import REPEATS_SQL
from hongxing_crawler.store.rows import export_run
from hongxing_crawler.store.state import State
from hongxing_crawler.store.visit import Found, Visit

CASES = json.loads((Path(__file__).parent / "cases" / "repeats.json").read_text("utf-8"))
PROFILE = SiteProfile("hongxing", revisit=Revisit(article_first_s=0.0, unconditional_share=0.0))
RUNS = [f"run_202611{day}T080000Z" for day in (23, 24, 25)]
NOTE = CASES[0]


class Home:
    """A state that takes rows in, run by run."""

    def __init__(self, folder):
        self.clock = Clock()
        self.folder = folder
        self.state = State.open(folder / "state.sqlite", now=self.clock)
        self.run_id = ""

    def begin(self, run_id):
        self.run_id = run_id
        self.clock.forward(days=bool(self.state.runs()))
        self.state.begin_run(run_id, self.clock(), {})
        self.state.plan(run_id, PROFILE, self.clock())

    def visit(self, article):
        ticket = self.state.claim(Found(article.url, "article", 10), "")
        visit = Visit(ticket, "done", status=200, finished_at=self.clock(), articles=[article])
        return self.state.finish(self.run_id, visit)

    def end(self):
        self.state.judge_repeats()
        self.state.end_run(self.run_id, self.clock(), 0, "finished", {})

    def rows(self):
        return {item.url: item for item in self.state.articles.snapshot()}

    def delta(self, run_id):
        return {item.url: item for item in self.state.delta(run_id)}


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    yield made
    made.state.close()


def _run(home, run_id, articles):
    home.begin(run_id)
    for article in articles:
        home.visit(article)
    home.end()


@pytest.mark.parametrize("case", CASES, ids=[case["label"] for case in CASES])
def test_a_block_goes_or_stays(home, case):
    received = {article.url: article for article in site(case)}
    _run(home, RUNS[0], received.values())
    rows = home.rows()
    changed = [url for url in rows if rows[url].article_body != received[url].article_body]

    assert all(map(replay_row, rows.values()))
    assert len(changed) == (case["pages"] if case["expect"] == "gone" else 0)
    if case["expect"] == "gone":
        _assert_only_the_block_went(case, received, rows)


def _assert_only_the_block_went(case, received, rows):
    for n in range(case["pages"]):
        url = f"{BASE}/content/2026/11/23/{n}.html"
        block = shown(case["block"].replace("{n}", str(n * 37)))
        before, after = received[url].article_body.split("\n\n"), rows[url].article_body
        before.remove(block)
        (step,) = [s for s in rows[url].cleaning.steps if s.step == "repeats"]

        assert after == "\n\n".join(before)
        assert block not in shown(rows[url].article_body_html)
        assert [edit.rule for edit in step.edits] == [case["rule"]]
        assert step.removed_blocks[0].text == block
        assert step.removed_blocks[0].evidence[:2] == (
            f"pages={case['pages']} of {case['pages'] + case['others']}",
            "first_seen=2026-11-23T08:00:00Z",
        )


@pytest.mark.parametrize("case", CASES[:5], ids=[case["label"] for case in CASES[:5]])
def test_the_order_of_visits_makes_no_difference(tmp_path, case):
    exports = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        home, articles = Home(folder), site(case)
        random.Random(seed).shuffle(articles)
        _run(home, RUNS[0], articles)
        export_run(home.state, folder / "export", RUNS[0])
        home.state.close()
        exports.append([path.read_bytes() for path in sorted(folder.rglob("part-*.gz"))])

    assert exports[0] == exports[1] == exports[2]


def test_an_article_of_an_earlier_run_changes_by_a_row_of_the_delta(home):
    articles = site(NOTE)
    _run(home, RUNS[0], articles[:6])
    before = home.rows()
    _run(home, RUNS[1], articles[6:])
    after, delta = home.rows(), home.delta(RUNS[1])
    silent = [u for u in before if before[u] != after[u] and u not in delta]

    assert all(shown(NOTE["block"]) in item.article_body for item in before.values())
    assert not any(shown(NOTE["block"]) in item.article_body for item in after.values())
    assert silent == []
    assert {delta[url].op for url in before} == {"changed"}
    assert {delta[url].revision for url in before} == {2}
    assert [item.op for url, item in delta.items() if url not in before] == ["new"] * 14


def test_a_page_that_did_not_change_is_no_change_after_the_verdict(home):
    articles = site(NOTE)
    _run(home, RUNS[0], articles)
    _run(home, RUNS[1], articles)

    assert home.delta(RUNS[1]) == {}


def test_a_note_that_all_pages_get_later_leaves_the_delta_empty(home):
    bare = [row(n, headline("news", n), blocks_of(NOTE, n)[:-1], RUNS[0]) for n in range(20)]
    noted = [row(n, headline("news", n), blocks_of(NOTE, n), RUNS[1]) for n in range(20)]
    _run(home, RUNS[0], bare)
    before = home.rows()
    _run(home, RUNS[1], noted)

    assert home.delta(RUNS[1]) == {}
    assert {url: item.article_body for url, item in home.rows().items()} == {
        url: item.article_body for url, item in before.items()
    }


def test_a_verdict_stays_when_its_pages_are_few_again(home):
    articles = site(NOTE)
    _run(home, RUNS[0], articles)
    news = [row(n, headline("news", n), blocks_of(NOTE, n)[:-1], RUNS[1]) for n in range(20, 80)]
    late = row(90, "月形通了公交车", blocks_of(NOTE, 90), RUNS[1])
    _run(home, RUNS[1], [*news, late])

    assert NOTE["block"] not in home.rows()[late.url].article_body
    assert len(home.delta(RUNS[1])) == 61


def test_a_killed_run_is_judged_before_the_next_one_begins(tmp_path):
    articles = site(NOTE)
    whole, killed = (tmp_path / name for name in ("whole", "killed"))
    for folder in (whole, killed):
        folder.mkdir()
    first, second = Home(whole), Home(killed)
    _run(first, RUNS[0], articles)
    second.begin(RUNS[0])
    for article in articles:
        second.visit(article)
    second.state.end_killed_runs()
    for home in (first, second):
        _run(home, RUNS[1], [])

    assert first.delta(RUNS[0]) == second.delta(RUNS[0])
    assert not any(NOTE["block"] in item.article_body for item in second.rows().values())
    first.state.close()
    second.state.close()


def test_a_state_of_the_version_before_is_brought_to_this_one(home, monkeypatch):
    articles, path = site(NOTE), home.folder / "state.sqlite"
    home.begin(RUNS[0])
    for article in articles[:19]:
        home.visit(article)
    home.end()
    home.state.mark_exported([RUNS[0]])
    home.state.close()
    step = [migration.sql for migration in schema.MIGRATIONS].index(REPEATS_SQL)
    monkeypatch.setattr(database, "MIGRATIONS", schema.MIGRATIONS[: step + 1])
    monkeypatch.setattr(database, "VERSION", step + 1)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE blocks")
        connection.execute("DROP TABLE repeats")
        connection.execute("ALTER TABLE runs DROP COLUMN judged")
        connection.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (str(step),))

    home.state = State.open(path, now=home.clock)
    _run(home, RUNS[1], articles[19:])

    assert len(home.rows()) == 20
    assert not any(NOTE["block"] in item.article_body for item in home.rows().values())


def test_pages_that_are_gone_do_not_count(home):
    articles = site(NOTE | {"pages": 8, "others": 0})
    home.begin(RUNS[0])
    for article in articles:
        home.visit(article)
    for run in (0, 1):
        ticket = home.state.claim(Found(articles[run].url, "article", 10), "")
        for _ in range(3):
            visit = Visit(ticket, "gone", "http_404", status=404, finished_at=home.clock())
            home.state.finish(home.run_id, visit)
            ticket = home.state.claim(Found(articles[run].url, "article", 10), "")
    home.end()

    assert all(NOTE["block"] in item.article_body for item in home.rows().values())
