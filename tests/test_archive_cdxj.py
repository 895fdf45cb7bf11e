import json

import pytest
from archive_kit import NOT_MODIFIED_HEAD, START, exchange, original_of, varied_body, writer

from hongxing_crawler.archive import cdxj, disk
from hongxing_crawler.archive.cdxj import captures_in, verify_index, write_index
from hongxing_crawler.archive.findings import Kind
from hongxing_crawler.exceptions import ArchiveError

URLS = [
    "http://site.example/z",
    "http://site.example/A?y=2&x=1",
    "http://www.site.example:80/红",
    "http://site.example:8080/",
    "http://news.site.example/content_1.html",
    "http://site.example/a-b",
    "http://site.example/a/b",
]


@pytest.fixture
def indexed(tmp_path):
    """Two WARC files and their index, with what the writer returned."""
    with writer(tmp_path, max_bytes=4000) as warc:
        captures = [
            warc.write_exchange(
                exchange(
                    url=url,
                    body=varied_body(n),
                    seconds=n,
                    request=b"GET / HTTP/1.1\r\nCookie: id=secret\r\n\r\n",
                )
            )
            for n, url in enumerate(URLS)
        ]
        first = original_of(captures[0])
        captures += [
            warc.write_exchange(
                exchange(url=URLS[0], body=varied_body(0), seconds=90), original=first
            ),
            warc.write_exchange(
                exchange(url=URLS[0], head=NOT_MODIFIED_HEAD, body=b"", seconds=99),
                original=first,
            ),
            warc.write_metadata("http://site.example/x", {"fetch-error": "dns"}, fetched_at=START),
        ]
    path = tmp_path / "index.cdxj"
    write_index(captures, path)
    return path, warc.close(), captures


def test_lines_are_sorted_by_bytes_and_complete(indexed):
    path, warcs, captures = indexed
    lines = path.read_bytes().splitlines()

    assert len(warcs) > 1
    assert lines == sorted(lines)
    assert len(lines) == len(captures) - 1  # a failed fetch cannot be replayed
    assert verify_index(path, warcs) == []


def test_scanning_the_files_gives_the_same_index(indexed):
    path, warcs, _ = indexed
    again = path.with_name("again.cdxj")
    write_index(captures_in(warcs), again)

    assert again.read_bytes() == path.read_bytes()


def test_revisits_are_marked_and_no_cookie_is_there(indexed):
    path, *_ = indexed
    rows = [json.loads(line.split(b" ", 2)[2]) for line in path.read_bytes().splitlines()]

    assert [row["mime"] for row in rows].count("warc/revisit") == 2
    assert b"secret" not in path.read_bytes()


def test_sorting_through_files_gives_the_same_lines(indexed, monkeypatch):
    path, _, captures = indexed
    again = path.with_name("again.cdxj")
    monkeypatch.setattr(cdxj, "_RUN_LINES", 3)
    write_index(captures, again)

    assert again.read_bytes() == path.read_bytes()


def test_a_failed_write_leaves_the_old_index(indexed, monkeypatch):
    path, _, captures = indexed
    before = path.read_bytes()

    def fail(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "sync_data", fail)
    with pytest.raises(ArchiveError, match="No space left"):
        write_index(captures[:2], path)

    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.part"))


DAMAGES = {
    "two lines swapped": (
        lambda lines: [lines[1], lines[0], *lines[2:]],
        [Kind.INDEX_ORDER],
    ),
    "a line missing": (lambda lines: lines[1:], [Kind.INDEX_GAP]),
    "an offset changed": (
        lambda lines: [*lines[:-1], lines[-1].replace(b'"offset": "', b'"offset": "1')],
        [Kind.INDEX_GAP, Kind.INDEX_TARGET],
    ),
    "another address": (
        lambda lines: [*lines[:-1], lines[-1].replace(b"//site.", b"//side.")],
        [Kind.INDEX_TARGET],
    ),
    "a torn line": (lambda lines: [*lines[:-1], lines[-1][:60]], [Kind.INDEX_LINE, Kind.INDEX_GAP]),
}


@pytest.mark.parametrize("label", DAMAGES)
def test_damage_is_named(indexed, label):
    path, warcs, _ = indexed
    damage, expected = DAMAGES[label]
    path.write_bytes(b"".join(damage(path.read_bytes().splitlines(keepends=True))))

    assert sorted(finding.kind for finding in verify_index(path, warcs)) == sorted(expected)
