"""Lists of files with their sha256, in the form that ``sha256sum -c`` and BagIt read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hongxing_crawler.archive import disk
from hongxing_crawler.archive.digests import sha256_of_file
from hongxing_crawler.archive.findings import Finding, Kind
from hongxing_crawler.exceptions import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_LINE_RE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}


def hash_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Hash files below a folder.

    Args:
        folder: Where the names start from.
        names: Relative paths with forward slashes.

    Returns:
        ``sha256:…`` by name.

    Raises:
        ArchiveError: a file cannot be read.
    """
    return {name: _hash(folder / name) for name in names}


def write_manifest(path: Path, digests: Mapping[str, str]) -> None:
    """Write a manifest, sorted by name; it appears when it is complete.

    Raises:
        ArchiveError: the disk refuses; an older manifest is as before.
    """
    lines = (f"{digests[name].removeprefix('sha256:')}  {_escape(name)}\n" for name in digests)
    data = "".join(sorted(lines, key=lambda line: line[66:])).encode()
    try:
        with disk.replaced(path) as file:
            file.write(data)
    except OSError as error:
        raise ArchiveError(f"cannot write {path}: {disk.explain(error)}") from error


def read_manifest(path: Path) -> dict[str, str]:
    """Read a manifest.

    Returns:
        ``sha256:…`` by name.

    Raises:
        ArchiveError: it is missing, or a line has another form.
    """
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ArchiveError(f"cannot read {path}: {error}") from error
    digests = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE_RE.fullmatch(line)
        if not found:
            raise ArchiveError(f"{path}, line {number}: not a digest and a name")
        digests[_unescape(found[2])] = f"sha256:{found[1]}"
    return digests


def verify_manifest(
    path: Path, folder: Path, present: Iterable[str] | None = None
) -> list[Finding]:
    """Compare files with a manifest.

    Args:
        path: The manifest.
        folder: Where its names start from.
        present: Names of all files that should be listed, to find those that are not.

    Raises:
        ArchiveError: the manifest cannot be read.
    """
    digests = read_manifest(path)
    findings = [
        finding for name in digests if (finding := verify_file(folder, name, digests[name]))
    ]
    unlisted = sorted(set(present or ()) - digests.keys())
    return findings + [
        Finding(Kind.UNLISTED, name, 0, 0, f"{path.name} does not list it") for name in unlisted
    ]


def verify_file(folder: Path, name: str, digest: str) -> Finding | None:
    """Compare one file with its digest."""
    target = folder / name
    if not target.is_file():
        return Finding(Kind.MISSING, name, 0, 0, "the manifest lists it, it is not there")
    if _hash(target) != digest:
        reason = "its bytes are not those that were recorded"
        return Finding(Kind.FIXITY, name, 0, target.stat().st_size, reason)
    return None


def _hash(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise ArchiveError(f"cannot read {path}: {disk.explain(error)}") from error


def _escape(name: str) -> str:
    """Escape as BagIt does, so that a line break in a name cannot add a line."""
    return "".join(_ESCAPES.get(character, character) for character in name)


def _unescape(name: str) -> str:
    return re.sub("%0[Dd]|%0[Aa]|%25", lambda found: _PLAIN[found[0].upper()], name)


_PLAIN = {escape: character for character, escape in _ESCAPES.items()}
