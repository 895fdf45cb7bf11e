import contextlib
import gzip

import pytest
from archive_kit import START, assert_judges_accept, exchange, varied_body, writer
from hypothesis import given, settings
from hypothesis import strategies as st

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.archive.findings import Kind
from hongxing_crawler.archive.lost_record import fill
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.archive.repair import (
    repair_file,
    repair_finished,
    repair_folder,
    repair_open_file,
)
from hongxing_crawler.archive.verify import verify_warc
from hongxing_crawler.exceptions import ArchiveError


def url(number):
    return f"http://site.example/{number}"


@pytest.fixture
def left_behind(tmp_path):
    """An .open file with six groups whose process is gone, and its captures."""
    warc = writer(tmp_path)
    captures = [
        warc.write_exchange(exchange(url=url(n), body=varied_body(n)), metadata={"via": "x"})
        for n in range(6)
    ]
    warc._file.abandon()
    return tmp_path / "demo-run-00000.warc.gz.open", captures


def urls_in(path):
    return [archived.capture.url for archived in read_exchanges(path)]


def test_an_intact_file_gets_its_name(left_behind):
    path, captures = left_behind
    before = path.read_bytes()
    report = repair_open_file(path)

    assert report.is_clean
    assert report.target.read_bytes() == before
    assert [archived.capture for archived in read_exchanges(report.target)] == captures
    assert not path.exists()


def test_every_possible_cut_keeps_exactly_the_whole_groups(left_behind):
    path, captures = left_behind
    data = path.read_bytes()
    group_ends = [capture.offset + capture.length for capture in captures]
    final = path.with_suffix("")
    near_ends = {end + by for end in group_ends[1:] for by in (-9, -8, -7, -1, 0, 1, 2, 3, 11)}
    between = range(group_ends[0], len(data), 101)
    for cut in sorted(near_ends.union(between)):
        path.write_bytes(data[:cut])
        report = repair_open_file(path)
        whole = sum(end <= cut for end in group_ends)

        assert urls_in(report.target) == [url(n) for n in range(whole)], cut
        assert final.stat().st_size == group_ends[whole - 1], cut
        final.unlink()


def test_a_group_without_its_response_is_cut_and_its_url_is_named(left_behind):
    path, captures = left_behind
    path.write_bytes(path.read_bytes()[: captures[-1].offset])
    report = repair_open_file(path)

    assert report.lost_urls == (url(5),)
    assert report.findings == ()
    assert urls_in(report.target) == [url(n) for n in range(5)]


def test_a_zero_filled_tail_is_cut(left_behind):
    path, _ = left_behind
    before = path.read_bytes()
    path.write_bytes(before + bytes(5000))
    report = repair_open_file(path)

    assert [finding.kind for finding in report.findings] == [Kind.ZERO_TAIL]
    assert report.target.read_bytes() == before


def test_a_torn_middle_of_an_open_file_costs_one_group_and_the_file_is_kept(left_behind):
    path, captures = left_behind
    data = bytearray(path.read_bytes())
    data[captures[2].offset + 30 : captures[2].offset + 60] = bytes(30)
    path.write_bytes(data)
    report = repair_open_file(path)

    assert urls_in(report.target) == [url(n) for n in (0, 1, 3, 4, 5)]
    assert report.lost_urls == (url(2),)
    assert path.with_name("demo-run-00000.warc.gz.damaged").read_bytes() == data
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", bytes(100), b"not a gzip file at all"])
def test_a_file_without_an_exchange_is_removed(tmp_path, content):
    path = tmp_path / "demo-run-00000.warc.gz.open"
    path.write_bytes(content)

    assert [report.target for report in repair_folder(tmp_path)] == [None]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_being_written_is_left_alone(tmp_path):
    warc = writer(tmp_path)
    warc.write_exchange(exchange())
    with pytest.raises(ArchiveError, match="running process"):
        repair_folder(tmp_path)
    [path] = warc.close()

    assert urls_in(path) == [exchange().url]


@pytest.fixture
def finished(left_behind):
    path, captures = left_behind
    return repair_open_file(path).target, captures


def test_a_finished_file_is_repaired_into_a_new_one(finished):
    path, captures = finished
    data = path.read_bytes()
    cut = captures[2].offset + captures[2].length // 2
    parts_of_3 = captures[2].offset + captures[2].length
    torn = data[:cut] + data[parts_of_3:]
    path.write_bytes(torn)
    target = path.with_name("repaired.warc.gz")
    report = repair_file(path, target)

    assert path.read_bytes() == torn
    assert urls_in(target) == [url(n) for n in (0, 1, 3, 4, 5)]
    assert target.stat().st_size == len(torn)  # a record fills the gap
    assert [a.capture.offset for a in read_exchanges(target)][3:] == [
        c.offset - (len(data) - len(torn)) for c in captures[4:]
    ]
    assert url(2) in report.lost_urls


def test_a_repair_never_replaces_a_file(finished):
    path, _ = finished
    target = path.with_name("other.warc.gz")
    target.write_bytes(b"precious")
    with pytest.raises(ArchiveError, match="exists"):
        repair_file(path, target)

    assert target.read_bytes() == b"precious"


def test_of_many_records_only_the_torn_one_is_lost(tmp_path):
    with writer(tmp_path) as warc:
        captures = [
            warc.write_metadata(url(n), {"n": str(n)}, fetched_at=exchange().fetched_at)
            for n in range(114)
        ]
    [path] = warc.close()
    data = path.read_bytes()
    torn = captures[58]
    path.write_bytes(data[: torn.offset + 40] + data[torn.offset + torn.length :])
    target = path.with_name("repaired.warc.gz")
    repair_file(path, target)

    assert sum(1 for _ in read_records(target)) == 114  # of 115 with warcinfo


@pytest.mark.parametrize("step", ["cut", "sync_data", "rename", "create", "write_all"])
@pytest.mark.parametrize("damage", ["tail", "middle"])
def test_a_repair_that_is_interrupted_can_be_repeated(left_behind, monkeypatch, step, damage):
    path, captures = left_behind
    data = bytearray(path.read_bytes())
    if damage == "tail":
        data += b"\x1f\x8b\x08torn"
    else:
        data[captures[2].offset + 30 : captures[2].offset + 60] = bytes(30)
    path.write_bytes(data)
    calls = []
    real = getattr(disk, step)

    def fail_after_first(*values):
        calls.append(step)
        if damage == "tail" or len(calls) > 1 or step != "rename":
            raise OSError(5, "Input/output error")
        return real(*values)

    with monkeypatch.context() as patch:
        patch.setattr(disk, step, fail_after_first)
        with contextlib.suppress(ArchiveError):
            repair_open_file(path)
    for report in repair_folder(path.parent):
        assert report.target is not None
    kept = [0, 1, 3, 4, 5] if damage == "middle" else range(6)

    assert urls_in(path.with_suffix("")) == [url(n) for n in kept]
    assert not path.exists()


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "zero", "insert", "drop", "double"]),
        st.floats(0, 1),
        st.integers(1, 3000),
    ),
    min_size=1,
    max_size=4,
)


def changed(data, changes):
    for kind, where, length in changes:
        at = int(where * len(data))
        middle = data[at : at + length]
        middle = {
            "flip": bytes(byte ^ 0x55 for byte in middle[:3]) + middle[3:],
            "cut": b"",
            "zero": bytes(len(middle)),
            "insert": b"\x1f\x8b\x08WARC/1.1\r\n" + middle,
            "drop": b"",
            "double": middle * 2,
        }[kind]
        data = data[:at] + middle + (b"" if kind == "cut" else data[at + length :])
    return data


@given(changes=CHANGES)
@settings(max_examples=25, deadline=None)
def test_whatever_is_done_to_a_file_the_repaired_one_holds_only_true_records(
    tmp_path_factory, changes
):
    folder = tmp_path_factory.mktemp("any")
    with writer(folder) as warc:
        true = {
            url(n): warc.write_exchange(exchange(url=url(n), body=varied_body(n))).payload_digest
            for n in range(5)
        }
    [path] = warc.close()
    path.write_bytes(changed(path.read_bytes(), changes))
    target = folder / "repaired.warc.gz"
    if not any(record.type in {"warcinfo", "response"} for record in read_records(path, [])):
        with pytest.raises(ArchiveError, match="no whole exchange"):
            repair_file(path, target)
        return
    repair_file(path, target)

    assert all(
        true[archived.capture.url] == archived.capture.payload_digest
        for archived in read_exchanges(target)
    )
    kinds = {finding.kind for finding in verify_warc(target)}
    assert kinds <= {Kind.NO_WARCINFO, Kind.DOUBLE_ID, Kind.RELATION}


def test_a_finished_file_keeps_name_and_offsets_and_the_damaged_one_stays(finished):
    path, captures = finished
    data = bytearray(path.read_bytes())
    data[captures[2].offset + 30] ^= 1
    path.write_bytes(data)
    report = repair_finished(path, now=START)

    assert report.lost_urls == (url(2),)
    assert path.with_name(path.name + ".damaged").read_bytes() == data
    assert [a.capture for a in read_exchanges(path)] == [*captures[:2], *captures[3:]]
    assert verify_warc(path) == []
    assert_judges_accept(path)
    assert repair_finished(path, now=START) is None


def test_a_second_damage_does_not_replace_the_first_damaged_file(finished):
    path, captures = finished
    for number, name in ((2, ".damaged"), (4, "-2.damaged")):
        data = bytearray(path.read_bytes())
        data[captures[number].offset + 30] ^= 1
        path.write_bytes(data)
        repair_finished(path, now=START)

        assert path.with_name(path.name + name).read_bytes() == data
    assert urls_in(path) == [url(n) for n in (0, 1, 3, 5)]


def test_an_altered_body_under_a_right_checksum_is_lost_too(finished):
    path, captures = finished
    data, record = path.read_bytes(), captures[3]
    start, end = record.offset, record.offset + record.length
    altered = gzip.decompress(data[start:end]).replace("刊载".encode(), "转载".encode())
    path.write_bytes(data[:start] + gzip.compress(altered, 6) + data[end:])
    report = repair_finished(path, now=START)

    assert report.lost_urls == (url(3),)
    assert verify_warc(path) == []


def test_a_file_without_a_whole_exchange_is_left_as_it_is(tmp_path):
    path = tmp_path / "demo-run-00000.warc.gz"
    path.write_bytes(bytes(5000))

    assert repair_finished(path, now=START).target is None
    assert path.read_bytes() == bytes(5000)


@pytest.mark.parametrize("length", [400, 401, 402, 5_000, 3_000_000])
def test_a_gap_of_any_length_is_filled_exactly(tmp_path, length):
    urls = [url(1), url(2)]
    member = b"".join(fill("x", 7, length, made_at=START, lost_urls=urls, lost_ids=["<urn:x:1>"]))
    path = tmp_path / "x.warc.gz"
    path.write_bytes(member)
    [record] = read_records(path)

    assert (len(member), record.length) == (length, length)
    assert record.fields["hongxing-lost-bytes"] == str(length)
    assert_judges_accept(path)
    assert list(read_exchanges(path)) == []


def test_a_gap_that_holds_no_record_is_not_filled():
    with pytest.raises(ValueError, match="too long for the room"):
        list(fill("x", 7, 40, made_at=START))
