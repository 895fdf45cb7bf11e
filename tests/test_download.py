"""What goes over the wire and what of it is archived: one crawl of a server that sends bytes."""

from __future__ import annotations

import gzip

import pytest
from crawl_kit import crawl, parts, rejects, reprocess, snapshot
from wire_kit import Sent, WireSite, archived, article, left_over, ok

PAGE = article()
GZIPPED = gzip.compress(PAGE, mtime=0)
BIG = article("一份很长的报告", "".join(f"<p>第{n}号文件已经下发。</p>" for n in range(9_000)))
CHUNKED = b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(PAGE), PAGE)


def wire(head: bytes, body: bytes = PAGE, **options) -> Sent:
    lines = head.replace(b"@LEN", b"%d" % len(body)).strip().split(b"\n")
    return Sent(b"\r\n".join(lines) + b"\r\n\r\n" + body, **options)


# What the server sends; the head that must be in the archive is the last head of it.
WELL = {
    "/a/gbk-header.html": wire(
        b"HTTP/1.1 200 \xb3\xc9\xb9\xa6\nContent-Type: text/html\nContent-Length: @LEN\n"
        b'Content-Disposition: inline; filename="\xd6\xd0\xb9\xfa.html"'
    ),
    "/a/repeated-odd-case.html": wire(
        b"HTTP/1.1 200 OK\nx-repeated: a=1\nX-REPEATED: b=2\ncOnTeNt-TyPe:text/html\n"
        b"X-Empty:\nX-Blanks:  \t two  \t\ncontent-LENGTH: @LEN",
        keep=True,
    ),
    "/a/no-phrase.html": wire(b"HTTP/1.1 200\nContent-Type: text/html\nContent-Length: @LEN"),
    "/a/http-1.0.html": wire(b"HTTP/1.0 200 OK\nContent-Type: text/html"),
    "/a/chunked.html": wire(
        b"HTTP/1.1 200 OK\nContent-Type: text/html\nTransfer-Encoding: chunked", CHUNKED, keep=True
    ),
    "/a/gzip.html": wire(
        b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Encoding: gzip\nContent-Length: @LEN",
        GZIPPED,
        keep=True,
    ),
    "/a/long-header.html": wire(
        b"HTTP/1.1 200 OK\nContent-Type: text/html\nX-Long: " + b"x" * 20_000 + b"\n"
        b"Content-Length: @LEN"
    ),
    "/a/folded.html": wire(
        b"HTTP/1.1 200 OK\nContent-Type: text/html;\n charset=utf-8\nX-A: 1\n\t2\n"
        b"Content-Length: @LEN"
    ),
    "/a/head-in-pieces.html": Sent(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r",
        0.05,
        b"\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE,
        keep=True,
    ),
    "/a/early-hints.html": wire(
        b"HTTP/1.1 103 Early Hints\nLink: </style.css>; rel=preload\n\n"
        b"HTTP/1.1 100 Continue\n\n"
        b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: @LEN",
        keep=True,
    ),
    "/a/bare-line-feeds.html": Sent(
        b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: %d\n\n" % len(PAGE) + PAGE
    ),
    "/a/over-the-spool-limit.html": ok(BIG),
    "/a/%D6%D0%B9%FA.html?q=%7e&k=a+b;c=d": ok(PAGE),
    "/a/visit-after-all.html": ok(PAGE),
}
CUT_OFF = b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 9999999"
BROKEN = {
    "/a/too-large.html": ("length", "too_large", ok(PAGE * 400)),
    "/a/too-large-by-its-own-word.html": ("length", "too_large", wire(CUT_OFF, PAGE * 400)),
    "/a/cut-off.html": ("disconnect", "broken_off", wire(CUT_OFF)),
    "/a/cut-off-large.html": ("disconnect", "broken_off", wire(CUT_OFF, BIG)),
    "/a/cut-off-chunked.html": (
        "disconnect",
        "broken_off",
        wire(b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked", CHUNKED[:-60]),
    ),
    "/a/reset.html": ("disconnect", "broken_off", wire(CUT_OFF, reset=True, pause_s=0.05)),
    "/a/reset-without-length.html": (
        "disconnect",
        "broken_off",
        wire(b"HTTP/1.0 200 OK\nContent-Type: text/html", reset=True, pause_s=0.05),
    ),
    "/a/slow.html": ("time", "timeout", wire(CUT_OFF, pause_s=3.0)),
    "/a/slow-large.html": ("time", "timeout", wire(CUT_OFF, BIG, pause_s=3.0)),
}
UNREADABLE = {
    "/a/no-http.html": Sent(b"220 smtp.a.cn ready\r\n"),
    "/a/nothing.html": Sent(b""),
    "/a/bad-length.html": wire(b"HTTP/1.1 200 OK\nContent-Length: -5"),
}
SETTINGS = {
    "HONGXING_ARCHIVE_SYNC": "close",
    "HONGXING_DOWNLOAD_SPOOL_BYTES": 100_000,
    "HONGXING_BACKOFF_TIMES": 0,
    "HONGXING_BACKOFF_DOWN_COUNT": 99,
    "DOWNLOAD_MAXSIZE": 400_000,
    "DOWNLOAD_TIMEOUT": 0.5,
    "CONCURRENT_REQUESTS": 4,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """One crawl of every case; four at a time, so that connections are shared and reused."""
    home = tmp_path_factory.mktemp("wire") / "home"
    answers = WELL | {path: sent for path, (_, _, sent) in BROKEN.items()} | UNREADABLE
    with WireSite(answers) as site:
        ended = crawl(site.profile(), home, settings=SETTINGS)
    return site, home, ended


@pytest.fixture(scope="module")
def records(crawled):
    return archived(crawled[1])


def final_head(raw: bytes) -> bytes:
    """Return the last head of what a server sent."""
    start = raw.rfind(b"HTTP/1.")
    ends = [raw.find(end, start) + len(end) for end in (b"\r\n\r\n", b"\n\n") if end in raw[start:]]
    return raw[start : min(ends)]


@pytest.mark.parametrize("path", WELL)
def test_the_response_head_is_archived_byte_for_byte(records, path):
    sent = WELL[path]

    assert records[path].response_head == final_head(sent.raw + sent.rest)


@pytest.mark.parametrize("path", WELL)
def test_a_page_that_came_well_is_a_row(crawled, path):
    assert path in snapshot(crawled[1]), crawled[2].log


def test_the_body_is_archived_as_its_coding_had_it(records):
    others = {"/a/gzip.html": GZIPPED, "/a/over-the-spool-limit.html": BIG}
    for path in WELL:
        assert records[path].record.payload() == others.get(path, PAGE), path


def test_the_request_head_is_archived_as_it_was_sent(crawled, records):
    site, _, _ = crawled
    for path in [*WELL, "/", "/robots.txt"]:
        heads = [head for target, head, _ in site.received if target == path]
        request = records[path].request

        assert request is not None
        assert [request.http_head] == heads


def test_a_request_looks_like_a_guest_who_says_who_he_is(crawled):
    site, _, _ = crawled
    (head,) = [head for target, head, _ in site.received if target == "/"]

    assert b"hongxing_crawler" in head
    assert b"Content-Length" not in head
    assert b"Cookie" not in head
    assert b"Referer" not in head


def test_an_address_is_asked_for_letter_by_letter(crawled):
    assert "/a/%D6%D0%B9%FA.html?q=%7e&k=a+b;c=d" in crawled[0].asked()


def test_the_peer_is_named(records):
    assert records["/a/gzip.html"].record.fields["warc-ip-address"] == "127.0.0.1"


@pytest.mark.parametrize("path", BROKEN)
def test_what_came_of_a_broken_body_is_archived_and_marked(crawled, records, path):
    truncated, reason, sent = BROKEN[path]
    record = records[path].record

    assert record.type == "response"
    assert record.fields.get("warc-truncated") == truncated
    assert records[path].response_head == final_head(sent.raw)
    assert record.payload()
    assert record.payload() in sent.raw
    assert rejects(crawled[1])[path]["reason"] == reason


@pytest.mark.parametrize("path", UNREADABLE)
def test_what_is_no_answer_is_noted_with_its_error(crawled, records, path):
    assert records[path].record.type == "metadata"
    assert records[path].metadata["fetch-error"]
    assert rejects(crawled[1])[path]["outcome"] == "failed"


def test_no_temporary_file_is_left(crawled):
    assert left_over(crawled[1]) == []


def test_broken_pages_make_the_run_partial(crawled):
    assert crawled[2].code == 3, crawled[2].log


def test_the_archive_gives_the_same_rows_again(crawled, tmp_path):
    _, home, _ = crawled
    done = reprocess(home, tmp_path / "again")

    assert done.returncode in {0, 3}, done.stderr
    assert parts(tmp_path / "again") == parts(home), done.stderr
