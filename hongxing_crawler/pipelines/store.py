"""The last pipeline: everything a visit brought goes into the state in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hongxing_crawler.exceptions import PageError
from hongxing_crawler.fetching.refusals import NotAnArticle
from hongxing_crawler.monitors.flags import flags_of
from hongxing_crawler.running.rows import article_of
from hongxing_crawler.running.run import run_of
from hongxing_crawler.store.visit import Visit

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from hongxing_crawler.core.record import Article
    from hongxing_crawler.running.run import Run


class StorePipeline:
    """Store finished visits; what goes on to feeds and signals is the article's row.

    ``scrapy crawl hongxing -O x.jsonl`` therefore writes the same rows as the export, with
    ``op`` telling what is new to this run; what only the end of the run tells of all its pages
    (`State.judge_repeats`) is still in them.
    """

    def __init__(self, run: Run, stats: StatsCollector) -> None:
        self.run = run
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(run_of(crawler), crawler.stats)

    def process_item(self, item: Any) -> Any:
        if not isinstance(item, Visit):
            return item
        if item.cleaned is not None and item.outcome == "done":
            self._add_article(item)
        stored = self.run.finish(item)
        self.stats.inc_value(f"hongxing/visit/outcome_count/{item.outcome}")
        if item.reason and item.outcome != "done":
            self.stats.inc_value(f"hongxing/visit/reason_count/{item.reason}")
        if not stored:
            raise NotAnArticle(item.reason or item.outcome)
        self._count(stored[0])
        return stored[0]

    def _add_article(self, visit: Visit) -> None:
        try:
            visit.articles = [self._row(visit)]
        except PageError as error:
            visit.outcome, visit.reason = "rejected", str(error).partition(":")[0].replace(" ", "_")

    def _row(self, visit: Visit) -> Article:
        return article_of(visit, self.run.run_id, self.run.profile, self.run.scope)

    def _count(self, article: Article) -> None:
        self.stats.inc_value("item_scraped_count")  # Scrapy's own, for its log and ours
        self.stats.inc_value(f"hongxing/store/article_count/{article.op}")
        for flag in flags_of(article) if article.op in {"new", "changed"} else ():
            self.stats.inc_value(f"hongxing/store/flag_count/{flag}")
        self.stats.inc_value("hongxing/store/image_count", len(article.images))
        self.stats.inc_value("hongxing/store/attachment_count", len(article.attachments))
