"""What a profile would have to say of JSON that a page filled a list from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hongxing_crawler.core.dates import parse_date
from hongxing_crawler.core.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEAST_ITEMS = 3
_MAX_DEPTH = 4
_LOOKED_AT = 20  # entries, and keys of each
_NUMBER_RE = re.compile(
    r"[?&](?P<name>page|pageNo|pageNum|pageIndex|pageNumber|curPage|current|p)=\d+", re.IGNORECASE
)
_TITLE_RE = re.compile(r"[\u4e00-\u9fff].{0,60}[\u4e00-\u9fff]{3}")
_ADDRESS_RE = re.compile(r"(?:https?:/)?/[^\s<>]{2,500}(?<!\.jpg)(?<!\.png)(?<!\.gif)(?<!\.jpeg)")
_PLAIN_RE = re.compile(r"[\w-]{1,40}")  # a name that may be shown
_KEY_RE = re.compile(r"(?:\w{0,20}_)?id|(?:article|content|news|doc|info)Id", re.IGNORECASE)


def suggest_json_list(body: bytes, content_type: str, url: str) -> str:
    r"""Write the ``[[json_list]]`` that would read this answer, in one line; empty: it is no list.

    A list has three items or more, each with a title in Chinese and an address or a number.

    >>> rows = '{"rows": [%s]}' % ",".join(['{"id": 7, "title": "全省会议召开"}'] * 3)
    >>> suggest_json_list(rows.encode(), "", "http://a.cn/api/list")
    'pattern = \'^http://a\\.cn/api/list\', items = "rows", url = "/…/{id}", title = "title"'
    """
    try:
        value = parse_json(body, content_type)
    except ValueError:
        return ""
    found = max(_lists_in(value, "", 0), key=lambda item: len(item[1]), default=None)
    if found is None:
        return ""
    place, entries = found
    keys = _name_keys(entries[0])
    parts = [f"pattern = '^{re.escape(url.partition('?')[0])}'"]
    parts += [f'items = "{place}"'] if place else []
    parts += [f'{name} = "{key}"' for name, key in keys.items()]
    if number := _NUMBER_RE.search(url):
        parts.append(f"page = '[?&]{number['name']}=(?P<n>\\d+)'")
    return ", ".join(parts)


def _lists_in(value: Any, place: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, list):
        named = [_name_keys(entry) for entry in value[:_LOOKED_AT]]
        if len(value) >= _LEAST_ITEMS and all("url" in n and "title" in n for n in named):
            yield place, value
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        for key in filter(_PLAIN_RE.fullmatch, list(value)[:_LOOKED_AT]):
            yield from _lists_in(value[key], f"{place}.{key}".lstrip("."), depth + 1)


def _name_keys(entry: Any) -> dict[str, str]:
    """Name the keys of an item that are its address, its title and its date."""
    if not isinstance(entry, dict):
        return {}
    found: dict[str, str] = {}
    keys = list(filter(_PLAIN_RE.fullmatch, list(entry)[:_LOOKED_AT]))
    for key in keys:
        value = entry[key]
        text = value[:600] if isinstance(value, str) else ""
        if text and _ADDRESS_RE.fullmatch(text):
            found.setdefault("url", key)
        elif _TITLE_RE.search(text) and len(text) < 200:
            found.setdefault("title", key)
        elif text and parse_date(text).value:
            found.setdefault("date", key)
    number = next(filter(_KEY_RE.fullmatch, keys), "")
    if "url" not in found and number:
        found["url"] = f"/…/{{{number}}}"
    return {name: found[name] for name in ("url", "title", "date") if name in found}
