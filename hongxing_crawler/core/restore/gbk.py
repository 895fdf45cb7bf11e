"""GBK as the mirrors read it: pairs of bytes, and a decoder that loses what it cannot read."""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

from hongxing_crawler.core.restore.tables import to_simplified

ASCII_TRAIL: Final = range(0x40, 0x7F)  # trail bytes that are ASCII when read alone
_TO_WIDE: Final = 0xFEE0
_LEADS: Final = range(0x81, 0xFF)
_TRAILS: Final = (*range(0x40, 0x7F), *range(0x80, 0xFF))


@cache
def chars_by_pair() -> dict[int, str]:
    """Every pair of bytes that GBK assigns, as ``lead << 8 | trail``, and its character."""
    found: dict[int, str] = {}
    for lead in _LEADS:
        for trail in _TRAILS:
            char = bytes((lead, trail)).decode("gbk", "ignore")
            if len(char) == 1 and ord(char) > 0x7F:
                found[lead << 8 | trail] = char
    return found


@cache
def pairs_by_char() -> dict[str, int]:
    """Characters and their pairs, the inverse of ``chars_by_pair``."""
    return {char: pair for pair, char in chars_by_pair().items()}


@lru_cache(maxsize=4096)
def pair_of(char: str) -> int:
    """Bytes of a character as ``lead << 8 | trail``, 0 when it has no pair in GBK.

    Private-use characters stand for pairs that GBK leaves open; some decoders give them.

    >>> hex(pair_of("獎"))
    '0xaa84'
    """
    pair = pairs_by_char().get(char, 0)
    if not pair and "\ue000" <= char <= "\uf8ff":
        data = char.encode("gb18030")
        pair = int.from_bytes(data, "big") if len(data) == 2 else 0
    return pair


def char_across(before: str, char: str) -> str:
    """The character made of the second byte of one and an ASCII character: 組 in 徒M.

    Folding made ASCII of full-width forms: in ``:B(zhù)`` the gloss belongs to 築, A3*BA 42*.
    """
    if "!" <= before <= "~":
        before = chr(ord(before) + _TO_WIDE)
    return chars_by_pair().get((pair_of(before) & 0xFF) << 8 | ord(char), "") if before else ""


def _lose(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    at, data = error.start, error.object
    width = 1 if data[at] in {0x80, 0xFF} else 2
    return "?", min(at + width, len(data))


codecs.register_error("hongxing-lossy", _lose)


def decode_lossy(data: bytes) -> str:
    """Decode as the kit does: an invalid pair becomes one ``?`` and both bytes are gone.

    >>> decode_lossy(bytes.fromhex("90ba86") + b"(ji")
    '惡?ji'
    """
    return data.decode("gbk", "hongxing-lossy")


def _show_open(error: UnicodeError) -> tuple[str, int]:
    """Windows shows pairs that GBK leaves open as private-use characters, and 80 as a euro."""
    shown, end = _lose(error)
    data = error.object[error.start : end] if isinstance(error, UnicodeDecodeError) else b""
    if data == b"\x80":
        return "€", end
    try:
        return data.decode("gb18030"), end
    except UnicodeDecodeError:
        return shown, end


codecs.register_error("hongxing-windows", _show_open)
_OPEN_SHOWN_RE: Final = re.compile("[€\ue000-\uf8ff]")


class LossyReader:
    """Decode like a kit, piece after piece.

    >>> reader = LossyReader()
    >>> reader.read(0, bytes.fromhex("90ba86"))
    ('惡', 134)
    >>> reader.read(0x86, b"(ji")
    ('?ji', 0)
    """

    def __init__(self, errors: str = "hongxing-lossy") -> None:
        self._decoder = codecs.getincrementaldecoder("gbk")(errors)

    @classmethod
    def for_text(cls, shown: str) -> LossyReader:
        """The decoder that showed a text: one with private-use characters is like Windows'."""
        return _READERS["hongxing-windows" if _OPEN_SHOWN_RE.search(shown) else "hongxing-lossy"]

    def read(self, lead: int, data: bytes) -> tuple[str, int]:
        """Decode ``data`` after a first byte that was read before, 0 for none.

        Returns:
            The text, and the first byte that waits for its second, 0 for none.
        """
        self._decoder.reset()
        text = self._decoder.decode(bytes((lead,)) + data if lead else data)
        waiting, _ = self._decoder.getstate()
        return text, waiting[0] if waiting else 0


_READERS: Final = {name: LossyReader(name) for name in ("hongxing-lossy", "hongxing-windows")}


def encode_lossy(text: str) -> bytes:
    """Encode in GBK; characters outside become ``?``."""
    return text.encode("gbk", "replace")


@cache
def chars_by_lead() -> dict[int, tuple[str, ...]]:
    """Characters in use under each first byte: candidates for a lost second byte."""
    return _grouped(8)


@cache
def chars_by_trail() -> dict[int, tuple[str, ...]]:
    """Characters in use under each second byte."""
    return _grouped(0)


def _grouped(shift: int) -> dict[int, tuple[str, ...]]:
    groups: dict[int, list[str]] = {}
    forms = to_simplified()
    for pair, char in chars_by_pair().items():
        if _is_in_gb2312(pair) or char in forms:
            groups.setdefault(pair >> shift & 0xFF, []).append(char)
    return {key: tuple(chars) for key, chars in groups.items()}


def _is_in_gb2312(pair: int) -> bool:
    lead, trail = divmod(pair, 256)
    return trail >= 0xA1 and (lead in {0xA1, 0xA3} or 0xB0 <= lead <= 0xF7)


@cache
def folded_pairs() -> dict[str, tuple[tuple[str, int], ...]]:
    """First character of a folded form to (the whole form, pair) of what folds into it."""
    found: dict[str, list[tuple[str, int]]] = {}
    for pair, char in chars_by_pair().items():
        form = unicodedata.normalize("NFKC", char)
        if form != char:
            found.setdefault(form[0], []).append((form, pair))
    return {first: tuple(forms) for first, forms in found.items()}


def is_common(text: str) -> bool:
    """Whether all of a Simplified text is ASCII or in GB 2312, as nearly all modern text is.

    >>> is_common("考核奖惩"), is_common("剳蛢冬F")
    (True, False)
    """
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
