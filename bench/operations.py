"""Measure what an operator waits for: help, status on a large home, the start of a crawl.

    python bench/operations.py               # 1,000,000 URLs
    python bench/operations.py --urls 100000

The start of a crawl is the time until its first request arrives, beside bare Scrapy's; each is
started in turn and the best of five counts, because a shared machine only ever adds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from startup import make_visited

TRIES = 5
MODULE = [sys.executable, "-m", "hongxing_crawler"]
SPIDER = """
import scrapy, sys
class Bare(scrapy.Spider):
    name = "bare"
    start_urls = [sys.argv[1]]
    def parse(self, response): pass
from scrapy.crawler import AsyncCrawlerProcess
process = AsyncCrawlerProcess({"LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False})
process.crawl(Bare)
process.start()
"""


class Handler(BaseHTTPRequestHandler):
    """Note when the first request arrives, and have nothing."""

    arrived: list[float] = []  # noqa: RUF012 - one for all

    def do_GET(self) -> None:
        self.arrived.append(time.perf_counter())
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """Return seconds of the clock and of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def best(command: list[str], folder: Path) -> dict[str, float]:
    times = [run(command, folder) for _ in range(TRIES)]
    return {"s": round(min(t[0] for t in times), 3), "cpu_s": round(min(t[1] for t in times), 3)}


def start_up(command: list[str], folder: Path) -> float:
    """Return the seconds until the first request arrives."""
    Handler.arrived.clear()
    started = time.perf_counter()
    subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"HONGXING_DELAY_S": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return Handler.arrived[0] - started


def compare_starts(folder: Path) -> dict[str, float]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    site = folder / "site.toml"
    site.write_text(f'name = "bench"\nhosts = ["{host}"]\nseeds = ["http://{host}/"]\n')
    (folder / "bare.py").write_text(SPIDER)
    ours = [*MODULE, "crawl", str(site), "--home", "small", "-q"]
    bare = [sys.executable, "bare.py", f"http://{host}/"]
    pairs = [(start_up(ours, folder), start_up(bare, folder)) for _ in range(TRIES)]
    server.shutdown()
    crawl, scrapy = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    return {"ours_s": round(crawl, 3), "bare_scrapy_s": round(scrapy, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--urls", type=int, default=1_000_000)
    count = parser.parse_args().urls
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "home" / "warc").mkdir(parents=True)
        make_visited(folder / "home" / "state.sqlite", count)
        figures = {
            "help": best([*MODULE, "--help"], folder),
            "urls": count,
            "status": best([*MODULE, "status", "--home", "home"], folder),
            "status_json": best([*MODULE, "status", "--home", "home", "--json"], folder),
            "first_request": compare_starts(folder),
        }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
