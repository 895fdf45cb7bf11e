"""Members of an exact length: what stands in the place of removed records."""

import gzip
import zlib

import pytest
from archive_kit import assert_judges_accept, exchange, writer
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.archive.exact_member import TooSmallError, fit_record
from hongxing_crawler.archive.excise import Cut, copy_with_cuts, prove
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.exceptions import ArchiveError

FIELDS = (
    ("WARC-Type", "metadata"),
    ("WARC-Record-ID", "<urn:uuid:00000000-0000-4000-8000-000000000001>"),
    ("WARC-Date", "2026-11-23T08:00:00Z"),
    ("Content-Type", "application/warc-fields"),
)
BODY = "takedown-reason: 第三方权利要求\r\n".encode()
EDGES = [400, 32_000, 33_000, 33_100, 65_535, 98_302, 98_303, 98_304, 131_071, 1 << 20, 3 << 20]


def member(length):
    return b"".join(fit_record(FIELDS, BODY, length))


@pytest.mark.parametrize("length", EDGES)
def test_a_member_has_the_length_that_is_asked_for(length):
    data = member(length)

    assert len(data) == length
    assert BODY in gzip.decompress(data)


@given(st.integers(300, 200_000))
def test_any_length_will_do(length):
    data = member(length)
    engine = zlib.decompressobj(31)
    content = engine.decompress(data)

    assert len(data) == length
    assert engine.eof
    assert engine.unused_data == b""
    assert content.endswith(b"\r\n\r\n")


def test_too_little_room_is_told():
    with pytest.raises(TooSmallError, match="bytes too long for the room of 100"):
        member(100)


@pytest.mark.parametrize("size", [1, 60, 4_000])
def test_other_tools_read_a_file_with_such_members(tmp_path, size):
    """A record of ``size`` KiB is replaced; the rest stays where it was."""
    noise = b"".join(zlib.crc32(b"%d" % n).to_bytes(4, "big") for n in range(size * 256))
    with writer(tmp_path) as warc:
        warc.write_exchange(exchange(url="http://site.example/1", body=noise))
        kept = warc.write_exchange(exchange(url="http://site.example/2"))
    (path,) = warc.close()
    gone = [r for r in read_records(path) if r.url.endswith("/1")]
    span = gone[0].offset, gone[-1].offset + gone[-1].length
    cut = Cut(*span, lambda: fit_record(FIELDS, BODY, span[1] - span[0]))

    proof = copy_with_cuts(path, tmp_path / "new" / path.name, [cut])

    assert proof.record_count == 3
    assert proof.cuts == (span,)
    assert_judges_accept(tmp_path / "new" / path.name)
    records = {r.record_id: r.offset for r in read_records(tmp_path / "new" / path.name)}
    assert records[kept.record_id] == kept.offset


def test_a_copy_that_differs_elsewhere_is_refused(tmp_path):
    with writer(tmp_path) as warc:
        warc.write_exchange(exchange())
    (path,) = warc.close()
    other = tmp_path / "other.warc.gz"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    other.write_bytes(data)

    with pytest.raises(ArchiveError, match=r"differs from|gzip"):
        prove(path, other, [])
