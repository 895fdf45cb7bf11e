"""White space and invisible characters of pages."""

from __future__ import annotations

import re

from hongxing_crawler.core.edits import Cleaned, Edit, apply_edits

EDGES = " \t\n\r\f\v\xa0\u3000\u200b\ufeff\u2002\u2003\u2009"
_RUN_RE = re.compile(r"[ \t\n\r\f\xa0]{2,}|[\t\n\r\f\xa0]")
_WRAP_RE = re.compile(
    r"(?<=[\u3000-\u9fff\uff01-\uff5e])[\r\n][ \t\r\n\f]*(?=[\u3000-\u9fff\uff01-\uff5e])"
)


def tidy(text: str, *, edges: bool = True) -> str:
    r"""Collapse white space as a browser shows it; U+3000 inside a line stays.

    A line wrap of the source between two Chinese characters is no space.

    >>> tidy("　　红星 \n  网　讯\n稿 ")
    '红星 网　讯稿'

    Args:
        text: Text of one node or one line.
        edges: Strip both ends, too.

    Returns:
        The text on one line.
    """
    if edges:
        text = text.strip(EDGES)
    if not (text.isprintable() and "  " not in text) and _RUN_RE.search(text):
        if "\n" in text or "\r" in text:
            text = _WRAP_RE.sub("", text)
        text = _RUN_RE.sub(" ", text)
    return text


def pre_lines(text: str) -> list[str]:
    r"""Return the paragraphs of preformatted text.

    A line that breaks off without a mark is wrapped, unless the next is indented or blank.
    Text of more than 10,000 lines is left as it is.

    >>> pre_lines("　　会议今天召开，\n省委书记出席。\n　　会议强调。\n\n完")
    ['　　会议今天召开，省委书记出席。', '　　会议强调。', '完']
    """
    made: list[list[str]] = []
    is_open = False
    if text.count("\n") > _MOST_PRE_LINES:
        return [text]
    for line in text.split("\n"):
        piece = line.rstrip()
        if not piece.strip(EDGES):
            is_open = False
            continue
        if is_open and piece[0] not in EDGES:
            if piece[0].isascii() and made[-1][-1][-1].isascii():
                made[-1].append(" ")
            made[-1].append(piece)
            is_open = piece[-1] not in _PRE_ENDS
        else:
            made.append([piece])
            is_open = piece[-1] not in _PRE_ENDS and len(piece) >= _SHORTEST_WRAPPED
    return list(map("".join, made))


_PRE_ENDS = frozenset("。！？：；…”」』.!?:;")
_SHORTEST_WRAPPED = 8
_MOST_PRE_LINES = 10_000
_INVISIBLE_RE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufff9-\ufffb]+"
)
_KIT_NOISE = frozenset("\x05\x06\x07\x08")


def strip_invisible(text: str) -> Cleaned:
    r"""Remove control and zero-width characters; tab and line feed stay.

    U+0005 to U+0008 are the noise of mirror kits and have a rule of their own.

    >>> strip_invisible("行为\x06\x07，增强").text
    '行为，增强'
    """
    if all(map(str.isprintable, text.split("\n"))):
        return Cleaned(text)
    edits = tuple(
        Edit(
            match.start(),
            match.end(),
            match[0],
            "",
            "spaces.kit_noise" if _KIT_NOISE.issuperset(match[0]) else "spaces.invisible",
        )
        for match in _INVISIBLE_RE.finditer(text)
    )
    return Cleaned(_INVISIBLE_RE.sub("", text) if edits else text, edits)


def strip_blank_lines(text: str) -> Cleaned:
    r"""Leave one blank line between paragraphs and none at the ends.

    >>> strip_blank_lines("一。\n\n\n\n二。\n").text
    '一。\n\n二。'
    """
    edits, position, gap_from, gap_lines = [], 0, 0, 0
    for line in text.split("\n"):
        kept = line.strip(EDGES)
        if kept:
            start = position + line.find(kept)
            wanted = (
                ""
                if gap_from == 0 and not text[:gap_from].strip(EDGES)
                else "\n\n"
                if gap_lines > 1
                else "\n"
            )
            if text[gap_from:start] != wanted:
                edits.append(
                    Edit(gap_from, start, text[gap_from:start], wanted, "spaces.blank_lines")
                )
            gap_from, gap_lines = start + len(kept), 0
        gap_lines += 1
        position += len(line) + 1
    if gap_from < len(text):
        edits.append(Edit(gap_from, len(text), text[gap_from:], "", "spaces.blank_lines"))
    return Cleaned(apply_edits(text, edits) if edits else text, tuple(edits))


def is_text(text: str) -> bool:
    """Tell text from bytes that only decode: a picture, an archive, noise."""
    sample = text[:_SAMPLE_CHARS]
    if not any(odd in sample for odd in _ODD):
        return True
    count = sum(map(len, _ODD_RE.findall(sample)))
    return count <= _MOST_ODD * len(sample) or count < _FEW_ODD


_ODD = ("\ufffd", "\x00")
_ODD_RE = re.compile(r"[\x00-\x04\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]+")
_SAMPLE_CHARS = 20_000
_MOST_ODD = 0.03
_FEW_ODD = 20
