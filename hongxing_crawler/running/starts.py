"""Where a crawl begins, and in which rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hongxing_crawler.core.json_lists import find_json_list
from hongxing_crawler.store.visit import Found

if TYPE_CHECKING:
    from hongxing_crawler.core.profile import SiteProfile

START_PRIORITIES: Final = {"seed": 100, "list": 100, "sitemap": 1, "feed": 1}


def start_of(url: str, profile: SiteProfile) -> Found:
    """Say what a start page is: a list when it is the JSON of one, which rests as lists do.

    Args:
        url: Canonical.
        profile: The site.
    """
    kind = "list" if find_json_list(url, profile) is not None else "seed"
    return Found(url, kind, START_PRIORITIES[kind])
