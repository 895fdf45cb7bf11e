import gzip
import os
import tracemalloc

import pytest
from archive_kit import (
    GBK_PAGE,
    NOT_MODIFIED_HEAD,
    OK_HEAD,
    START,
    exchange,
    original_of,
    varied_body,
    writer,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongxing_crawler.archive.captures import capture_of, read_exchanges
from hongxing_crawler.archive.findings import Kind
from hongxing_crawler.archive.reader import read_at, read_records
from hongxing_crawler.exceptions import ArchiveError


def test_read_at_finds_what_the_writer_returned(tmp_path):
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange(), metadata={"via": "http://site.example/"})
        captures = [
            first,
            warc.write_exchange(exchange(url="http://site.example/红", body=b"x", seconds=1)),
            warc.write_exchange(exchange(seconds=2), original=original_of(first)),
            warc.write_exchange(
                exchange(head=NOT_MODIFIED_HEAD, body=b"", seconds=3), original=original_of(first)
            ),
            warc.write_metadata("http://site.example/y", {"fetch-error": "dns"}, fetched_at=START),
        ]
    [path] = warc.close()

    assert [capture_of(read_at(path, capture.offset)) for capture in captures] == captures
    assert [archived.capture for archived in read_exchanges(path)] == captures


def test_exchanges_come_back_with_request_notes_and_head(tmp_path):
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange(), metadata={"via": "http://site.example/红"})
        warc.write_exchange(
            exchange(head=NOT_MODIFIED_HEAD, body=b"", seconds=3),
            original=original_of(first),
            metadata={"hongxing-kind": "article"},
        )
    got, not_modified = read_exchanges(warc.close()[0])

    assert got.metadata == {"via": "http://site.example/红"}
    assert got.request.http_head.startswith(b"GET /a?b=1 HTTP/1.1\r\n")
    assert (got.response_head, got.record.payload()) == (OK_HEAD, GBK_PAGE)
    assert not_modified.response_head == NOT_MODIFIED_HEAD
    assert not_modified.metadata["hongxing-kind"] == "article"
    assert not_modified.original == original_of(first)


HEAD_LINES = [
    b"Content-Type: text/html",
    b"content-type:text/plain; charset=gb2312",
    b"Transfer-Encoding: chunked",
    b"X-Crawler-Seen: 1",
    b"X-A: " + "红".encode("gbk"),
    b"X-A: 1\r\n\t2",
    b"X-Empty:",
    b"no colon at all",
    b"Content-Length: 5",
    b"X-Bytes: \x00\x80\xff",
]
BODY_PIECES = [
    b"",
    b"\r\n\r\n",
    b"\n",
    b"WARC/1.1\r\n",
    b"\x1f\x8b\x08\x00",
    b"5\r\nabcde\r\n",
    b"0",
]


@given(
    lines=st.lists(st.sampled_from(HEAD_LINES), max_size=6),
    pieces=st.lists(st.sampled_from(BODY_PIECES), max_size=6),
    line_end=st.sampled_from([b"\r\n", b"\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_head_and_body_come_back_byte_for_byte(tmp_path_factory, lines, pieces, line_end):
    head = line_end.join([b"HTTP/1.1 200 OK", *lines, b"", b""])
    body = b"".join(pieces)
    with writer(tmp_path_factory.mktemp("warc")) as warc:
        warc.write_exchange(exchange(head=head, body=body))
    [archived] = read_exchanges(warc.close()[0])

    assert (archived.response_head, archived.record.payload()) == (head, body)


def test_a_large_body_is_read_in_bounded_memory(tmp_path):
    spool = tmp_path / "spool"
    with spool.open("wb") as file:
        for _ in range(30):
            file.write(os.urandom(1 << 20))
    with writer(tmp_path) as warc:
        warc.write_exchange(exchange(body=spool))
    [path] = warc.close()
    tracemalloc.start()
    [record] = [record for record in read_records(path) if record.type == "response"]
    with spool.open("rb") as file:
        same = all(piece == file.read(len(piece)) for piece in record.pieces())
        rest = file.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert same
    assert rest == b""
    assert peak < 20 << 20


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 5, 3 << 20, 9_000_001])
def test_a_body_that_inflates_a_thousandfold_is_read_to_its_end_and_no_further(tmp_path, size):
    with writer(tmp_path) as warc:
        warc.write_exchange(exchange(body=bytes(size)))
        warc.write_exchange(exchange(url="http://site.example/next", body=b"next"))
    records = [record for record in read_records(warc.close()[0]) if record.type == "response"]

    assert [record.payload() for record in records] == [bytes(size), b"next"]


@pytest.fixture
def six(tmp_path):
    with writer(tmp_path) as warc:
        captures = [
            warc.write_exchange(exchange(url=f"http://site.example/{n}", body=varied_body(n)))
            for n in range(6)
        ]
    return warc.close()[0], captures


def read_past_damage(path):
    findings = []
    urls = [record.url for record in read_records(path, findings) if record.type == "response"]
    return urls, [finding.kind for finding in findings]


def test_reading_goes_on_behind_a_torn_middle(six):
    path, captures = six
    data = path.read_bytes()
    cut = captures[2].offset + captures[2].length // 2
    path.write_bytes(data[:cut] + data[captures[3].offset :])
    urls, kinds = read_past_damage(path)

    assert urls == [f"http://site.example/{n}" for n in (0, 1, 3, 4, 5)]
    assert kinds == [Kind.DAMAGED]


def test_a_warc_inside_a_torn_warc_is_not_taken_for_part_of_it(tmp_path):
    with writer(tmp_path / "inner") as inner:
        inner.write_exchange(exchange(url="http://other.example/"))
    stored = inner.close()[0].read_bytes()
    ids = iter(f"urn:uuid:outer-{n}" for n in range(99))
    with writer(tmp_path / "outer", new_id=lambda: next(ids), level=0) as outer:
        holder = outer.write_exchange(exchange(url="http://site.example/w", body=stored))
        outer.write_exchange(exchange(url="http://site.example/next"))
    [path] = outer.close()
    data = bytearray(path.read_bytes())
    data[holder.offset + 20] ^= 0xFF
    path.write_bytes(data)
    urls, kinds = read_past_damage(path)

    assert urls == ["http://site.example/next"]
    assert kinds == [Kind.DAMAGED]


def test_without_a_list_for_findings_damage_is_an_error(six):
    path, captures = six
    path.write_bytes(path.read_bytes()[:-3])

    with pytest.raises(ArchiveError, match="torn-tail"):
        list(read_records(path))
    with pytest.raises(ArchiveError, match=r"no record at .*:7:"):
        read_at(path, 7)
    with pytest.raises(ArchiveError, match="cannot read"):
        read_at(path.with_name("missing.warc.gz"), captures[0].offset)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"WARC/0.9\r\n", "begins with"),
        (b"WARC/1.1\r\nWARC-Type: response\r\n", "is missing"),
        (b"WARC/1.1\r\nWARC-Type response\r\n", "not a named field"),
        (b"WARC/1.1\r\nWARC-Type: \xff\r\n", "not UTF-8"),
        (b"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Type: metadata\r\n", "twice"),
    ],
)
def test_a_broken_header_is_named(tmp_path, header, expected):
    path = tmp_path / "x.warc.gz"
    path.write_bytes(gzip.compress(header + b"\r\n\r\n\r\n"))
    findings = []

    assert list(read_records(path, findings)) == []
    assert [finding.kind for finding in findings] == [Kind.BAD_HEADER]
    assert expected in findings[0].message
