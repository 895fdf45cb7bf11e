"""What rendering costs: the crawl with its archive beside bare scrapy-playwright, and static pages.

Rendered pages: each is an article of 20 paragraphs that a script writes from JSON of its own. Both
sides start the browser with the same flags, open pages in the same context, as many at a time,
without delay, wait for the same selector, and take the DOM; with ``--pictures`` also a picture of
the whole page. Ours does besides: the page is asked for by the crawl and given to the browser
through its gate, page, JSON and DOM (and picture) are archived, synced, read and stored as rows.

Static pages: a crawl of them alone, and with rendered pages of another host among them, both with
a delay. What counts is how long the static pages took, as the server saw it.

Run it on a quiet machine: python bench/browser.py --pages 200
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hongxing_crawler.browser.find import what_is_missing
from hongxing_crawler.browser.launch import context_options, launch_options
from hongxing_crawler.core.profile import BrowserRule, SiteProfile
from hongxing_crawler.crawl import CrawlOptions, crawl
from hongxing_crawler.demo.message import Reply, Request
from hongxing_crawler.demo.server import Server

AT_A_TIME = 2
PARAGRAPH = "第{}段：全省组织工作会议在长沙召开，会议强调抓好落实。"
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
base, count, launch, context, wait_for, at_a_time, pictures = json.loads(sys.argv[1])
METHODS = [PageMethod("wait_for_selector", wait_for, state="attached")]
HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
class Spider(scrapy.Spider):
    name, found = "bare", 0
    async def start(self):
        for number in range(count):
            shot = [PageMethod("screenshot", full_page=True)] if pictures else []
            yield scrapy.Request(f"{base}/content/{number}.html", meta={"playwright": True,
                "playwright_page_methods": [*METHODS, *shot],
                "playwright_page_goto_kwargs": {"wait_until": "commit"}})
    def parse(self, response):
        Spider.found += len(response.css("#app p")) == 20
process = AsyncCrawlerProcess({"DOWNLOAD_HANDLERS": {"http": HANDLER}, "LOG_LEVEL": "ERROR",
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "CONCURRENT_REQUESTS": at_a_time, "CONCURRENT_REQUESTS_PER_DOMAIN": at_a_time,
    "PLAYWRIGHT_LAUNCH_OPTIONS": launch, "PLAYWRIGHT_CONTEXTS": {"default": context}})
process.crawl(Spider)
process.start()
print(Spider.found)
"""


def answer(request: Request) -> Reply:
    """Serve the start pages, the empty pages and their JSON, and static pages."""
    folder, _, rest = request.path.lstrip("/").partition("/")
    number = rest.partition(".")[0]
    html = (("Content-Type", b"text/html; charset=utf-8"),)
    if folder == "api":
        rows = [PARAGRAPH.format(n) for n in range(20)]
        return Reply(200, (("Content-Type", b"application/json"),), json.dumps(rows).encode())
    if folder == "content":
        return Reply(200, html, PAGE.replace("NUMBER", number).encode())
    if folder == "static":
        body = "".join(f"<p>{PARAGRAPH.format(n)}</p>" for n in range(20))
        title = f"第{number}次组织工作会议召开"
        return Reply(200, html, f"<h1>{title}</h1><div>{body}</div>".encode())
    if folder in {"start", "start-static"}:
        to = "content" if folder == "start" else "static"
        links = "".join(f"<a href='/{to}/{n}.html'>{n}</a> " for n in range(int(number)))
        return Reply(200, html, f"<h1>首页</h1><p>{links}</p>".encode())
    return Reply(404, html, b"")


@dataclass(frozen=True)
class Job:
    """What one crawl does."""

    bases: tuple[str, str]  # of rendered and of static pages
    rendered: int = 0
    static: int = 0
    with_pictures: bool = False
    delay_s: float = 0.0


def run(command: list[str]) -> tuple[float, str]:
    """Run a crawl in a process of its own: seconds from its start to its end, what it said last."""
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return time.perf_counter() - started, done.stdout.split()[-1]


def rate_bare(job: Job) -> float:
    context = context_options("bench")
    launch = launch_options()
    launch["args"] = [flag for flag in launch["args"] if "resolver" not in flag]  # it needs network
    given = (job.bases[0], job.rendered, launch, context, WAIT_FOR, AT_A_TIME, job.with_pictures)
    seconds, found = run([sys.executable, "-c", BARE, json.dumps(given)])
    assert found == str(job.rendered), found
    return job.rendered / seconds


def run_ours(job: Job) -> float:
    """Return the seconds that a crawl took."""
    seconds, found = run([sys.executable, __file__, "--child", json.dumps(asdict(job))])
    assert found == str(job.rendered + job.static), found
    return seconds


def crawl_here(job: Job) -> None:
    rendered, static = job.bases
    seeds = [f"{rendered}/start/{job.rendered}.html"] if job.rendered else []
    seeds += [f"{static}/start-static/{job.static}.html"] if job.static else []
    profile = SiteProfile(
        "bench",
        hosts=tuple(base.removeprefix("http://") for base in job.bases),
        seeds=tuple(seeds),
        article=("/content/", "/static/"),
        browser=(BrowserRule("/content/", wait_for=WAIT_FOR),),
    )
    settings = {
        "HONGXING_BROWSER_SCREENSHOT": job.with_pictures,
        "HONGXING_BROWSER_PAGES": AT_A_TIME,
        "HONGXING_BROWSER_RESTART_PAGES": 1_000_000,
        "LOG_LEVEL": "ERROR",
    }
    with tempfile.TemporaryDirectory() as folder:
        options = CrawlOptions(
            home=Path(folder),
            site=profile,
            browser="auto",
            delay_s=job.delay_s,
            concurrency=AT_A_TIME,
            settings=settings,
        )
        print(crawl(options).counts["articles"])


def static_seconds(server: Server, job: Job) -> float:
    """Crawl, and return the seconds between the first and the last request for a static page."""
    server.log.clear()
    run_ours(job)
    asked = [request.at for request in server.log if request.path.startswith("/static/")]
    assert len(asked) == job.static
    return max(asked) - min(asked)


def compare_rendered(job: Job, rounds: int) -> None:
    ratios = []
    for number in range(rounds):
        sides = (rate_bare, lambda job: job.rendered / run_ours(job))
        first, second = sides if number % 2 == 0 else sides[::-1]
        rates = {side: side(job) for side in (first, second)}
        bare, ours = (rates[side] for side in sides)
        ratios.append(ours / bare)
        print(f"  bare {bare:.2f} pages/s, ours {ours:.2f}, ratio {ours / bare:.2f}", flush=True)
    print(f"  median {statistics.median(ratios):.2f}", flush=True)


def compare_static(server: Server, job: Job, rounds: int) -> None:
    ratios = []
    for _ in range(rounds):
        alone = static_seconds(server, replace(job, rendered=0))
        mixed = static_seconds(server, job)
        ratios.append(mixed / alone)
        print(f"  alone {alone:.2f} s, mixed {mixed:.2f} s, ratio {mixed / alone:.3f}", flush=True)
    print(f"  median {statistics.median(ratios):.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--static", type=int, default=300, help="0: leave them out")
    parser.add_argument("--delay", type=float, default=0.1, help="between two static pages, s")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        crawl_here(Job(**json.loads(given.child)))
        return
    if missing := what_is_missing():
        sys.exit(missing)
    with Server(answer, ports={"www": 0, "static": 0}) as server:
        # A name of its own: pages of one host wait for each other, as politeness wants it.
        rendered, static = server.bases["www"], server.bases["static"]
        bases = rendered.replace("127.0.0.1", "localhost"), static
        if given.pages:
            print(f"{given.pages} rendered pages, pictures: {given.pictures}")
            job = Job(bases, rendered=given.pages, with_pictures=given.pictures)
            compare_rendered(job, given.rounds)
        if given.static:
            mixed = Job(bases, rendered=20, static=given.static, delay_s=given.delay)
            print(f"{mixed.static} static pages, alone and with {mixed.rendered} rendered ones")
            compare_static(server, mixed, given.rounds)


if __name__ == "__main__":
    main()
