"""The order of the cleaning steps, and the clean article they lead to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hongxing_crawler.core.clean_html import clean_html
from hongxing_crawler.core.damaged_lines import find_damage, mend
from hongxing_crawler.core.dates import PublishedAt, parse_date
from hongxing_crawler.core.document import (
    ArticleContent,
    Author,
    CleanedPage,
    Page,
    Restoration,
    Step,
)
from hongxing_crawler.core.footer import furniture_of, strip_footer
from hongxing_crawler.core.page import extract
from hongxing_crawler.core.people import split_people
from hongxing_crawler.core.sources import DOC_NUMBER_RE
from hongxing_crawler.core.spaces import strip_blank_lines, strip_invisible, tidy
from hongxing_crawler.core.spam import strip_advertising, strip_name_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hongxing_crawler.core.document import DamagedPlace, FoundImage
    from hongxing_crawler.core.edits import Cleaned, Edit
    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.core.restore import Finding, Restored

_STEPS: tuple[tuple[str, Callable[[str], Cleaned]], ...] = (
    ("invisible", strip_invisible),
    ("name_runs", strip_name_runs),
    ("advertising", strip_advertising),
    ("blank_lines", strip_blank_lines),
)
_MAX_PASSES = 4
_NAMES_RE = re.compile(r"[\s、,，;；/|]++(?!\))")  # not the blank in 網(wǎng )
_DOC_TYPES = (
    ("notice", re.compile(r"(?:公示|公告|通告|通知)$|(?:公示|公告|通知)(?:[（(]|$)")),
    ("policy", re.compile(r"(?:意见|办法|条例|规定|细则|方案|决定)(?:[（(].{0,20}[)）])?$")),
)


def clean_page(
    html: bytes, url: str, profile: SiteProfile | None = None, *, content_type: str = ""
) -> CleanedPage:
    """Read a page and clean it."""
    return clean(extract(html, url, profile, content_type=content_type), profile)


def clean_body(
    received: str,
    damage: Finding | None = None,
    furniture: frozenset[str] = frozenset(),
) -> tuple[str, list[Step]]:
    r"""Run the text steps over a body until none finds anything to do.

    >>> clean_body("会议召开。\n\n技术支持：某公司")[0]
    '会议召开。'

    Args:
        received: The body as received.
        damage: What a mirror did to the page; restoring is the first step.
        furniture: The site's own closing lines.

    Returns:
        The clean body and the steps that found something.
    """
    text, steps = received, []
    if damage is not None:
        restored = mend(damage, text)
        if restored.edits:
            steps.append(Step("restore", restored.edits))
            text = restored.text
    for _ in range(_MAX_PASSES):
        found = False
        for name, step in _STEPS:
            cleaned = step(text)
            if cleaned.edits:
                steps.append(Step(name, cleaned.edits))
                text, found = cleaned.text, True
        closed = strip_footer(text, furniture)
        if closed.edits:
            steps.append(Step("footer", closed.edits))
            text, found = closed.text, True
        if not found:
            break
    return text, steps


def clean(page: Page, profile: SiteProfile | None = None) -> CleanedPage:
    """Clean a page that was read, or joined from its parts.

    Args:
        page: What ``extract`` or ``join_parts`` made.
        profile: What is known of the site; its own furniture lines count as footer.

    Returns:
        The clean article; ``replay(received, steps) == article.article_body``.
    """
    fields = _Fields(find_damage(page.text_sample or page.body))
    body, steps = clean_body(page.body, fields.damage, furniture_of(profile))
    published = parse_date(fields.read("date_published", page.date)) if page.date else PublishedAt()
    headline = fields.read("headline", page.title)
    article = ArticleContent(
        headline=headline,
        article_body=body,
        kicker=fields.read("kicker", page.kicker),
        subheadline=fields.read("subheadline", page.subheadline),
        authors=_authors(page, fields),
        source_name=fields.read("source_name", page.source),
        source_raw=page.source,
        source_url=page.source_url,
        editor=fields.read("editor", page.editor),
        date_published=published.value or None,
        date_published_raw=published.raw or page.date,
        date_precision=published.precision,
        in_language=page.language,
        description=fields.read("description", page.description),
        keywords=tuple(fields.read(f"keywords[{n}]", word) for n, word in enumerate(page.keywords)),
        doc_type=_doc_type(headline),
        doc_number=_doc_number(headline, body),
        article_body_html=_body_html(page, body, steps, fields.damage),
        channel=fields.read("channel", page.channel),
        breadcrumbs=tuple(
            fields.read(f"breadcrumbs[{n}]", name) for n, name in enumerate(page.breadcrumbs)
        ),
        images=tuple(fields.read_image(n, image) for n, image in enumerate(page.images)),
        attachments=tuple(
            replace(file, name=fields.read(f"attachments[{n}].name", file.name))
            for n, file in enumerate(page.attachments)
        ),
        videos=page.videos,
        page_count=page.page_count,
    )
    return CleanedPage(
        page=page,
        article=article,
        received=page.body,
        steps=tuple(steps),
        removed=page.removed,
        field_edits=tuple(fields.edits),
        restoration=fields.restoration(page.body),
        warnings=page.warnings,
    )


class _Fields:
    """Restore one field after the other with the damage of the page."""

    def __init__(self, damage: Finding | None) -> None:
        self.damage = damage
        self.edits: list[tuple[str, tuple[Edit, ...]]] = []
        self.places: list[DamagedPlace] = []
        self.verdicts: list[str] = []

    def read(self, name: str, text: str) -> str:
        """Return the text without damage and invisible characters, and note the edits."""
        if self.damage is not None and text:
            restored = mend(self.damage, text)
            if restored.edits or restored.verdict != "clean":
                self.note(name, restored)
            text = restored.text
        return self._strip(name, text) if text else text

    def _strip(self, name: str, text: str) -> str:
        visible = strip_invisible(text)
        if visible.edits:
            self.edits.append((name, visible.edits))
        return tidy(visible.text)

    def note(self, name: str, restored: Restored) -> None:
        if restored.edits:
            self.edits.append((name, restored.edits))
        self.places += [replace(place, field=name) for place in restored.places]
        self.verdicts.append(restored.verdict)

    def read_image(self, number: int, image: FoundImage) -> FoundImage:
        return replace(
            image,
            alt=self.read(f"alt[{number}]", image.alt),
            caption=self.read(f"caption[{number}]", image.caption),
        )

    def restoration(self, body: str) -> Restoration:
        """Sum up what was damaged: the worst verdict of all fields."""
        if self.damage is None:
            return Restoration()
        restored = mend(self.damage, body)
        places = tuple(replace(place, field="article_body") for place in restored.places)
        verdicts = {restored.verdict, *self.verdicts}
        worst = next((v for v in ("lossy", "guessed", "proved") if v in verdicts), "clean")
        return Restoration(
            worst, self.damage.table, (*places, *self.places), self.damage.noise_count
        )


def _body_html(page: Page, body: str, steps: list[Step], damage: Finding | None) -> str:
    if not steps:
        return page.body_html
    return clean_html(page.body_html, body, lambda text: clean_body(text, damage)[0])


def _authors(page: Page, fields: _Fields) -> tuple[Author, ...]:
    """Split a line of authors; a photographer is named as one."""
    if fields.damage is None:
        people = split_people(fields.read("authors", page.author))
        return tuple(Author(person.name, person.raw, person.role) for person in people)
    authors = []
    for number, raw in enumerate(_NAMES_RE.split(page.author)):
        people = split_people(fields.read(f"authors[{number}]", raw))
        authors += [Author(person.name, raw, person.role) for person in people]
    return tuple(authors)


def _doc_type(headline: str) -> str:
    return next((kind for kind, pattern in _DOC_TYPES if pattern.search(headline)), "news")


def _doc_number(headline: str, body: str) -> str:
    found = DOC_NUMBER_RE.search(headline[:200]) or DOC_NUMBER_RE.search(body[:300])
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
