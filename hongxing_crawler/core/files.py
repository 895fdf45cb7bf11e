"""The files of an article: what was found on the page, joined with what was downloaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hongxing_crawler.core.identity import media_key
from hongxing_crawler.core.row import AttachmentRow, FileStatus, ImageRow, VideoRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hongxing_crawler.core.document import ArticleContent, FoundImage


@dataclass(frozen=True, slots=True)
class MediaFile:
    """An image or attachment after its download. ``sha256`` is empty when no bytes are kept."""

    url: str
    sha256: str = ""
    mime: str = ""
    bytes: int = 0
    width: int = 0
    height: int = 0
    status: FileStatus = "stored"
    reason: str = ""  # why it is not stored


def list_files(
    article: ArticleContent, media: Mapping[str, MediaFile] | None
) -> tuple[tuple[ImageRow, ...], tuple[AttachmentRow, ...]]:
    """Make the rows of images and attachments; without a mapping they were not asked for."""
    met: set[str] = set()
    images = tuple(_image_row(image, _find_file(image.url, media, met)) for image in article.images)
    attachments = tuple(
        _attachment_row(found.name, _find_file(found.url, media, met))
        for found in article.attachments
    )
    return images, attachments


def _find_file(url: str, media: Mapping[str, MediaFile] | None, met: set[str]) -> MediaFile:
    """Look a file up; the second one of the same bytes is a duplicate."""
    if media is None:
        return MediaFile(url, status="skipped")
    file = media.get(url) or MediaFile(url, status="failed", reason="not downloaded")
    if not file.sha256:
        return replace(file, url=url, status="skipped" if file.status == "skipped" else "failed")
    status: FileStatus = "duplicate" if file.sha256 in met else "stored"
    met.add(file.sha256)
    return replace(file, url=url, status=status)


def _image_row(image: FoundImage, file: MediaFile) -> ImageRow:
    return ImageRow(
        url=image.url,
        sha256=file.sha256,
        key=media_key(file.sha256, file.mime),
        mime=file.mime,
        bytes=file.bytes,
        width=file.width,
        height=file.height,
        caption=image.caption,
        position=image.position,
        status=file.status,
    )


def _attachment_row(name: str, file: MediaFile) -> AttachmentRow:
    return AttachmentRow(
        url=file.url,
        sha256=file.sha256,
        key=media_key(file.sha256, file.mime),
        mime=file.mime,
        bytes=file.bytes,
        status=file.status,
        name=name,
    )


def list_videos(
    article: ArticleContent, media: Mapping[str, MediaFile] | None
) -> tuple[VideoRow, ...]:
    """Make the rows of films that were asked for, in the order of the page."""
    met: set[str] = set()
    asked = [url for url in article.videos if url in (media or {})]
    return tuple(_video_row(_find_file(url, media, met)) for url in asked)


def _video_row(file: MediaFile) -> VideoRow:
    return VideoRow(
        url=file.url,
        sha256=file.sha256,
        key=media_key(file.sha256, file.mime),
        mime=file.mime,
        bytes=file.bytes,
        status=file.status,
        reason=file.reason,
    )


def list_failures(name: str, files: Sequence[ImageRow | AttachmentRow | VideoRow]) -> Iterator[str]:
    """Yield a message for each file that could not be stored."""
    for index, file in enumerate(files):
        if file.status == "failed":
            yield f"{name}[{index}]: not stored: {file.url}"
