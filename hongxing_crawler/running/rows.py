"""The row of a visit, made alike by the crawl and by reprocessing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hongxing_crawler.core.record import Article, Origin, build_article
from hongxing_crawler.core.urls import shifted_date

if TYPE_CHECKING:
    from datetime import date

    from hongxing_crawler.core.document import CleanedPage
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.urls import Scope
    from hongxing_crawler.store.visit import Visit

_LISTINGS = frozenset({"list", "topic", "page"})


def article_of(visit: Visit, run_id: str, profile: SiteProfile, scope: Scope) -> Article:
    """Make the row of a visit that brought a cleaned page.

    ``list_url`` is the page it was found on when that is a list, a topic or a start page. A page
    that prints no date gets the day of its address, when the site writes one there.

    Raises:
        PageError: Cleaning left nothing that is an article.
    """
    assert visit.cleaned is not None
    cleaned, found_on = visit.cleaned, visit.ticket.found_on
    if scope.classify(visit.final_url) == "topic":
        cleaned = replace(cleaned, article=replace(cleaned.article, doc_type="topic"))
    if visit.warnings:
        cleaned = replace(cleaned, warnings=(*cleaned.warnings, *visit.warnings))
    if cleaned.article.date_published is None:
        cleaned = _dated_by_address(cleaned, shifted_date(visit.final_url, profile))
    origin = Origin(
        requested_url=visit.ticket.url,
        final_url=visit.final_url,
        list_url=found_on if scope.classify(found_on) in _LISTINGS else "",
        run_id=run_id,
        content_type=visit.content_type,
        etag=visit.etag,
        last_modified=visit.last_modified,
        raw_sha256=visit.raw_sha256,
        rendered_record_id=visit.rendered.record_id if visit.rendered else "",
    )
    return build_article(cleaned, origin=origin, capture=visit.main, media=visit.media)


def _dated_by_address(cleaned: CleanedPage, day: date | None) -> CleanedPage:
    if day is None:
        return cleaned
    midnight = f"{day.isoformat()}T00:00:00+08:00"
    article = replace(cleaned.article, date_published=midnight, date_precision="day")
    return replace(cleaned, article=article, warnings=(*cleaned.warnings, "date_from_address"))
