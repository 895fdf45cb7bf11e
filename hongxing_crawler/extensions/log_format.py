"""Log lines for operators: articles stay out of the log, and what is stored is not a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.logformatter import LogFormatter

from hongxing_crawler.fetching.refusals import NotAnArticle

if TYPE_CHECKING:
    from scrapy.http import Response
    from scrapy.logformatter import LogFormatterResult
    from twisted.python.failure import Failure


class QuietLogFormatter(LogFormatter):
    """Scrapy's lines without the items: a row holds a whole article."""

    def scraped(self, item: Any, response: Response | Failure | None, spider: Any) -> Any:  # noqa: ARG002
        return None

    def dropped(
        self, item: Any, exception: BaseException, response: Any, spider: Any
    ) -> LogFormatterResult:
        if isinstance(exception, NotAnArticle):
            return None  # type: ignore[return-value] # Scrapy skips the line on None
        result = super().dropped("item", exception, response, spider)
        del item
        return result

    def item_error(
        self, item: Any, exception: BaseException, response: Any, spider: Any
    ) -> LogFormatterResult:
        url = getattr(getattr(item, "ticket", None), "url", "item")
        return super().item_error(url, exception, response, spider)
