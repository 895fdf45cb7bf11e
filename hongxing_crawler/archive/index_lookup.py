"""Find things in the indexes of a folder of WARC files, line by line, in little memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hongxing_crawler.core.surt import surt
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from hongxing_crawler.items import Original

_WARC = ".warc.gz"


def index_lines(warcs: Path, indexes: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield every index line with the WARC file that it is of, file by file.

    Args:
        warcs: The folder of WARC files.
        indexes: The folder of their ``.cdxj`` files, named alike.

    Raises:
        ArchiveError: A WARC file has no index.
    """
    for path in sorted(warcs.glob(f"*{_WARC}")):
        index = indexes / f"{path.name.removesuffix(_WARC)}.cdxj"
        try:
            with index.open("rb") as file:
                for line in file:
                    yield path, line
        except OSError as error:
            raise ArchiveError(
                f"{path.name} has no index that can be read: {error.strerror}; "
                "type hongxing repair first"
            ) from error


def find_files(warcs: Path, indexes: Path, urls: Collection[str]) -> set[Path]:
    """Find the WARC files that hold captures of addresses; a few more may be among them."""
    keys = {surt(url).encode() for url in urls}
    return {path for path, line in index_lines(warcs, indexes) if line.partition(b" ")[0] in keys}


def find_revisit_files(warcs: Path, indexes: Path, digests: Collection[str]) -> set[Path]:
    """Find the WARC files with revisits of bodies that have one of some digests."""
    found: set[Path] = set()
    for path, line in index_lines(warcs, indexes):
        if path not in found and b"warc/revisit" in line and _fields(line)["digest"] in digests:
            found.add(path)
    return found


def find_originals(
    warcs: Path, indexes: Path, needed: Mapping[str, Original]
) -> dict[str, tuple[Path, int]]:
    """Find where full records lie that revisits refer to.

    Args:
        warcs: The folder of WARC files.
        indexes: The folder of their indexes.
        needed: By record id.

    Returns:
        File and offset by record id; a record that is in no index is left out.
    """
    keys: dict[bytes, list[str]] = {}
    for record_id, original in needed.items():
        key = f"{surt(original.url)} {original.fetched_at:%Y%m%d%H%M%S}".encode()
        keys.setdefault(key, []).append(record_id)
    found: dict[str, tuple[Path, int]] = {}
    for path, line in index_lines(warcs, indexes) if keys else ():
        for record_id in keys.get(b" ".join(line.split(b" ", 2)[:2]), ()):
            fields = _fields(line)
            same = fields["digest"] == needed[record_id].payload_digest
            if same and fields.get("mime") != "warc/revisit":
                found[record_id] = path, int(fields["offset"])
    return found


def _fields(line: bytes) -> dict[str, str]:
    fields: dict[str, str] = json.loads(line.split(b" ", 2)[2])
    return fields
