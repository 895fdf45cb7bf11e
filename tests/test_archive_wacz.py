import gzip
import json
import os
import re
import tracemalloc
import zipfile

import pytest
from archive_kit import START, exchange, original_of, varied_body, writer

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.digests import sha256_of_file
from hongxing_crawler.archive.findings import Kind
from hongxing_crawler.archive.wacz import PackageInfo, PackedPage, pack
from hongxing_crawler.archive.wacz_check import verify_wacz
from hongxing_crawler.exceptions import ArchiveError


@pytest.fixture
def archive(tmp_path):
    with writer(tmp_path / "warc", max_bytes=4000) as warc:
        captures = [
            warc.write_exchange(
                exchange(url=f"http://site.example/红/{n}.html", body=varied_body(n), seconds=n)
            )
            for n in range(8)
        ]
        captures.append(
            warc.write_exchange(
                exchange(url=captures[0].url, body=varied_body(0), seconds=86400),
                original=original_of(captures[0]),
            )
        )
    return warc.close(), captures


def pages_of(captures):
    return [PackedPage(c.url, c.fetched_at, f"标题{n}", "正文") for n, c in enumerate(captures)]


def packed(archive, path, **more):
    warcs, captures = archive
    pages = pages_of(captures)
    info = PackageInfo("红星网", START, "hongxing-crawler", main_page=pages[0], **more)
    return pack(path, warcs, pages, info)


def test_a_package_holds_everything_and_verifies(archive, tmp_path):
    warcs, captures = archive
    report = packed(archive, tmp_path / "x.wacz")
    with zipfile.ZipFile(report.path) as package:
        names = package.namelist()
        pages = [json.loads(line) for line in package.read("pages/pages.jsonl").splitlines()]
        stored = {name: package.read(f"archive/{name}") for name in (p.name for p in warcs)}

    assert {"indexes/index.cdx.gz", "indexes/index.idx", "datapackage-digest.json"} <= set(names)
    assert stored == {path.name: path.read_bytes() for path in warcs}
    assert [page["title"] for page in pages[1:]] == [f"标题{n}" for n in range(len(captures))]
    assert pages[1]["url"] == "http://site.example/%E7%BA%A2/0.html"
    assert (report.page_count, report.index_line_count) == (9, 9)
    assert verify_wacz(report.path) == []


def test_the_index_map_leads_to_the_blocks(archive, tmp_path):
    report = packed(archive, tmp_path / "x.wacz")
    with zipfile.ZipFile(report.path) as package:
        index = package.read("indexes/index.cdx.gz")
        meta, *places = package.read("indexes/index.idx").splitlines()
    for place in places:
        *key, said = place.split(b" ", 2)
        fields = json.loads(said)
        block = index[fields["offset"] : fields["offset"] + fields["length"]]

        assert gzip.decompress(block).split(b" ", 2)[:2] == key
    assert b"cdxj-gzip-1.0" in meta


def test_files_whose_names_differ_in_case_alone_keep_apart(tmp_path):
    warcs = []
    for prefix in ("run_T", "run_t", "红"):
        with writer(tmp_path / "warc", prefix) as warc:
            warc.write_exchange(exchange())
        warcs += warc.close()
    report = pack(tmp_path / "x.wacz", warcs, [], PackageInfo("x", START, "x"))
    with zipfile.ZipFile(report.path) as package:
        resources = json.loads(package.read("datapackage.json"))["resources"]
    names = [resource["name"] for resource in resources]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9._-]+", name) for name in names)


def test_packing_again_gives_the_same_bytes(archive, tmp_path):
    one = packed(archive, tmp_path / "one.wacz")
    two = packed(archive, tmp_path / "two.wacz")

    assert one.sha256 == two.sha256 == sha256_of_file(two.path)


def test_captures_that_are_known_spare_a_scan_and_change_nothing(archive, tmp_path):
    warcs, captures = archive
    one = packed(archive, tmp_path / "one.wacz")
    pages = pages_of(captures)
    info = PackageInfo("红星网", START, "hongxing-crawler", main_page=pages[0])
    two = pack(tmp_path / "two.wacz", warcs, pages, info, captures)

    assert one.sha256 == two.sha256


def test_a_damaged_file_is_not_packed(archive, tmp_path):
    warcs, _ = archive
    warcs[-1].write_bytes(warcs[-1].read_bytes()[:-4])
    with pytest.raises(ArchiveError, match="torn-tail"):
        packed(archive, tmp_path / "x.wacz")

    assert not list(tmp_path.glob("x.wacz*"))


def test_an_unfinished_file_is_not_packed(archive, tmp_path):
    warcs, captures = archive
    warcs[-1] = warcs[-1].rename(warcs[-1].with_name(warcs[-1].name + ".open"))
    with pytest.raises(ArchiveError, match="is open"):
        packed((warcs, captures), tmp_path / "x.wacz")


def test_a_full_disk_leaves_the_older_package(archive, tmp_path, monkeypatch):
    path = tmp_path / "x.wacz"
    packed(archive, path)
    before = path.read_bytes()

    def fail(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "sync_data", fail)
    with pytest.raises(ArchiveError, match="No space left"):
        packed(archive, path, description="again")

    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_memory_does_not_grow_with_the_archive(tmp_path):
    spool = tmp_path / "spool"
    spool.write_bytes(os.urandom(40 << 20))
    with writer(tmp_path / "warc") as warc:
        warc.write_exchange(exchange(body=spool))
    pages = (PackedPage(f"http://site.example/{n}", START, "t" * 2000) for n in range(5_000))
    tracemalloc.start()
    pack(tmp_path / "x.wacz", warc.close(), pages, PackageInfo("x", START, "x"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 24 << 20


def rewritten(path, change):
    """The package with its entries changed: a mapping of names to bytes."""
    with zipfile.ZipFile(path) as package:
        entries = {name: package.read(name) for name in package.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w") as package:
        for name, data in entries.items():
            package.writestr(name, data)


def alter(name, old, new):
    def change(entries):
        assert old in entries[name]
        entries[name] = entries[name].replace(old, new)

    return change


TAMPERING = {
    "nothing": (lambda _: None, set()),
    "no page list": (lambda e: e.pop("pages/pages.jsonl"), {Kind.MISSING}),
    "no package digest": (lambda e: e.pop("datapackage-digest.json"), {Kind.MISSING}),
    "no package description": (lambda e: e.pop("datapackage.json"), {Kind.MISSING}),
    "no index": (lambda e: e.pop("indexes/index.cdx.gz"), {Kind.MISSING}),
    "a file more": (lambda e: e.update({"archive/more.warc.gz": b""}), {Kind.UNLISTED}),
    "description altered": (alter("datapackage.json", b"crawler", b"crawlee"), {Kind.FIXITY}),
    "a page altered": (alter("pages/pages.jsonl", b"0.html", b"9.html"), {Kind.FIXITY}),
    "index out of order": (
        lambda e: e.update(
            {
                "indexes/index.cdx.gz": gzip.compress(
                    b"".join(
                        reversed(
                            gzip.decompress(e["indexes/index.cdx.gz"]).splitlines(keepends=True)
                        )
                    )
                )
            }
        ),
        {Kind.FIXITY, Kind.INDEX_ORDER},
    ),
}


@pytest.mark.parametrize("label", TAMPERING)
def test_tampering_is_named(archive, tmp_path, label):
    path = packed(archive, tmp_path / "x.wacz").path
    change, expected = TAMPERING[label]
    rewritten(path, change)

    assert {finding.kind for finding in verify_wacz(path)} == expected


@pytest.mark.parametrize("cut", [0, 100, 5000, -30, -1])
def test_a_cut_package_is_named(archive, tmp_path, cut):
    path = packed(archive, tmp_path / "x.wacz").path
    path.write_bytes(path.read_bytes()[:cut])

    assert [finding.kind for finding in verify_wacz(path)] == [Kind.PACKAGE]


def test_a_flipped_byte_in_a_package_is_found(archive, tmp_path):
    path = packed(archive, tmp_path / "x.wacz").path
    data = bytearray(path.read_bytes())
    data[3000] ^= 1
    path.write_bytes(data)

    assert {finding.kind for finding in verify_wacz(path)} == {Kind.FIXITY}
