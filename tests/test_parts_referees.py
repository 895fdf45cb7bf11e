"""pywb replays a part of the archive alone, and an archive from which a page was taken down."""

from urllib.parse import quote

import pytest
from archive_kit import referee_python
from pywb_kit import fetch, replayed
from takedown_kit import OTHER, REASON, SECRET, TEXT, make_home, now, page

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.takedown.plan import Order, take_down
from hongxing_crawler.upkeep.warc_export import Selection, export_warc


def ask(address, exchange):
    moment = exchange.capture.fetched_at.strftime("%Y%m%d%H%M%S")
    target = quote(exchange.capture.url, safe=":/?&=%")
    status, _, body = fetch(f"{address}/{moment}id_/{target}")
    return status, body


@pytest.fixture
def home(tmp_path):
    referee_python()
    return make_home(tmp_path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [((OTHER,), [page(TEXT)] * 2), ((SECRET,), [page(TEXT), page(TEXT * 2), page(TEXT * 2)])],
)
def test_a_part_replays_alone(home, tmp_path, names, expected):
    path = tmp_path / "part.warc.gz"
    export_warc(home, Selection(names), path, now, "")
    exchanges = list(read_exchanges(path))
    with replayed(tmp_path, "all", path) as address:
        found = [ask(address, exchange) for exchange in exchanges]

    assert found == [(200, body) for body in expected]


def test_a_page_that_was_taken_down_is_not_there_and_the_others_are(home, tmp_path):
    before = [e for path in sorted(home.warc.glob("*.gz")) for e in read_exchanges(path)]
    take_down(home, Order((SECRET,), REASON, "x"), now)
    with replayed(tmp_path, "all", *sorted(home.warc.glob("*.gz"))) as address:
        found = {
            (e.capture.url, e.capture.fetched_at): ask(address, e)
            for e in before
            if e.capture.record_type in {"response", "revisit"}
        }
    gone = {url: found[url, at][0] for url, at in found if "content/2020/03/20/%E7" in url}
    kept = [found[url, at] for url, at in found if url == OTHER]

    assert set(gone.values()) == {404}
    assert kept == [(200, page(TEXT))] * 2
    assert all(status == 200 for (url, _), (status, _) in found.items() if url not in gone)
