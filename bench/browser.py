"""What rendering costs: the crawl with its archive beside bare scrapy-playwright.

Every page is an article of 20 paragraphs that a script writes from JSON of its own. Both wait for
the same selector, with as many pages at a time and without delay; ours also archives page, JSON
and DOM, synced, and makes rows. Run it on a quiet machine: python bench/browser.py --pages 200
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hongxing_crawler.browser.find import find_browser, what_is_missing
from hongxing_crawler.core.profile import BrowserRule, SiteProfile
from hongxing_crawler.crawl import CrawlOptions, crawl
from hongxing_crawler.demo.message import Reply, Request
from hongxing_crawler.demo.server import Server

AT_A_TIME = 2
WAIT_FOR = "#app p:nth-of-type(20)"
PAGE = """<html><head><title>组织工作会议</title></head><body><div id="app"></div><script>
fetch('/api/NUMBER').then(r => r.json()).then(rows => {
  document.getElementById('app').innerHTML = '<h1>第NUMBER次组织工作会议召开</h1>'
    + rows.map(row => `<p>${row}</p>`).join('') })
</script></body></html>"""
BARE = """
import json, sys, scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy_playwright.page import PageMethod
base, count, browser, wait_for, at_a_time = json.loads(sys.argv[1])
HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
class Spider(scrapy.Spider):
    name, found = "bare", 0
    async def start(self):
        for number in range(count):
            yield scrapy.Request(f"{base}/content/{number}.html", meta={"playwright": True,
                "playwright_page_methods": [PageMethod("wait_for_selector", wait_for)],
                "playwright_page_goto_kwargs": {"wait_until": "commit"}})
    def parse(self, response):
        Spider.found += len(response.css("#app p")) == 20
process = AsyncCrawlerProcess({"DOWNLOAD_HANDLERS": {"http": HANDLER}, "LOG_LEVEL": "ERROR",
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "CONCURRENT_REQUESTS": at_a_time, "CONCURRENT_REQUESTS_PER_DOMAIN": at_a_time,
    "PLAYWRIGHT_LAUNCH_OPTIONS": {"executable_path": browser, "args": ["--disable-gpu"]}})
process.crawl(Spider)
process.start()
print(Spider.found)
"""


def answer(request: Request) -> Reply:
    """Serve the start page, the empty pages and their JSON."""
    number = request.path.rpartition("/")[2].partition(".")[0]
    if request.path.startswith("/api/"):
        rows = [f"第{n}段：全省组织工作会议在长沙召开，会议强调抓好落实。" for n in range(20)]
        return Reply(200, (("Content-Type", b"application/json"),), json.dumps(rows).encode())
    html = (("Content-Type", b"text/html; charset=utf-8"),)
    if request.path.startswith("/content/"):
        return Reply(200, html, PAGE.replace("NUMBER", number).encode())
    if request.path.startswith("/start/"):
        links = "".join(f"<a href='/content/{n}.html'>{n}</a> " for n in range(int(number)))
        return Reply(200, html, f"<h1>首页</h1><p>{links}</p>".encode())
    return Reply(404, html, b"")


def run_bare(base: str, count: int) -> float:
    given = json.dumps([base, count, find_browser(), WAIT_FOR, AT_A_TIME])
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", BARE, given], capture_output=True, check=True, text=True
    )
    assert done.stdout.split()[-1] == str(count), done.stdout
    return time.perf_counter() - started


def run_ours(base: str, count: int) -> float:
    started = time.perf_counter()
    command = [sys.executable, __file__, "--child", base, "--pages", str(count)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout.split()[-1] == str(count), done.stdout
    return time.perf_counter() - started


def crawl_here(base: str, count: int) -> None:
    profile = SiteProfile(
        "bench",
        hosts=(base.removeprefix("http://"),),
        seeds=(f"{base}/start/{count}.html",),
        article=("/content/",),
        browser=(BrowserRule("/content/", wait_for=WAIT_FOR),),
    )
    settings = {
        "HONGXING_BROWSER_SCREENSHOT": False,  # the other takes none
        "HONGXING_BROWSER_PAGES": AT_A_TIME,
        "HONGXING_BROWSER_RESTART_PAGES": 1_000_000,
        "LOG_LEVEL": "ERROR",
    }
    with tempfile.TemporaryDirectory() as folder:
        options = CrawlOptions(
            home=Path(folder),
            site=profile,
            browser="auto",
            delay_s=0.0,
            concurrency=AT_A_TIME,
            settings=settings,
        )
        print(crawl(options).counts["articles"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        crawl_here(given.child, given.pages)
        return
    if missing := what_is_missing():
        sys.exit(missing)
    with Server(answer) as server:
        for _ in range(given.rounds):
            bare = given.pages / run_bare(server.bases["www"], given.pages)
            ours = given.pages / run_ours(server.bases["www"], given.pages)
            print(f"bare {bare:.2f} pages/s, ours {ours:.2f} pages/s, ratio {ours / bare:.2f}")


if __name__ == "__main__":
    main()
