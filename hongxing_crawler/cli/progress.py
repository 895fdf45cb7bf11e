"""The progress line of a crawl on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_PAGES = "hongxing/visit/outcome_count/"


class CrawlProgress:
    """One line on stderr that counts; how much is left no crawler knows."""

    def __init__(self) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[pages]:,} pages, {task.fields[articles]:,} articles,"),
            TextColumn("{task.fields[files]:,} files"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("crawl", total=None, pages=0, articles=0, files=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, stats: Mapping[str, Any]) -> None:
        """Show Scrapy's stats as they are now."""
        pages = sum(count for name, count in stats.items() if name.startswith(_PAGES))
        self._bar.update(
            self._task,
            pages=pages,
            articles=stats.get("item_scraped_count", 0),
            files=stats.get("hongxing/store/image_count", 0)
            + stats.get("hongxing/store/attachment_count", 0),
        )
