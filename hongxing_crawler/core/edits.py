"""Changes to a text, written down so that they can be explained and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``text[start:end]`` (code points) by ``inserted``.

    ``removed`` repeats the text that stood there, so that an edit can be read and
    undone without its text. ``rule`` names the reason, as ``group.detail``.
    """

    start: int
    end: int
    removed: str
    inserted: str
    rule: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What one cleaning step made of a text: the new text, and the edits that lead to it.

    The edits count in the text that the step received, lie in order and do not overlap.
    """

    text: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class RemovedBlock:
    """A part of the HTML tree that was left out of the article.

    ``path`` is a CSS-like path from the body (``div.friendship-link>ul:nth-child(2)``),
    ``text`` the block's text, ``links`` its absolute addresses, ``evidence`` the signs that
    spoke against it, each ``name=value``.
    """

    rule: str
    path: str
    text: str
    links: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Carry out the edits of one step.

    >>> gloss = Edit(0, 6, "會(huì)", "会", "restore.gloss")
    >>> apply_edits("會(huì)議", [gloss, Edit(6, 7, "議", "议", "restore.script")])
    '会议'

    Args:
        text: The text that the step received.
        edits: In order, not overlapping.

    Returns:
        The text after the step.

    Raises:
        ValueError: An edit overlaps its predecessor or does not find its ``removed`` text.
    """
    parts: list[str] = []
    done = 0
    for edit in edits:
        if edit.start < done or text[edit.start : edit.end] != edit.removed:
            raise ValueError(f"edit {edit.rule} at {edit.start} does not fit the text")
        parts += (text[done : edit.start], edit.inserted)
        done = edit.end
    parts.append(text[done:])
    return "".join(parts)


def replay(received: str, steps: Iterable[Sequence[Edit]]) -> str:
    """Carry out every step in turn: ``replay(received, steps) == text`` for all we export."""
    for edits in steps:
        received = apply_edits(received, edits)
    return received
