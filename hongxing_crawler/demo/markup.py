"""The small markup in which the demo articles are written, and its two readings.

Blocks are separated by blank lines::

    A paragraph with [a link](img:/2020/03-20/x.xlsx) and **bold** words.

    ![alternative text](img:/2020/03-20/x.jpg) The caption.

    | 县区 | 人数 |
    | 会泽县 | 12 |

    >> 落款, set to the right

    -----            (the article goes on on its next page)

``img:`` and ``old:`` stand for the image host and the former name of the site.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_BLANK_LINES_RE = re.compile(r"\n[ \t]*\n")
_PICTURE_RE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)[ \t]*(.*)")
_LINK_RE = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_BOLD_RE = re.compile(r"\*\*([^*]+)\*\*")
_FILE_RE = re.compile(r"\.(?:xlsx?|docx?|pdf|zip)$")
_PAGE_BREAK = "-----"


class Link(NamedTuple):
    """A link in the text. ``url`` still has its ``img:`` or ``old:`` prefix."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Block:
    """One block. ``kind``: text | right | picture | table."""

    kind: str
    text: str = ""  # inline markup; caption of a picture
    url: str = ""
    alt: str = ""
    rows: tuple[tuple[str, ...], ...] = ()

    def read_text(self) -> str:
        """Read the block as an article body gives it: pictures and their captions apart."""
        if self.kind == "picture":
            return ""
        if self.kind == "table":
            return "\n\n".join("\t".join(plain_text(cell) for cell in row) for row in self.rows)
        return plain_text(self.text)

    def find_links(self) -> list[Link]:
        text = self.text if self.kind != "table" else " ".join(c for r in self.rows for c in r)
        return [Link(label, url) for label, url in _LINK_RE.findall(text)]


def plain_text(inline: str) -> str:
    """Read inline markup as text.

    >>> plain_text("见[附件](img:/a.doc)，**注意**。")
    '见附件，注意。'
    """
    return _BOLD_RE.sub(r"\1", _LINK_RE.sub(r"\1", inline))


def inline_html(inline: str) -> str:
    """Read inline markup as HTML; the prefixes of addresses stay for the renderer."""
    linked = _LINK_RE.sub(r'<a href="\2" target="_blank">\1</a>', inline)
    return _BOLD_RE.sub(r"<strong>\1</strong>", linked)


def is_file(url: str) -> bool:
    return _FILE_RE.search(url) is not None


def parse_parts(source: str) -> list[list[Block]]:
    """Read the markup: the pages of an article, each a list of blocks."""
    parts: list[list[Block]] = [[]]
    for chunk in _BLANK_LINES_RE.split(source.strip()):
        if chunk.strip() == _PAGE_BREAK:
            parts.append([])
        elif chunk.strip():
            parts[-1].append(_parse_block(chunk.strip()))
    return parts


def _parse_block(chunk: str) -> Block:
    if picture := _PICTURE_RE.fullmatch(chunk):
        return Block("picture", picture[3], picture[2], picture[1])
    if chunk.startswith("|"):
        rows = [line.strip().strip("|").split("|") for line in chunk.splitlines()]
        return Block("table", rows=tuple(tuple(cell.strip() for cell in row) for row in rows))
    if chunk.startswith(">> "):
        return Block("right", chunk[3:])
    return Block("text", chunk.replace("\n", ""))
