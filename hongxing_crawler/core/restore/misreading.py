"""Texts that were read in a wrong charset: found on a page, put right line by line.

A line is changed only where encoding the repaired line in the wrong way gives exactly what was
received, and where it turns into Chinese from what was none. Lines of which bytes are gone
(锟斤拷, U+FFFD) stay as they are and are flagged. Pages that speak of charsets stay, too: what
looks damaged there is an example.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from hongxing_crawler.core.document import DamagedPlace
from hongxing_crawler.core.edits import Edit
from hongxing_crawler.core.restore.encodings import (
    LATIN_1252,
    WAYS,
    Way,
    is_chinese,
    is_misread_han,
    is_misread_latin,
)
from hongxing_crawler.core.restore.entities import find_entities
from hongxing_crawler.core.restore.restored import VERDICTS, Restored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.core.document import GlossEntry

# What the first two bytes of most characters (E4..E9, 80..BF) are in GBK: rare characters.
_HAN_SIGNS: Final = "".join(
    bytes((lead, trail)).decode("gbk") for lead in range(0xE4, 0xEA) for trail in range(0x80, 0xC0)
)
# The third byte of one and the first of the next.
_HAN_SECOND: Final = "".join(
    bytes((lead, trail)).decode("gbk", "ignore")
    for lead in range(0x81, 0xC0)
    for trail in range(0xE4, 0xEA)
)
_HAN_FIRST: Final = f"{_HAN_SIGNS}锛銆"
# Each pattern begins with one set of characters, by which it runs over text without stopping:
# what a sign begins with, and then what follows each.
_FIRST: Final = f"\xb0-\xf7\ufffd锟烫屯{_HAN_FIRST}"
_REST: Final = (
    f"(?<=[\xb0-\xf7])[\x80-\xff{LATIN_1252}]|(?<=\ufffd)|(?<=锟)斤|(?<=烫)烫{{3}}|(?<=屯)屯{{3}}"
    f"|(?<=[{_HAN_FIRST}])(?:.{{0,2}}[{_HAN_FIRST}]|[{_HAN_SECOND}])"
)
_ODD_RE: Final = re.compile(  # on a page that was misread
    f"[{_FIRST}\xa1-\xff](?:{_REST}|(?<=[\xa1-\xff])[\xa1-\xff])"
)
SIGNS_RE: Final = re.compile(f"[{_FIRST}&](?:{_REST}|(?<=&)(?:amp;)?[#a-zA-Z])")
_LOST_RE: Final = re.compile("(?:锟斤拷|锟斤|烫{4}|屯{4}|\ufffd)+")
_ABOUT_RE: Final = re.compile(  # in lower case
    "乱码|亂碼|字符集|字元集|编码方式|字符编码|编码格式|转义|文字化け|mojibake"
    r"|charset|e(?<=\be)ncoding|utf-?8|g(?<=\bg)bk\b|gb2312|gb18030|latin-1|iso-8859|windows-1252"
)
_TAG_RE: Final = re.compile("</?[a-zA-Z!]")  # entities in source are right
_WIDE_RE: Final = re.compile("[^\x00-\x7f]")
_MAX_PLACES: Final = 200


@dataclass(frozen=True, slots=True)
class Misreading:
    """How the texts of one page were read.

    ``ways`` are those whose way back is exact for some text; ``has_entities`` tells of entities
    that were escaped once too often.
    """

    ways: tuple[Way, ...]
    has_entities: bool = False
    table: ClassVar[tuple[GlossEntry, ...]] = ()
    noise_count: ClassVar[int] = 0

    def restore(self, text: str) -> Restored:
        """Put one text of the page right."""
        edits: list[Edit] = []
        places: list[DamagedPlace] = []
        worst, start, shift = "clean", 0, 0
        for line in text.split("\n"):
            found, verdict = self._mend(line)
            edits += (
                replace(edit, start=start + edit.start, end=start + edit.end) for edit in found
            )
            now = _apply(line, found)
            if verdict in {"guessed", "lossy"} and len(places) < _MAX_PLACES:
                places += _places(now, start + shift, verdict)
            worst = max(worst, verdict, key=VERDICTS.index)
            start += len(line) + 1
            shift += len(now) - len(line)
        return Restored(_apply(text, edits), tuple(edits), worst, tuple(places))

    def _mend(self, line: str) -> tuple[list[Edit], str]:
        if not SIGNS_RE.search(line) and not self.ways:
            return [], "clean"
        best: list[Edit] = []
        for way in self.ways:
            edits = list(_edits(line, way, is_known=True))
            if _reach(edits) > _reach(best):
                best = edits
        if _reach(best) * 2 < len(_WIDE_RE.findall(line)):
            best = list(find_entities(line)) if self.has_entities else []
        rest = _apply(line, best)
        if _LOST_RE.search(rest):
            return best, "lossy"
        is_odd = bool(self.ways) and _ODD_RE.search(rest) is not None
        if is_odd or is_misread_latin(rest) or is_misread_han(rest):
            return best, "guessed"
        return best, "proved" if best else "clean"


def learn_misreading(texts: Iterable[str]) -> Misreading | None:
    """Find how the texts of a page were read.

    >>> learn_misreading(["naïve café", "“会议”，：！"]) is None
    True

    Args:
        texts: Received texts of the page.

    Returns:
        What was found; ``None`` for a page that was read as it should be, and for one that
        speaks of charsets. One scan over undamaged text.
    """
    page = "\n".join(texts)
    if SIGNS_RE.search(page) is None or _ABOUT_RE.search(page.lower()):
        return None
    lines = [line for line in page.split("\n") if SIGNS_RE.search(line)]
    reach = {
        way: sum(_reach(list(_edits(line, way, is_known=False))) for line in lines) for way in WAYS
    }
    ways = sorted((way for way in WAYS if reach[way]), key=lambda way: -reach[way])
    found = Misreading(tuple(ways), has_entities=_TAG_RE.search(page) is None)
    # Without a way, lines without a sign are clean.
    return found if found.restore(page if ways else "\n".join(lines)).verdict != "clean" else None


def _edits(line: str, way: Way, *, is_known: bool) -> Iterator[Edit]:
    for match in way.runs(line):
        for run in dict.fromkeys((match[0].rstrip(" "), match[0])):
            repaired = way.undo(run) if is_known or way.is_evident(run) else ""
            if repaired and len(repaired) < len(run) and is_chinese(repaired, is_known=is_known):
                at = match.start()
                yield Edit(at, at + len(run), run, repaired, "restore.encoding")
                break


def _reach(edits: list[Edit]) -> int:
    """Characters above ASCII that the edits replace."""
    return sum(len(_WIDE_RE.findall(edit.removed)) for edit in edits)


def _apply(text: str, edits: list[Edit]) -> str:
    parts: list[str] = []
    done = 0
    for edit in edits:
        parts += (text[done : edit.start], edit.inserted)
        done = edit.end
    return "".join((*parts, text[done:]))


def _places(line: str, start: int, verdict: str) -> Iterator[DamagedPlace]:
    """Where bytes are gone, or the whole of a line that was misread beyond repair."""
    lost = [match.span() for match in _LOST_RE.finditer(line)]
    for one, end in lost or [(0, len(line))]:
        piece = line[one:end]
        yield DamagedPlace("", start + one, start + end, piece, piece, verdict)
