"""Pages with a kit's noise and none of its glosses: left as they are, and flagged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from hongxing_crawler.core.document import DamagedPlace
from hongxing_crawler.core.restore.model import NOISE_MARKS
from hongxing_crawler.core.restore.restored import Restored
from hongxing_crawler.core.restore.tables import converted, to_simplified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.core.document import GlossEntry

_NOISE: Final = "\x05\x06\x07\x08"
_NOISE_RE: Final = re.compile(f"[{_NOISE}]{{1,5}}[{NOISE_MARKS}]")
_LEAST: Final = 3
_MAX_PLACES: Final = 200


@dataclass(frozen=True, slots=True)
class Unproved:
    """A page that a kit wrote, with nothing to learn its tables from.

    Without glosses no repair can be proved, so none is made.
    """

    noise_count: int
    table: ClassVar[tuple[GlossEntry, ...]] = ()

    def restore(self, text: str) -> Restored:
        """Return the text as it is; lines in Traditional script are flagged."""
        places = tuple(_places(text))
        return Restored(text, verdict="guessed" if places else "clean", places=places)


def find_unproved(texts: Iterable[str]) -> Unproved | None:
    r"""Find a page of Traditional text with noise before its marks.

    >>> find_unproved(["會議召開\x05，大家\x06。好\x07！"])
    Unproved(noise_count=3)
    >>> find_unproved(["会议召开\x05，大家\x06。好\x07！"]) is None
    True

    Args:
        texts: Received texts of the page.

    Returns:
        The finding, ``None`` for other pages. One scan over undamaged text.
    """
    page = "\n".join(texts)
    if not any(mark in page for mark in _NOISE):
        return None
    count = sum(1 for _ in _NOISE_RE.finditer(page))
    if count < _LEAST:
        return None
    traditional = sum(char in to_simplified() for char in page)
    simple = sum(char in converted() for char in page)
    return Unproved(count) if traditional > simple else None


def _places(text: str) -> Iterator[DamagedPlace]:
    start = count = 0
    for line in text.split("\n"):
        if count < _MAX_PLACES and any(char in to_simplified() for char in line):
            yield DamagedPlace("", start, start + len(line), line, line, "guessed")
            count += 1
        start += len(line) + 1
