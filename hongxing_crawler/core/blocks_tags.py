"""What each HTML tag means for the flow of text: a table, and nothing else."""

from __future__ import annotations

# In this order: what is at most LINK stands in a line, what is at most CELL holds text.
INLINE = 0
STRONG = 1
LINK = 2
BLOCK = 3
ROW = 4
CELL = 5
BREAK = 6
RULE = 7
IMAGE = 8
VIDEO = 9
SCRIPT = 10
SKIP = 11
HEAD = 12

_BY_KIND = {
    BLOCK: "html body div p section article main header footer nav aside h1 h2 h3 h4 h5 h6 "
    "ul ol li dl dt dd "
    "table tbody thead tfoot caption blockquote pre center figure figcaption form "
    "fieldset address details "
    "summary dir menu listing marquee hgroup legend ucapcontent",
    BREAK: "br",
    RULE: "hr",
    IMAGE: "img",
    VIDEO: "video embed source",
    LINK: "a",
    SKIP: "template select option textarea button input svg math canvas noframes noscript xmp "
    "map object applet "
    "datalist progress meter audio colgroup col rp rt iframe frame frameset",
    CELL: "td th",
    ROW: "tr",
    SCRIPT: "script",
    STRONG: "strong b",
    HEAD: "meta title base link style",
}
KIND_OF_TAG: dict[str, int] = {tag: kind for kind, tags in _BY_KIND.items() for tag in tags.split()}
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
