"""Speed of the extraction core; and its plug-in for extraction benchmarks, ``read``.

    python bench.py --tool ours --plugin bench/extract.py:read

``read`` takes bytes and gives fields. The pages that a benchmark reads are other people's and
never part of this repository; run as a command, this file measures CPU time on one core over a
folder of them (``*.html`` or ``*.html.gz``), and over made-up pages of a known template:

    HONGXING_PAGES=/path/to/html python bench/extract.py [--pages 100000] [--peers]

One table row a reader: pages per second and milliseconds a page (best of three passes each), and
with ``--pages N`` the memory of this process while N pages go by, in five equal parts. ``--peers``
adds turbohtml's own extractor and, where installed, trafilatura: same pages, same process settings.
The allocator is set for all of them as our commands set it for themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import importlib
import importlib.util
import itertools
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "67108864",
}
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

# After the path is set:
import turbohtml  # noqa: E402
from article_pages import article_page, article_path  # noqa: E402

from hongxing_crawler.core.charset import decode  # noqa: E402
from hongxing_crawler.core.clean import clean_page  # noqa: E402
from hongxing_crawler.sites.profile import load_profile  # noqa: E402

_SLOW_PAGES = 3
_TEMPLATE_PAGES = 300
_PASSES = 3
_PARTS = 5


def read(html, url=None):
    """Clean one page on the generic path; text is taken as UTF-8."""
    raw = html if isinstance(html, bytes) else html.encode("utf-8", "replace")
    article = clean_page(raw, url or "").article
    return {
        "body": article.article_body,
        "title": article.headline,
        "date": article.date_published,
        "source": article.source_name,
        "author": " ".join(author.name for author in article.authors),
    }


read.INPUT = "bytes"


def load_folder(folder):
    """Yield (name, bytes, address) of each page of a folder."""
    for path in sorted(Path(folder).glob("*.html*")):
        raw = path.read_bytes()
        yield path.name, gzip.decompress(raw) if path.suffix == ".gz" else raw, ""


def make_template_pages():
    """Return made-up pages of the hongxing templates, and the profile that knows them."""
    host = "127.0.0.1:8000"
    pages = [
        (f"article {n}", article_page(n, 3000), f"http://{host}{article_path(n)}")
        for n in range(_TEMPLATE_PAGES)
    ]
    return pages, replace(load_profile("hongxing"), hosts=(host,))


def find_peers():
    """Return the extractors to compare with, as functions of text, as far as they are installed."""
    peers = {"turbohtml": lambda text: turbohtml.parse(text).article()}
    if importlib.util.find_spec("trafilatura"):
        peers["trafilatura"] = importlib.import_module("trafilatura").extract
    return peers


def time_pages(function, pages):
    """Return the CPU seconds of each page, the best of three passes."""
    best = [float("inf")] * len(pages)
    for _ in range(_PASSES):
        for number, page in enumerate(pages):
            started = time.process_time()
            with contextlib.suppress(Exception):  # a peer's failure costs its time all the same
                function(*page)
            best[number] = min(best[number], time.process_time() - started)
    return best


def show_speed(name, times):
    ordered = sorted(times)
    print(
        f"{name:<16}{len(times) / sum(times):>8,.0f} pages/s"
        f"   median {1000 * statistics.median(times):6.2f} ms"
        f"   p99 {1000 * ordered[int(0.99 * (len(times) - 1))]:6.1f} ms"
        f"   max {1000 * ordered[-1]:6.1f} ms"
    )


def read_rss_mb():
    """Return the memory of this process that is in use now, in MB; 0 where /proc is missing."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def watch_memory(folder, count):
    """Clean ``count`` pages, read from disk in a circle, and print the memory after each fifth."""
    print(f"memory over {count:,} pages: {read_rss_mb()} MB before", end="", flush=True)
    circle = itertools.chain.from_iterable(load_folder(folder) for _ in itertools.count())
    for _ in range(_PARTS):
        for _, html, url in itertools.islice(circle, count // _PARTS):
            clean_page(html, url)
        print(f", {read_rss_mb()}", end="", flush=True)
    print(" MB")


def measure(options):
    if not any(load_folder(options.folder)):
        sys.exit(f"no *.html or *.html.gz in {options.folder}")
    if options.pages:  # first, while this process holds nothing else
        watch_memory(options.folder, options.pages)
    pages = list(load_folder(options.folder))
    generic = [page[1:] for page in pages]
    template, profile = make_template_pages()
    times = time_pages(clean_page, generic)
    show_speed("generic", times)
    known = [(html, url, profile) for _, html, url in template]
    show_speed("known template", time_pages(clean_page, known))
    slowest = sorted(zip(times, pages, strict=True), key=lambda item: -item[0])[:_SLOW_PAGES]
    print("slowest:", ", ".join(f"{page[0]} {1000 * took:.1f} ms" for took, page in slowest))
    if options.peers:
        texts = [(decode(html).text,) for html, _ in generic]
        for name, peer in find_peers().items():
            show_speed(name, time_pages(peer, texts))


def main():
    """Set the allocator, which is only possible before a process starts, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("HONGXING_PAGES", ""))
    parser.add_argument("--pages", type=int, default=0, help="watch the memory over so many pages")
    parser.add_argument("--peers", action="store_true", help="measure other extractors, too")
    options = parser.parse_args()
    if not options.folder:
        sys.exit("say which folder of pages: HONGXING_PAGES=… or an argument")
    if any(os.environ.get(name) != value for name, value in ALLOCATOR.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ALLOCATOR})
    measure(options)


if __name__ == "__main__":
    main()
