"""Outside judges with an environment of their own: cdxj-indexer, wacz, pywb.

``make referees`` builds the environment; HONGXING_REFEREES names its folder.
"""

import gzip
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest
from archive_kit import (
    GBK_PAGE,
    NOT_MODIFIED_HEAD,
    START,
    exchange,
    original_of,
    referee,
    referee_python,
    varied_body,
    writer,
)
from pywb_kit import fetch, replayed

from hongxing_crawler.archive.cdxj import write_index
from hongxing_crawler.archive.wacz import PackageInfo, PackedPage, pack

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
GZIPPED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nETag: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

PAGES = {
    "http://site.example/gbk.html": (None, GBK_PAGE),
    "http://site.example/红星/新闻.html": (PLAIN, varied_body(1)),
    "http://site.example/list?栏目=红&page=2": (PLAIN, varied_body(2)),
    "http://site.example/gzip.html": (GZIPPED, gzip.compress(varied_body(3), mtime=0)),
    "http://site.example/chunked": (GZIPPED + CHUNKED, gzip.compress(varied_body(4), mtime=0)),
    "http://site.example/looks-chunked": (PLAIN + CHUNKED, b"a\r\nten octets\r\nmore\r\n"),
    "http://site.example/picture.jpg": (PLAIN, b"\xff\xd8\xff" + bytes(range(256)) * 40),
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """WARC files, captures, and what each address and time has to replay as."""
    referee_python()
    folder = tmp_path_factory.mktemp("referees")
    expected = []
    with writer(folder / "warc", "site-run_20261123T080000Z", max_bytes=9000) as warc:
        captures = []
        for number, (url, (head, body)) in enumerate(PAGES.items()):
            heads = {"head": head + b"\r\n"} if head else {}
            captures.append(
                warc.write_exchange(exchange(url=url, body=body, seconds=number, **heads))
            )
            expected.append((captures[-1], body))
        for first, body in expected[:4]:
            again = exchange(
                url=first.url, head=NOT_MODIFIED_HEAD, body=b"", seconds=100_000, request=b"GET"
            )
            captures.append(warc.write_exchange(again, original=original_of(first)))
            expected.append((captures[-1], body))
        for number, (first, body) in enumerate(expected[:4]):
            same = exchange(
                url=f"http://other.example/copy/{number}",
                head=(PAGES[list(PAGES)[number]][0] or PLAIN) + b"\r\n",
                body=body,
                seconds=200_000,
            )
            captures.append(warc.write_exchange(same, original=original_of(first)))
            expected.append((captures[-1], body))
        warc.write_metadata("http://site.example/x", {"fetch-error": "dns"}, fetched_at=START)
    return folder, warc.close(), captures, expected


@pytest.fixture(scope="module")
def package(archive):
    folder, warcs, captures, _ = archive
    pages = [PackedPage(capture.url, capture.fetched_at, "标题", "正文") for capture in captures]
    return pack(folder / "x.wacz", warcs, pages, PackageInfo("红星网", START, "hongxing")).path


def without_extras(line):
    head, _, tail = line.partition(', "recordDigest": ')
    return head + "}" if tail else line


def test_cdxj_indexer_makes_the_same_index(archive):
    folder, warcs, captures, _ = archive
    path = folder / "index.cdxj"
    write_index(captures, path)
    done = referee("cdxj_indexer.main", "-s", *warcs)

    assert done.stdout.splitlines() == path.read_text().splitlines()


def test_wacz_validates_the_package(package):
    done = referee("wacz.main", "validate", "-f", package)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", params=["files", "package"])
def replay(request, archive, package, tmp_path_factory):
    """A running pywb with the files added, or with the package imported; its address."""
    home = tmp_path_factory.mktemp("pywb")
    add = ["--unpack-wacz", "all", package] if request.param == "package" else ["all", *archive[1]]
    with replayed(home, *add) as address:
        yield address


def test_every_capture_replays_its_bytes_at_its_date(archive, replay):
    for capture, body in archive[3]:
        moment = capture.fetched_at.strftime("%Y%m%d%H%M%S")
        address = f"{replay}/{moment}id_/{quote(capture.url, safe=':/?&=%')}"
        status, headers, got = fetch(address)
        shown_at = parsedate_to_datetime(headers["Memento-Datetime"])

        assert (status, got) == (200, body), capture
        assert shown_at == capture.fetched_at.replace(microsecond=0), capture


def test_what_was_not_captured_is_not_found(replay):
    assert fetch(f"{replay}/20261123080000id_/http://site.example/x")[0] == 404
