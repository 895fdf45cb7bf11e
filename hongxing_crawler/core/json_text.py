"""JSON as content systems really send it: in a call, in any charset, with a script's liberties."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hongxing_crawler.core.charset import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 8 << 20  # its objects may take twenty times as much

# callback({…});  var data = […];  /**/cb("…")  window["cb"]({…})  while(1);{…}  )]}',{…}
_WRAPPER_RE = re.compile(
    r"""
    [\s;]*+(?:/\*.{0,200}?\*/\s*+)?
    (?:(?:while\s?\(1\)|for\s?\(;;\))\s?;|\)\]\}',?)?\s*+
    (?:(?:var|let|const)\s++)?
    (?:typeof\s[^{\[]{1,200}&&\s?)?
    (?:[\w$.]{1,100}+(?:\[["'][^"'\]]{1,60}["']\])?\s*+(?:&&\s*+[\w$.]{1,100}+\s*+)?[=(]\s*+\(?)?\s*+
    (?=["'{\[])
    """,
    re.VERBOSE | re.DOTALL,
)
_SLOPPY_RE = re.compile(
    r"""
    (?P<double>"(?:[^"\\]|\\.)*+(?:"|\Z))
    |(?P<single>'(?:[^'\\]|\\.)*+(?:'|\Z))
    |(?P<comment>/\*.*?(?:\*/|\Z)|//[^\n]*+)
    |(?P<comma>,\s*+(?=[}\]]))
    |(?P<before>[{,]\s*+)(?P<key>[A-Za-z_$][\w$]*+)(?=\s*+:)
    |(?P<nothing>\bundefined\b)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE_RE = re.compile(r"""\\x(?P<hex>[0-9a-fA-F]{2})|\\(?P<char>.)|(?P<quote>")""", re.DOTALL)
_KNOWN_ESCAPES = frozenset('"\\/bfnrtu')
_EVERY = "*"
_decoder = json.JSONDecoder(strict=False)  # line feeds inside texts are common


def parse_json(body: bytes, content_type: str = "") -> Any:
    """Read JSON or JSONP in whatever charset it comes.

    What is right is read as it is. Else what browsers take is taken: texts in single quotes, names
    without any, a comma before the end, comments, escapes that JSON does not know. What follows
    the value is left alone.

    >>> parse_json("cb({title: '会议', list: [1, 2,],});".encode("gbk"))
    {'title': '会议', 'list': [1, 2]}

    Args:
        body: The answer after content decoding.
        content_type: The header's value, a hint for the charset.

    Returns:
        What the JSON says: dict, list, str, int, float, bool or None.

    Raises:
        ValueError: It is no JSON, or larger than `MAX_BYTES`.
    """
    if len(body) > MAX_BYTES:
        raise ValueError(f"{len(body)} bytes of JSON")
    text = decode(body, content_type).text
    wrapper = _WRAPPER_RE.match(text)
    start = wrapper.end() if wrapper else 0
    try:
        return _read(text, start)
    except ValueError:
        return _read(_SLOPPY_RE.sub(_tidy, text[start:]), 0)


def _read(text: str, start: int) -> Any:
    try:
        return _decoder.raw_decode(text, start)[0]
    except RecursionError as error:
        raise ValueError("JSON in too many boxes") from error


def _tidy(match: re.Match[str]) -> str:
    if match["double"]:
        return _requote(match["double"])
    if match["single"]:
        return _requote(match["single"])
    if match["key"]:
        return f'{match["before"]}"{match["key"]}"'
    return "null" if match["nothing"] else ""


def _requote(literal: str) -> str:
    """Write a text of JavaScript as one of JSON; one that has no end stays without."""
    end = '"' if len(literal) > 1 and literal[-1] == literal[0] else ""
    inner = literal[1:-1] if end else literal[1:]
    return f'"{_ESCAPE_RE.sub(_escape, inner)}{end}'


def _escape(match: re.Match[str]) -> str:
    if match["hex"]:
        return f"\\u00{match['hex']}"
    if match["quote"]:
        return '\\"'
    char = match["char"]
    return f"\\{char}" if char in _KNOWN_ESCAPES else char


def find_all(value: Any, place: str) -> Iterator[Any]:
    """Yield what stands at a place: names, or numbers for arrays, parted by dots; ``*`` is each.

    JSON that was written as text inside JSON is read on the way.

    >>> list(find_all({"data": {"2024": [1], "2023": [2]}}, "data.*"))
    [[1], [2]]
    """
    if not place:
        yield value
        return
    name, _, rest = place.partition(".")
    for found in _below(_unfolded(value), name):
        yield from find_all(found, rest)


def find_one(value: Any, place: str) -> Any:
    """Return the first thing at a place, None when there is nothing."""
    return next(find_all(value, place), None)


def _below(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if name == _EVERY:
            yield from value.values()
        elif name in value:
            yield value[name]
    elif isinstance(value, list):
        if name == _EVERY:
            yield from value
        elif name.isascii() and name.isdigit() and len(name) < 7 and int(name) < len(value):
            yield value[int(name)]


def _unfolded(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return _read(value.lstrip(), 0)
        except ValueError:
            return value
    return value


def entries_of(value: Any) -> list[Any] | None:
    """Return the entries of an array, or of an object in its place, as PHP writes some arrays.

    >>> entries_of({"0": {"id": 1}, "2": {"id": 3}})
    [{'id': 1}, {'id': 3}]
    """
    value = _unfolded(value)
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(isinstance(entry, dict) for entry in value.values()):
        return list(value.values())
    return None
