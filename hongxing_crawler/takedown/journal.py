"""The journal of a takedown: from its writing on the decision stands, whatever happens."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

# Used at run time: msgspec reads the annotations.
from hongxing_crawler.archive.excise import Proof  # noqa: TC001
from hongxing_crawler.core.takedown import Takedown  # noqa: TC001
from hongxing_crawler.exceptions import StateError
from hongxing_crawler.items import Capture  # noqa: TC001
from hongxing_crawler.store.files import write_file

if TYPE_CHECKING:
    from pathlib import Path

    from hongxing_crawler.store.home import Home


@dataclass(frozen=True, slots=True)
class Journal:
    """All that the steps of a takedown need; files by their names."""

    takedown: Takedown
    site: str
    warcs: tuple[str, ...]  # that take the place of others
    new_warc: str
    proofs: tuple[Proof, ...]
    promoted: dict[str, tuple[str, Capture]]  # by address: run of the revisit, the new record
    media_urls: tuple[str, ...]
    media_keys: tuple[str, ...]  # paths below the home
    packages: tuple[str, ...]  # WACZ files to be made again


def journal_path(home: Home) -> Path:
    """Return where the journal of a takedown in progress lies."""
    return home.takedown / "journal.json"


def stage_folder(home: Home) -> Path:
    """Return where its replacements wait."""
    return home.takedown / "stage"


def write_journal(home: Home, journal: Journal) -> None:
    """Decide: from here on a takedown is carried to its end."""
    write_file(journal_path(home), msgspec.json.encode(journal))


def read_journal(home: Home) -> Journal | None:
    """Read the journal of a takedown that was interrupted; None when there is none.

    Raises:
        StateError: It cannot be read.
    """
    path = journal_path(home)
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Journal)
    except (msgspec.DecodeError, OSError) as error:
        raise StateError(
            f"{path} cannot be read: {error}; it belongs to a takedown that was interrupted, by "
            "another version of hongxing_crawler: finish it with that one"
        ) from error


def close_journal(home: Home) -> None:
    """Let go of what an ended takedown left; without a journal, of what it had staged."""
    journal_path(home).unlink(missing_ok=True)
    shutil.rmtree(stage_folder(home), ignore_errors=True)
