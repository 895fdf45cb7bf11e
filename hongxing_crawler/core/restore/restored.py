"""A repaired text, whatever had damaged it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hongxing_crawler.core.document import DamagedPlace, GlossEntry
    from hongxing_crawler.core.edits import Edit

VERDICTS: Final = ("clean", "proved", "guessed", "lossy")  # the later the worse


@dataclass(frozen=True, slots=True)
class Restored:
    """A repaired text. The edits count in the received text; places count in ``text``."""

    text: str
    edits: tuple[Edit, ...] = ()
    verdict: str = "clean"  # clean | proved | guessed | lossy
    places: tuple[DamagedPlace, ...] = ()
    table: tuple[GlossEntry, ...] = ()
    noise_count: int = 0
