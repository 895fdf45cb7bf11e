"""Bytes to text: which charset a page really has, whatever it says about itself."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META_RE = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s?=\s?[\"']?([\w-]{2,20})", re.IGNORECASE
)
_HANZI_RE = re.compile(r"[\u4e00-\u9fff]+")
_HEADER_RE = re.compile(r"charset\s?=\s?[\"']?([\w-]{2,20})", re.IGNORECASE)
# Names under which pages declare a charset, and the superset that decodes it without loss.
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "hz": "hz",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "cp950": "big5hkscs",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
}
# What a Chinese page is made of: the commonest characters of both scripts. Text that was
# decoded with the wrong table is full of rare ones instead.
_COMMON = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可"
    "她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三"
    "已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女"
    "问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由"
    "却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神数件安表原车白应路"
    "這來個說們為時會對過學發還開經頭長樣現將進實點聲話業間電門東關內產總場師書報張數車應"
    "，。、：；！？「」“”（）《》"
)
_COMMON_RE = re.compile(f"[{''.join(sorted(_COMMON))}]+")
_NARROW_RE = re.compile(r"[\x00-\x7f]+")
_ASCII = bytes(range(128))
_WINDOW_BYTES = 4_000
_SURE = 0.4  # text in the wrong table has a share under 0.1
_SAMPLE_CHARS = 4_000
# Bytes A3A0, the blank of old editors: the tables of GB 18030 leave it to users, and browsers
# show U+3000 (Encoding Standard, index gb18030).
_GBK_SPACE = "\ue5e5"
_SAMPLE_BYTES = 200_000
_UTF8_SHARE = 0.5
_PIECE_RE = re.compile(rb"([<>\r\n])")
_MARKUP_BYTES = 400
_ZERO_SHARE = 0.05
_ZERO_RATIO = 5


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page as text. ``source``: bom | header | meta | detected."""

    text: str
    charset: str
    source: str


def decode(html: bytes, declared: str = "") -> Decoded:
    r"""Decode a page by its bytes; what it declares is only a hint.

    Never fails and never leaves a lone surrogate. Bytes that fit no table become U+FFFD.

    >>> decode("红星网".encode("gb18030"), "text/html; charset=utf-8").charset
    'gb18030'

    Args:
        html: The page as received, after content decoding.
        declared: Content-Type header or a bare charset name; may be empty.

    Returns:
        Text, charset name and what decided: ``bom``, ``header`` or ``meta`` when the bytes
        agree with what was declared, else ``detected``.

    Source:
        Order by measurement: strict UTF-8, GB18030, Big5, then the fewest U+FFFD.
    """
    for bom, name in _BOMS:
        if html.startswith(bom):
            return Decoded(html[len(bom) :].decode(name, "replace"), name, "bom")
    hints = _hints(html, declared)
    wide = _wide_encoding(html)
    if wide:
        return Decoded(html.decode(wide, "replace"), wide, "detected")
    text, charset = _decode_by_bytes(html, hints)
    return Decoded(
        text, charset, next((origin for origin, name in hints if name == charset), "detected")
    )


def _wide_encoding(html: bytes) -> str:
    """Recognise UTF-16 without a mark: every second byte of its markup is zero."""
    if b"\0" not in html[:16]:
        return ""
    even, odd = html[0:_MARKUP_BYTES:2], html[1:_MARKUP_BYTES:2]
    zeros = even.count(0), odd.count(0)
    if max(zeros) <= max(_ZERO_SHARE * len(odd), _ZERO_RATIO * min(zeros)):
        return ""
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _hints(html: bytes, declared: str) -> list[tuple[str, str]]:
    """Return the charsets that header and meta name, as their supersets."""
    hints = []
    if declared:
        found = _HEADER_RE.search(declared)
        name = found[1] if found else "" if "/" in declared else declared
        hints.append(("header", name))
    in_page = _META_RE.search(html, 0, 4096)
    if in_page:
        hints.append(("meta", in_page[1].decode("ascii", "replace")))
    return [(origin, _known(name)) for origin, name in hints if name]


def _known(name: str) -> str:
    name = name.strip().lower()
    name = _SUPERSETS.get(name, name)
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""


def _decode_by_bytes(html: bytes, hints: list[tuple[str, str]]) -> tuple[str, str]:
    try:
        return html.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        broken_at = error.start
    if _is_utf8_but_for_scars(html, broken_at):
        return html.decode("utf-8", "replace"), "utf-8"
    if _is_mostly_utf8(html):
        return _decode_pieces(html), "utf-8"
    names = [name for _, name in hints if name and name not in {"utf-8", "ascii"}]
    text = _surely_gb18030(html)
    if text:
        return text.replace(_GBK_SPACE, "\u3000"), "gb18030"
    candidates = dict.fromkeys(("gb18030", "big5hkscs", *(n for n in names if _is_text_charset(n))))
    best = max(candidates, key=lambda name: _plausibility(html, name, hinted=name in names))
    text = html.decode(best, "replace")
    return text.replace(_GBK_SPACE, "\u3000") if best == "gb18030" else text, best


def _surely_gb18030(html: bytes) -> str:
    """Return the text when nothing in it is broken and common characters are many, else ""."""
    try:
        text = html.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return text if _common_share(_wide(text[:_SAMPLE_BYTES])) > _SURE else ""


def _common_share(wide: str) -> float:
    sample = wide[:_SAMPLE_CHARS]
    return 1 - len(_COMMON_RE.sub("", sample)) / len(sample) if sample else 0.0


def _wide(text: str) -> str:
    """Return what is not ASCII in a text."""
    return _NARROW_RE.sub("", text)


def _is_text_charset(name: str) -> bool:
    """Tell a table of characters from codecs such as base64, which ``decode`` would refuse."""
    return bool(getattr(codecs.lookup(name), "_is_text_encoding", False)) and name != "idna"


def _is_utf8_but_for_scars(html: bytes, broken_at: int) -> bool:
    """Recognise UTF-8 with a few broken places: a cut tail, a foreign include, kit damage."""
    if broken_at >= len(html) - 4:
        return True
    # Each broken place needs twenty Chinese characters, of three bytes each, somewhere.
    near = html[broken_at : broken_at + _WINDOW_BYTES].decode("utf-8", "replace")
    if (near.count("\ufffd") - 1) * 60 > len(html[:_SAMPLE_BYTES].translate(None, _ASCII)):
        return False
    sample = html[:_SAMPLE_BYTES]
    text = sample.decode("utf-8", "replace")
    return _has_hanzi(sample, text, 20 * text.count("\ufffd"))


def _is_mostly_utf8(html: bytes) -> bool:
    """Recognise UTF-8 around a piece in another encoding; other tables hardly spell UTF-8."""
    sample = html[:_SAMPLE_BYTES]
    text = sample.decode("utf-8", "replace")
    return _has_hanzi(sample, text, _UTF8_SHARE * len(sample.translate(None, _ASCII)) / 3)


def _has_hanzi(sample: bytes, text: str, limit: float) -> bool:
    """Say whether bytes and their text hold more Chinese characters than that.

    They are counted only where enough characters beside ASCII were read at all.
    """
    ascii_count = len(sample) - len(sample.translate(None, _ASCII))
    if len(text) - ascii_count - text.count("\ufffd") <= limit:
        return False
    return sum(map(len, _HANZI_RE.findall(text))) > limit


def _decode_pieces(html: bytes) -> str:
    """Decode what stands between tags and line ends piece by piece: an include has its own."""
    return "".join(map(_decode_piece, _PIECE_RE.split(html)))


def _decode_piece(piece: bytes) -> str:
    for name in ("utf-8", "gb18030"):
        try:
            return piece.decode(name)
        except UnicodeDecodeError:
            continue
    return piece.decode("utf-8", "replace")


def _plausibility(html: bytes, name: str, *, hinted: bool) -> float:
    """Score a decoding: share of common characters, less the share of broken places."""
    try:
        text = html[:_SAMPLE_BYTES].decode(name, "replace")
    except (UnicodeError, ValueError):
        return -10.0
    wide = _wide(text)
    if not wide:
        return 0.0
    common = _common_share(wide)
    broken = text.count("\ufffd") / len(wide)
    return common - 2 * broken + (0.05 if hinted else 0.0)
