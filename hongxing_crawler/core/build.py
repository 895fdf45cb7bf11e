"""Make a row out of a cleaned page and of how it was come by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from hongxing_crawler import __version__
from hongxing_crawler.core.files import MediaFile, list_failures, list_files, list_videos
from hongxing_crawler.core.identity import article_id, content_sha256, utc_text
from hongxing_crawler.core.row import (
    SCHEMA_VERSION,
    Article,
    AttachmentRow,
    ChangeRow,
    CleaningRow,
    ImageRow,
    PersonRow,
    ProvenanceRow,
    QualityRow,
    RestorationRow,
    StepRow,
    VideoRow,
)
from hongxing_crawler.core.urls import canonical_url, netloc_of
from hongxing_crawler.exceptions import PageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from hongxing_crawler.core.document import ArticleContent, CleanedPage

SOFTWARE = f"hongxing_crawler/{__version__}"
FIRST = ChangeRow(kind="first", fields=(), reason="")
NO_RUN = "run_00000000T000000Z"  # a row that no run wrote: a page cleaned by hand


class CaptureLike(Protocol):
    """What a row cites of a capture (`hongxing_crawler.items.Capture`)."""

    @property
    def warc_filename(self) -> str: ...
    @property
    def offset(self) -> int: ...
    @property
    def length(self) -> int: ...
    @property
    def record_id(self) -> str: ...
    @property
    def payload_digest(self) -> str: ...
    @property
    def fetched_at(self) -> datetime: ...
    @property
    def status(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """How a page was come by: what the page itself cannot say."""

    requested_url: str
    final_url: str = ""  # empty: the same
    list_url: str = ""
    run_id: str = NO_RUN
    content_type: str = ""  # header as sent
    etag: str = ""
    last_modified: str = ""
    raw_sha256: str = ""  # hex of the payload after Content-Encoding is undone
    rendered_record_id: str = ""  # of the page as a browser showed it, when the text is from there
    crawler: str = SOFTWARE
    extractor: str = SOFTWARE
    pipeline: str = SOFTWARE


def build_article(
    cleaned: CleanedPage,
    *,
    origin: Origin,
    capture: CaptureLike | None = None,
    media: Mapping[str, MediaFile] | None = None,
) -> Article:
    """Make the row of a cleaned page.

    History (``revision``, ``op``, the seen dates) is that of a first visit; the state database
    fills in what it knows.

    Args:
        cleaned: The page after `core.clean.clean`.
        origin: Addresses, headers and the names of the software.
        capture: The main record of the page; None for a page that is in no archive.
        media: Files by address as on the page. A file that is missing here has failed; without
            any mapping the files were not asked for.

    Raises:
        PageError: No headline, or neither text nor files: not an article.
        ValueError: The address is none.
    """
    article, url = cleaned.article, origin.final_url or origin.requested_url
    _check_content(article, url)
    canonical = canonical_url(url)
    fetched_at = utc_text(capture.fetched_at) if capture else None
    images, attachments = list_files(article, media)
    films = list_videos(article, media)
    return Article(
        schema_version=SCHEMA_VERSION,
        id=article_id(canonical),
        revision=1,
        op="new",
        run_id=origin.run_id,
        url=url,
        canonical_url=canonical,
        requested_url=origin.requested_url,
        list_url=origin.list_url,
        site=netloc_of(canonical),
        channel=article.channel,
        breadcrumbs=article.breadcrumbs,
        headline=article.headline,
        kicker=article.kicker,
        subheadline=article.subheadline,
        authors=tuple(
            PersonRow(name=person.name, name_raw=person.name_raw, role=_role(person.role))
            for person in article.authors
        ),
        source_name=article.source_name,
        source_raw=article.source_raw,
        source_url=article.source_url,
        editor=article.editor,
        date_published=article.date_published,
        date_published_raw=article.date_published_raw,
        date_precision=article.date_precision,  # type: ignore[arg-type]  # checked by `check_row`
        date_modified="",
        published_day=article.date_published[:10] if article.date_published else None,
        in_language=article.in_language,
        description=article.description,
        keywords=article.keywords,
        doc_type=article.doc_type,
        doc_number=article.doc_number,
        article_body=article.article_body,
        article_body_html=article.article_body_html,
        char_count=len("".join(article.article_body.split())),
        page_count=article.page_count,
        main_image=next((image.sha256 for image in images if image.sha256), ""),
        images=images,
        attachments=attachments,
        videos=article.videos,
        video_files=films,
        content_sha256=content_sha256(article.headline, article.article_body),
        first_seen_at=fetched_at,
        last_seen_at=fetched_at,
        deleted_at="",
        change=FIRST,
        provenance=_cite(cleaned, origin, capture),
        cleaning=_tell_cleaning(cleaned, origin),
        restoration=RestorationRow(
            verdict=cleaned.restoration.verdict,  # type: ignore[arg-type]  # one of the four
            table=cleaned.restoration.table,
            places=cleaned.restoration.places,
            noise_count=cleaned.restoration.noise_count,
        ),
        quality=_judge(cleaned, images, attachments, films),
        rights="",
    )


def _check_content(article: ArticleContent, url: str) -> None:
    if not article.headline:
        raise PageError(f"no headline: {url}")
    if not (article.article_body or article.images or article.attachments or article.videos):
        raise PageError(f"no text and no files: {url}")


def _role(role: str) -> Literal["author", "photographer", "editor"]:
    match role:
        case "photographer" | "editor":
            return role
        case _:
            return "author"


def _cite(cleaned: CleanedPage, origin: Origin, capture: CaptureLike | None) -> ProvenanceRow:
    return ProvenanceRow(
        fetched_at=utc_text(capture.fetched_at) if capture else None,
        http_status=capture.status if capture else 0,
        content_type=origin.content_type,
        charset=cleaned.page.charset,
        charset_source=cleaned.page.charset_source,
        etag=origin.etag,
        last_modified=origin.last_modified,
        raw_sha256=origin.raw_sha256,
        raw_key=f"warc/{capture.warc_filename}" if capture else "",
        warc_filename=capture.warc_filename if capture else "",
        warc_offset=capture.offset if capture else -1,
        warc_length=capture.length if capture else -1,
        warc_record_id=capture.record_id if capture else "",
        warc_payload_digest=capture.payload_digest if capture else "",
        rendered_record_id=origin.rendered_record_id,
        crawler=origin.crawler,
        extractor=origin.extractor,
        template=cleaned.page.template,
    )


def _tell_cleaning(cleaned: CleanedPage, origin: Origin) -> CleaningRow:
    chars_raw, chars_clean = len(cleaned.received), len(cleaned.article.article_body)
    return CleaningRow(
        pipeline=origin.pipeline,
        chars_raw=chars_raw,
        chars_clean=chars_clean,
        removed_ratio=round(max(0.0, 1 - chars_clean / chars_raw), 4) if chars_raw else 0.0,
        steps=tuple(_list_steps(cleaned)),
        warnings=cleaned.warnings,
    )


def _list_steps(cleaned: CleanedPage) -> Iterator[StepRow]:
    if cleaned.removed:
        yield StepRow(
            step="extract", field="article_body", edits=(), removed_blocks=cleaned.removed
        )
    for step in cleaned.steps:
        if step.edits:
            yield StepRow(step=step.name, field="article_body", edits=step.edits, removed_blocks=())
    for field, edits in cleaned.field_edits:
        if edits:
            yield StepRow(step="field", field=field, edits=edits, removed_blocks=())


def _judge(
    cleaned: CleanedPage,
    images: tuple[ImageRow, ...],
    attachments: tuple[AttachmentRow, ...],
    films: tuple[VideoRow, ...],
) -> QualityRow:
    article = cleaned.article
    missing = {
        "no_body": not article.article_body,
        "no_date": article.date_published is None,
        "no_source": not article.source_name,
    }
    errors = (
        *list_failures("images", images),
        *list_failures("attachments", attachments),
        *list_failures("video_files", films),
    )
    flags = {
        "generic_template": cleaned.page.template == "generic",
        **missing,
        "media_failed": bool(errors),
        "video": bool(article.videos),
        "damaged": cleaned.restoration.verdict in {"guessed", "lossy"},
    }
    return QualityRow(
        completeness=1 - sum(missing.values()) / (len(missing) + 1),  # and the headline
        flags=tuple(name for name, is_set in flags.items() if is_set),
        errors=errors,
    )
