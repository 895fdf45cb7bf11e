import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.findings import Kind
from hongxing_crawler.archive.manifest import (
    hash_files,
    read_manifest,
    verify_manifest,
    write_manifest,
)
from hongxing_crawler.exceptions import ArchiveError

NAMES = ["warc/a.warc.gz", "warc/b.warc.gz", "media/红星.jpg"]


@pytest.fixture
def listed(tmp_path):
    for name in NAMES:
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    manifest = tmp_path / "manifest-sha256.txt"
    write_manifest(manifest, hash_files(tmp_path / "home", NAMES))
    return manifest, tmp_path / "home"


def test_a_manifest_reads_back_sorted(listed):
    manifest, home = listed

    assert list(read_manifest(manifest)) == sorted(NAMES)
    assert verify_manifest(manifest, home, NAMES) == []


def test_sha256sum_reads_it(listed):
    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not on this machine")
    manifest, home = listed
    done = subprocess.run(["sha256sum", "--strict", "-c", manifest], cwd=home, check=False)

    assert done.returncode == 0


def test_each_difference_is_named(listed):
    manifest, home = listed
    (home / NAMES[0]).unlink()
    (home / NAMES[1]).write_bytes(b"changed")
    findings = verify_manifest(manifest, home, [*NAMES, "warc/new.warc.gz"])

    assert {(finding.kind, finding.file) for finding in findings} == {
        (Kind.MISSING, NAMES[0]),
        (Kind.FIXITY, NAMES[1]),
        (Kind.UNLISTED, "warc/new.warc.gz"),
    }


@pytest.mark.parametrize("content", [b"abc  x\n", b"\xff", b"0" * 64 + b" x\n"])
def test_a_broken_manifest_is_an_error(tmp_path, content):
    path = tmp_path / "m.txt"
    path.write_bytes(content)
    with pytest.raises(ArchiveError):
        read_manifest(path)


def test_a_failed_write_leaves_the_older_manifest(listed, monkeypatch):
    manifest, _ = listed
    before = manifest.read_bytes()

    def fail(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "sync_data", fail)
    with pytest.raises(ArchiveError, match="No space left"):
        write_manifest(manifest, {"x": "sha256:" + "0" * 64})

    assert manifest.read_bytes() == before


ODD_NAMES = ["a b", "c\nd", "e%0Af", "100%", "红", "x\r"]


@given(st.dictionaries(st.sampled_from(ODD_NAMES), st.just("sha256:" + "0" * 64)))
def test_any_name_comes_back(tmp_path_factory, digests):
    path = tmp_path_factory.mktemp("m") / "m.txt"
    write_manifest(path, digests)

    assert read_manifest(path) == digests
