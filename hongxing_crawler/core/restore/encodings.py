"""Undo readings in a wrong charset, only where the way back is exact.

Unlike ftfy's defaults nothing here touches marks, U+3000 or full-width forms that are right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Final

from hongxing_crawler.core.edits import Edit

LOST_RE: Final = re.compile("(?:锟斤拷|锟斤|烫烫烫|屯屯屯|\ufffd)+")
_LATIN_RUN_RE: Final = re.compile(
    "[\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2026"
    "\u2030\u2039\u203a\u20ac\u2122][\x20-\x7e\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d"
    "\u017e\u0192\u02c6\u02dc\u2013-\u2026\u2030\u2039\u203a\u20ac\u2122]*"
)
_HAN_RUN_RE: Final = re.compile("[^\x00-\x7f]{3,}[?]?")
_ENTITY_RE: Final = re.compile(r"&amp;(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_WIDE_RE: Final = re.compile("[^\x00-\x7f]")
# GBK shown byte by byte: both bytes of a frequent character lie in this range.
_HIGH_RUN_RE: Final = re.compile("[\x80-\xff]+")
_GBK_SHOWN_RE: Final = re.compile("(?:[\xa1-\xf7][\xa1-\xfe])+")
_HAN_RE: Final = re.compile("[\u4e00-\u9fff]")
_COMMON_HAN: Final = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会"
)
_CHINESE_RE: Final = re.compile("[\u4e00-\u9fff\u2014-\u2026\u3000-\u30ff\uff00-\uffef]")
_LEAST_WIDE: Final = 4
_LEAST_RUN: Final = 6
_MAX_ROUNDS: Final = 2
# How a text was read, and how it should have been.
_WAYS: Final = (
    ("cp1252", "utf-8"),
    ("latin-1", "utf-8"),
    ("cp1252", "gb18030"),
    ("latin-1", "gb18030"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text after its charset was put right: edits against the received text, and losses."""

    text: str
    edits: tuple[Edit, ...] = ()
    verdict: str = "clean"  # clean | proved | guessed (misread, but no exact way back) | lossy


def repair_encoding(text: str) -> Decoded:
    """Undo UTF-8 or GBK read as Latin-1 or Windows-1252, UTF-8 read as GBK, and both twice.

    A run of text is changed only when encoding the repaired run in the wrong way gives exactly
    what was received, and when the run turns into Chinese from what was none. Bytes that a former
    decoder dropped (锟斤拷, U+FFFD) are left where they are and reported.

    >>> repair_encoding("ä¼šè®®").text
    '会议'
    >>> repair_encoding("naïve café").text
    'naïve café'

    Args:
        text: Received text.

    Returns:
        The text, one edit ``restore.encoding`` for each run, and the verdict.
    """
    edits = [edit for match in _LATIN_RUN_RE.finditer(text) if (edit := _edit_latin(match))]
    edits = edits or [edit for match in _HAN_RUN_RE.finditer(text) if (edit := _edit_han(match))]
    if not _is_most_of(text, edits):
        edits = []
    parts: list[str] = []
    done = 0
    for edit in edits:
        parts += (text[done : edit.start], edit.inserted)
        done = edit.end
    repaired = "".join((*parts, text[done:]))
    return Decoded(repaired, tuple(edits), _judge(repaired, edits))


def _is_most_of(text: str, edits: list[Edit]) -> bool:
    """A text is misread as a whole: one odd word on a good page stays."""
    wide = sum(len(_WIDE_RE.findall(edit.removed)) for edit in edits)
    return 2 * wide >= len(_WIDE_RE.findall(text)) if edits else True


def _judge(text: str, edits: list[Edit]) -> str:
    if LOST_RE.search(text):
        return "lossy"
    if any(_is_misread(match[0]) for match in _HAN_RUN_RE.finditer(text)):
        return "guessed"
    return "proved" if edits else "clean"


def _is_misread(run: str) -> bool:
    """UTF-8 read as GBK of which some bytes are gone: nearly all of it reads as UTF-8."""
    if len(run) < _LEAST_RUN:
        return False
    again = run.encode("gb18030", "replace").decode("utf-8", "replace")
    is_shorter = len(again) < len(run)
    return is_shorter and again.count("\ufffd") + again.count("?") <= len(again) // 4


def unescape_twice(text: str) -> str:
    """Undo entities that were escaped once too often (``&amp;nbsp;``); single ones are HTML's.

    >>> unescape_twice("A&amp;ldquo;B R&D")
    'A“B R&D'
    """
    return _ENTITY_RE.sub(lambda match: unescape(unescape(match[0])), text)


def _edit_latin(match: re.Match[str]) -> Edit | None:
    """Bytes shown one by one: each character above ASCII stands for one byte."""
    run = match[0].rstrip(" ")
    for wrong, right in _WAYS:
        if right == "gb18030" and not _is_gbk_shown(run):
            continue
        repaired = _reread(run, wrong, right)
        if repaired is not None and _is_chinese(repaired, run):
            return Edit(match.start(), match.start() + len(run), run, repaired, "restore.encoding")
    return None


def _is_gbk_shown(run: str) -> bool:
    """Pairs of bytes throughout, and two pairs in a row somewhere."""
    parts = _HIGH_RUN_RE.findall(_as_bytes(run))
    return all(map(_GBK_SHOWN_RE.fullmatch, parts)) and max(map(len, parts), default=0) >= 4


def _as_bytes(run: str) -> str:
    """The run with one character for each byte."""
    try:
        return _encode(run, "cp1252").decode("latin-1")
    except UnicodeError:
        return run


def _edit_han(match: re.Match[str]) -> Edit | None:
    """UTF-8 read as GBK: rare characters, three for two."""
    run = match[0]
    repaired = _reread(run, "gb18030", "utf-8")
    if repaired is None or len(repaired) >= len(run) or not _HAN_RE.search(repaired):
        return None
    return Edit(match.start(), match.end(), run, repaired, "restore.encoding")


def _reread(run: str, wrong: str, right: str) -> str | None:
    """Encode as it was read and decode as it should be, up to twice; None if not exact."""
    repaired = run
    for _ in range(_MAX_ROUNDS):
        try:
            again = _encode(repaired, wrong).decode(right)
        except UnicodeError:
            break
        if _encode(again, right) != _encode(repaired, wrong):
            break
        repaired = again
        if _HAN_RE.search(repaired):
            break
    return repaired if repaired != run else None


def _encode(text: str, charset: str) -> bytes:
    """Encode; Windows-1252 leaves five bytes open, which browsers read as control characters."""
    if charset != "cp1252":
        return text.encode(charset)
    return b"".join(
        char.encode("latin-1") if "\x80" <= char <= "\x9f" else char.encode("cp1252")
        for char in text
    )


def _is_chinese(repaired: str, run: str) -> bool:
    """Nearly all of what is not ASCII became Chinese; an accent in a French word does not."""
    wide = _WIDE_RE.findall(repaired)
    if len(_WIDE_RE.findall(run)) < _LEAST_WIDE and len(wide) < 2:
        return False
    is_whole = all(_CHINESE_RE.match(char) for char in wide)
    is_usual = sum(map(_is_usual, wide)) * 4 >= 3 * len(wide)
    return is_whole and is_usual and _HAN_RE.search(repaired) is not None


def _is_usual(char: str) -> bool:
    """Marks and the 3,755 frequent characters of GB 2312."""
    return not _HAN_RE.match(char) or 0xB0 <= char.encode("gb18030")[0] <= 0xD7
