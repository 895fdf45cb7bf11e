"""Captions: the line under a picture belongs to the picture."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hongxing_crawler.core.blocks import Block, Line, Picture
    from hongxing_crawler.core.document import FoundImage
    from hongxing_crawler.core.text import Paragraph

_LONGEST_CAPTION = 100
_LONGEST_PLAIN_CAPTION = 45
_MOST_FIGURE_LINES = 2
_CENTRED_RE = re.compile(r"text-align\s?:\s?center", re.IGNORECASE)
_CAPTION_NAME_RE = re.compile(
    r"caption|tushuo|(?:pic|img|image|photo)_?(?:txt|text|desc|info|intro|note|name)",
    re.IGNORECASE,
)
# A label of a picture: short and no sentence, or one that names who took it.
_LONGEST_LABEL = 30
_SENTENCE_ENDS = frozenset("。！？…”」!?")
_CREDIT_RE = re.compile(
    r"(?:[摄攝]|提供|供[图圖]|[图圖]据|资料图片?|資料[圖照]片?|[新中][华華]?[社网]发|(?:制|配|截)[图圖])[)）\]】」]*$"
)
# What no article begins with.
_FILE_PHOTO_RE = re.compile(r"[资資]料(?:[图圖]片?|照片?)[)）\]】]?$")
_APART = frozenset(("div", "figcaption"))
_HEADING_RE = re.compile(
    r"^(?:[（(]?[一二三四五六七八九十]{1,3}[)）、.．]|\d{1,2}[、.．)）]|第[一二三四五六七八九十]{1,3}[章节条部])"
)
_IMAGE_NAME_RE = re.compile(
    r"^[\w\u4e00-\u9fff() -]{1,60}\.(?:jpe?g|png|gif|bmp|webp)$", re.IGNORECASE
)


@dataclass(slots=True)
class Captioned:
    """Images with their captions, and which paragraphs these are.

    ``sure`` are captions by the page's own structure, ``likely`` by their place alone;
    ``apart`` are those of the sure ones that no layout of text would set like this.
    """

    images: list[FoundImage]
    sure: set[int]
    likely: set[int]
    apart: set[int] = field(default_factory=set)


def find_captions(
    paragraphs: Sequence[Paragraph],
    found: Sequence[tuple[Picture, FoundImage]],
    named: Sequence[Block],
    box: Block,
) -> Captioned:
    """Give each picture the paragraph under it when that is a caption.

    Sure is a short text in one small box with its picture, in ``figcaption``, in a box named
    a caption or one that the site's template calls so. Likely is a short centred line, or any
    short line, right under a picture that stands alone.
    """
    result = Captioned([], set(), set())
    for number, (picture, image) in enumerate(found):
        caption = -1
        following = found[number + 1][1].position if number + 1 < len(found) else len(paragraphs)
        for place in (image.position + 1, image.position):
            if not 0 <= place < len(paragraphs) or place in result.sure:
                continue
            line = paragraphs[place].lines[0]
            if not _may_be_caption(paragraphs[place]):
                continue
            if _is_sure(line, picture, named, box):
                caption = place
                result.sure.add(place)
                if _is_apart(paragraphs[place], picture, box) or _is_file_photo(place, paragraphs):
                    result.apart.add(place)
                break
            if (
                place > image.position
                and following != image.position
                and not picture.inside
                and _is_short(paragraphs[place])
                and (picture.block is not line.block or _is_file_photo(place, paragraphs))
            ):
                caption = place
                result.likely.add(place)
                if _opens_the_body(place, paragraphs):
                    result.apart.add(place)
                break
        text = paragraphs[caption].text if caption >= 0 else ""
        result.images.append(replace(image, caption=text))
    return result


def _opens_the_body(place: int, paragraphs: Sequence[Paragraph]) -> bool:
    """Say whether a line under the first picture is none of the paragraphs that follow it.

    No article begins with a centred line, or with one that ends in 资料图.
    """
    if place or len(paragraphs) < 2:
        return False
    if _is_file_photo(place, paragraphs):
        return True
    first, second = (paragraph.lines[0].block for paragraph in paragraphs[:2])
    return _is_centred(first) and not _is_centred(second)


def _is_file_photo(place: int, paragraphs: Sequence[Paragraph]) -> bool:
    return place == 0 and _FILE_PHOTO_RE.search(paragraphs[0].text) is not None


def _is_short(paragraph: Paragraph) -> bool:
    """Say whether a line under a picture is short; centred ones may be longer."""
    limit = _LONGEST_CAPTION if _is_centred(paragraph.lines[0].block) else _LONGEST_PLAIN_CAPTION
    return len(paragraph.text) <= limit


def _may_be_caption(paragraph: Paragraph) -> bool:
    return (
        paragraph.row is None
        and len(paragraph.text) <= _LONGEST_CAPTION
        and not _HEADING_RE.match(paragraph.text)
    )


def _is_sure(line: Line, picture: Picture, named: Sequence[Block], box: Block) -> bool:
    if line.block.tag == "figcaption" or _has_caption_name(line.block):
        return True
    if any(_within(line.block, block) for block in named):
        return True
    figure = _figure_of(picture, box)
    return figure is not None and _within(line.block, figure)


def _is_apart(paragraph: Paragraph, picture: Picture, box: Block) -> bool:
    """Say whether a caption stands in a frame with its picture, or is a label named as one."""
    block, text = paragraph.lines[0].block, paragraph.text
    if _has_caption_name(block):
        return _CREDIT_RE.search(text) is not None or (
            len(text) <= _LONGEST_LABEL and text[-1:] not in _SENTENCE_ENDS
        )
    figure = _figure_of(picture, box)
    return figure is not None and block.tag in _APART and figure.tag in {"div", "figure"}


def _figure_of(picture: Picture, box: Block) -> Block | None:
    """Return the small box that holds a picture and its text, and nothing else."""
    block: Block | None = picture.block
    while block is not None and block is not box:
        if block.last > block.first:
            return block if block.last - block.first <= _MOST_FIGURE_LINES else None
        block = block.parent
    return None


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
