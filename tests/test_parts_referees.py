"""pywb replays a part of the archive alone, and an archive from which a page was taken down."""

import socket
import subprocess
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from archive_kit import referee_python
from takedown_kit import OTHER, REASON, SECRET, TEXT, make_home, now, page
from test_archive_referees import fetch, wait_for

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.takedown.plan import Order, take_down
from hongxing_crawler.warc_export import Selection, export_warc


@contextmanager
def replaying(folder, warcs):
    """A running pywb with these files alone; its address."""
    command = [referee_python(), "-c", "from pywb.manager.manager import main; main()"]
    for arguments in (["init", "all"], ["add", "all", *warcs]):
        subprocess.run([*command, *arguments], cwd=folder, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *[referee_python(), "-c", "from pywb.apps.cli import wayback; wayback()"],
            *["-b", "127.0.0.1", "-p", str(port)],
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield wait_for(f"http://127.0.0.1:{port}/all")
    finally:
        server.terminate()
        server.wait(10)


def replayed(address, exchange):
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
    with replaying(tmp_path, [path]) as address:
        found = [replayed(address, exchange) for exchange in exchanges]

    assert found == [(200, body) for body in expected]


def test_a_page_that_was_taken_down_is_not_there_and_the_others_are(home, tmp_path):
    before = [e for path in sorted(home.warc.glob("*.gz")) for e in read_exchanges(path)]
    take_down(home, Order((SECRET,), REASON, "x"), now)
    with replaying(tmp_path, sorted(home.warc.glob("*.gz"))) as address:
        found = {
            (e.capture.url, e.capture.fetched_at): replayed(address, e)
            for e in before
            if e.capture.record_type in {"response", "revisit"}
        }
    gone = {url: found[url, at][0] for url, at in found if "content/2020/03/20/%E7" in url}
    kept = [found[url, at] for url, at in found if url == OTHER]

    assert set(gone.values()) == {404}
    assert kept == [(200, page(TEXT))] * 2
    assert all(status == 200 for (url, _), (status, _) in found.items() if url not in gone)
