"""Pictures and attachments of one article, with every trap a host can set; then a second visit."""

from __future__ import annotations

import gzip
import hashlib
import random
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from crawl_kit import crawl, parts, path_of, reprocess, snapshot
from wire_kit import Sent, WireSite, archived, article, left_over, ok

from hongxing_crawler.core.record import media_key
from hongxing_crawler.running.run import utc_now
from hongxing_crawler.store.state import State

if TYPE_CHECKING:
    from pathlib import Path

    from crawl_kit import Ended

    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.record import MediaFile

RNG = random.Random(20261123)
PAGE = "/a/1.html"


def png(number: int) -> bytes:
    """Return a picture of one pixel; another number, another colour."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" + number.to_bytes(3, "big"))),
        (b"IEND", b""),
    ]
    packed = (
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def picture(number: int, *lines: bytes) -> Sent:
    return ok(png(number), *lines, mime=b"image/png")


def moved(to: bytes, body: bytes = b"") -> Sent:
    return ok(body, b"Location: " + to, status=b"302 Found")


PDF = b"%PDF-1.4\n" + RNG.randbytes(300_000) + b"\n%%EOF\n"
GZIP = b"Content-Encoding: gzip"
BOMB = gzip.compress(b"\0" * 3_000_000, mtime=0)
LARGE = RNG.randbytes(250_000)

# What the picture host answers: all of it is shown by one article.
STORED = {
    "/i/plain.png": (picture(1), png(1)),
    "/i/same-bytes.png": (picture(1), png(1)),
    "/i/moved.png": (moved(b"/t/target.png"), png(2)),
    "/i/moved-by-a-large-page.png": (moved(b"/t/target.png", LARGE), png(2)),
    "/i/moved-to-gbk.png": (moved(b"/t/\xd6\xd0\xb9\xfa.png"), png(3)),
    "/i/gzip.png": (ok(gzip.compress(png(4), mtime=0), GZIP, mime=b"image/png"), png(4)),
    "/i/..%2F..%2Fetc%2Fpasswd.png": (picture(5), png(5)),
    "/i/later.png": (
        [ok(LARGE, b"Retry-After: 0", status=b"503 Slow Down"), picture(6)],
        png(6),
    ),
    "/i/wrong-type.png": (ok(png(7), mime=b"text/plain"), png(7)),
    "/f/large.pdf": (ok(PDF, mime=b"application/pdf"), PDF),
    "/f/large-gzip.pdf": (
        ok(gzip.compress(PDF[:-1], mtime=0), GZIP, mime=b"application/pdf"),
        PDF[:-1],
    ),
    "/f/large-deflate.pdf": (
        ok(zlib.compress(PDF[:-2]), b"Content-Encoding: deflate", mime=b"application/pdf"),
        PDF[:-2],
    ),
}
FAILED = {
    "/i/loop.png": (moved(b"/i/loop.png"), "redirect_loop"),
    "/i/nowhere.png": (moved(b"mailto:a@b.cn"), "redirect_unusable"),
    "/i/inwards.png": (moved(b"http://0x7f.1:9/secret.png"), "private_address"),
    "/i/counter.png": (moved(b"/visit/1"), "never_route"),
    "/i/page.png": (ok(article("页面不存在")), "soft_404"),
    "/i/empty.png": (ok(b"", mime=b"image/png"), "empty"),
    "/i/missing.png": (ok(b"", status=b"404 Not Found"), "http_404"),
    "/i/large-error.png": (ok(LARGE, status=b"403 Forbidden"), "http_403"),
    "/i/cut-off.png": (
        Sent(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + png(8)),
        "broken_off",
    ),
    "/f/too-large.pdf": (ok(PDF * 4, mime=b"application/pdf"), "too_large"),
    "/f/bomb.pdf": (ok(BOMB, GZIP, mime=b"application/pdf"), "too_large"),
    "/f/large-bomb.pdf": (
        ok(gzip.compress(RNG.randbytes(150_000) + b"\0" * 3_000_000, mtime=0), GZIP),
        "too_large",
    ),
}
INWARDS = [
    "http://localhost:{port}/s.png",
    "http://127.1:{port}/s.png",
    "http://2130706433:{port}/s.png",
    "http://0x7f.0.0.1:{port}/s.png",
    "http://0177.0.0.1:{port}/s.png",
    "http://[::1]:{port}/s.png",
    "http://[::ffff:127.0.0.1]:{port}/s.png",
    "http://169.254.169.254/latest/s.png",
    "http://127.0.0.1.:{port}/s.png",
]
SETTINGS = {
    "HONGXING_ARCHIVE_SYNC": "close",
    "HONGXING_DOWNLOAD_SPOOL_BYTES": 100_000,
    "HONGXING_MEDIA_MAX_BYTES": 1_000_000,
}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """The first visit of an article with all these files, and what an inner server saw."""
    home = tmp_path_factory.mktemp("media") / "home"
    targets = {"/t/target.png": picture(2), "/t/%D6%D0%B9%FA.png": picture(3)}
    files = {path: sent for path, (sent, _) in (STORED | FAILED).items()}
    with WireSite(targets | files) as img, WireSite() as www, WireSite() as inner:
        shown = [f"{img.base}{path}" for path in files]
        shown += [url.format(port=inner.netloc.partition(":")[2]) for url in INWARDS]
        shown += ["/t/target.png?root-relative"]
        img.answers["/t/target.png?root-relative"] = picture(9)
        www.answers[PAGE] = [
            ok(article("一篇有很多图片的文章", show(shown)), b'ETag: "1"'),
            Sent(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n', keep=True),
        ]
        profile = www.profile(media_hosts=(img.netloc,))
        ended = crawl(profile, home, settings=SETTINGS)
        yield Crawled(home, ended, img, www, inner, profile)


@dataclass
class Crawled:
    home: Path
    ended: Ended
    img: WireSite
    www: WireSite
    inner: WireSite
    profile: SiteProfile

    def file(self, path: str) -> MediaFile:
        """Look a file up as the state knows it."""
        url = path if path.startswith("http") else self.img.base + path
        with State.open(self.home / "state.sqlite", now=utc_now, read_only=True) as state:
            found = state.media(url)
        assert found is not None, url
        return found

    def shown(self) -> dict[str, str]:
        (row,) = snapshot(self.home).values()
        files = [*row["images"], *row["attachments"]]
        return {path_of(file["url"]): file["status"] for file in files}


def show(urls: list[str]) -> str:
    return "".join(
        f"<p><a href='{url}'>附件{n}</a></p>"
        if url.endswith(".pdf")
        else f"<p><img src='{url}'></p>"
        for n, url in enumerate(urls)
    )


@pytest.mark.parametrize("path", STORED)
def test_a_file_is_kept_with_its_own_bytes(crawled, path):
    file, expected = crawled.file(path), STORED[path][1]

    assert (file.status, file.reason) == ("stored", "")
    assert file.sha256 == hashlib.sha256(expected).hexdigest()
    assert (crawled.home / media_key(file.sha256, file.mime)).read_bytes() == expected


@pytest.mark.parametrize("path", FAILED)
def test_a_file_that_is_none_has_its_reason(crawled, path):
    file = crawled.file(path)

    assert (file.status, file.reason) == ("failed", FAILED[path][1])
    assert crawled.shown()[path] == "failed"


def test_a_file_named_relative_to_the_page_is_looked_for_on_the_picture_host(crawled):
    file = crawled.file(crawled.www.base + "/t/target.png?root-relative")

    assert file.sha256 == hashlib.sha256(png(9)).hexdigest()


@pytest.mark.parametrize("url", INWARDS)
def test_no_picture_leads_into_a_private_network(crawled, url):
    port = crawled.inner.netloc.partition(":")[2]

    assert crawled.file(url.format(port=port)).reason == "private_address"
    assert crawled.inner.received == []


def test_no_counter_is_called_by_a_redirect(crawled):
    assert "/visit/1" not in crawled.img.asked() + crawled.www.asked()


def test_the_same_bytes_are_kept_once_and_shown_as_a_duplicate(crawled):
    kept = [path for path in (crawled.home / "media").rglob("*") if path.is_file()]
    digests = [path.name.partition(".")[0] for path in kept]

    assert len(set(digests)) == len(digests)
    assert crawled.shown()["/i/plain.png"] == "stored"
    assert crawled.shown()["/i/same-bytes.png"] == "duplicate"


def test_a_file_is_archived_as_it_came(crawled):
    sent, _ = STORED["/f/large-gzip.pdf"]

    record = archived(crawled.home)["/f/large-gzip.pdf"].record

    assert sent.raw.endswith(record.payload())
    assert record.payload_length > 100_000


def test_the_run_says_how_many_files_failed(crawled):
    assert crawled.ended.result["counts"]["media_failed"] == len(FAILED) + len(INWARDS)


def test_no_temporary_file_is_left(crawled):
    assert left_over(crawled.home) == []


def test_the_archive_gives_the_same_row_again(crawled, tmp_path):
    done = reprocess(crawled.home, tmp_path / "again")

    assert parts(tmp_path / "again") == parts(crawled.home), done.stderr


def test_the_next_run_asks_again_for_what_failed_and_for_what_was_torn(crawled):
    """It comes last: it changes the home."""
    crawled.img.answers["/i/missing.png"] = picture(10)
    torn = crawled.file("/i/plain.png")
    path = crawled.home / media_key(torn.sha256, torn.mime)
    path.write_bytes(path.read_bytes()[:20])
    crawled.www.answers[PAGE] = crawled.www.answers[PAGE][0]
    before = len(crawled.img.received)

    ended = crawl(crawled.profile, crawled.home, settings=SETTINGS)

    asked = crawled.img.asked()[before:]
    assert ended.code == 0, ended.log
    assert crawled.shown()["/i/missing.png"] == "stored"
    assert path.read_bytes() == png(1)
    assert "/i/gzip.png" not in asked, "it is kept already"
    assert b"If-None-Match" not in crawled.www.received[-1][1], "the page itself is needed"
