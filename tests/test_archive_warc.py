import errno
import fcntl
import gzip
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from archive_kit import (
    GBK_PAGE,
    NOT_MODIFIED_HEAD,
    OK_HEAD,
    START,
    assert_judges_accept,
    exchange,
    original_of,
    varied_body,
    writer,
)
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.captures import capture_of, read_exchanges
from hongxing_crawler.archive.fields import fields_body, read_fields
from hongxing_crawler.archive.groups import GroupBuilder
from hongxing_crawler.archive.heads import redact
from hongxing_crawler.archive.reader import read_at
from hongxing_crawler.archive.verify import verify_warc, verify_warcs
from hongxing_crawler.exceptions import ArchiveError
from hongxing_crawler.store.captures import is_full


def members(path):
    """The records of a file as (offset, header lines, block), by gzip and text search alone."""
    data = path.read_bytes()
    starts = [
        i for i in range(len(data)) if data.startswith(b"\x1f\x8b\x08\x00\x00\x00\x00\x00", i)
    ]
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        header, _, rest = gzip.decompress(data[start:end]).partition(b"\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in header.decode().split("\r\n")[1:])
        assert rest.endswith(b"\r\n\r\n")
        yield start, lines, rest[:-4]


def blocks(path, kind):
    return [block for _, lines, block in members(path) if lines["WARC-Type"] == kind]


def headers(path, kind):
    return [lines for _, lines, _ in members(path) if lines["WARC-Type"] == kind]


def test_a_response_keeps_every_byte_of_head_and_body(tmp_path):
    with writer(tmp_path) as warc:
        warc.write_exchange(exchange())
    [path] = warc.close()

    assert blocks(path, "response") == [OK_HEAD + GBK_PAGE]


def test_a_request_keeps_its_query_string_host_and_version(tmp_path):
    with writer(tmp_path) as warc:
        warc.write_exchange(exchange(url="http://site.example/a?b=1&c=%E7%BA%A2"))
    [path] = warc.close()

    assert blocks(path, "request") == [
        b"GET /a?b=1&c=%E7%BA%A2 HTTP/1.1\r\nHost: site.example\r\n\r\n"
    ]


def test_a_group_names_its_relations_address_and_protocol(tmp_path):
    with writer(tmp_path) as warc:
        capture = warc.write_exchange(
            exchange(protocols=("http/1.1", "tls/1.3")), metadata={"via": "http://site.example/"}
        )
    [path] = warc.close()
    kinds = [lines["WARC-Type"] for _, lines, _ in members(path)]

    assert kinds == ["warcinfo", "metadata", "request", "response"]
    assert headers(path, "request")[0]["WARC-Concurrent-To"] == f"<{capture.record_id}>"
    assert headers(path, "metadata")[0]["WARC-Concurrent-To"] == f"<{capture.record_id}>"
    assert headers(path, "response")[0]["WARC-IP-Address"] == "127.0.0.1"
    assert b"via: http://site.example/\r\n" in blocks(path, "metadata")[0]


def test_a_capture_says_where_its_record_lies(tmp_path):
    with writer(tmp_path) as warc:
        warc.write_exchange(exchange())
        capture = warc.write_exchange(exchange(url="http://site.example/b", seconds=1))
    [path] = warc.close()
    data = path.read_bytes()[capture.offset : capture.offset + capture.length]

    assert gzip.decompress(data).endswith(GBK_PAGE + b"\r\n\r\n")
    assert capture.warc_filename == path.name
    assert (capture.status, capture.mime, capture.record_type) == (200, "text/html", "response")


def test_an_unfinished_file_keeps_its_open_suffix(tmp_path):
    warc = writer(tmp_path)
    warc.write_exchange(exchange())

    assert [path.name for path in tmp_path.iterdir()] == ["demo-run-00000.warc.gz.open"]

    warc.close()

    assert [path.name for path in tmp_path.iterdir()] == ["demo-run-00000.warc.gz"]


def test_files_roll_over_by_size_and_each_begins_with_warcinfo(tmp_path):
    with writer(tmp_path, max_bytes=3000) as warc:
        for number in range(6):
            warc.write_exchange(
                exchange(url=f"http://site.example/{number}", body=varied_body(number))
            )
    paths = warc.close()

    assert len(paths) > 1
    for number, path in enumerate(paths):
        first = next(members(path))[1]
        assert path.name == f"demo-run-{number:05}.warc.gz"
        assert (first["WARC-Type"], first["WARC-Filename"]) == ("warcinfo", path.name)


def test_serial_numbers_go_on_after_files_of_an_earlier_process(tmp_path):
    (tmp_path / "demo-run-00007.warc.gz.open").write_bytes(b"")
    (tmp_path / "demo-run-00003.warc.gz").write_bytes(b"")
    with writer(tmp_path) as warc:
        capture = warc.write_exchange(exchange())

    assert capture.warc_filename == "demo-run-00008.warc.gz"


def test_a_body_in_a_file_gives_the_record_of_the_same_body_in_memory(tmp_path):
    body = os.urandom(3_000_000)
    spool = tmp_path / "spool"
    spool.write_bytes(body)
    with writer(tmp_path / "file") as from_file, writer(tmp_path / "memory") as from_memory:
        from_file.write_exchange(exchange(body=spool))
        from_memory.write_exchange(exchange(body=body))
    [one], [other] = from_file.close(), from_memory.close()

    assert blocks(one, "response") == [OK_HEAD + body]
    assert headers(one, "response") == headers(other, "response")


def test_the_same_payload_becomes_a_revisit_with_all_its_references(tmp_path):
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange())
        again = warc.write_exchange(
            exchange(url="http://site.example/copy", seconds=5), original=original_of(first)
        )
    [path] = warc.close()
    [lines] = headers(path, "revisit")

    assert again.record_type == "revisit"
    assert lines["WARC-Profile"].endswith("/identical-payload-digest")
    assert lines["WARC-Refers-To"] == f"<{first.record_id}>"
    assert lines["WARC-Refers-To-Target-URI"] == first.url
    assert lines["WARC-Refers-To-Date"] == "2026-11-23T08:00:00.123456Z"
    assert lines["WARC-Payload-Digest"] == first.payload_digest
    assert blocks(path, "revisit") == [OK_HEAD]


def test_a_304_becomes_a_revisit_without_block_and_its_head_stays_beside_it(tmp_path):
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange())
        again = warc.write_exchange(
            exchange(head=NOT_MODIFIED_HEAD, body=b"", seconds=5), original=original_of(first)
        )
    [path] = warc.close()
    [lines] = headers(path, "revisit")

    assert (again.status, again.payload_digest) == (304, first.payload_digest)
    assert lines["WARC-Profile"].endswith("/server-not-modified")
    assert blocks(path, "revisit") == [b""]
    assert blocks(path, "metadata") == []
    assert lines["Hongxing-Note-http-response-head"] == (
        'HTTP/1.1 304 Not Modified%0D%0AETag: "x"%0D%0A%0D%0A'
    )
    assert list(read_exchanges(path))[1].response_head == NOT_MODIFIED_HEAD


def test_what_is_noted_of_a_revisit_stands_in_its_header_unless_it_is_long(tmp_path):
    notes = [{"via": "http://site.example/列表", "hongxing-kind": "list"}, {"via": "x" * 5_000}]
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange())
        for seconds, note in enumerate(notes, 1):
            warc.write_exchange(
                exchange(seconds=seconds), original=original_of(first), metadata=note
            )
    [path] = warc.close()

    assert [item.metadata for item in read_exchanges(path)][1:] == notes
    assert len(blocks(path, "metadata")) == 1
    assert_judges_accept(path)


@pytest.mark.parametrize(
    "fresh",
    [
        exchange(body=GBK_PAGE + b"!"),
        exchange(truncated="length"),
        exchange(head=NOT_MODIFIED_HEAD + b"", body=b"", truncated="disconnect"),
    ],
    ids=["another payload", "truncated", "truncated 304"],
)
def test_what_is_not_proved_equal_is_written_in_full(tmp_path, fresh):
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange())
        again = warc.write_exchange(fresh, original=original_of(first))

    assert again.record_type == "response"


def test_an_empty_payload_is_never_a_revisit(tmp_path):
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange(body=b""))
        again = warc.write_exchange(exchange(body=b"", seconds=1), original=original_of(first))

    assert again.record_type == "response"


def test_a_failed_fetch_leaves_a_metadata_record(tmp_path):
    with writer(tmp_path) as warc:
        capture = warc.write_metadata(
            "http://site.example/红", {"fetch-error": "timeout\r\nfake: field"}, fetched_at=START
        )
    [path] = warc.close()

    assert capture.record_type == "metadata"
    assert headers(path, "metadata")[0]["WARC-Target-URI"] == "http://site.example/%E7%BA%A2"
    assert blocks(path, "metadata") == [b"fetch-error: timeout fake: field\r\n"]


def test_every_group_is_synced_once_under_the_record_policy(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(disk, "sync_data", synced.append)
    warc = writer(tmp_path)
    for number in range(3):
        warc.write_exchange(exchange(url=f"http://site.example/{number}"), metadata={"via": "x"})

    assert len(synced) == 3
    warc.close()


@pytest.mark.parametrize("policy", ["interval", "close"])
def test_looser_policies_sync_later(tmp_path, monkeypatch, policy):
    synced = []
    monkeypatch.setattr(disk, "sync_data", synced.append)
    warc = writer(tmp_path, sync=policy)
    warc.write_exchange(exchange())

    assert synced == []

    warc.close()

    assert len(synced) == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_failed_write_is_rolled_back_and_named(tmp_path, monkeypatch, code):
    warc = writer(tmp_path)
    warc.write_exchange(exchange())
    path = tmp_path / "demo-run-00000.warc.gz.open"
    before = path.read_bytes()
    real_write = disk.write_all

    def half(handle, data):
        real_write(handle, data[: len(data) // 2])
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(disk, "write_all", half)
    with pytest.raises(
        ArchiveError, match=r"cannot append http://site.example/b to demo-run-00000"
    ):
        warc.write_exchange(exchange(url="http://site.example/b"))

    assert path.read_bytes() == before

    monkeypatch.setattr(disk, "write_all", real_write)
    warc.write_exchange(exchange(url="http://site.example/c"))
    [final] = warc.close()

    assert [line["WARC-Target-URI"][-1] for line in headers(final, "response")] == ["1", "c"]


def test_after_a_failed_sync_nothing_more_is_written(tmp_path, monkeypatch):
    warc = writer(tmp_path)
    warc.write_exchange(exchange())
    path = tmp_path / "demo-run-00000.warc.gz.open"
    before = path.read_bytes()

    def fail(_handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(disk, "sync_data", fail)
    for _ in range(2):
        with pytest.raises(ArchiveError):
            warc.write_exchange(exchange(url="http://site.example/b"))
    with pytest.raises(ArchiveError, match="repair"):
        warc.close()

    assert path.read_bytes() == before


def test_a_file_in_use_is_locked(tmp_path):
    warc = writer(tmp_path)
    warc.write_exchange(exchange())
    path = tmp_path / "demo-run-00000.warc.gz.open"
    with path.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    warc.close()


def test_nothing_written_leaves_no_file(tmp_path):
    with writer(tmp_path / "warc") as warc:
        pass

    assert warc.close() == []


@pytest.fixture
def full_archive(tmp_path):
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange(), metadata={"via": "http://site.example/"})
        for number in range(4):
            warc.write_exchange(
                exchange(url=f"http://site.example/{number}", body=varied_body(number)),
            )
        warc.write_exchange(exchange(seconds=5), original=original_of(first))
        warc.write_exchange(
            exchange(head=NOT_MODIFIED_HEAD, body=b"", seconds=6), original=original_of(first)
        )
        warc.write_metadata("http://site.example/x", {"fetch-error": "dns"}, fetched_at=START)
    return warc.close()[0]


def test_judges_accept_what_is_written(full_archive):
    assert_judges_accept(full_archive)


def test_warcio_reads_the_same_bodies(full_archive):
    with full_archive.open("rb") as stream:
        bodies = [
            record.content_stream().read()
            for record in ArchiveIterator(stream, check_digests="raise")
            if record.rec_type == "response"
        ]

    assert bodies == [GBK_PAGE, *map(varied_body, range(4))]


def test_a_body_that_looks_chunked_is_read_as_it_is(tmp_path):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"a\r\nten octets\r\n"
    with writer(tmp_path) as warc:
        warc.write_exchange(exchange(head=head, body=body))
    with Path(warc.close()[0]).open("rb") as stream:
        bodies = [
            r.content_stream().read() for r in ArchiveIterator(stream) if r.rec_type == "response"
        ]

    assert bodies == [body]


@pytest.mark.parametrize("in_file", [False, True])
def test_what_we_made_ourselves_is_kept_with_its_source(tmp_path, in_file):
    picture = b"\x89PNG\r\n\x1a\n picture"
    spool = tmp_path / "spool"
    spool.write_bytes(picture)
    with writer(tmp_path / "warc") as warc:
        page = warc.write_exchange(exchange())
        shot = warc.write_made(
            f"urn:screenshot:{page.url}",
            "image/png",
            spool if in_file else picture,
            made_at=START,
        )
        text = warc.write_made(
            page.url, "text/plain", b"text", made_at=START, converted_from=page.record_id
        )
    [path] = warc.close()

    assert (shot.record_type, shot.mime, text.record_type) == (
        "resource",
        "image/png",
        "conversion",
    )
    assert blocks(path, "resource") == [picture]
    assert headers(path, "conversion")[0]["WARC-Refers-To"] == f"<{page.record_id}>"
    assert [capture_of(read_at(path, made.offset)) for made in (shot, text)] == [shot, text]
    assert verify_warc(path) == []
    assert_judges_accept(path)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b"Set-Cookie: id=7; path=/", b"Set-Cookie: [redacted by hongxing-crawler]"),
        (b"set-cookie:id=7", b"set-cookie: [redacted by hongxing-crawler]"),
        (b"COOKIE : a=b", b"COOKIE : [redacted by hongxing-crawler]"),
        (b"Authorization: Basic eDp5", b"Authorization: [redacted by hongxing-crawler]"),
        (b"Proxy-Authorization: x", b"Proxy-Authorization: [redacted by hongxing-crawler]"),
        (b"Cookie: a\r\n b\r\n\tc", b"Cookie: [redacted by hongxing-crawler]"),
        (b"Cookie:\r\n a", b"Cookie: [redacted by hongxing-crawler]"),
        (b"Cookie: a\rb", b"Cookie: [redacted by hongxing-crawler]"),
        (b"Cookie: \xba\xec=1", b"Cookie: [redacted by hongxing-crawler]"),
        (b"X-Cookie: kept", b"X-Cookie: kept"),
        (b"WWW-Authenticate: Basic", b"WWW-Authenticate: Basic"),
        (b"X-Folded: a\r\n Cookie: kept", b"X-Folded: a\r\n Cookie: kept"),
        (b"Vary: Cookie", b"Vary: Cookie"),
    ],
)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_secrets_go_and_every_other_byte_stays(line, kept, line_end):
    start = b"HTTP/1.1 200 OK\r\nX-A: \xba\xec" + line_end
    end = line_end + b"X-B: 1" + line_end + line_end

    assert redact(start + line + end) == start + kept + end


def test_a_truncated_response_says_so(tmp_path):
    with writer(tmp_path) as warc:
        capture = warc.write_exchange(exchange(body=GBK_PAGE[:100], truncated="disconnect"))
    [path] = warc.close()
    [read] = read_exchanges(path)

    assert capture.extra == {"truncated": "disconnect"}
    assert read.capture == capture
    assert not is_full(capture)
    assert headers(path, "response")[0]["WARC-Truncated"] == "disconnect"
    assert blocks(path, "response") == [OK_HEAD + GBK_PAGE[:100]]


def test_threads_do_not_mix_their_groups(tmp_path):
    numbers = range(40)
    with writer(tmp_path, max_bytes=20_000) as warc, ThreadPoolExecutor(8) as pool:
        captures = list(
            pool.map(
                lambda n: warc.write_exchange(
                    exchange(url=f"http://site.example/{n}", body=varied_body(n)),
                    metadata={"n": str(n)},
                ),
                numbers,
            )
        )
    paths = warc.close()
    found = {
        archived.capture.url: (archived.metadata["n"], archived.record.payload())
        for path in paths
        for archived in read_exchanges(path)
    }

    assert verify_warcs(paths).findings == []
    assert found == {f"http://site.example/{n}": (str(n), varied_body(n)) for n in numbers}
    assert len({(c.warc_filename, c.offset) for c in captures}) == len(numbers)


def test_a_spool_that_changes_meanwhile_is_refused(tmp_path, monkeypatch):
    spool = tmp_path / "spool"
    spool.write_bytes(b"a" * 5000)
    warc = writer(tmp_path / "warc")
    warc.write_exchange(exchange())
    path = tmp_path / "warc" / "demo-run-00000.warc.gz.open"
    before = path.read_bytes()
    build = GroupBuilder.exchange

    def build_then_shrink(*values):
        group = build(*values)
        spool.write_bytes(b"a" * 4000)
        return group

    monkeypatch.setattr(GroupBuilder, "exchange", build_then_shrink)
    with pytest.raises(ArchiveError, match="changed while it was archived"):
        warc.write_exchange(exchange(url="http://site.example/b", body=spool))

    assert path.read_bytes() == before
    warc.close()


def test_a_spool_that_is_gone_is_refused(tmp_path):
    warc = writer(tmp_path / "warc")
    with pytest.raises(ArchiveError, match="No such file"):
        warc.write_exchange(exchange(body=tmp_path / "missing"))
    warc.close()


@given(
    st.dictionaries(
        st.sampled_from(["via", "hongxing-kind", "X-1"]),
        st.lists(
            st.sampled_from(["红星", "a: b", " ", "\u3000", "\u2028", "\x85", "%0A", "\\", "é"])
        ).map("".join),
    )
)
def test_noted_values_come_back_but_for_blanks_around_them(values):
    body = fields_body(values.items())

    assert read_fields(body) == {name: value.strip(" ") for name, value in values.items()}
