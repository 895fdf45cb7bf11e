"""Captions: the line under a picture belongs to the picture."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hongxing_crawler.core.blocks import Block, Picture
    from hongxing_crawler.core.document import FoundImage
    from hongxing_crawler.core.text import Paragraph

_LONGEST_CAPTION = 80
_CENTRED_RE = re.compile(r"text-align\s?:\s?center", re.IGNORECASE)
_CAPTION_NAME_RE = re.compile(
    r"caption|pic_?(?:txt|text|desc|info|name)|img_?(?:txt|text|desc|info)|photo_?(?:txt|text|desc)|tushuo",
    re.IGNORECASE,
)
_HEADING_RE = re.compile(
    r"^(?:[（(]?[一二三四五六七八九十]{1,3}[)）、.．]|\d{1,2}[、.．)）]|第[一二三四五六七八九十]{1,3}[章节条部])"
)
_IMAGE_NAME_RE = re.compile(
    r"^[\w\u4e00-\u9fff() -]{1,60}\.(?:jpe?g|png|gif|bmp|webp)$", re.IGNORECASE
)


@dataclass(slots=True)
class Captioned:
    """Images with their captions, and the numbers of the paragraphs that are captions."""

    images: list[FoundImage]
    captions: list[int]


def find_captions(
    paragraphs: Sequence[Paragraph],
    found: Sequence[tuple[Picture, FoundImage]],
    named: Sequence[Block],
    *,
    by_layout: bool,
) -> Captioned:
    """Give each picture the paragraph under it when that is a caption.

    Args:
        paragraphs: The body.
        found: Pictures in page order with their records.
        named: Boxes that the site's template calls captions.
        by_layout: Also take a short paragraph right under a picture that stands alone, as
            sites with a profile print them; else only centred or named ones count.

    Returns:
        The images, some with captions, and which paragraphs these were.
    """
    images, captions = [], []
    for number, (picture, image) in enumerate(found):
        place = image.position + 1
        following = found[number + 1][1].position if number + 1 < len(found) else len(paragraphs)
        if (
            place < len(paragraphs)
            and following != image.position
            and _is_caption(paragraphs[place], picture, named, by_layout=by_layout)
        ):
            captions.append(place)
            image = replace(image, caption=paragraphs[place].text)
        images.append(image)
    return Captioned(images, captions)


def _is_caption(
    paragraph: Paragraph, picture: Picture, named: Sequence[Block], *, by_layout: bool
) -> bool:
    line = paragraph.lines[0]
    text = paragraph.text
    if paragraph.row is not None or len(text) > _LONGEST_CAPTION or _HEADING_RE.match(text):
        return False
    if any(_within(line.block, block) for block in named) or line.block.tag == "figcaption":
        return True
    if _is_centred(line.block) or _has_caption_name(line.block):
        return True
    return by_layout and not picture.inside and picture.block is not line.block


def is_image_name(text: str) -> bool:
    """Say whether a line is nothing but the file name of a picture.

    >>> is_image_name("001.jpg"), is_image_name("见图001.jpg。")
    (True, False)
    """
    return bool(_IMAGE_NAME_RE.match(text))


def _within(block: Block | None, outer: Block) -> bool:
    while block is not None:
        if block is outer:
            return True
        block = block.parent
    return False


def _is_centred(block: Block) -> bool:
    for candidate in (block, block.parent):
        if candidate is None:
            continue
        attrs = candidate.attrs
        if (
            (attrs.get("align") or "").lower() == "center"
            or candidate.tag == "center"
            or _CENTRED_RE.search(attrs.get("style") or "", 0, 300)
        ):
            return candidate is block or candidate.last - candidate.first <= 3
    return False


def _has_caption_name(block: Block) -> bool:
    names = " ".join(block.attrs.get("class") or ())
    return bool(names) and bool(_CAPTION_NAME_RE.search(names))
