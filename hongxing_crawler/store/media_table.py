"""What became of the files that articles show, by address and by bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.core.record import MediaFile, media_key
from hongxing_crawler.store.moments import url_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hongxing_crawler.store.database import Database


class MediaTable:
    """The files of all articles."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def find(self, url: str) -> MediaFile | None:
        row = self._db.row(
            "SELECT url, sha256, mime, bytes, width, height, status, reason FROM media"
            " WHERE key = ?",
            (url_key(url),),
        )
        return MediaFile(*row) if row else None

    def has_bytes(self, sha256: str) -> bool:
        """Tell whether some file with these bytes is stored."""
        return self._db.row("SELECT 1 FROM media WHERE sha256 = ?", (sha256,)) is not None

    def keys(self) -> Iterator[str]:
        """Yield the paths of all stored files, each once."""
        for sha256, mime in self._db.rows(
            "SELECT DISTINCT sha256, mime FROM media WHERE sha256 <> '' ORDER BY sha256"
        ):
            yield media_key(sha256, mime)

    def store(self, files: Mapping[str, MediaFile]) -> None:
        """Note files by their addresses; one that is known and the same costs no write."""
        for url, file in files.items():
            if self.find(url) != file:
                self._write(url, file)

    def _write(self, url: str, file: MediaFile) -> None:
        self._db.execute(
            "INSERT INTO media (key, url, sha256, mime, bytes, width, height, status, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
            " sha256 = excluded.sha256, mime = excluded.mime, bytes = excluded.bytes,"
            " width = excluded.width, height = excluded.height, status = excluded.status,"
            " reason = excluded.reason",
            (
                url_key(url),
                file.url,
                file.sha256,
                file.mime,
                file.bytes,
                file.width,
                file.height,
                file.status,
                file.reason,
            ),
        )
