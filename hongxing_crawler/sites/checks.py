"""What a profile's values have to be beyond their types, each with what is allowed."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from turbohtml import SelectorSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hongxing_crawler.core.profile import BrowserRule, SiteProfile, Template

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
    yield from _check_numbers(profile)
    yield from _check_scope(profile)
