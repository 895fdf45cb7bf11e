"""Names of those who wrote and photographed, out of the words that pages put around them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.core.sources import received_place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hongxing_crawler.core.blocks import Line

_SPLIT_RE = re.compile(r"[\s、,，;；/／╱|｜:：()（）【】\[\]〔〕]+")
_LATIN_SPLIT_RE = re.compile(r"[,;|/、，]|\s{2,}")
_WRITERS = (
    r"记者|記者|通讯员|通訊員|特派员|特派員|评论员|評論員|实习生|實習生"
    r"|撰稿人?|撰文|作者|报道|報導|报导"
)
_WRITER_RE = re.compile(rf"^.{{0,10}}(?:{_WRITERS})$")
_PHOTOGRAPHER_RE = re.compile(r"^(?:摄影|攝影|摄影师|图片?|圖片?|供图|供圖|图片?来源)$")
_SHOT_RE = re.compile(r"^(?:摄|攝|摄影报道|攝影報導)$")
_BOTH_RE = re.compile(
    r"文[/／]?[图圖摄攝](?![\u4e00-\u9fff])|[图圖]文|[图圖][/／]文(?![/／])|文并[摄攝]"
)
_NOBODY_RE = re.compile(
    r"^(?:文|文字|图文|圖文|本报|本網|本网|本站|佚名|匿名|未知|不详|无|网络|網絡|转载|轉載|原创|来源|编辑|责编|admin|管理员|点击|浏览"
    r"|发布|综合|整理|出自|供稿|统稿|和|与|等|系?统?管理员?)$|[=\"<>@?？!！。]|www\.|https?|^[\d\W_]+$|(?:报道|報導|报导)$|\d{3}"
)
_PREFIX_RE = re.compile(
    r"^(?:本报|本网|本台|本社|特约|见习|首席|全媒体|融媒体?)?(?:记者|記者|通讯员|通訊員|特派员|评论员|实习生|實習生|作者|撰文|文)(?=[\u4e00-\u9fff]{2,4}$)"
)
_NAME_RE = re.compile(
    r"^(?:[\u4e00-\u9fff]{2,16}|[\u4e00-\u9fff·•]{3,20}|[^\W\d_][\w .'’·-]{1,40})$"
)
_LONGEST = 120
# （记者 张某 通讯员 李某）, 〔記者魏某／台北報導〕 in a dateline or as a line of its own.
_BRACKETS_RE = re.compile(
    r"[（(〔【\[﹝](?P<who>[^（）()〔〕【】\[\]﹝﹞。]{0,12}(?:记者|記者|通讯员|通訊員|特派员|评论员|实习生|實習生)"
    r"[^（）()〔〕【】\[\]﹝﹞。]{2,60})[）)〕】\]﹞]"
)
_BARE_RE = re.compile(
    r"(?:记者|記者|通讯员|通訊員)\s?(?P<who>[\u4e00-\u9fff·]{2,4}(?:[\s、，,]{1,2}[\u4e00-\u9fff·]{2,4}){0,5})(?=[\s、，,/／╱|]|$)"
)
_DATELINE = 90
_LONGEST_PERSON = 4


@dataclass(frozen=True, slots=True)
class Person:
    """A name, the piece of text it was read from, and what the person did."""

    name: str
    raw: str
    role: str = "author"


def split_people(text: str) -> list[Person]:
    """Read the names in a line of authors; words that say what they did are no names.

    >>> [(p.name, p.role) for p in split_people("记者 蒋某 通讯员 奉某 摄影 王某")]
    [('蒋某', 'author'), ('奉某', 'author'), ('王某', 'photographer')]
    >>> [(p.name, p.role) for p in split_people("李某 摄")]
    [('李某', 'photographer')]
    """
    text = _BOTH_RE.sub(" ", text[:_LONGEST])
    if text.isascii():
        pieces = [piece.strip() for piece in _LATIN_SPLIT_RE.split(text)]
        return [Person(piece, piece) for piece in pieces if _is_name(piece)]
    people: list[Person] = []
    role, since = "author", 0
    for piece in _joined(_SPLIT_RE.split(text)):
        if _SHOT_RE.match(piece):
            people[since:] = [Person(p.name, p.raw, "photographer") for p in people[since:]]
        elif _PHOTOGRAPHER_RE.match(piece):
            role, since = "photographer", len(people)
        elif _WRITER_RE.match(piece):
            role, since = "author", len(people)
        else:
            name = _PREFIX_RE.sub("", piece)
            if name != piece:
                role, since = "author", len(people)
            if _is_name(name):
                people.append(Person(name, piece, role))
    return people


def _joined(pieces: list[str]) -> Iterable[str]:
    """Join names that are printed with a space between their two characters."""
    held = ""
    for piece in pieces:
        if len(piece) == 1 and "\u4e00" <= piece <= "\u9fff" and piece not in "文图圖摄攝":
            if held:
                yield held + piece
                held = ""
            else:
                held = piece
            continue
        held = ""
        if piece:
            yield piece


def _is_name(text: str) -> bool:
    return bool(_NAME_RE.match(text)) and not _NOBODY_RE.search(text)


def find_byline(lines: Iterable[Line], openings: Iterable[Line]) -> str:
    """Find who wrote an article without a label: beside the date, or in the dateline.

    Args:
        lines: Short lines around headline and body, none of them prose.
        openings: The first paragraphs, and the last.

    Returns:
        The words as received, or "".
    """
    for line in lines:
        found = _BARE_RE.search(line.plain)
        if found:
            return _received(line, *found.span("who"))
    for line in openings:
        for found in _BRACKETS_RE.finditer(line.plain[: _DATELINE * 2]):
            if found.start() <= _DATELINE and _are_persons(split_people(found["who"])):
                return _received(line, *found.span("who"))
    return ""


def _are_persons(people: list[Person]) -> bool:
    """Say whether all of some names are persons' names, not a remark in brackets."""
    return bool(people) and all(len(p.name) <= _LONGEST_PERSON or "·" in p.name for p in people)


def _received(line: Line, start: int, end: int) -> str:
    return line.text[received_place(line, start) : received_place(line, end)].strip()
