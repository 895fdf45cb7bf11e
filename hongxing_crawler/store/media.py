"""Pictures and attachments: original bytes, named by their sha256, complete or not there."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from hongxing_crawler.core.media_types import image_size, sniff
from hongxing_crawler.core.record import MediaFile, media_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.core.media_types import MediaType

_CHUNK_BYTES = 1 << 20
_LOOK_BYTES = 1 << 20  # a JPEG may hold that much before its size


def keep_media(url: str, content: bytes | Path, home: Path | None) -> MediaFile:
    """Describe a file and keep its bytes below ``home/media``.

    The name on disk comes from the bytes alone, never from the URL. A file that is there
    already is not written again, but one of another length (a torn one) is replaced.

    Args:
        url: Where it came from; its last part may help to tell CSV from plain text.
        content: The bytes after content decoding, or a file that holds them.
        home: The home directory; None describes without keeping (``reprocess``).

    Raises:
        OSError: The disk refused; nothing is left behind under the final name.
    """
    with _open(content) as source:
        digest, size = _digest(source)
        media_type, (width, height) = _look_at(source, size, urlsplit(url).path)
        if home is not None:
            _write(source, home / media_key(digest, media_type.mime), size)
    return MediaFile(
        url=url,
        sha256=digest,
        mime=media_type.mime,
        bytes=size,
        width=width,
        height=height,
    )


def is_kept(media: MediaFile, home: Path) -> bool:
    """Tell whether a file's bytes are still there, whole."""
    path = home / media_key(media.sha256, media.mime)
    return bool(media.sha256) and path.is_file() and path.stat().st_size == media.bytes


def _open(content: bytes | Path) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    source.seek(0)
    while chunk := source.read(_CHUNK_BYTES):
        yield chunk


def _digest(source: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(source):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _look_at(source: BinaryIO, size: int, name: str) -> tuple[MediaType, tuple[int, int]]:
    source.seek(0)
    head = source.read(_LOOK_BYTES)
    media_type = sniff(head, name, source if size > len(head) else None)
    if not media_type.mime.startswith("image/"):
        return media_type, (0, 0)
    return media_type, image_size(head)


def _write(source: BinaryIO, path: Path, size: int) -> None:
    if path.is_file() and path.stat().st_size == size:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as target:
        temporary = Path(target.name)
        try:
            for chunk in _chunks(source):
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    temporary.chmod(0o644)
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
