"""Takedowns: what is left of a page that a person removed from the archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hongxing_crawler.core.identity import content_sha256
from hongxing_crawler.core.row import (
    SCHEMA_VERSION,
    Article,
    ChangeRow,
    CleaningRow,
    ProvenanceRow,
    QualityRow,
    RestorationRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKEN_DOWN = "[taken down]"


@dataclass(frozen=True, slots=True)
class RemovedArticle:
    """An article whose rows became tombstones, and the runs whose deltas hold them."""

    id: str
    url: str
    canonical_url: str
    site: str
    rows: tuple[tuple[str, int], ...]  # run id and revision, oldest first


@dataclass(frozen=True, slots=True)
class Takedown:
    """One decision to remove pages: all that has to be known to carry it out again.

    It lies in the archive as a record of its own, so that rows made again from the archive honour
    it, and a state that was lost and made again still knows what not to ask for.
    """

    id: str  # of the run that carried it out
    at: str  # UTC
    by: str
    reason: str
    requested: tuple[str, ...]  # addresses as the operator gave them
    urls: tuple[str, ...]  # never asked for again
    articles: tuple[RemovedArticle, ...]
    removed_records: tuple[str, ...] = ()  # urn:uuid:… of those that are not there any more

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs whose deltas hold a tombstone of it, its own with them."""
        earlier = {run_id for article in self.articles for run_id, _ in article.rows}
        return (*sorted(earlier), self.id)


def encode_takedown(takedown: Takedown) -> bytes:
    """Write a takedown as JSON."""
    return msgspec.json.encode(takedown)


def decode_takedown(data: bytes | str) -> Takedown:
    """Read a takedown back.

    Raises:
        ValueError: It is none of this version.
    """
    return msgspec.json.decode(data, type=Takedown)


def tombstones(takedown: Takedown) -> Iterator[Article]:
    """Make the rows of a takedown: one for each delta that held a row, and one for its own."""
    for article in takedown.articles:
        last_revision = article.rows[-1][1] if article.rows else 1
        for run_id, revision in (*article.rows, (takedown.id, last_revision)):
            yield _tombstone(takedown, article, run_id, revision)


def _tombstone(takedown: Takedown, article: RemovedArticle, run_id: str, revision: int) -> Article:
    """Make a row that says where a page was and why it is gone, and nothing that it said."""
    return Article(
        schema_version=SCHEMA_VERSION,
        id=article.id,
        revision=revision,
        op="deleted",
        run_id=run_id,
        url=article.url,
        canonical_url=article.canonical_url,
        requested_url="",
        list_url="",
        site=article.site,
        channel="",
        breadcrumbs=(),
        headline=TAKEN_DOWN,
        kicker="",
        subheadline="",
        authors=(),
        source_name="",
        source_raw="",
        source_url="",
        editor="",
        date_published=None,
        date_published_raw="",
        date_precision="none",
        date_modified="",
        published_day=None,
        in_language="",
        description="",
        keywords=(),
        doc_type="other",
        doc_number="",
        article_body="",
        article_body_html="",
        char_count=0,
        page_count=1,
        main_image="",
        images=(),
        attachments=(),
        videos=(),
        video_files=(),
        content_sha256=content_sha256(TAKEN_DOWN, ""),
        first_seen_at=None,
        last_seen_at=None,
        deleted_at=takedown.at,
        change=ChangeRow(kind="takedown", fields=("deleted_at",), reason=takedown.reason),
        provenance=_NOWHERE,
        cleaning=CleaningRow(
            pipeline="", chars_raw=0, chars_clean=0, removed_ratio=0.0, steps=(), warnings=()
        ),
        restoration=RestorationRow(verdict="clean", table=(), places=(), noise_count=0),
        quality=QualityRow(completeness=0.0, flags=(), errors=()),
        rights="",
    )


_NOWHERE = ProvenanceRow(
    fetched_at=None,
    http_status=0,
    content_type="",
    charset="",
    charset_source="",
    etag="",
    last_modified="",
    raw_sha256="",
    raw_key="",
    warc_filename="",
    warc_offset=-1,
    warc_length=-1,
    warc_record_id="",
    warc_payload_digest="",
    rendered_record_id="",
    crawler="",
    extractor="",
    template="",
)
