"""A small home with pages that can be taken down, and a way to look for traces of them."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import sqlite3
import zipfile
import zlib
from datetime import timedelta

from archive_kit import exchange, original_of
from store_kit import START, Archive

from hongxing_crawler.archive.cdxj import captures_in, write_index
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.archive.wacz import PackageInfo, PackedPage, pack
from hongxing_crawler.archive.warc import WarcWriter
from hongxing_crawler.core.record import MediaFile, media_key
from hongxing_crawler.store.home import Home
from hongxing_crawler.store.rows import export_run
from hongxing_crawler.store.visit import Visit

SITE = "https://www.hxw.gov.cn"
SECRET = f"{SITE}/content/2020/03/20/红星 机密.html"  # as a server with Chinese addresses has it
OTHER = f"{SITE}/content/2020/03/20/2.html"
THIRD = f"{SITE}/content/2020/03/20/3.html"
OWN_PICTURE = "https://img.hxw.gov.cn/2020/03-20/own.jpg"
SHARED_PICTURE = "https://img.hxw.gov.cn/2020/03-20/shared.jpg"
NEEDLE = "唯一泄密之句"
TEXT = f"{NEEDLE}，凡八十字。"
REASON = "第三方权利要求，案号 12"
LATER = START + timedelta(days=10)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
_JPEG = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n"


def now():
    return LATER


def page(text):
    return f"<html><h1>标题</h1><p>{text}</p></html>".encode() * 3


class Builder:
    """Writes runs as a crawl leaves them: records, index, state, rows."""

    def __init__(self, folder):
        self.home = Home(folder / "home")
        self.home.prepare()
        self.archive = Archive(self.home.root)
        self.captures = {}

    def run(self, visits):
        """One run; ``visits`` are address, body, text of the row, pictures, address of original."""
        archive = self.archive
        archive.begin(full=True)
        prefix = f"hongxing-{archive.run_id}"
        about = {"hongxing-run": archive.run_id, "hongxing-site": "hongxing"}
        urls = [visit[0] for visit in visits]
        archive.add(*urls)
        with WarcWriter(self.home.warc, prefix, warcinfo=about) as warc:
            for number, visit in enumerate(visits):
                self._visit(warc, number, *visit)
            (path,) = warc.close()
        write_index(captures_in([path]), self.home.cdxj / f"{path.name[:-8]}.cdxj")
        archive.end()
        export_run(archive.state, self.home.export, archive.run_id)

    def _write(self, warc, url, body, number, kind, via, original=None):
        moment = {"seconds": 86_400 * self.archive.day + number}
        head = _JPEG if kind == "media" else _HEAD
        capture = warc.write_exchange(
            exchange(url=url, head=head, body=body, **moment),
            original=original_of(original) if original else None,
            metadata={"hongxing-kind": kind, "via": via},
        )
        self.captures.setdefault(url, capture)
        return capture

    def _visit(self, warc, number, url, body, text, pictures=(), original=None):
        archive = self.archive
        main = self._write(warc, url, body, number, "article", "", self.captures.get(original))
        files, media = [], {}
        for picture in pictures:
            data = picture.encode() * 20
            digest = hashlib.sha256(data).hexdigest()
            media[picture] = MediaFile(picture, digest, "image/jpeg", len(data), 4, 3)
            if picture not in self.captures:
                files.append(self._write(warc, picture, data, number, "media", url))
                path = self.home.root / media_key(digest, "image/jpeg")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        row = archive.article(url, text, main, images=pictures, media=media)
        visit = Visit(
            archive.ticket(url), "done", status=200, finished_at=main.fetched_at,
            captures=[main, *files], main=main, articles=[row], media=media,
        )  # fmt: skip
        archive.state.finish(archive.run_id, visit)


def make_home(folder):
    """Three runs: the secret page changes, another page shares its bytes, a third its picture."""
    builder = Builder(folder)
    secret, plain = page(TEXT), page("平常。")
    builder.run(
        [
            (SECRET, secret, TEXT, (OWN_PICTURE, SHARED_PICTURE)),
            (THIRD, plain, "平常。", (SHARED_PICTURE,)),
        ]
    )
    builder.run(
        [
            (SECRET, page(TEXT * 2), TEXT * 2, (OWN_PICTURE, SHARED_PICTURE)),
            (OTHER, secret, "他文。", (), SECRET),
        ]
    )
    builder.run([(SECRET, page(TEXT * 2), TEXT * 2), (OTHER, secret, "他文。", (), SECRET)])
    builder.archive.state.close()
    home = builder.home
    warcs = sorted(home.warc.glob("*.warc.gz"))
    pages = [PackedPage(SECRET, START, "标题", TEXT), PackedPage(OTHER, START, "标题", "他文。")]
    pack(home.wacz / "hongxing.wacz", warcs, pages, PackageInfo("红星网", START, "hongxing"))
    return home


def find_traces(home, needle=NEEDLE, besides=()):
    """Look for a text in everything below a home: compressed, packed, in free pages too."""
    wanted = needle.encode()
    found = []
    for path in sorted(path for path in home.root.rglob("*") if path.is_file()):
        name = path.relative_to(home.root).as_posix()
        if name not in besides and any(wanted in data for data in _readings(path)):
            found.append(name)
    return found


def _readings(path):
    data = path.read_bytes()
    yield data
    if path.name.endswith(".warc.gz"):
        yield from (record.payload() for record in read_records(path))
    elif path.suffix == ".gz":
        yield gzip.decompress(data)
    elif path.suffix == ".wacz":
        with zipfile.ZipFile(path) as package:
            yield from (package.read(name) for name in package.namelist())
            for name in package.namelist():
                if name.endswith(".warc.gz"):
                    yield gzip.decompress(package.read(name))
    elif path.name == "state.sqlite":
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        with connection:
            for (row,) in connection.execute("SELECT row FROM versions"):
                yield zlib.decompress(row)
        connection.close()
        yield from _inflated(data)


def _inflated(data):
    """Everything in a file that still inflates, used or not."""
    start = 0
    while (start := data.find(b"x\x01", start)) >= 0:
        engine = zlib.decompressobj()
        with contextlib.suppress(zlib.error):
            yield engine.decompress(data[start:], 1 << 16)
        start += 2
