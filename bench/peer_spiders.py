"""The two Scrapy projects that ours is measured against.

python bench/peer_spiders.py bare|bare-info|typical BASE_URL PAGE_COUNT FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import article_pages
from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess

FIELDS = {
    "title": "h1::text",
    "date": "span.p_l_25::text, span.pubdate::text, main section div span::text",
    "source": "span.p_l_10::text, .author::text",
    "author": "span.author::text",
    "editor": ".editor::text",
    "channel": ".crumbs a:last-child::text",
    "crumbs": ".crumbs a::text",
    "body": ".detail_article_content p::text, #articlecontent p::text, article section p::text",
    "images": ".detail_article_content img::attr(src), #articlecontent img::attr(src)",
    "files": "a[href$='.doc']::attr(href), a[href$='.xls']::attr(href)",
    "keywords": "meta[name=keywords]::attr(content)",
}


class BareSpider(Spider):
    """Scrapy's floor: every default, a callback that does nothing."""

    name = "bare"

    async def start(self):
        for number in range(self.page_count):
            yield Request(self.base_url + article_pages.article_path(number))

    def parse(self, response):
        pass


class TypicalSpider(BareSpider):
    """What most projects do: parsel CSS for 11 fields, a JSON Lines feed, a DEBUG log."""

    name = "typical"

    def parse(self, response):
        yield {name: response.css(selector).getall() for name, selector in FIELDS.items()}


def _settings(kind: str, folder: Path) -> dict[str, object]:
    if kind == "bare-info":
        return {"LOG_LEVEL": "INFO"}  # without a line for each page: a stricter yardstick
    if kind == "typical":
        log = str(folder / "log")
        return {"LOG_FILE": log, "FEEDS": {folder / "rows.jsonl": {"format": "jsonlines"}}}
    return {}


def main() -> None:
    kind, base_url, page_count, folder = sys.argv[1:]
    process = CrawlerProcess(_settings(kind, Path(folder)))
    spider = TypicalSpider if kind == "typical" else BareSpider
    process.crawl(spider, base_url=base_url, page_count=int(page_count))
    process.start()


if __name__ == "__main__":
    main()
