"""The row ``article/1.0``: its fields, their types and what they mean.

These classes are the source: the JSON Schema and ``docs/data-format.md`` follow them. Every key is
on every line; missing text is ``""``, missing dates are null, arrays are never null, and a number
never changes its kind. A change of a field raises ``SCHEMA_VERSION``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

# Used at run time: msgspec reads the annotations.
from hongxing_crawler.core.document import DamagedPlace, GlossEntry  # noqa: TC001
from hongxing_crawler.core.edits import Edit, RemovedBlock  # noqa: TC001

SCHEMA_VERSION: Final = "article/1.0"

_LOCAL = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+08:00$"
_UTC = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"

Count = Annotated[int, Meta(ge=0)]
Ratio = Annotated[float, Meta(ge=0, le=1)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Sha256OrEmpty = Annotated[str, Meta(pattern="^$|^[0-9a-f]{64}$")]
LocalTime = Annotated[str, Meta(pattern=f"^{_LOCAL}")]
LocalTimeOrEmpty = Annotated[str, Meta(pattern=f"^$|^{_LOCAL}")]
UtcTime = Annotated[str, Meta(pattern=f"^{_UTC}")]
UtcTimeOrEmpty = Annotated[str, Meta(pattern=f"^$|^{_UTC}")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
ArticleId = Annotated[str, Meta(pattern="^art_[0-9a-f]{32}$")]
RunId = Annotated[str, Meta(pattern=r"^run_\d{8}T\d{6}Z(-[0-9a-z]+)?$")]
Url = Annotated[str, Meta(min_length=8)]
Operation = Literal["snapshot", "new", "changed", "deleted"]
FileStatus = Literal["stored", "duplicate", "failed", "skipped"]
ChangeKind = Literal[
    "first",
    "editorial",
    "template",
    "files",
    "cleaning",
    "spam",
    "none",
    "returned",
    "removed",
    "takedown",
]


def _says(text: str, *examples: str) -> Meta:
    return Meta(description=text, examples=list(examples) or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A person named by the page."""

    name: Annotated[str, _says("cleaned")]
    name_raw: Annotated[str, _says("as printed")]
    role: Annotated[
        Literal["author", "photographer", "editor"], _says("author, photographer or editor")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """An image of the article, with the bytes that we keep."""

    url: Annotated[str, _says("address as on the page, absolute")]
    sha256: Annotated[Sha256OrEmpty, _says("hex of the stored bytes, empty when not stored")]
    key: Annotated[str, _says("object key of the stored bytes, empty when not stored")]
    mime: Annotated[str, _says("media type read from the bytes", "image/jpeg")]
    bytes: Annotated[Count, _says("size")]
    width: Annotated[int, _says("pixels, 0 unknown")]
    height: Annotated[int, _says("pixels, 0 unknown")]
    caption: Annotated[str, _says("图说")]
    position: Annotated[
        int, _says("index of the paragraph of article_body that it follows, -1 before the first")
    ]
    status: Annotated[
        FileStatus,
        _says("stored; duplicate: stored, and earlier in this article; failed: asked for; skipped"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRow:
    """A file offered for download, with the bytes that we keep."""

    url: Annotated[str, _says("address as on the page, absolute")]
    sha256: Annotated[Sha256OrEmpty, _says("hex of the stored bytes, empty when not stored")]
    key: Annotated[str, _says("object key of the stored bytes, empty when not stored")]
    mime: Annotated[str, _says("media type read from the bytes", "application/pdf")]
    bytes: Annotated[Count, _says("size")]
    status: Annotated[FileStatus, _says("as for images")]
    name: Annotated[str, _says("file name shown to the reader")]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRow:
    """The file of a film that was asked for, with the bytes that we keep."""

    url: Annotated[str, _says("address, as in videos")]
    sha256: Annotated[
        Sha256OrEmpty,
        _says(
            "hex of the stored bytes, empty when not stored; of an HLS film: its pieces, one after "
            "the other"
        ),
    ]
    key: Annotated[str, _says("object key of the stored bytes, empty when not stored")]
    mime: Annotated[str, _says("media type read from the bytes", "video/mp4")]
    bytes: Annotated[Count, _says("size; of a film that was too large: as far as it is known")]
    status: Annotated[
        FileStatus,
        _says(
            "stored; duplicate: stored, and earlier in this article; failed: asked for; "
            "skipped: not wanted, by its reason"
        ),
    ]
    reason: Annotated[str, _says("why it is not stored: too_large, outside, hls_encrypted …")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceRow:
    """Where every byte came from."""

    fetched_at: Annotated[UtcTime | None, _says("UTC; when this revision was first fetched")]
    http_status: Annotated[int, _says("status code, 0 without an exchange")]
    content_type: Annotated[str, _says("header as sent")]
    charset: Annotated[str, _says("used for decoding")]
    charset_source: Annotated[str, _says("header | meta | bom | detected")]
    etag: Annotated[str, _says("header as sent")]
    last_modified: Annotated[str, _says("header as sent")]
    raw_sha256: Annotated[Sha256OrEmpty, _says("hex of the decoded HTTP payload")]
    raw_key: Annotated[str, _says("object key of the WARC file that holds the raw page")]
    warc_filename: Annotated[str, _says("file name in warc/")]
    warc_offset: Annotated[int, _says("bytes, -1 none")]
    warc_length: Annotated[int, _says("bytes, -1 none")]
    warc_record_id: Annotated[str, _says("urn:uuid")]
    warc_payload_digest: Annotated[str, _says("as in WARC-Payload-Digest")]
    rendered_record_id: Annotated[
        str,
        _says(
            "urn:uuid of the conversion record that the text was read from: the page as a browser "
            "showed it; empty: read from the page itself"
        ),
    ]
    crawler: Annotated[str, _says("name/version")]
    extractor: Annotated[str, _says("name/version")]
    template: Annotated[str, _says("rule set that matched, or generic")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One step of cleaning on one field.

    Steps of the same field follow each other: undone from the last to the first they give the text
    that was received, carried out again they give the field.
    """

    step: Annotated[str, _says("name of the step; extract: what was left out of the HTML")]
    field: Annotated[str, _says("field it worked on", "article_body", "headline", "caption[0]")]
    edits: Annotated[tuple[Edit, ...], _says("changes to the text that the step received")]
    removed_blocks: Annotated[tuple[RemovedBlock, ...], _says("parts of the HTML left out")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleaningRow:
    """What cleaning did, so that it can be read, undone and done again."""

    pipeline: Annotated[str, _says("name/version")]
    chars_raw: Annotated[int, _says("code points of the body as received")]
    chars_clean: Annotated[int, _says("code points of article_body")]
    removed_ratio: Annotated[Ratio, _says("share of chars_raw that is gone")]
    steps: Annotated[tuple[StepRow, ...], _says("in order; steps that changed nothing left out")]
    warnings: Annotated[tuple[str, ...], _says("what a person should look at")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorationRow:
    """The verdict on damage of the page's text, and its evidence."""

    verdict: Annotated[
        Literal["clean", "proved", "guessed", "lossy"],
        _says(
            "clean: no damage; proved: the repair, damaged again, gives what was received; "
            "guessed: the likeliest reading; lossy: characters are gone"
        ),
    ]
    table: Annotated[tuple[GlossEntry, ...], _says("gloss table learned from the page")]
    places: Annotated[tuple[DamagedPlace, ...], _says("places repaired or lost")]
    noise_count: Annotated[Count, _says("control characters taken out")]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow:
    """How much of an article the page gave."""

    completeness: Annotated[Ratio, _says("share of headline, body, date and source found")]
    flags: Annotated[
        tuple[str, ...],
        _says("generic_template | no_body | no_date | no_source | media_failed | video | damaged"),
    ]
    errors: Annotated[tuple[str, ...], _says("field: message")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """How this state of the article differs from the one before it, of an earlier run."""

    kind: Annotated[
        ChangeKind,
        _says(
            "first: seen for the first time; editorial: it says something else; template: another "
            "form, the same words; files: a file could be stored at last, or not again; cleaning: "
            "the same bytes, read or cleaned in another way; spam: only what cleaning takes away; "
            "none: nothing; returned: there again after its tombstone; "
            "removed: gone from the site; takedown: removed from the archive by a person"
        ),
    ]
    fields: Annotated[
        tuple[str, ...], _says("fields that differ, in the order of the row; empty for the first")
    ]
    reason: Annotated[str, _says("of a takedown, as its operator gave it; else empty")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article as exported: a line of JSON Lines."""

    schema_version: Annotated[Literal["article/1.0"], _says("article/MAJOR.MINOR, never a number")]
    id: Annotated[ArticleId, _says("art_ and 32 hex of sha256(canonical_url); stable for ever")]
    revision: Annotated[int, Meta(ge=1), _says("1, 2, …: grows when content_sha256 changes")]
    op: Annotated[Operation, _says("snapshot (full export) | new | changed | deleted (delta)")]
    run_id: Annotated[RunId, _says("run that wrote this state of the article, UTC basic form")]
    url: Annotated[Url, _says("final address after redirects")]
    canonical_url: Annotated[Url, _says("normalised; what id is made from")]
    requested_url: Annotated[str, _says("address asked for")]
    list_url: Annotated[str, _says("listing page it was found on")]
    site: Annotated[str, _says("host, with its port when that is unusual")]
    channel: Annotated[str, _says("栏目 name")]
    breadcrumbs: Annotated[tuple[str, ...], _says("栏目 path, root first")]
    headline: Annotated[str, Meta(min_length=1), _says("正题")]
    kicker: Annotated[str, _says("引题 / 肩题")]
    subheadline: Annotated[str, _says("副题")]
    authors: Annotated[tuple[PersonRow, ...], _says("people named by the page")]
    source_name: Annotated[str, _says("来源, cleaned")]
    source_raw: Annotated[str, _says("来源 as printed")]
    source_url: Annotated[str, _says("link of 来源")]
    editor: Annotated[str, _says("责任编辑")]
    date_published: Annotated[LocalTime | None, _says("ISO 8601 with +08:00; null: not found")]
    date_published_raw: Annotated[str, _says("as printed")]
    date_precision: Annotated[
        Literal["second", "minute", "day", "none"],
        _says("second, minute, day or none: what the page gave of date_published"),
    ]
    date_modified: Annotated[LocalTimeOrEmpty, _says("ISO 8601 with +08:00")]
    published_day: Annotated[Day | None, _says("local calendar day; partition key; null: unknown")]
    in_language: Annotated[str, _says("BCP 47", "zh-CN")]
    description: Annotated[str, _says("摘要 given by the page")]
    keywords: Annotated[tuple[str, ...], _says("given by the page")]
    doc_type: Annotated[
        str, _says("news | notice | policy | speech | interview | photo | video | topic | other")
    ]
    doc_number: Annotated[str, _says("发文字号")]
    article_body: Annotated[str, _says("clean text, paragraphs parted by one blank line, no HTML")]
    article_body_html: Annotated[str, _says("sanitised HTML subset")]
    char_count: Annotated[Count, _says("characters of article_body without white space")]
    page_count: Annotated[int, Meta(ge=1), _says("pages joined into article_body")]
    main_image: Annotated[Sha256OrEmpty, _says("sha256 of the lead image, empty when none")]
    images: Annotated[tuple[ImageRow, ...], _says("in the order of the page")]
    attachments: Annotated[tuple[AttachmentRow, ...], _says("in the order of the page")]
    videos: Annotated[
        tuple[str, ...], _says("addresses of films that the page shows, absolute, in its order")
    ]
    video_files: Annotated[
        tuple[VideoRow, ...], _says("files of the films, when they were asked for; else empty")
    ]
    content_sha256: Annotated[Sha256, _says("sha256 of NFC(headline + LF + article_body)")]
    first_seen_at: Annotated[UtcTime | None, _says("UTC; fetched for the first time")]
    last_seen_at: Annotated[
        UtcTime | None,
        _says(
            "UTC; last time the page was there, unchanged, as of the snapshot:"
            " a run that changes no row writes none"
        ),
    ]
    deleted_at: Annotated[UtcTimeOrEmpty, _says("UTC; empty while the page exists")]
    change: Annotated[ChangeRow, _says("how it differs from its state before")]
    provenance: Annotated[ProvenanceRow, _says("where every byte came from")]
    cleaning: Annotated[CleaningRow, _says("what cleaning did")]
    restoration: Annotated[RestorationRow, _says("damage of the text and its repair")]
    quality: Annotated[QualityRow, _says("how much of an article the page gave")]
    rights: Annotated[str, _says("usage terms as found")]
