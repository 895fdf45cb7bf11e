"""The damage of one page, learnt once and used within bounds."""

from __future__ import annotations

from functools import lru_cache
from string import ascii_lowercase
from typing import TYPE_CHECKING

from hongxing_crawler.core.restore import Restored, learn
from hongxing_crawler.core.restore.guesses import LETTERS

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Outline
    from hongxing_crawler.core.restore import Damage

_LONGEST = 300  # rules read short lines
_MAX_LINES = 400
# A repair searches; hostile or unreadable text must not make it search for long.
_MAX_CHARS = 120_000
_MAX_LINE_CHARS = 12_000
_MAX_LOST_SHARE = 0.01
_MAX_LOSSES = 2_000  # a damaged page has some twenty
_READING_LETTERS = frozenset(ascii_lowercase + LETTERS.removeprefix("a-z"))
_OPENINGS = frozenset("(?\ufffd")  # the bracket, or what a cut gloss leaves of it
_LONGEST_READING = 20  # with the blanks up to its bracket


@lru_cache(maxsize=4)
def find_damage(sample: str) -> Damage | None:
    """Learn the damage of a page; bytes that are no text at all have none to learn.

    Reading and cleaning a page ask one after the other, so the last answers are kept.
    """
    if sample.count("\ufffd") > _MAX_LOST_SHARE * len(sample) or sample.count("?") > _MAX_LOSSES:
        return None
    return learn((sample,)) if _may_hold_readings(sample) else None


def _may_hold_readings(sample: str) -> bool:
    """Say whether a bracket closes after a few letters, as after every reading of a kit."""
    place = sample.find(")")
    while place >= 0:
        reading = sample[max(0, place - _LONGEST_READING) : place].rstrip()
        if reading[-1:] in _READING_LETTERS and not _OPENINGS.isdisjoint(reading):
            return True
        place = sample.find(")", place + 1)
    return False


def mend(damage: Damage, text: str) -> Restored:
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
