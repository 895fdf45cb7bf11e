"""The order of the cleaning steps, and the clean article they lead to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hongxing_crawler.core.dates import PublishedAt, parse_date
from hongxing_crawler.core.document import (
    ArticleContent,
    Author,
    CleanedPage,
    Page,
    Step,
)
from hongxing_crawler.core.footer import strip_footer
from hongxing_crawler.core.page import extract
from hongxing_crawler.core.sources import DOC_NUMBER_RE
from hongxing_crawler.core.spaces import strip_blank_lines, strip_invisible
from hongxing_crawler.core.spam import strip_advertising, strip_name_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hongxing_crawler.core.edits import Cleaned
    from hongxing_crawler.core.profile import SiteProfile

_STEPS: tuple[tuple[str, Callable[[str], Cleaned]], ...] = (
    ("invisible", strip_invisible),
    ("name_runs", strip_name_runs),
    ("advertising", strip_advertising),
    ("footer", strip_footer),
    ("blank_lines", strip_blank_lines),
)
_MAX_PASSES = 4
_DOC_TYPES = (
    ("notice", re.compile(r"(?:公示|公告|通告|通知)$|(?:公示|公告|通知)(?:[（(]|$)")),
    ("policy", re.compile(r"(?:意见|办法|条例|规定|细则|方案|决定)(?:[（(].{0,20}[)）])?$")),
)


def clean_page(
    html: bytes, url: str, profile: SiteProfile | None = None, *, content_type: str = ""
) -> CleanedPage:
    """Read a page and clean it."""
    return clean(extract(html, url, profile, content_type=content_type), profile)


def clean_body(received: str) -> tuple[str, list[Step]]:
    """Run the text steps over a body until none finds anything to do."""
    text, steps = received, []
    for _ in range(_MAX_PASSES):
        found = False
        for name, step in _STEPS:
            cleaned = step(text)
            if cleaned.edits:
                steps.append(Step(name, cleaned.edits))
                text, found = cleaned.text, True
        if not found:
            break
    return text, steps


def clean(page: Page, profile: SiteProfile | None = None) -> CleanedPage:
    """Clean a page that was read, or joined from its parts."""
    body, steps = clean_body(page.body)
    published = parse_date(page.date) if page.date else PublishedAt()
    article = ArticleContent(
        headline=page.title,
        article_body=body,
        kicker=page.kicker,
        subheadline=page.subheadline,
        authors=_authors(page),
        source_name=page.source,
        source_raw=page.source,
        source_url=page.source_url,
        editor=page.editor,
        date_published=published.value or None,
        date_published_raw=published.raw or page.date,
        date_precision=published.precision,
        in_language=page.language,
        description=page.description,
        keywords=page.keywords,
        doc_type=_doc_type(page.title),
        doc_number=_doc_number(page, body),
        article_body_html=page.body_html,
        channel=page.channel,
        page_count=page.page_count,
        breadcrumbs=page.breadcrumbs,
        images=page.images,
        attachments=page.attachments,
        videos=page.videos,
    )
    return CleanedPage(
        page=page,
        article=article,
        received=page.body,
        steps=tuple(steps),
        removed=page.removed,
        warnings=page.warnings,
    )


def _authors(page: Page) -> tuple[Author, ...]:
    names = [name for name in re.split(r"[\s、,，;；/]+", page.author) if name]
    return tuple(Author(name, page.author) for name in names)


def _doc_type(headline: str) -> str:
    return next((kind for kind, pattern in _DOC_TYPES if pattern.search(headline)), "news")


def _doc_number(page: Page, body: str) -> str:
    found = DOC_NUMBER_RE.search(page.title[:200]) or DOC_NUMBER_RE.search(body[:300])
    return found[0] if found else ""


def join_parts(pages: Sequence[Page]) -> Page:
    """Join the parts of one article, in order, into one page.

    The first part gives headline and facts; bodies follow each other, image positions are
    shifted, lists are united without repeats.

    Raises:
        ValueError: No part was given.
    """
    if not pages:
        raise ValueError("cannot join the parts of an article: no part was given")
    first, bodies, images, shift = pages[0], [], [], 0
    for page in pages:
        images += [
            replace(image, position=image.position + shift if image.position >= 0 else shift - 1)
            for image in page.images
        ]
        if page.body:
            bodies.append(page.body)
            shift += page.body.count("\n\n") + 1
    return replace(
        first,
        body="\n\n".join(bodies),
        body_html="".join(page.body_html for page in pages),
        images=tuple(images),
        attachments=tuple(dict.fromkeys(item for page in pages for item in page.attachments)),
        videos=tuple(dict.fromkeys(item for page in pages for item in page.videos)),
        links=tuple(dict.fromkeys(item for page in pages for item in page.links)),
        next_parts=(),
        removed=tuple(item for page in pages for item in page.removed),
        warnings=tuple(dict.fromkeys(item for page in pages for item in page.warnings)),
        page_count=len(pages),
        text_sample="\n".join(page.text_sample for page in pages)[:200_000],
    )
