"""Lists that a site gives as JSON: the articles that one names, and where the list goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hongxing_crawler.core.dates import CHINA, parse_date
from hongxing_crawler.core.json_text import MAX_BYTES, entries_of, find_all, find_one, parse_json
from hongxing_crawler.core.urls import join_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hongxing_crawler.core.profile import JsonList, SiteProfile

MAX_ITEMS = 50_000  # as many as a sitemap may name
BRACES_RE = re.compile(r"\{([^{}]{1,200})\}")

_NO = frozenset({"", "0", "false", "no", "null", "none", "undefined"})
_MAX_NUMBER = 10**9
_LEAST_SECONDS = 10**8  # 1973: smaller numbers are no moments
_LEAST_MILLISECONDS = 10**11


@dataclass(frozen=True, slots=True)
class JsonItem:
    """One entry of a list. ``day``: of its date, None when it gives none that can be read."""

    url: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class JsonPage:
    """What one answer of a list says. ``problem``: what is missing in it, empty when nothing is."""

    items: tuple[JsonItem, ...] = ()
    next_url: str = ""
    problem: str = ""


def find_json_list(url: str, profile: SiteProfile) -> JsonList | None:
    """Find what the profile knows of a list at this address."""
    return next((rule for rule in profile.json_list if re.search(rule.pattern, url)), None)


def lists_of_page(url: str, profile: SiteProfile) -> list[str]:
    r"""Return the addresses of the lists that belong to a page; places in braces are its groups.

    >>> from hongxing_crawler.core.profile import JsonList, SiteProfile
    >>> rule = JsonList("/api/", for_pages=r"/channel/(?P<id>\d+)", address="/api/?c={id}&page=1")
    >>> lists_of_page("http://a.cn/channel/7.html", SiteProfile("x", json_list=(rule,)))
    ['http://a.cn/api/?c=7&page=1']
    """
    found = []
    for rule in profile.json_list:
        match = re.search(rule.for_pages, url) if rule.for_pages else None
        if match:
            found.append(join_url(url, _filled(rule.address, match.groupdict(""))))
    return [address for address in found if address]


def read_json_list(body: bytes, content_type: str, url: str, rule: JsonList) -> JsonPage:
    """Read one answer of a list.

    Never fails. Items without an address, of which a list may have some, are passed over; a list
    in which no item has what the profile names is a problem, and what it does name is kept.

    Args:
        body: The answer after content decoding; JSON or JSONP.
        content_type: The header's value.
        url: Its address: what relative ones are relative to, and the number that is counted up.
        rule: Where things stand.
    """
    try:
        value = parse_json(body, content_type)
    except ValueError:
        return JsonPage(problem="json_too_large" if len(body) > MAX_BYTES else "json_broken")
    entries = _entries(value, rule)
    if entries is None:
        return JsonPage(problem=f"json_no_items {rule.items}".strip())
    items = [_item(entry, url, rule) for entry in entries]
    named = tuple(dict.fromkeys(item for item in items if item.url))
    problem = _find_problem(entries, named, rule)
    try:
        next_url = _next_url(value, url, rule) if named else ""
    except LookupError as missing:
        return JsonPage(named, "", problem or str(missing.args[0]))
    return JsonPage(named, next_url, problem)


def _entries(value: Any, rule: JsonList) -> list[Any] | None:
    """Return the items; None when there is no array at their place, so that [] is an empty list."""
    found = [entries_of(place) for place in find_all(value, rule.items)]
    arrays = [entries for entries in found if entries is not None]
    if not arrays:
        return None
    return [entry for entries in arrays for entry in entries][:MAX_ITEMS]


def _item(entry: Any, url: str, rule: JsonList) -> JsonItem:
    day = _day(find_one(entry, rule.date)) if rule.date else None
    return JsonItem(_address(entry, url, rule.url), day)


def _address(entry: Any, url: str, place: str) -> str:
    if "{" not in place:
        value = find_one(entry, place)
        return join_url(url, value) if isinstance(value, str) and value.strip() else ""
    values = {name: _text(find_one(entry, name)) for name in BRACES_RE.findall(place)}
    return join_url(url, _filled(place, values)) if all(values.values()) else ""


def _filled(address: str, values: Mapping[str, str]) -> str:
    return BRACES_RE.sub(lambda match: values.get(match[1], ""), address)


def _text(value: Any) -> str:
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() if is_plain else ""


def _find_problem(entries: list[Any], named: tuple[JsonItem, ...], rule: JsonList) -> str:
    if not entries:
        return ""
    if not named:
        return f"json_no_url {rule.url}".strip()
    if rule.title and not any(_text(find_one(entry, rule.title)) for entry in entries):
        return f"json_no_title {rule.title}"
    if rule.date and not any(item.day for item in named):
        return f"json_no_date {rule.date}"
    return ""


def _next_url(value: Any, url: str, rule: JsonList) -> str:
    """Return where the list goes on, empty at its end.

    Raises:
        LookupError: What tells the end is not where the profile says.
    """
    if rule.more and _is_no(_required(value, rule.more, "json_no_more")):
        return ""
    if rule.next:
        found = _text(find_one(value, rule.next))
        if _is_no(found):
            return ""
        address = _with_parameter(url, rule.cursor, found) if rule.cursor else found
        return join_url(url, address)
    return _counted_up(value, url, rule) if rule.page else ""


def _counted_up(value: Any, url: str, rule: JsonList) -> str:
    match = re.search(rule.page, url)
    if match is None:
        return ""
    number = int(match["n"][:10])
    if rule.pages:
        count = _text(_required(value, rule.pages, "json_no_pages"))
        if not count.isdecimal() or number >= int(count[:10]) * rule.step:
            return ""
    if number + rule.step > _MAX_NUMBER:
        return ""
    width = len(match["n"]) if match["n"].startswith("0") else 1
    digits = str(number + rule.step).zfill(width)
    return f"{url[: match.start('n')]}{digits}{url[match.end('n') :]}"


def _required(value: Any, place: str, problem: str) -> Any:
    for found in find_all(value, place):
        return found
    raise LookupError(f"{problem} {place}")


def _is_no(value: Any) -> bool:
    return value is None or value is False or str(value).strip().lower() in _NO


def _with_parameter(url: str, name: str, value: str) -> str:
    """Set a parameter of an address; one that is there is replaced in its place."""
    pair = f"{name}={quote(value, safe='')}"
    base, _, query = url.partition("?")
    pairs = query.split("&") if query else []
    kept = [pair if old.partition("=")[0] == name else old for old in pairs]
    return f"{base}?{'&'.join(kept if pair in kept else [*kept, pair])}"


def _day(value: Any) -> date | None:
    """Read a day as printed, or a moment as seconds or milliseconds since 1970."""
    text = _text(value)
    if text.isdecimal() and len(text) < 15 and int(text) >= _LEAST_SECONDS and len(text) != 8:
        number = int(text)
        seconds = number / 1000 if number >= _LEAST_MILLISECONDS else number
        return datetime.fromtimestamp(seconds, CHINA).date()
    found = parse_date(text).value
    return date.fromisoformat(found[:10]) if found else None
