"""The lines of a damaged page, restored for the rules that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.core.restore import learn

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Outline

_LONGEST = 300  # rules read short lines
_MAX_LINES = 400


def repair_lines(outline: Outline) -> None:
    """Restore the short lines of a page that a mirror damaged; others stay as they are.

    The received text is kept beside the restored one: what a page says goes into the
    archive as received and is restored in ``clean``, with edits.
    """
    damage = learn(line.text for line in outline.lines)
    if damage is None:
        return
    for line in outline.lines[:_MAX_LINES]:
        if len(line.text) <= _LONGEST:
            restored = damage.restore(line.text)
            line.plain, line.edits = restored.text, restored.edits
