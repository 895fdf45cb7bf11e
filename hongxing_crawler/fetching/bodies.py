"""Bodies that come in: small ones in memory, large ones in a temporary file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

CHUNK_BYTES = 64 * 1024


def start_of(path: Path) -> bytes:
    """Return what a type can be told from; who needs the rest opens the file."""
    with path.open("rb") as file:
        return file.read(CHUNK_BYTES)


class Body:
    """Bytes in memory up to a limit, then in a temporary file."""

    def __init__(self, limit_bytes: int, folder: Path) -> None:
        self.size = 0
        self._limit = limit_bytes
        self._folder = folder
        self._chunks: list[bytes] = []
        self._file: Any = None

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self._file is not None:
            self._file.write(chunk)
            return
        self._chunks.append(chunk)
        if self.size > self._limit:
            self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed by close()
                dir=self._folder, prefix="body-", suffix=".part", delete=False
            )
            self._file.writelines(self._chunks)
            self._chunks.clear()

    def close(self) -> bytes | Path:
        if self._file is None:
            return b"".join(self._chunks)
        self._file.close()
        return Path(self._file.name)

    def discard(self) -> None:
        """Leave nothing behind: the disk is full, or the program ends."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
