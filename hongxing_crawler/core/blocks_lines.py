"""From text nodes to lines: spaces as a browser shows them, links and bold runs in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.core.blocks import Line
from hongxing_crawler.core.blocks_join import is_tidy, join_parts
from hongxing_crawler.core.blocks_weight import SHORTEST_SENTENCE, weigh
from hongxing_crawler.core.spaces import EDGES, pre_lines, tidy

if TYPE_CHECKING:
    from hongxing_crawler.core.blocks import Block

# A link around a whole paragraph is a paragraph.
_LONGEST_ANCHOR = 80


class LineMaker:
    """Collect the text nodes of a line and make it a ``Line`` where it ends.

    ``links`` holds (first, last, address) and ``strong`` (first, last) in numbers of ``parts``;
    ``href`` is the address of the link that is open, since part ``link_from``.
    """

    __slots__ = ("href", "lines", "link_from", "links", "parts", "strong")

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.parts: list[str] = []
        self.links: list[tuple[int, int, str]] = []
        self.strong: list[tuple[int, int]] = []
        self.href = ""
        self.link_from = 0

    def flush(self, block: Block) -> None:
        """End the current line."""
        parts, links = self.parts, self.links
        if self.href and len(parts) > self.link_from:
            links.append((self.link_from, len(parts), self.href))
        self.link_from = dropped = 0
        while len(parts) > 1 and not parts[-1].strip(EDGES):
            parts.pop()  # the indentation of the next tag
            dropped += 1
        text = parts[0] if len(parts) == 1 else "".join(parts)
        if self.strong or len(links) > 1:
            line = self.marked_line(block, dropped)
        elif is_tidy(text):
            line = self.linked_line(block, text) if links else Line(len(self.lines), block, text)
        elif links:
            line = self.marked_line(block, dropped)
        else:
            line = Line(len(self.lines), block, tidy(text))
        parts.clear()
        self.add(line)

    def add(self, line: Line) -> None:
        """Weigh a line and append it, unless it is empty."""
        size = len(line.text)
        if size:
            if size - line.link_chars >= SHORTEST_SENTENCE:
                weigh(line)
            self.lines.append(line)

    def add_text(self, block: Block, text: str) -> None:
        """Add the only text node of a box, where no line is open; ``pre`` has several lines."""
        for piece in pre_lines(text) if block.tag == "pre" else (text,):
            if self.href:
                self.parts.append(piece)
                self.flush(block)
            else:
                self.link_from = 0
                kept = piece if is_tidy(piece) else tidy(piece)
                self.add(Line(len(self.lines), block, kept))

    def linked_line(self, block: Block, text: str) -> Line:
        """Make a line with one link whose text needs no change."""
        parts = self.parts
        first, last, href = self.links.pop()
        start = sum(map(len, parts[:first])) if first else 0
        size = len(text) - start if last >= len(parts) else sum(map(len, parts[first:last]))
        if not size:
            return Line(len(self.lines), block, text)
        link_chars = size if size <= _LONGEST_ANCHOR else 0
        return Line(len(self.lines), block, text, ((start, start + size, href),), link_chars)

    def marked_line(self, block: Block, dropped: int) -> Line:
        """Make a line whose links and bold runs keep their places while spaces collapse."""
        text, starts = join_parts(self.parts)
        kept = text.strip(EDGES)
        size = len(kept)
        if size != len(text):
            left = len(text) - len(text.lstrip(EDGES))
            starts = [min(max(start - left, 0), size) for start in starts]
        starts += [size] * dropped
        links = tuple(
            [(starts[a], starts[b], href) for a, b, href in self.links if starts[b] > starts[a]]
        )
        link_chars = sum([end - start for start, end, _ in links if end - start <= _LONGEST_ANCHOR])
        line = Line(len(self.lines), block, kept, links, link_chars)
        if self.strong:
            line.strong = tuple([(starts[a], starts[b]) for a, b in self.strong])
            self.strong.clear()
        self.links.clear()
        return line
