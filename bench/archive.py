"""Measure the archive's writer and verifier beside warcio and fastwarc, in one run.

    python bench/archive.py                  # 4,000 pages of 40 KB
    python bench/archive.py --pages 20000

CPU seconds count, on one core, because other work may share the machine; each figure is the best
of three rounds. Ours writes request, response and a note for every page, the others the response
alone. warcio's level is fixed at 9.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from article_pages import article_page, article_path
from fastwarc.stream_io import GzipWriter
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecord, WarcRecordType
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter
from zlib_ng import zlib_ng

from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.archive.warc import WarcWriter
from hongxing_crawler.items import Exchange

ROUNDS = 3
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
WORDS = [chr(0x4E00 + n) for n in range(3000)]


def prose(number):
    """40 KB that compress worse than pages: Chinese characters at random with some markup."""
    rng = Random(number)
    lines = ("".join(rng.choices(WORDS, k=60)) for _ in range(210))
    return "".join(f"<p>{line}</p>\n" for line in lines).encode()[:40_000]


def url(number):
    return f"https://www.site.example{article_path(number)}"


def write_ours(path, pages, sync, level=6):
    request = b"GET / HTTP/1.1\r\nHost: www.site.example\r\nUser-Agent: bench\r\n\r\n"
    with WarcWriter(path, "bench", warcinfo={}, sync=sync, level=level) as writer:
        for number, body in enumerate(pages):
            exchange = Exchange(url(number), NOW, request, HEAD, body, ip_address="127.0.0.1")
            writer.write_exchange(exchange, metadata={"via": url(0), "hongxing-kind": "article"})
    return writer.close()[0]


def write_warcio(path, pages):
    path.mkdir()
    target = path / "warcio.warc.gz"
    headers = [("Server", "nginx"), ("Content-Type", "text/html; charset=utf-8")]
    with target.open("wb") as stream:
        writer = WARCWriter(stream, warc_version="1.1")
        for number, body in enumerate(pages):
            head = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
            record = writer.create_warc_record(
                url(number),
                "response",
                payload=io.BytesIO(body),
                length=len(body),
                http_headers=head,
            )
            writer.write_record(record)
    return target


def write_fastwarc(path, pages):
    path.mkdir()
    target = path / "fastwarc.warc.gz"
    with target.open("wb") as stream:
        writer = GzipWriter(stream, compression_level=6)
        for number, body in enumerate(pages):
            record = WarcRecord()
            record.init_headers(record_type=WarcRecordType.response)
            record.headers["WARC-Target-URI"] = url(number)
            record.headers["Content-Type"] = "application/http; msgtype=response"
            record.set_bytes_content(HEAD + body)
            record.write(writer, checksum_data=True)
            writer.finish()
        writer.close()
    return target


def read_warcio(path):
    with path.open("rb") as stream:
        return sum(
            len(record.content_stream().read()) >= 0
            for record in ArchiveIterator(stream, check_digests="raise")
        )


def read_fastwarc(path):
    return sum(record.verify_block_digest() for record in FastIterator(str(path), parse_http=False))


def read_ours(path):
    return sum(len(record.payload()) >= 0 for record in read_records(path))


def verify_ours(path):
    report = verify_warcs([path])
    if report.findings:
        sys.exit(str(report.findings))
    return report.record_count


def timed(function):
    """Return the least CPU seconds of some rounds and the last result."""
    best, result = float("inf"), None
    for _ in range(ROUNDS):
        started = time.process_time()
        result = function()
        best = min(best, time.process_time() - started)
    return best, result


def compare_engines(name, pages):
    raw = sum(map(len, pages))
    for label, engine in (("zlib", zlib), ("zlib-ng", zlib_ng)):

        def deflate_all(engine=engine):
            total = 0
            for page in pages:
                member = engine.compressobj(6, engine.DEFLATED, 31)
                total += len(member.compress(page)) + len(member.flush())
            return total

        seconds, total = timed(deflate_all)
        each = seconds / len(pages) * 1e3
        print(f"  {label:10} level 6 {each:7.3f} ms a page, {raw / total:5.2f} : 1   ({name})")


def compare_writers(name, pages, folder):
    print(f"\n{name}: {len(pages)} pages, {sum(map(len, pages)) / len(pages) / 1e3:.1f} KB each")
    compare_engines(name, pages[:400])
    writers = {
        "ours, sync at close": lambda path: write_ours(path, pages, "close"),
        "ours, sync each page": lambda path: write_ours(path, pages, "record"),
        "ours, level 9": lambda path: write_ours(path, pages, "close", 9),
        "fastwarc, level 6": lambda path: write_fastwarc(path, pages),
        "warcio, level 9": lambda path: write_warcio(path, pages),
    }
    files = {}
    for label, write in writers.items():
        counter = iter(range(ROUNDS))
        seconds, path = timed(lambda: write(folder / f"{name}-{label}-{next(counter)}"))  # noqa: B023
        files[label] = path
        size = path.stat().st_size / 1e6
        print(f"  {label:22} {len(pages) / seconds:8,.0f} pages/s CPU, {size:8.1f} MB")
    return files


def compare_readers(files):
    print("\nreading and verifying, records with a page in them")
    rows = {
        "ours, read": (read_ours, "ours, sync at close", 3),
        "ours, verify": (verify_ours, "ours, sync at close", 3),
        "fastwarc, check": (read_fastwarc, "fastwarc, level 6", 1),
        "warcio, check": (read_warcio, "warcio, level 9", 1),
        "fastwarc, check of ours": (read_fastwarc, "ours, sync at close", 3),
        "warcio, check of ours": (read_warcio, "ours, sync at close", 3),
    }
    for label, (read, source, records_a_page) in rows.items():
        seconds, count = timed(lambda: read(files[source]))  # noqa: B023
        pages = count / records_a_page
        print(
            f"  {label:26} {pages / seconds:8,.0f} pages/s, {count / seconds:8,.0f} records/s CPU"
        )


def main():
    flags = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    flags.add_argument("--pages", type=int, default=4_000)
    count = flags.parse_args().pages
    print(f"Python {sys.version.split()[0]}, best of {ROUNDS} rounds")
    kinds = {
        "article pages": [article_page(number, count) for number in range(min(count, 400))],
        "random prose": [prose(number) for number in range(min(count, 400))],
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, some in kinds.items():
            pages = (some * (count // len(some) + 1))[:count]
            files = compare_writers(name, pages, Path(folder))
        compare_readers(files)


if __name__ == "__main__":
    main()
