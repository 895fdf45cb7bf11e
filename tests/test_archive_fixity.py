import json
from datetime import timedelta
from fractions import Fraction

import pytest
from archive_kit import START

from hongxing_crawler.archive.findings import Kind
from hongxing_crawler.archive.fixity import check_share, verify_log
from hongxing_crawler.archive.manifest import hash_files
from hongxing_crawler.exceptions import ArchiveError

NAMES = [f"warc/{n}.warc.gz" for n in range(9)]


@pytest.fixture
def home(tmp_path):
    for name in NAMES:
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 10)
    return tmp_path / "home", hash_files(tmp_path / "home", NAMES), tmp_path / "fixity.jsonl"


def check(home, share, day=0):
    folder, digests, log = home
    return check_share(folder, digests, log, share, now=START + timedelta(days=day))


def names_in(log):
    return [json.loads(line)["name"] for line in log.read_bytes().splitlines()]


def test_every_file_has_its_turn_before_any_has_a_second_one(home):
    reports = [check(home, Fraction(1, 4), day) for day in range(6)]

    assert [report.file_count for report in reports] == [3] * 6
    assert names_in(home[2]) == NAMES + NAMES
    assert all(not report.findings for report in reports)
    assert verify_log(home[2]) == []


def test_a_small_share_still_reads_one_file(home):
    assert check(home, Fraction(1, 10_000)).file_count == 1


def test_a_silent_change_is_found_and_dated(home):
    folder, _, log = home
    check(home, Fraction(1), 0)
    (folder / NAMES[4]).write_bytes(b"changed")
    (folder / NAMES[5]).unlink()
    report = check(home, Fraction(1), 90)
    results = {
        entry["name"]: (entry["at"][:10], entry["result"])
        for entry in map(json.loads, log.read_bytes().splitlines()[9:])
    }

    assert [finding.kind for finding in report.findings] == [Kind.FIXITY, Kind.MISSING]
    assert results[NAMES[4]] == ("2027-02-21", "fixity")
    assert results[NAMES[3]] == ("2027-02-21", "ok")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [*lines[:3], lines[3].replace(b'"ok"', b'"no"'), *lines[4:]],
        lambda lines: [*lines[:3], *lines[4:]],
        lambda lines: [*lines[:3], lines[3], *lines[3:]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines[:3], b"not a line\n", *lines[4:]],
    ],
    ids=["altered", "taken out", "put in", "swapped", "overwritten"],
)
def test_a_changed_log_is_noticed(home, change):
    check(home, Fraction(1))
    log = home[2]
    log.write_bytes(b"".join(change(log.read_bytes().splitlines(keepends=True))))

    assert {finding.kind for finding in verify_log(log)} == {Kind.LOG_CHAIN}


def test_a_line_torn_by_a_crash_is_cut_off(home):
    check(home, Fraction(1, 4))
    log = home[2]
    whole = log.read_bytes()
    log.write_bytes(whole[:-20])
    report = check(home, Fraction(1, 4))

    assert not report.findings
    assert names_in(log) == [*NAMES[:2], *NAMES[2:5]]


@pytest.mark.parametrize("share", [Fraction(0), Fraction(-1), Fraction(3, 2)])
def test_a_share_is_a_part(home, share):
    with pytest.raises(ValueError, match="share"):
        check(home, share)


def test_a_log_that_cannot_be_written_is_named(home):
    home[2].mkdir()
    with pytest.raises(ArchiveError, match=r"cannot open .*fixity\.jsonl"):
        check(home, Fraction(1))
