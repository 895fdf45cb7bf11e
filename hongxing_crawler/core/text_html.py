"""A clean piece of HTML for the body: few tags, no attribute but absolute addresses."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hongxing_crawler.core.blocks import Line
    from hongxing_crawler.core.document import FoundImage
    from hongxing_crawler.core.text import Paragraph


def write_html(
    paragraphs: list[Paragraph], images: tuple[FoundImage, ...], absolute: Callable[[str], str]
) -> str:
    """Write the body as p, table, a, strong and img; everything is escaped.

    Args:
        paragraphs: The body in order.
        images: Its pictures, each after the paragraph that ``position`` names.
        absolute: Makes an address absolute, or "" when it is no web address.

    Returns:
        HTML without attributes but ``href`` and ``src``.
    """
    at: dict[int, list[str]] = {}
    for image in images:
        at.setdefault(image.position, []).append(f'<p><img src="{escape(image.url)}"></p>')
    out = at.get(-1, [])
    in_table = False
    for number, paragraph in enumerate(paragraphs):
        is_row = paragraph.row is not None
        if is_row != in_table:
            out.append("<table>" if is_row else "</table>")
            in_table = is_row
        out.append(
            _row(paragraph)
            if is_row
            else f"<p>{''.join(_inline(line, absolute) for line in paragraph.lines)}</p>"
        )
        if number in at:
            if in_table:
                out.append("</table>")
                in_table = False
            out += at[number]
    if in_table:
        out.append("</table>")
    return "".join(out)


def _row(paragraph: Paragraph) -> str:
    return (
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in paragraph.text.split("\t"))
        + "</tr>"
    )


def _inline(line: Line, absolute: Callable[[str], str]) -> str:
    """Write a line with its links and bold runs; runs that overlap lose the later one."""
    if not line.links and not line.strong:
        return escape(line.text, quote=False)
    spans = [(start, end, "a", absolute(href)) for start, end, href in line.links]
    spans = [span for span in spans if span[3]]
    spans += [(start, end, "strong", "") for start, end in line.strong]
    out: list[str] = []
    done = 0
    for start, end, tag, href in sorted(spans):
        if start < done or start >= end:
            continue
        attribute = f' href="{escape(href)}"' if href else ""
        out += (
            escape(line.text[done:start], quote=False),
            f"<{tag}{attribute}>",
            escape(line.text[start:end], quote=False),
            f"</{tag}>",
        )
        done = end
    out.append(escape(line.text[done:], quote=False))
    return "".join(out)
