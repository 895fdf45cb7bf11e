"""The demo site in the real browser: what only scripts lead to is found, as its gold says."""

import json
import shutil
from pathlib import Path

import pytest
from browser_kit import needs_browser
from crawl_kit import crawl, parts, reprocess, snapshot

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.demo.content import load_site
from hongxing_crawler.demo.gold import load_gold
from hongxing_crawler.demo.site import DemoSite

GOLD = load_gold(1)
SCRIPTED = {
    article.path: article
    for article in load_site(1).articles
    if load_site(1).find_channel(article.channel).is_hidden
}
FIELDS = ("headline", "date_published", "source_name", "article_body")


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """One crawl with a browser, and what the server was asked for."""
    home = tmp_path_factory.mktemp("demo") / "home"
    with DemoSite() as site:
        ended = crawl(site.profile, home, browser="auto")
    assert ended.code == 0, ended.log
    return site, home, ended


@needs_browser
def test_all_articles_are_found_and_those_behind_scripts_are_as_their_gold(crawled):
    found = snapshot(crawled[1])

    assert sorted(GOLD.keys() - found.keys()) == []
    for path in SCRIPTED:
        assert {name: found[path][name] for name in FIELDS} == {
            name: GOLD[path][name] for name in FIELDS
        }


@needs_browser
def test_whole_bodies_are_as_gold_on_every_page(crawled):
    found = snapshot(crawled[1])
    exact = [path for path, record in GOLD.items() if record["exact"]]

    assert [p for p in exact if found[p]["article_body"] != GOLD[p]["article_body"]] == []


@needs_browser
def test_a_film_that_a_script_puts_in_stands_in_the_row(crawled):
    found = snapshot(crawled[1])
    films = {path: a.video for path, a in SCRIPTED.items() if a.video}

    assert films
    for path, address in films.items():
        assert found[path]["videos"] == [address.replace("img:", crawled[0].img)]


@needs_browser
def test_nothing_outside_the_scope_is_asked_for_and_no_counter(crawled):
    site, _, _ = crawled
    hosts = {site.www.removeprefix("http://"), site.img.removeprefix("http://")}

    assert site.counter_calls == []
    assert {request.get_header("Host") for request in site.log} <= hosts
    assert [r.target for r in site.log if r.path.startswith(("/inside/", "/admin/"))] == []
    assert {r.method for r in site.log} == {"GET"}


@needs_browser
def test_what_scripts_asked_for_is_archived(crawled):
    site, home, _ = crawled
    asked = {f"{site.www}{r.target}" for r in site.log if r.path.startswith("/data/")}
    files = sorted(home.glob("warc/*.warc.gz"))
    archived = {e.capture.url for path in files for e in read_exchanges(path)}

    assert len(asked) >= 8
    assert asked <= archived


@needs_browser
def test_an_operator_learns_which_pages_needed_a_browser(crawled):
    warnings = crawled[2].result["warnings"]

    (lists,) = (line for line in warnings if "no_items" in line)
    (articles,) = (line for line in warnings if "no_body" in line)
    assert "2 of 7 pages" in lists
    assert r"/channel/1006\.html|" in lists
    assert r"/channel/1007\.html)$'" in lists
    assert "2 of " in articles
    assert "pattern =" not in articles, "it would send every article through the browser"


@needs_browser
def test_reprocessing_gives_the_same_bytes(crawled, tmp_path):
    done = reprocess(crawled[1], tmp_path)

    assert done.returncode == 0, done.stderr
    assert parts(tmp_path) == parts(crawled[1])


def test_without_a_browser_the_demo_says_so_in_a_line_and_ends_as_well(hongxing, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "env").symlink_to(Path(shutil.which("env")))
    alone = {"PATH": str(tools), "HONGXING_BROWSER": "auto"}
    done = hongxing("demo", "--home", "home", "--json", environment=alone)
    result = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, b"")
    (line,) = result["warnings"]
    assert line.startswith("pages need a browser, and no browser is installed")
    assert set(GOLD) - set(snapshot(tmp_path / "home")) == set(SCRIPTED)
