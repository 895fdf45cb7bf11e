"""Restore text that mirror stations damaged, and prove each repair."""

from __future__ import annotations

import re
from typing import Final

from hongxing_crawler.core.restore.damage import Damage, Restored
from hongxing_crawler.core.restore.encodings import repair_encoding
from hongxing_crawler.core.restore.learn import learn

__all__ = ["Damage", "Restored", "learn", "restore"]

# Bytes shown one by one, bytes lost, and what ，。的“ become when their UTF-8 is read as GBK.
_MISREAD_RE: Final = re.compile("[\x80-\xff]{2}|锟斤|\ufffd|锛[宀-屽]|銆|鐨|鈥")


def restore(text: str, damage: Damage | None = None) -> Restored:
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
    damage = damage or learn((text,))
    if damage is not None:
        return damage.restore(text)
    if _MISREAD_RE.search(text) is None:
        return Restored(text)
    decoded = repair_encoding(text)
    return Restored(decoded.text, decoded.edits, decoded.verdict)
