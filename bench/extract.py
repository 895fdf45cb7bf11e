"""Our plug-in for extraction benchmarks: ``bench/extract.py:read`` takes bytes, gives fields.

    python bench.py --tool ours --plugin bench/extract.py:read

The pages that a benchmark reads are other people's and never part of this repository; run as
a command, this file measures the speed on a folder of them (``*.html`` or ``*.html.gz``):

    HONGXING_PAGES=/path/to/html python bench/extract.py
"""

from __future__ import annotations

import gzip
import os
import statistics
import sys
import time
from pathlib import Path

ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "67108864",
}
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hongxing_crawler.core.clean import clean_page  # noqa: E402 - after the path is set


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


def _load(folder):
    for path in sorted(Path(folder).glob("*.html*")):
        raw = path.read_bytes()
        yield gzip.decompress(raw) if path.suffix == ".gz" else raw


def main():
    """Print pages per second of CPU time, best of three passes per page."""
    folder = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HONGXING_PAGES", "")
    if not folder:
        sys.exit("say which folder of pages: HONGXING_PAGES=… or an argument")
    if any(os.environ.get(name) != value for name, value in ALLOCATOR.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ALLOCATOR})
    pages = list(_load(folder))
    best = [float("inf")] * len(pages)
    for _ in range(3):
        for number, page in enumerate(pages):
            started = time.process_time()
            clean_page(page, "")
            best[number] = min(best[number], time.process_time() - started)
    ordered = sorted(best)
    print(
        f"{len(pages)} pages, {len(pages) / sum(best):.0f} pages/s, "
        f"median {1000 * statistics.median(best):.2f} ms, "
        f"p99 {1000 * ordered[int(0.99 * (len(best) - 1))]:.1f} ms, max {1000 * ordered[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
