import gzip

import pytest
from archive_kit import (
    GBK_PAGE,
    NOT_MODIFIED_HEAD,
    START,
    assert_judges_accept,
    exchange,
    original_of,
    varied_body,
    writer,
)

from hongxing_crawler.archive.findings import Kind
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.archive.verify import verify_warc, verify_warcs


@pytest.fixture
def archive(tmp_path):
    """A file with 8 responses, two revisits and a note, and its captures."""
    with writer(tmp_path) as warc:
        first = warc.write_exchange(exchange(), metadata={"via": "http://site.example/"})
        captures = [first] + [
            warc.write_exchange(exchange(url=f"http://site.example/{n}", body=varied_body(n)))
            for n in range(7)
        ]
        captures += [
            warc.write_exchange(exchange(seconds=5), original=original_of(first)),
            warc.write_exchange(
                exchange(head=NOT_MODIFIED_HEAD, body=b"", seconds=6), original=original_of(first)
            ),
            warc.write_metadata("http://site.example/x", {"fetch-error": "dns"}, fetched_at=START),
        ]
    return warc.close()[0], captures


def recompressed(data, captures, index, change):
    capture = captures[index]
    end = capture.offset + capture.length
    record = gzip.decompress(data[capture.offset : end])
    return data[: capture.offset] + gzip.compress(change(record), 6) + data[end:]


DAMAGES = {
    "none": (lambda data, _: data, set()),
    "last record cut in the middle": (
        lambda data, captures: data[: captures[-1].offset + captures[-1].length // 2],
        {Kind.TORN_TAIL},
    ),
    "last 4 bytes missing": (lambda data, _: data[:-4], {Kind.TORN_TAIL}),
    "only 5 bytes of the last member": (
        lambda data, captures: data[: captures[-1].offset + 5],
        {Kind.TORN_TAIL},
    ),
    "torn record, then more appended": (
        lambda data, captures: (
            data[: captures[3].offset + 100] + data[captures[3].offset + captures[3].length :]
        ),
        {Kind.DAMAGED, Kind.RELATION},
    ),
    "one bit flipped": (
        lambda data, captures: (
            data[: captures[3].offset + 300]
            + bytes([data[captures[3].offset + 300] ^ 4])
            + data[captures[3].offset + 301 :]
        ),
        {Kind.DAMAGED, Kind.RELATION},
    ),
    "payload altered, recompressed": (
        lambda data, captures: recompressed(
            data, captures, 3, lambda r: r.replace("红星网".encode(), "红心网".encode(), 1)
        ),
        {Kind.BLOCK_DIGEST, Kind.PAYLOAD_DIGEST},
    ),
    "whole file one gzip member": (
        lambda data, _: gzip.compress(gzip.decompress(data)),
        {Kind.SHARED_MEMBER, Kind.EMPTY},
    ),
    "zero-filled tail": (lambda data, _: data + bytes(4096), {Kind.ZERO_TAIL}),
    "one zero byte behind": (lambda data, _: data + b"\0", {Kind.ZERO_TAIL}),
    "garbage behind": (lambda data, _: data + b"\x01\x02\x03\x04", {Kind.DAMAGED}),
    "empty": (lambda _, __: b"", {Kind.EMPTY}),
    "not a WARC file": (lambda _, __: b"<html>404</html>", {Kind.DAMAGED, Kind.EMPTY}),
    "request of a group missing": (
        lambda data, captures: (
            data[: captures[0].offset + captures[0].length] + data[captures[1].offset :]
        ),
        set(),
    ),
    "response of a group missing": (
        lambda data, captures: (
            data[: captures[2].offset] + data[captures[2].offset + captures[2].length :]
        ),
        {Kind.RELATION},
    ),
    "a record twice": (
        lambda data, captures: (
            data + data[captures[2].offset : captures[2].offset + captures[2].length]
        ),
        {Kind.DOUBLE_ID},
    ),
    "warcinfo missing": (
        lambda data, _: data[data.index(b"\x1f\x8b\x08", 1) :],
        {Kind.NO_WARCINFO, Kind.RELATION},
    ),
    "length too large": (
        lambda data, captures: recompressed(
            data, captures, 3, lambda r: r.replace(b"Content-Length: ", b"Content-Length: 1", 1)
        ),
        {Kind.BAD_LENGTH, Kind.RELATION},
    ),
    "revisit without its date": (
        lambda data, captures: recompressed(
            data, captures, 8, lambda record: record.replace(b"WARC-Refers-To-Date:", b"X-Date:", 1)
        ),
        {Kind.REVISIT_FIELDS},
    ),
    "revisit of another date": (
        lambda data, captures: recompressed(
            data, captures, 8, lambda r: r.replace(b"To-Date: 2026-11", b"To-Date: 2025-11", 1)
        ),
        {Kind.REVISIT_TARGET},
    ),
}  # fmt: skip


@pytest.mark.parametrize("label", DAMAGES)
def test_damage_is_named(archive, label):
    path, captures = archive
    damage, expected = DAMAGES[label]
    path.write_bytes(damage(path.read_bytes(), captures))

    assert {finding.kind for finding in verify_warc(path)} == expected


@pytest.mark.parametrize("start", range(8))
def test_any_flipped_bit_is_found(archive, start):
    path, _ = archive
    data = path.read_bytes()
    # Flags, time and system of a gzip member say nothing about what is in it.
    idle = {record.offset + by for record in read_records(path) for by in range(3, 10)}
    for position in sorted(set(range(start, len(data), 8 * 53)) - idle):
        changed = bytearray(data)
        changed[position] ^= 1 << start
        path.write_bytes(changed)

        assert verify_warc(path) != [], position


def test_a_revisit_of_an_original_in_another_file_needs_that_file(tmp_path):
    with writer(tmp_path / "one") as one:
        first = one.write_exchange(exchange())
    with writer(tmp_path / "two", new_id=iter(f"urn:uuid:{n}" for n in range(9)).__next__) as two:
        two.write_exchange(exchange(seconds=9), original=original_of(first))
    [original], [revisit] = one.close(), two.close()

    assert verify_warc(revisit) == []
    assert verify_warcs([revisit, original]).findings == []
    assert [f.kind for f in verify_warcs([revisit]).findings] == [Kind.REVISIT_TARGET]


def test_an_unfinished_file_is_named(tmp_path):
    warc = writer(tmp_path)
    warc.write_exchange(exchange())
    [path] = tmp_path.iterdir()
    findings = verify_warc(path)
    warc.close()

    assert [finding.kind for finding in findings] == [Kind.UNFINISHED]


def test_without_digests_structure_is_still_checked(archive):
    path, captures = archive
    damage, _ = DAMAGES["payload altered, recompressed"]
    path.write_bytes(damage(path.read_bytes(), captures))

    assert verify_warcs([path], with_digests=False).findings == []
    assert len(verify_warcs([path]).findings) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # warcio's spool
def test_files_of_another_writer_are_read(tmp_path):
    """What warcio writes is good, apart from a missing request relation: none is asked for."""
    from io import BytesIO

    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    path = tmp_path / "warcio.warc.gz"
    with path.open("wb") as stream:
        other = WARCWriter(stream, warc_version="1.1")
        other.write_record(other.create_warcinfo_record(path.name, {"software": "warcio"}))
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        other.write_record(
            other.create_warc_record(
                "http://site.example/", "response", payload=BytesIO(GBK_PAGE), http_headers=head
            )
        )

    assert [f for f in verify_warc(path) if f.kind is not Kind.NO_DIGEST] == []


@pytest.mark.parametrize("label", ["none", "request of a group missing"])
def test_what_verify_accepts_the_judges_accept(archive, label):
    path, captures = archive
    path.write_bytes(DAMAGES[label][0](path.read_bytes(), captures))

    assert_judges_accept(path)
