"""Restore text that mirror stations damaged, and prove each repair."""

from __future__ import annotations

from hongxing_crawler.core.restore.damage import Damage
from hongxing_crawler.core.restore.learn import learn
from hongxing_crawler.core.restore.misreading import Misreading, learn_misreading
from hongxing_crawler.core.restore.restored import Restored
from hongxing_crawler.core.restore.unproved import Unproved, find_unproved

__all__ = [
    "Finding",
    "Restored",
    "find_unproved",
    "learn",
    "learn_misreading",
    "restore",
]

Finding = Damage | Misreading | Unproved


def restore(text: str, damage: Finding | None = None) -> Restored:
    """Repair a text, with the damage learnt from its page or else from itself.

    Undamaged text comes back unchanged with the verdict ``clean``. Text read in a wrong charset is
    put right where the way back is exact, on pages that show no other damage.

    >>> restore("真的?！我买了iPhone").verdict
    'clean'

    Args:
        text: Received text, lines separated by newlines.
        damage: What ``learn`` found on the whole page; learnt from ``text`` when left out.

    Returns:
        The text, its edits, the damaged places and the verdict.
    """
    found = damage or learn((text,)) or learn_misreading((text,)) or find_unproved((text,))
    return found.restore(text) if found else Restored(text)
