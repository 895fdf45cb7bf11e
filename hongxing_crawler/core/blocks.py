"""The one walk over a parsed page: boxes, and the lines of text that stand in them.

Everything that later steps ask for is counted here, in document order, so that a box is
described by a range of lines and sums over it cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from turbohtml import Comment, Element, Text

from hongxing_crawler.core.blocks_hidden import is_hidden
from hongxing_crawler.core.blocks_join import is_tidy, join_parts
from hongxing_crawler.core.blocks_tags import (
    BLOCK,
    BREAK,
    CELL,
    HEAD,
    IMAGE,
    INLINE,
    KIND_OF_TAG,
    LINK,
    RULE,
    SCRIPT,
    STRONG,
    VIDEO,
)
from hongxing_crawler.core.blocks_weight import SHORTEST_SENTENCE, weigh
from hongxing_crawler.core.spaces import EDGES, pre_lines, tidy
from hongxing_crawler.core.text_videos import FILM_RE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from turbohtml import Document

    from hongxing_crawler.core.edits import Edit

MAX_NODES = 250_000
MAX_PLAYERS = 20
# A link around a whole paragraph is a paragraph.
_LONGEST_ANCHOR = 80
_LONGEST_MEASURE = 10
_NO_ATTRS: dict[str, Any] = {}


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
        self.node = node
        self.tag = tag
        self.attrs = attrs
        self.parent = parent
        self.first = first
        self.last = first
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

    def __init__(self, number: int, block: Block, text: str) -> None:
        self.number = number
        self.block = block
        self.text = text
        self.plain = text
        self.edits: tuple[Edit, ...] = ()
        self.links: tuple[tuple[int, int, str], ...] = ()
        self.strong: tuple[tuple[int, int], ...] = ()
        self.link_chars = 0
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
    comments: list[tuple[int, str]] = field(default_factory=list)  # (line number, text)
    metas: dict[str, str] = field(default_factory=dict)
    title: str = ""
    base: str = ""
    styles: str = ""
    scripts: list[tuple[int, str]] = field(default_factory=list)  # short ones: (line number, text)
    players: list[tuple[int, str]] = field(default_factory=list)  # scripts that name a film
    hrefs: list[tuple[str, int]] = field(default_factory=list)  # (address, line number)
    warnings: list[str] = field(default_factory=list)


class Walker:
    """Collect an Outline from a tree, without recursion."""

    def __init__(self) -> None:
        self.out = Outline()
        self.parts: list[str] = []
        self.links: list[tuple[int, int, str]] = []  # part numbers
        self.strong: list[tuple[int, int]] = []
        self.href = ""
        self.link_from = 0

    def walk(self, root: Document) -> Outline:  # noqa: C901, PLR0912, PLR0915 - the hot loop
        """Visit every node once, in document order."""
        out, parts, flush = self.out, self.parts, self.flush
        kind_of = KIND_OF_TAG.get
        lines, blocks = out.lines, out.blocks
        block = Block(0, "html", _NO_ATTRS, None, 0, None)
        blocks.append(block)
        stack: list[tuple[Iterator[Any], Block, int]] = []
        nodes: Iterator[Any] = iter(root.children)
        opened, visited = INLINE, 0
        while True:
            for node in nodes:
                if type(node) is Text:
                    data = node.data
                    if parts or not data.isspace():
                        parts.append(data)
                    continue
                if type(node) is not Element:
                    if type(node) is Comment:
                        out.comments.append((len(lines) + bool(parts), node.data))
                    continue
                tag = node.tag
                kind = kind_of(tag, INLINE)
                if kind <= CELL:
                    children = node.children
                    size = len(children)
                    if not size and kind <= BLOCK:
                        if parts and kind == BLOCK:
                            flush(block)
                        continue
                    attrs = node.attrs
                    if kind <= LINK:
                        if (
                            attrs
                            and ("style" in attrs or "hidden" in attrs)
                            and is_hidden(attrs)
                            and not _measures(attrs, children)
                        ):
                            kind = BLOCK
                        elif kind == LINK:
                            href = node.attr("href")
                            if href:
                                out.hrefs.append((href, len(lines)))
                                self.href, self.link_from = href, len(parts)
                                if size == 1 and type(children[0]) is Text:
                                    visited += 1
                                    if visited > MAX_NODES:
                                        break
                                    data = children[0].data
                                    if parts or not data.isspace():
                                        self.links.append((len(parts), len(parts) + 1, href))
                                        parts.append(data)
                                    self.href = ""
                                    continue
                            else:
                                kind = INLINE
                        elif size == 1 and type(children[0]) is Text:
                            data = children[0].data
                            if parts or not data.isspace():
                                parts.append(data)
                                if kind == STRONG:
                                    self.strong.append((len(parts) - 1, len(parts)))
                            continue
                    visited += size
                    if visited > MAX_NODES:
                        break
                    if kind > LINK:
                        if parts:
                            flush(block)
                        inner = Block(len(blocks), tag, attrs or _NO_ATTRS, block, len(lines), node)
                        blocks.append(inner)
                        if size == 1 and type(children[0]) is Text:
                            data = children[0].data
                            if not data.isspace():
                                for part in pre_lines(data) if tag == "pre" else (data,):
                                    parts.append(part)
                                    flush(inner)
                            inner.last = len(lines)
                            continue
                        stack.append((nodes, block, opened))
                        block = inner
                    else:
                        stack.append((nodes, block, opened))
                    nodes, opened = iter(children), kind
                    break
                if kind == BREAK or kind == RULE:  # noqa: PLR1714, SIM109 - faster than a set here
                    if parts:
                        flush(block)
                elif kind == IMAGE or kind == VIDEO:  # noqa: PLR1714, SIM109 - the same
                    out.pictures.append(
                        Picture(len(lines), bool(parts), block, node.attrs, kind == VIDEO)
                    )
                    if kind == VIDEO:
                        self.read_sources(node, block)
                elif kind == SCRIPT:
                    self.read_script(node)
                elif kind == HEAD:
                    self.read_head(node)
            else:
                if opened > LINK:
                    if parts:
                        flush(block)
                    block.last = len(lines)
                elif opened == LINK:
                    if len(parts) > self.link_from:
                        self.links.append((self.link_from, len(parts), self.href))
                    self.href = ""
                if not stack:
                    break
                nodes, block, opened = stack.pop()
                continue
            if visited > MAX_NODES:
                self.give_up(block, stack)
                break
        if parts:
            flush(blocks[0])
        blocks[0].last = len(lines)
        return out

    def give_up(self, block: Block, stack: list[tuple[Iterator[Any], Block, int]]) -> None:
        """Close all open boxes of a page with too many nodes."""
        self.out.warnings.append("truncated")
        if self.parts:
            self.flush(block)
        for _, outer, _ in stack:
            outer.last = len(self.out.lines)
        block.last = len(self.out.lines)

    def flush(self, block: Block) -> None:
        """End the current line."""
        parts, links, lines = self.parts, self.links, self.out.lines
        if self.href and len(parts) > self.link_from:
            links.append((self.link_from, len(parts), self.href))
        self.link_from = 0
        dropped = 0
        while len(parts) > 1 and not parts[-1].strip(EDGES):
            parts.pop()  # the indentation of the next tag
            dropped += 1
        text = parts[0] if len(parts) == 1 else "".join(parts)
        if not links and not self.strong:
            line = Line(len(lines), block, tidy(text))
        elif len(links) == 1 and not self.strong and is_tidy(text):
            line = Line(len(lines), block, text)
            first, last, href = links.pop()
            start = sum(map(len, parts[:first])) if first else 0
            size = len(text) - start if last >= len(parts) else sum(map(len, parts[first:last]))
            if size:
                line.links = ((start, start + size, href),)
                line.link_chars = size if size <= _LONGEST_ANCHOR else 0
        else:
            line = self.marked_line(block, dropped)
        parts.clear()
        size = len(line.text)
        if size:
            if size - line.link_chars >= SHORTEST_SENTENCE:
                weigh(line)
            lines.append(line)

    def marked_line(self, block: Block, dropped: int) -> Line:
        """Make a line whose links and bold runs keep their places while spaces collapse."""
        text, starts = join_parts(self.parts)
        kept = text.strip(EDGES)
        size = len(kept)
        if size != len(text):
            left = len(text) - len(text.lstrip(EDGES))
            starts = [min(max(start - left, 0), size) for start in starts]
        starts += [size] * dropped
        line = Line(len(self.out.lines), block, kept)
        line.links = tuple(
            [(starts[a], starts[b], href) for a, b, href in self.links if starts[b] > starts[a]]
        )
        line.link_chars = sum(
            [end - start for start, end, _ in line.links if end - start <= _LONGEST_ANCHOR]
        )
        line.strong = tuple([(starts[a], starts[b]) for a, b in self.strong])
        self.links.clear()
        self.strong.clear()
        return line

    def read_sources(self, node: Element, block: Block) -> None:
        """Keep the files that a player chooses from."""
        at, inside = len(self.out.lines), bool(self.parts)
        self.out.pictures += [
            Picture(at, inside, block, child.attrs, is_video=True)
            for child in node.children[:20]
            if isinstance(child, Element) and child.tag == "source"
        ]

    def read_script(self, node: Element) -> None:
        """Keep short scripts in which a page writes hiders or titles."""
        children = node.children
        if not children or len(self.out.scripts) > 500:
            return
        data = node.text
        if len(data) < 1_000 and ("document." in data or "createPageHTML" in data):
            self.out.scripts.append((len(self.out.lines) + bool(self.parts), data))
        if len(self.out.players) < MAX_PLAYERS and FILM_RE.search(data):
            self.out.players.append((len(self.out.lines) + bool(self.parts), data[:20_000]))

    def read_head(self, node: Element) -> None:
        """Read title, meta, base and style wherever they stand."""
        out, tag = self.out, node.tag
        if tag == "meta":
            attrs = node.attrs
            name = str(attrs.get("name") or attrs.get("property") or attrs.get("itemprop") or "")
            if name:
                out.metas.setdefault(name.lower()[:60], str(attrs.get("content") or "")[:2_000])
        elif tag == "title":
            out.title = out.title or tidy(node.text[:1_000])
        elif tag == "style":
            if len(out.styles) < 100_000:
                out.styles += node.text[:100_000]
        elif tag == "base":
            out.base = out.base or str(node.attrs.get("href") or "")


def _measures(attrs: Mapping[str, Any], children: Sequence[Any]) -> bool:
    """Spare an off-screen span that holds a few characters: editors measure text with it."""
    return (
        len(children) == 1
        and type(children[0]) is Text
        and len(children[0].data) <= _LONGEST_MEASURE
        and is_hidden(attrs) == "off_screen"
    )
