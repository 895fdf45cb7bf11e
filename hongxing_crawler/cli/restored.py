"""How a text was restored, told place by place."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hongxing_crawler.cli.tables import align

if TYPE_CHECKING:
    from hongxing_crawler.core.document import DamagedPlace
    from hongxing_crawler.core.restore import Restored

_CONTEXT_CHARS = 8


def explain_restored(restored: Restored) -> str:
    """Tell the verdict, the rules at work, the gloss table, and every place."""
    rules = Counter(edit.rule for edit in restored.edits)
    head = f"verdict: {restored.verdict}; {len(restored.edits):,} edits"
    table = [(entry.char, entry.reading, f"×{entry.count:,}") for entry in restored.table]
    places = [_tell_place(restored.text, place) for place in restored.places]
    parts = (
        ("", head),
        ("rules", align((rule, f"{count:,}") for rule, count in rules.most_common())),
        ("inserted readings", align(table)),
        ("places, in the restored text", align(places)),
    )
    return "\n\n".join(f"{title}:\n{text}" if title else text for title, text in parts if text)


def _tell_place(text: str, place: DamagedPlace) -> tuple[str, str, str, str]:
    before = text[max(0, place.start - _CONTEXT_CHARS) : place.start]
    after = text[place.end : place.end + _CONTEXT_CHARS]
    shown = f"{before}[{place.repaired}]{after}".replace("\n", "⏎")
    verdict = place.verdict
    if place.alternatives:
        verdict += f", or {', '.join(place.alternatives)}"
    return (f"{place.start:,}", shown, f"was {place.received!r}", verdict)
