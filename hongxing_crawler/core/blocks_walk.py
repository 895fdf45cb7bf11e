"""The one walk over a parsed page, without recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turbohtml import Comment, Element, Text

from hongxing_crawler.core.blocks import Block, Outline, Picture
from hongxing_crawler.core.blocks_hidden import is_hidden
from hongxing_crawler.core.blocks_lines import LineMaker
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
from hongxing_crawler.core.spaces import tidy
from hongxing_crawler.core.text_videos import FILM_RE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from turbohtml import Document

MAX_NODES = 250_000
MAX_PLAYERS = 20
_NO_ATTRS: dict[str, Any] = {}
_LONGEST_MEASURE = 10
_MAX_SCRIPTS = 500
_LONGEST_SCRIPT = 1_000
_LONGEST_STYLES = 100_000


def walk(root: Document) -> Outline:  # noqa: C901, PLR0912, PLR0915 - the hot loop
    """Visit every node once, in document order."""
    out = Outline()
    lines, blocks, hrefs = out.lines, out.blocks, out.hrefs
    maker = LineMaker(lines)
    parts, flush = maker.parts, maker.flush
    kind_of = KIND_OF_TAG.get
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
                    out.comments.append((len(lines) + bool(parts), node))
                continue
            tag = node.tag
            kind = kind_of(tag, INLINE)
            if kind <= LINK:
                children = node.children
                size = len(children)
                if not size:
                    continue
                attrs = node.attrs
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
                        hrefs.append((href, len(lines)))
                        maker.href, maker.link_from = href, len(parts)
                        if size == 1 and type(children[0]) is Text:
                            visited += 1
                            if visited > MAX_NODES:
                                break
                            data = children[0].data
                            if parts or not data.isspace():
                                maker.links.append((len(parts), len(parts) + 1, href))
                                parts.append(data)
                            maker.href = ""
                            continue
                    else:
                        kind = INLINE
                elif size == 1 and type(children[0]) is Text:
                    data = children[0].data
                    if parts or not data.isspace():
                        parts.append(data)
                        if kind == STRONG:
                            maker.strong.append((len(parts) - 1, len(parts)))
                    continue
            if kind <= CELL:
                if kind > LINK:
                    children = node.children
                    size = len(children)
                    if not size and kind == BLOCK:
                        if parts:
                            flush(block)
                        continue
                    attrs = node.attrs
                visited += size
                if visited > MAX_NODES:
                    break
                outer = block
                if kind > LINK:
                    if parts:
                        flush(block)
                    inner = Block(len(blocks), tag, attrs or _NO_ATTRS, block, len(lines), node)
                    blocks.append(inner)
                    if size == 1 and type(children[0]) is Text:
                        data = children[0].data
                        if not data.isspace():
                            maker.add_text(inner, data)
                        inner.last = len(lines)
                        continue
                    block = inner
                stack.append((nodes, outer, opened))
                nodes, opened = iter(children), kind
                break
            if kind == BREAK or kind == RULE:  # noqa: PLR1714, SIM109 - faster than a set here
                if parts:
                    flush(block)
            elif kind == IMAGE or kind == VIDEO:  # noqa: PLR1714, SIM109 - the same
                is_video = kind == VIDEO
                out.pictures.append(Picture(len(lines), bool(parts), block, node.attrs, is_video))
                if is_video:
                    _read_sources(out, node, block, inside=bool(parts))
            elif kind == SCRIPT:
                _read_script(out, node, inside=bool(parts))
            elif kind == HEAD:
                _read_head(out, node)
        else:
            if opened > LINK:
                if parts:
                    flush(block)
                block.last = len(lines)
            elif opened == LINK:
                if len(parts) > maker.link_from:
                    maker.links.append((maker.link_from, len(parts), maker.href))
                maker.href = ""
            if not stack:
                break
            nodes, block, opened = stack.pop()
            continue
        if visited > MAX_NODES:
            _give_up(maker, out, block, stack)
            break
    if parts:
        flush(blocks[0])
    blocks[0].last = len(lines)
    return out


def _give_up(
    maker: LineMaker, out: Outline, block: Block, stack: list[tuple[Iterator[Any], Block, int]]
) -> None:
    """Close all open boxes of a page with too many nodes."""
    out.warnings.append("truncated")
    if maker.parts:
        maker.flush(block)
    for _, outer, _ in stack:
        outer.last = len(out.lines)
    block.last = len(out.lines)


def _measures(attrs: Mapping[str, Any], children: Sequence[Any]) -> bool:
    """Spare an off-screen span that holds a few characters: editors measure text with it."""
    return (
        len(children) == 1
        and type(children[0]) is Text
        and len(children[0].data) <= _LONGEST_MEASURE
        and is_hidden(attrs) == "off_screen"
    )


def _read_sources(out: Outline, node: Element, block: Block, *, inside: bool) -> None:
    """Keep the files that a player chooses from."""
    out.pictures += [
        Picture(len(out.lines), inside, block, child.attrs, is_video=True)
        for child in node.children[:20]
        if isinstance(child, Element) and child.tag == "source"
    ]


def _read_script(out: Outline, node: Element, *, inside: bool) -> None:
    """Keep short scripts in which a page writes hiders or titles, and those that name a film."""
    if len(out.scripts) > _MAX_SCRIPTS:
        return
    data = node.text
    if len(data) < _LONGEST_SCRIPT and ("document." in data or "createPageHTML" in data):
        out.scripts.append((len(out.lines) + inside, data))
    if len(out.players) < MAX_PLAYERS and FILM_RE.search(data):
        out.players.append((len(out.lines) + inside, data[:20_000]))


def _read_head(out: Outline, node: Element) -> None:
    """Read title, meta, base and style wherever they stand."""
    tag = node.tag
    if tag == "meta":
        attrs = node.attrs
        name = str(attrs.get("name") or attrs.get("property") or attrs.get("itemprop") or "")
        if name:
            out.metas.setdefault(name.lower()[:60], str(attrs.get("content") or "")[:2_000])
    elif tag == "title":
        out.title = out.title or tidy(node.text[:1_000])
    elif tag == "style":
        if len(out.styles) < _LONGEST_STYLES:
            out.styles += node.text[:_LONGEST_STYLES]
    elif tag == "base":
        out.base = out.base or str(node.attrs.get("href") or "")
