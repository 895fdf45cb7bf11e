"""The last gate before the network: counters, foreign schemes and private hosts stay unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.utils.httpobj import urlparse_cached

from hongxing_crawler.core.urls import is_private_host
from hongxing_crawler.fetching.download import FILM
from hongxing_crawler.fetching.refusals import RefusedError
from hongxing_crawler.running.run import BROWSER, KIND, run_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

    from hongxing_crawler.running.run import Run


_ANYWHERE = frozenset({"media", "robots"})  # pictures of an article may lie on other hosts


class ScopeMiddleware:
    """Refuse what the profile or common sense forbids, whoever asks for it.

    The spider looks only for links in scope. This gate is for everything else that may want to
    fetch: redirects, media, a careless component.
    """

    def __init__(self, run: Run, stats: StatsCollector) -> None:
        self.run = run
        self.stats = stats
        self._netlocs = frozenset(run.profile.hosts + run.profile.media_hosts)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(run_of(crawler), crawler.stats)

    def process_request(self, request: Request) -> None:
        reason = self._refusal(request)
        if reason:
            self.stats.inc_value(f"hongxing/scope/refused_count/{reason}")
            raise RefusedError(reason)

    def _refusal(self, request: Request) -> str:
        kind = self.run.scope.classify(request.url)
        if kind == "never":
            return "never_route"
        netloc = urlparse_cached(request).netloc
        if netloc not in self._netlocs and is_private_host(netloc):
            return "private_address"
        is_large = FILM in request.meta
        if request.meta.get(KIND) == BROWSER or is_large:
            kind = "resource" if netloc in self._netlocs else "outside"
        if kind == "outside" and (request.meta.get(KIND) not in _ANYWHERE or is_large):
            return "outside"
        if self.run.state.takedowns.find(request.url) is not None:
            return "taken_down"
        return ""
