"""Hosts of injected links that no earlier run has seen."""

from dataclasses import replace

import pytest
from store_kit import ONE, TWO, Archive

from hongxing_crawler.core.edits import Edit, RemovedBlock
from hongxing_crawler.core.row import StepRow
from hongxing_crawler.report.collect import report_run
from hongxing_crawler.running.spam_hosts import count_new_hosts
from hongxing_crawler.store.home import Home

WHEEL = ("http://a.example/1", "http://b.example/", "http://a.example/2")


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE, TWO)
    yield archive
    archive.state.close()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def _visit(archive, url, *links, rule="spam.link_wheel"):
    """Visit a page whose article was injected with these links, and with a text without any."""
    article = archive.article(url, "正文。", archive.capture(url))
    block = RemovedBlock(rule, "div>ul", "湘西|凉山|", links)
    passage = Edit(0, 4, "开户送彩", "", "spam.advertising")
    step = StepRow(step="spam", field="article_body", edits=(passage,), removed_blocks=(block,))
    cleaning = replace(article.cleaning, steps=(step,))
    archive.visit(url, articles=[replace(article, cleaning=cleaning)])


def _count(archive, home):
    return count_new_hosts(home, archive.state, archive.run_id)


def test_hosts_that_no_earlier_run_has_seen_are_new(archive, home):
    _visit(archive, ONE, *WHEEL)
    archive.end()
    archive.begin()
    _visit(archive, TWO, *WHEEL, "http://c.example/", "http://d.example/", "http://c.example/9")

    assert _count(archive, home) == 2


def test_the_same_hosts_on_another_page_are_not_new(archive, home):
    _visit(archive, ONE, *WHEEL)
    archive.end()
    archive.begin()
    _visit(archive, TWO, *WHEEL)

    assert _count(archive, home) == 0


def test_on_the_first_run_nothing_is_new(archive, home):
    _visit(archive, ONE, *WHEEL)

    assert _count(archive, home) == 0


def test_the_sites_own_furniture_advertises_nobody(archive, home):
    archive.end()
    archive.begin()
    _visit(archive, TWO, *WHEEL, rule="footer.owner")

    assert _count(archive, home) == 0


def _prune(path):
    path.unlink()


def _break(path):
    path.write_bytes(b'{"host": 1}\n')


def _keep(path):
    del path


@pytest.mark.parametrize("befall", [_keep, _prune, _break])
def test_as_many_as_the_log_calls_new_whatever_befell_earlier_logs(archive, home, befall):
    _visit(archive, ONE, *WHEEL)
    archive.end()
    report_run(home, archive.state, archive.run_id)
    befall(home.run(archive.run_id) / "spam.jsonl")
    archive.begin()
    _visit(archive, TWO, *WHEEL, "http://c.example/")
    count = _count(archive, home)
    archive.end()
    report_run(home, archive.state, archive.run_id)
    new = (home.run(archive.run_id) / "spam.jsonl").read_bytes().count(b'"is_new":true')

    assert count == new == 1
