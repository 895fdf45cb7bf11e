"""Clean an article's page: what goes, why, and how to put it back is decided in core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.exceptions import NotConfigured

from hongxing_crawler.core.clean import clean
from hongxing_crawler.running.run import run_of
from hongxing_crawler.store.visit import Visit

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from hongxing_crawler.core.document import CleanedPage
    from hongxing_crawler.core.profile import SiteProfile


class CleanPipeline:
    """Run the cleaning steps on received pages and count their edits by rule."""

    def __init__(self, stats: StatsCollector, profile: SiteProfile) -> None:
        self.stats = stats
        self.profile = profile

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings.getbool("HONGXING_CLEAN_ENABLED"):
            raise NotConfigured("HONGXING_CLEAN_ENABLED is off")
        return cls(crawler.stats, run_of(crawler).profile)

    def process_item(self, item: Any) -> Any:
        if isinstance(item, Visit) and item.page is not None:
            item.cleaned = clean(item.page, self.profile)
            if item.main is None or item.main.record_type != "revisit":
                self._count(item.cleaned)  # the same bytes again tell nothing new of the site
        return item

    def _count(self, cleaned: CleanedPage) -> None:
        edits = [edit.rule for step in cleaned.steps for edit in step.edits]
        blocks = [block.rule for block in cleaned.removed]
        for rule in edits:
            self.stats.inc_value(f"hongxing/clean/edit_count/{rule}")
        for rule in blocks:
            self.stats.inc_value(f"hongxing/clean/block_count/{rule}")
        if any(rule.startswith("spam.") for rule in (*edits, *blocks)):
            self.stats.inc_value("hongxing/clean/injected_count")
        if cleaned.page.template == "generic":
            self.stats.inc_value("hongxing/clean/generic_count")
        self.stats.inc_value(f"hongxing/restore/verdict_count/{cleaned.restoration.verdict}")
