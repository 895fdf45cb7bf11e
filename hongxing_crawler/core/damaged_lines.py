"""The damage of one page, learnt once and used within bounds."""

from __future__ import annotations

from functools import lru_cache
from string import ascii_lowercase
from typing import TYPE_CHECKING

from hongxing_crawler.core.restore import Restored, find_unproved, learn, learn_misreading
from hongxing_crawler.core.restore.guesses import LETTERS

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Outline
    from hongxing_crawler.core.restore import Finding

_LONGEST = 300  # rules read short lines
_MAX_LINES = 400
# A repair searches; hostile or unreadable text must not make it search for long.
_MAX_CHARS = 120_000
_MAX_LINE_CHARS = 12_000
_MAX_LOST_SHARE = 0.01
_MAX_LOSSES = 2_000  # a damaged page has some twenty
_READING_LETTERS = frozenset(ascii_lowercase + LETTERS.removeprefix("a-z"))
_LOST = "\ufffd"  # what a cut gloss leaves of its bracket; or a question mark
_LONGEST_READING = 20  # with the blanks up to its bracket


@lru_cache(maxsize=4)
def find_damage(sample: str) -> Finding | None:
    """Learn the damage of a page: what a mirror did to it, or else how it was misread.

    Reading and cleaning a page ask one after the other, so the last answers are kept.
    """
    texts = (sample,)
    damage = learn(texts) if _is_searchable(sample) else None
    return damage or learn_misreading(texts) or find_unproved(texts)


def _is_searchable(sample: str) -> bool:
    """Whether a kit may have been there: all that it inserts ends in a parenthesis."""
    is_text = sample.count("\ufffd") <= _MAX_LOST_SHARE * len(sample)
    return is_text and sample.count("?") <= _MAX_LOSSES and _may_hold_readings(sample)


def _may_hold_readings(sample: str) -> bool:
    """Say whether brackets hold a few letters right after a character, as readings of a kit do."""
    place = sample.find(")")
    while place >= 0:
        reading = sample[max(0, place - _LONGEST_READING) : place].rstrip()
        if reading[-1:] in _READING_LETTERS:
            opening = reading.rfind("(")
            if (opening > 0 and reading[opening - 1] >= "@") or "?" in reading or _LOST in reading:
                return True
        place = sample.find(")", place + 1)
    return False


def mend(damage: Finding, text: str) -> Restored:
    """Restore a text of bounded size; a larger one stays as received."""
    if len(text) > _MAX_CHARS or any(len(line) > _MAX_LINE_CHARS for line in text.split("\n")):
        return Restored(text, verdict="lossy")
    return damage.restore(text)


def repair_lines(outline: Outline, sample: str) -> None:
    """Restore the short lines of a page that a mirror damaged; others stay as they are.

    The received text is kept beside the restored one: what a page says goes into the
    archive as received and is restored in ``clean``, with edits.
    """
    damage = find_damage(sample)
    if damage is None:
        return
    for line in outline.lines[:_MAX_LINES]:
        if len(line.text) <= _LONGEST:
            restored = mend(damage, line.text)
            line.plain, line.edits = restored.text, restored.edits
