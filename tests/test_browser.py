"""Pages that a script fills, in the real browser, against a real server."""

import subprocess
import sys

import pytest
from browser_kit import TEXTS, ScriptSite, needs_browser
from crawl_kit import crawl, parts, reprocess, snapshot

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.archive.reader import read_records

pytestmark = needs_browser


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    home = tmp_path_factory.mktemp("browser") / "home"
    with ScriptSite() as site:
        ended = crawl(site.profile(), home, browser="auto")
    assert ended.code == 0, ended.log
    return site, home, ended


def test_the_articles_of_lists_that_scripts_fill_are_found_with_their_text(crawled):
    _, home, _ = crawled
    found = {path: (row["headline"], row["article_body"]) for path, row in snapshot(home).items()}

    assert {path: (title, body.rpartition("\n\n")[2]) for path, (title, body) in found.items()} == {
        path: (title, text.rpartition("\n\n")[2]) for path, (title, text) in TEXTS.items()
    }
    assert all(TEXTS[path][1] in body for path, (_, body) in found.items())


def test_nothing_is_asked_for_outside_the_scope_and_no_counter(crawled):
    site, _, _ = crawled

    assert site.asked_inside == []
    assert [path for path in site.asked if "visit" in path or "click" in path] == []
    assert [path for path in site.asked if path.startswith("/admin/")] == []


def test_a_page_is_asked_for_once_although_it_is_seen_twice(crawled):
    site, _, _ = crawled

    assert sorted(set(site.asked)) == sorted(site.asked)


def test_a_row_names_the_record_that_its_text_comes_from(crawled):
    _, home, _ = crawled
    records = records_of(home)
    rows = snapshot(home)
    rendered = {
        path: row["provenance"]["rendered_record_id"]
        for path, row in rows.items()
        if row["provenance"]["rendered_record_id"]
    }

    assert sorted(path[-7:] for path in rendered) == ["/3.html", "/9.html"]
    for path, record_id in rendered.items():
        cited = rows[path]["provenance"]["warc_record_id"]
        assert records[record_id].fields["warc-refers-to"] == f"<{cited}>"
        assert TEXTS[path][0].encode() in records[record_id].payload()


def test_what_the_browser_received_is_in_the_archive_with_a_picture(crawled):
    _, home, _ = crawled
    files = sorted(home.glob("warc/*.warc.gz"))
    asked = {e.capture.url.rpartition("/")[2] for path in files for e in read_exchanges(path)}
    kinds = [record.type for record in records_of(home).values()]
    pictures = [r for r in records_of(home).values() if r.type == "resource"]

    assert {"list?page=1", "list?page=2", "list?page=3"} <= asked
    assert kinds.count("conversion") == 4  # two lists, two articles
    assert len(pictures) == 4
    assert all(picture.payload().startswith(b"\x89PNG") for picture in pictures)


def test_an_operator_learns_what_to_put_into_the_profile(crawled):
    _, _, ended = crawled

    assert any("[[browser]]" in line and "list/script" in line for line in ended.result["warnings"])


def test_reprocessing_gives_the_same_bytes(crawled, tmp_path):
    _, home, _ = crawled
    done = reprocess(home, tmp_path)

    assert done.returncode == 0, done.stderr
    assert parts(tmp_path) == parts(home)


def test_a_crawl_without_such_pages_imports_no_browser(tmp_path):
    code = (
        "import sys, runpy; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally: assert not [m for m in sys.modules if 'playwright' in m], 'imported'"
    )
    with ScriptSite() as site:
        profile = site.profile(seeds=(f"http://{site.host}/content/2024/01/02/2.html",))
        crawl(profile, tmp_path / "prepared", browser="auto")  # writes the profile's file
        command = [sys.executable, "-c", code, "tests/crawl_child.py"]
        place = [tmp_path / "prepared.profile", tmp_path / "home", 'browser="auto"']
        done = subprocess.run([*command, *place], capture_output=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr[-2000:]


def records_of(home):
    files = sorted(home.glob("warc/*.warc.gz"))
    return {record.record_id: record for path in files for record in read_records(path, [])}
