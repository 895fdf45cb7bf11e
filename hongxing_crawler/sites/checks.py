"""What a profile's values have to be beyond their types, each with what is allowed."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from turbohtml import SelectorSyntaxError, parse

from hongxing_crawler.core.json_lists import BRACES_RE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hongxing_crawler.core.profile import BrowserRule, JsonList, SiteProfile, Template

MAX_PATTERN_CHARS = 500
MAX_ACTIONS = 500  # what a browser does on one page: clicks, ends that it scrolls to

_REGEX_KEYS = ("never", "article", "list", "topic", "tail_marks", "soft_404", "needs_browser")
_GROUP_KEYS = {"article_date": {"year", "month", "day"}, "next_part_url": {"stem", "n"}}
_URL_KEYS = ("seeds", "sitemaps", "feeds")
_HOST_KEYS = ("hosts", "media_hosts", "old_hosts")
_SELECTOR_KEYS = ("next_list", "list_item", "next_part")
_PAIR_FIELDS = ("title", "body", "date", "source", "author", "editor", "kicker", "subheadline")
_MINIMUMS = {"max_list_pages": 1, "max_depth": 1}

_EMPTY_PAGE = parse("<p></p>")
_NAME_RE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HOST_RE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9][a-z0-9-]*(?::[0-9]{1,5})?")
_EXTENSION_RE = re.compile(r"[a-z0-9]{1,8}")
_PLACE_RE = re.compile(r"[^.{}\s]{1,60}(?:\.[^.{}\s]{1,60}){0,9}")
_PARAMETER_RE = re.compile(r"[^\s=&?#{}]{1,60}")


class Problem(NamedTuple):
    """A value that cannot be used: where, which, why, and what would do."""

    path: tuple[str | int, ...]
    value: object
    reason: str
    allowed: str


def _regex_reason(pattern: str, groups: Iterable[str] = ()) -> str:
    if len(pattern) > MAX_PATTERN_CHARS:
        return f"the regular expression has {len(pattern)} characters"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return f"bad regular expression: {error}"
    missing = sorted(set(groups) - set(compiled.groupindex))
    return f"the regular expression has no group {', '.join(missing)}" if missing else ""


def _selector_reason(selector: str) -> str:
    try:
        _EMPTY_PAGE.select_one(selector)
    except SelectorSyntaxError as error:
        return str(error)
    return ""


def _url_reason(url: str) -> str:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is the check: ValueError for a bad port
    except ValueError as error:
        return f"bad URL: {error}"
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return "not an absolute http or https URL"
    return ""


def _matches(pattern: re.Pattern[str], reason: str) -> Callable[[str], str]:
    return lambda value: "" if pattern.fullmatch(value) else reason


_REGEX_ALLOWED = f"a Python regular expression of at most {MAX_PATTERN_CHARS} characters"
_SELECTOR_ALLOWED = "a CSS selector such as div.news > ul li a"
_URL_ALLOWED = "https://host/path"
_PLACE_ALLOWED = "names parted by dots, such as data.records"
_ADDRESS_ALLOWED = "a place in an item, or an address with places in braces: /detail/{id}.html"
_HOST_ALLOWED = "a lower-case host name, or host:port, without scheme and path"


def _each(
    profile: SiteProfile, keys: Iterable[str], reason_of: Callable[[str], str], allowed: str
) -> Iterator[Problem]:
    for key in keys:
        for index, value in enumerate(getattr(profile, key)):
            if reason := reason_of(value):
                yield Problem((key, index), value, reason, allowed)


def _check_groups(profile: SiteProfile) -> Iterator[Problem]:
    for key, groups in _GROUP_KEYS.items():
        value = getattr(profile, key)
        if value and (reason := _regex_reason(value, groups)):
            named = ", ".join(f"(?P<{group}>…)" for group in sorted(groups))
            yield Problem((key,), value, reason, f"{_REGEX_ALLOWED} with {named}")


def _check_template(template: Template, index: int) -> Iterator[Problem]:
    for key in (field.name for field in fields(template)):
        values = getattr(template, key)
        if key in {"name", "comment_pairs"}:
            continue
        for number, value in enumerate(values):
            if reason := _selector_reason(value):
                yield Problem(("templates", index, key, number), value, reason, _SELECTOR_ALLOWED)
    for number, (field_name, _, _) in enumerate(template.comment_pairs):
        if field_name not in _PAIR_FIELDS:
            where = ("templates", index, "comment_pairs", number)
            yield Problem(where, field_name, "unknown field", ", ".join(_PAIR_FIELDS))


def _check_browser_rule(rule: BrowserRule, index: int) -> Iterator[Problem]:
    where = "browser", index
    if reason := _regex_reason(rule.pattern):
        yield Problem((*where, "pattern"), rule.pattern, reason, _REGEX_ALLOWED)
    for key in ("wait_for", "click"):
        value = getattr(rule, key)
        if value and (reason := _selector_reason(value)):
            yield Problem((*where, key), value, reason, _SELECTOR_ALLOWED)
    for key in ("scroll", "clicks"):
        if not 0 <= (number := getattr(rule, key)) <= MAX_ACTIONS:
            yield Problem((*where, key), number, "out of range", f"0 to {MAX_ACTIONS}")


def _check_json_list(rule: JsonList, index: int) -> Iterator[Problem]:
    for key, value, reason, allowed in _json_list_reasons(rule):
        if reason:
            yield Problem(("json_list", index, key), value, reason, allowed)


def _json_list_reasons(rule: JsonList) -> Iterator[tuple[str, object, str, str]]:
    """Yield key, value, what is wrong with it (empty: nothing), and what is allowed."""
    yield "pattern", rule.pattern, _regex_reason(rule.pattern), _REGEX_ALLOWED
    for key in ("items", "title", "date", "next", "pages", "more"):
        value = getattr(rule, key)
        yield key, value, _place_reason(value), _PLACE_ALLOWED
    yield "url", rule.url, _item_address_reason(rule.url), _ADDRESS_ALLOWED
    if rule.page:
        allowed = f"{_REGEX_ALLOWED} with (?P<n>\\d+)"
        yield "page", rule.page, _number_reason(rule.page), allowed
    if rule.cursor:
        bad = "" if _PARAMETER_RE.fullmatch(rule.cursor) else "bad name of a parameter"
        lonely = "" if rule.next else "nothing says where the cursor stands"
        yield "cursor", rule.cursor, bad or lonely, "cursor, with next = the place of its value"
    yield "step", rule.step, "" if rule.step in range(1, 10_001) else "out of range", "1 to 10000"
    yield from _page_list_reasons(rule)


def _page_list_reasons(rule: JsonList) -> Iterator[tuple[str, object, str, str]]:
    if bool(rule.for_pages) != bool(rule.address):
        key = "address" if rule.for_pages else "for_pages"
        yield key, None, "missing", "for_pages and address, both or neither"
        return
    if not rule.for_pages:
        return
    reason = _regex_reason(rule.for_pages)
    yield "for_pages", rule.for_pages, reason, _REGEX_ALLOWED
    if not reason:
        groups = re.compile(rule.for_pages).groupindex
        unknown = [name for name in BRACES_RE.findall(rule.address) if name not in groups]
        problem = f"no group {', '.join(unknown)} in for_pages" if unknown else ""
        named = ", ".join(f"{{{name}}}" for name in groups) or "no groups are named"
        yield "address", rule.address, problem, f"an address with: {named}"


def _place_reason(place: str) -> str:
    return "" if not place or _PLACE_RE.fullmatch(place) else "bad place"


def _item_address_reason(address: str) -> str:
    if "{" not in address and "}" not in address:
        return _place_reason(address)
    places = BRACES_RE.findall(address)
    if not places or set(BRACES_RE.sub("", address)) & set("{}"):
        return "braces that do not match"
    return next(filter(None, map(_place_reason, places)), "")


def _number_reason(pattern: str) -> str:
    """Say why a pattern does not tell the number of a page."""
    if reason := _regex_reason(pattern, ["n"]):
        return reason
    return "" if re.search(r"\(\?P<n>(?:\\d|\[0-9\])", pattern) else "group n is no number"


def _check_numbers(profile: SiteProfile) -> Iterator[Problem]:
    shift = profile.article_date_shift
    if not 0 <= shift <= 9:
        yield Problem(("article_date_shift",), shift, "out of range", "0 to 9")
    for key, minimum in _MINIMUMS.items():
        if (value := getattr(profile, key)) < minimum:
            yield Problem((key,), value, "too small", f"{minimum} or more")
    for field in fields(profile.revisit):
        if (value := getattr(profile.revisit, field.name)) < 0:
            yield Problem(("revisit", field.name), value, "negative", "0 or more")
    if profile.revisit.unconditional_share > 1:
        share = profile.revisit.unconditional_share
        yield Problem(("revisit", "unconditional_share"), share, "out of range", "0 to 1")


def _check_scope(profile: SiteProfile) -> Iterator[Problem]:
    """Check that start pages lie on the crawled hosts; only a generic profile may have none."""
    if not profile.hosts and not profile.generic:
        yield Problem(("hosts",), None, "no host to crawl", "at least one, or generic = true")
    for key in _URL_KEYS:
        for index, url in enumerate(getattr(profile, key)):
            if not _url_reason(url) and urlsplit(url).netloc.lower() not in profile.hosts:
                allowed = f"a URL on one of: {', '.join(profile.hosts) or 'no hosts are given'}"
                yield Problem((key, index), url, "not on the profile's hosts", allowed)


def find_problems(profile: SiteProfile) -> Iterator[Problem]:
    """Find every value of the right type that is still wrong."""
    if not _NAME_RE.fullmatch(profile.name):
        allowed = "1 to 40 of a-z, 0-9, - and _: it becomes part of file names"
        yield Problem(("name",), profile.name, "bad name", allowed)
    yield from _each(profile, _REGEX_KEYS, _regex_reason, _REGEX_ALLOWED)
    yield from _each(profile, _SELECTOR_KEYS, _selector_reason, _SELECTOR_ALLOWED)
    yield from _each(profile, _URL_KEYS, _url_reason, _URL_ALLOWED)
    yield from _each(profile, _HOST_KEYS, _matches(_HOST_RE, "bad host"), _HOST_ALLOWED)
    extension_reason = _matches(_EXTENSION_RE, "bad extension")
    allowed = "lower-case letters and digits without the dot"
    yield from _each(profile, ("attachment_extensions",), extension_reason, allowed)
    yield from _check_groups(profile)
    for index, template in enumerate(profile.templates):
        yield from _check_template(template, index)
    for index, rule in enumerate(profile.browser):
        yield from _check_browser_rule(rule, index)
    for index, json_list in enumerate(profile.json_list):
        yield from _check_json_list(json_list, index)
    yield from _check_numbers(profile)
    yield from _check_scope(profile)
