"""Responses larger than memory, files over 4 GiB: small by default, large by `make large`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

MIB = 1 << 20
IS_LARGE = os.environ.get("TEST_LARGE") == "1"

# In a process of its own, so that its peak of memory is that of the archive alone.
_CHILD = """
import json, resource, sys
from datetime import datetime, UTC
from pathlib import Path
from hongxing_crawler.archive.cdxj import captures_in, verify_index, write_index
from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.archive.reader import read_at
from hongxing_crawler.archive.wacz import PackageInfo, pack
from hongxing_crawler.archive.warc import WarcWriter
from hongxing_crawler.items import Exchange

folder, body, count, level = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
now = datetime(2026, 11, 23, tzinfo=UTC)
head = b"HTTP/1.1 200 OK\\r\\nContent-Type: video/mp4\\r\\n\\r\\n"
prefix, most = "large-run_20261123T080000Z", 1 << 40
with WarcWriter(folder, prefix, warcinfo={}, max_bytes=most, level=level) as writer:
    captures = [
        writer.write_exchange(
            Exchange(f"http://a.cn/{n}.mp4", now, b"GET / HTTP/1.1\\r\\n\\r\\n", head, body)
        )
        for n in range(count)
    ]
[warc] = writer.close()
index = folder / "large.cdxj"
write_index(captures_in([warc]), index)
findings = [str(f) for f in [*verify_warcs([warc]).findings, *verify_index(index, [warc])]]
lengths = {read_at(warc, capture.offset).payload_length for capture in captures}
package = pack(folder / "large.wacz", [warc], [], PackageInfo("large", now, "test"))
print(json.dumps({
    "bytes": warc.stat().st_size, "last": captures[-1].offset, "findings": findings,
    "lengths": sorted(lengths), "package": package.byte_count,
    "grown_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before,
}))
"""


def write_sparse(path, size):
    """Make a file that takes no room: each MiB begins with its number, the rest is a hole."""
    with path.open("wb") as file:
        file.truncate(size)
        for number in range(size // MIB):
            file.seek(number * MIB)
            file.write(number.to_bytes(8, "big"))


def archive_large(folder, body_bytes, count, level):
    body = folder / "body"
    write_sparse(body, body_bytes)
    arguments = [folder, body, str(count), str(level)]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *arguments], capture_output=True, check=False
    )
    shutil.rmtree(folder)  # gigabytes, which pytest would keep
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_a_response_is_archived_read_and_packed_without_being_held_in_memory(tmp_path):
    size = (2_048 if IS_LARGE else 96) * MIB
    found = archive_large(tmp_path, size, 1, level=1)

    assert found["findings"] == []
    assert found["lengths"] == [size]
    assert found["grown_kib"] < 64 * 1024


@pytest.mark.skipif(not IS_LARGE, reason="writes 10 GB; make large does")
def test_a_file_of_more_than_4_gib_is_written_indexed_verified_and_packed(tmp_path):
    found = archive_large(tmp_path, 768 * MIB, 6, level=0)  # 0: stored, so that it is that large

    assert found["last"] > 3.5 * (1 << 30)
    assert found["bytes"] > 1 << 32
    assert found["package"] > 1 << 32
    assert found["findings"] == []
