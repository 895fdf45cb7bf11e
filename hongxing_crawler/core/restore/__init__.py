"""Restore text that mirror stations damaged, and prove each repair."""

from __future__ import annotations

from hongxing_crawler.core.restore.damage import Damage, Restored
from hongxing_crawler.core.restore.learn import learn

__all__ = ["Damage", "Restored", "learn", "restore"]


def restore(text: str, damage: Damage | None = None) -> Restored:
    """Repair a text, with the damage learnt from its page or else from itself.

    Undamaged text comes back unchanged with the verdict ``clean``.

    >>> restore("真的?！我买了iPhone").verdict
    'clean'

    Args:
        text: Received text, lines separated by newlines.
        damage: What ``learn`` found on the whole page; learnt from ``text`` when left out.

    Returns:
        The text, its edits, the damaged places and the verdict.
    """
    damage = damage or learn((text,))
    return Restored(text) if damage is None else damage.restore(text)
