"""Readings in a wrong charset, and the exact way back from each.

Unlike ftfy's defaults nothing here touches marks, U+3000 or full-width forms that are right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LATIN_1252: Final = (
    "\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201a"
    "\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
)
_LATIN_RUN_RE: Final = re.compile(f"[\x80-\xff{LATIN_1252}][\x20-\x7e\x80-\xff{LATIN_1252}]*")
_WIDE_RUN_RE: Final = re.compile("[^\x00-\x7f]+")
_LATIN_RE: Final = re.compile(f"[\x80-\xff{LATIN_1252}]")
_WIDE_RE: Final = re.compile("[^\x00-\x7f]")
_HAN_RE: Final = re.compile("[\u4e00-\u9fff]")
_CHINESE_RE: Final = re.compile(
    "[\u4e00-\u9fff\u2014-\u2026\u2460-\u249b\u3000-\u30ff\uff00-\uffef\xb7\xa0]"
)
_CONTROL_RE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HIGH_RUN_RE: Final = re.compile("[\x80-\xff]+")
_GBK_SHOWN_RE: Final = re.compile("(?:[\xa1-\xf7][\xa1-\xfe])+")
# Readers of HTML make one blank of all: byte A0 of a character became a space.
_BLANK_RE: Final = re.compile(rb"([\xe1-\xef][\x80-\xbf]|[\xe1-\xef](?= [\x80-\xbf])|\xc2) ")
_MAX_ROUNDS: Final = 3
_LEAST_CHARS: Final = 2  # of a text that tells by itself how it was read
_CHINESE_SHARE: Final = 0.9
_USUAL_SHARE: Final = 0.75
_USUAL_SHARE_IF_KNOWN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Way:
    """How a text was read, and how it should have been."""

    wrong: str
    right: str

    def runs(self, line: str) -> Iterator[re.Match[str]]:
        """Find the stretches of a line that may have been read so."""
        pattern = _WIDE_RUN_RE if self.wrong == "gb18030" else _LATIN_RUN_RE
        return pattern.finditer(line)

    def is_evident(self, run: str) -> bool:
        """Whether a run looks as if it was read so, with nothing else known.

        GBK shown byte by byte: pairs of bytes throughout, two pairs in a row somewhere, letters
        among them and not only signs (°°°°).
        """
        if self.right != "gb18030":
            return True
        try:
            parts = _HIGH_RUN_RE.findall(_encode(run, self.wrong).decode("latin-1"))
        except UnicodeError:
            return False
        text = "".join(parts)
        letters = sum(char >= "\xc0" and char not in "×÷" for char in text)
        is_row = max(map(len, parts), default=0) >= 4 and letters * 5 >= len(text)
        return is_row and len(set(text)) > 2 and all(map(_GBK_SHOWN_RE.fullmatch, parts))

    def undo(self, run: str) -> str:
        """Read a run again, up to three times; empty if no round is exact."""
        repaired = run
        for _ in range(_MAX_ROUNDS):
            again = self._undo_once(repaired)
            if not again:
                break
            repaired = again
            if _HAN_RE.search(repaired):
                break
        return repaired if repaired != run else ""

    def _undo_once(self, text: str) -> str:
        try:
            data = _encode(text, self.wrong)
            if self.right != "utf-8" and is_utf8(data):
                return ""
            if self.right == "utf-8" and self.wrong != "gb18030":
                data = _BLANK_RE.sub(b"\\1\xa0", data)
            again = data.decode(self.right)
            shown = _decode(again.encode(self.right), self.wrong)
        except UnicodeError:
            return ""
        return again if shown.replace("\xa0", " ") == text.replace("\xa0", " ") else ""


WAYS: Final = (
    Way("cp1252", "utf-8"),
    Way("latin-1", "utf-8"),
    Way("gb18030", "utf-8"),
    Way("cp1252", "gb18030"),
    Way("latin-1", "gb18030"),
)


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8: bytes of another charset are not, but by rare chance."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _encode(text: str, charset: str) -> bytes:
    """Encode; Windows-1252 leaves five bytes open, which browsers read as control characters."""
    if charset == "cp1252":
        return text.translate(_TO_BYTE).encode("latin-1")
    return text.encode(charset)


def _decode(data: bytes, charset: str) -> str:
    if charset == "cp1252":
        return data.decode("latin-1").translate(_FROM_BYTE)
    return data.decode(charset)


_FROM_BYTE: Final = {
    byte: ord(char)
    for byte in range(0x80, 0xA0)
    if (char := bytes((byte,)).decode("cp1252", "ignore"))
}
_TO_BYTE: Final = {code: byte for byte, code in _FROM_BYTE.items()}


def is_chinese(repaired: str, *, is_known: bool = False) -> bool:
    """Whether a run that was read again is Chinese text, of frequent characters.

    An accent in a French word does not become that.

    Args:
        repaired: The run as it is now.
        is_known: Other lines of the page were read in the same way: one character will do.
    """
    wide = _WIDE_RE.findall(repaired)
    count = len(wide)
    if count < (1 if is_known else _LEAST_CHARS) or _CONTROL_RE.search(repaired):
        return False
    chinese = sum(_CHINESE_RE.match(char) is not None for char in wide)
    usual = sum(map(_is_usual, wide))
    least_usual = _USUAL_SHARE_IF_KNOWN if is_known else _USUAL_SHARE
    is_text = is_known or _HAN_RE.search(repaired) is not None
    return is_text and chinese >= _CHINESE_SHARE * count and usual >= least_usual * count


def _is_usual(char: str) -> bool:
    """Marks and the 3,755 frequent characters of GB 2312."""
    return not _HAN_RE.match(char) or 0xB0 <= char.encode("gb18030")[0] <= 0xD7


def is_misread_latin(line: str) -> bool:
    """Bytes shown one by one of which some are gone: no language has such rows of Latin letters."""
    wide = _WIDE_RE.findall(line)
    if len(_LATIN_RE.findall(line)) < _CHINESE_SHARE * len(wide):
        return False
    marks = sum("\x80" <= char <= "\xbf" or char > "\xff" for char in wide)
    rows = [len(run) for run in _WIDE_RUN_RE.findall(line)]
    return marks * 4 >= len(wide) and max(rows, default=0) >= 6


def is_misread_han(line: str) -> bool:
    """UTF-8 read as GBK of which some bytes are gone: nearly all of it reads as UTF-8."""
    run = "".join(_WIDE_RUN_RE.findall(line))
    if len(run) < 6:
        return False
    again = run.encode("gb18030", "replace").decode("utf-8", "replace")
    lost = again.count("\ufffd") + again.count("?")
    if len(again) >= len(run) or lost * 3 > len(again):
        return False
    usual = sum(_HAN_RE.match(char) is not None and _is_usual(char) for char in again)
    return usual * 2 >= len(again)
