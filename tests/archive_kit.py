"""What the archive tests share: exchanges with fixed clocks and ids."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hongxing_crawler.archive.warc import WarcWriter
from hongxing_crawler.items import Exchange, Original

START = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
GBK_PAGE = "<html><title>红星</title><p>会议在长沙召开。</p></html>".encode("gbk") * 40
OK_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=gbk\r\n"
    b"Content-Disposition: attachment; filename=" + "附件.xls".encode("gbk") + b"\r\n"
    b"X-Seen: one\r\nx-seen: two\r\nX-Folded: a\r\n\tb\r\n\r\n"
)
NOT_MODIFIED_HEAD = b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'


def exchange(
    url="http://site.example/a?b=1", head=OK_HEAD, body=GBK_PAGE, seconds=0.0, request=None, **more
):
    target = url.partition("//")[2].partition("/")[2]
    request = request or f"GET /{target} HTTP/1.1\r\nHost: site.example\r\n\r\n".encode()
    fetched_at = START + timedelta(seconds=seconds)
    return Exchange(url, fetched_at, request, head, body, ip_address="127.0.0.1", **more)


def counted_ids():
    numbers = itertools.count(1)
    return lambda: f"urn:uuid:00000000-0000-4000-8000-{next(numbers):012}"


def writer(folder, prefix="demo-run", **more):
    values = {"warcinfo": {"operator": "a library"}, "now": lambda: START, "new_id": counted_ids()}
    return WarcWriter(folder, prefix, **{**values, **more})


def original_of(capture):
    return Original(capture.url, capture.fetched_at, capture.record_id, capture.payload_digest)


def varied_body(number):
    """Text that differs from page to page and compresses like a page."""
    words = (f"<p>第{number * 7919 + i}号文件，{'红星网' * (i % 5)}刊载。</p>" for i in range(60))
    return "".join(words).encode()


def judged(path):
    """What three tools say of a WARC file, as (name, exit code, words)."""
    for name, command in (
        ("warcio", [sys.executable, "-m", "warcio.cli", "check"]),
        ("fastwarc", [sys.executable, "-m", "fastwarc.cli", "check"]),
        ("gzip", ["gzip", "-t"]),
    ):
        done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
        yield name, done.returncode, done.stdout + done.stderr


def assert_judges_accept(path):
    for name, code, words in judged(path):
        assert code == 0, f"{name}: {words}"


def referee(module, *arguments, **more):
    """Run a program of the environment that ``make referees`` builds, or skip the test."""
    return subprocess.run(
        [referee_python(), "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def referee_python():
    built = Path(__file__).parent.parent / ".venv" / "referees"
    python = Path(os.environ.get("HONGXING_REFEREES") or built) / "bin" / "python"
    if not python.exists():
        pytest.skip("no environment of referees; `make referees` builds one")
    return python
