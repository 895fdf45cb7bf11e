"""What one walk over a parsed page leaves: boxes, and the lines of text that stand in them.

Everything that later steps ask for is counted here, in document order, so that a box is
described by a range of lines and sums over it cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from turbohtml import Comment, Element

    from hongxing_crawler.core.edits import Edit


class Block:
    """A box of the page; ``first`` and ``last`` bound its lines (``last`` is exclusive)."""

    __slots__ = ("attrs", "first", "hidden", "last", "node", "number", "parent", "tag")

    def __init__(
        self,
        number: int,
        tag: str,
        attrs: Mapping[str, Any],
        parent: Block | None,
        first: int,
        node: Element | None,
    ) -> None:
        self.number = number
        self.tag = tag
        self.attrs = attrs
        self.parent = parent
        self.first = self.last = first
        self.node = node
        self.hidden = ""


class Line:
    """A run of text between two line ends, with the links in it.

    ``links`` holds (start, end, address) in code points of ``text``, as printed on the page.
    ``weight`` is its worth as prose: 0 for menus, about one per Chinese character else.
    ``plain`` is the text without the damage of a mirror, and ``edits`` lead to it: rules read
    ``plain``, values are taken from ``text``.
    """

    __slots__ = (
        "block",
        "edits",
        "link_chars",
        "links",
        "number",
        "plain",
        "strong",
        "text",
        "weight",
    )

    def __init__(
        self,
        number: int,
        block: Block,
        text: str,
        links: tuple[tuple[int, int, str], ...] = (),
        link_chars: int = 0,
    ) -> None:
        self.number = number
        self.block = block
        self.text = self.plain = text
        self.edits: tuple[Edit, ...] = ()
        self.links = links
        self.strong: tuple[tuple[int, int], ...] = ()
        self.link_chars = link_chars
        self.weight = 0.0


@dataclass(slots=True)
class Picture:
    """An image or video: before line number ``at``, or inside that line."""

    at: int
    inside: bool
    block: Block
    attrs: Mapping[str, Any]
    is_video: bool = False


@dataclass(slots=True)
class Outline:
    """A page as one walk leaves it."""

    blocks: list[Block] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    comments: list[tuple[int, Comment]] = field(default_factory=list)  # (line number, node)
    metas: dict[str, str] = field(default_factory=dict)
    title: str = ""
    base: str = ""
    styles: str = ""
    scripts: list[tuple[int, str]] = field(default_factory=list)  # short ones: (line number, text)
    players: list[tuple[int, str]] = field(default_factory=list)  # scripts that name a film
    hrefs: list[tuple[str, int]] = field(default_factory=list)  # (address, line number)
    warnings: list[str] = field(default_factory=list)
    data_rows: dict[int, bool] = field(default_factory=dict)  # verdicts by number of the row
