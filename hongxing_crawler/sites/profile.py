"""Read a site's TOML file into a ``SiteProfile``, or say exactly what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import SplitResult, urlsplit

import msgspec

from hongxing_crawler.core.profile import BrowserRule, JsonList, Revisit, SiteProfile, Template
from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.sites.checks import Problem, find_problems
from hongxing_crawler.sites.toml_lines import find_line, parse_toml, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_WRONG_TYPE_RE = re.compile(r"(?P<reason>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_PATH_PART_RE = re.compile(r"\.(\w+)|\[(\d+)\]")
_URL_KEYS = ("seeds", "sitemaps", "feeds")
_PATTERN_KEYS = ("never", "article", "list", "topic", "needs_browser")
_TABLE_KINDS = {"browser": BrowserRule, "json_list": JsonList, "templates": Template}


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that come with the package."""
    folder = resources.files("hongxing_crawler.sites")
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def load_profile(name_or_path: str, *, seeds: Sequence[str] = ()) -> SiteProfile:
    """Load a packaged profile by its name, or a file whose path ends in ``.toml``.

    >>> load_profile("hongxing").media_hosts
    ('img.hxw.gov.cn',)

    Args:
        name_or_path: ``hongxing``, or ``my-site.toml``.
        seeds: More start pages; a generic profile without hosts gets theirs.

    Returns:
        The checked profile.

    Raises:
        ConfigError: No such profile, or values that cannot be used: file, line, key, reason
            and what is allowed, one line for each.
    """
    if name_or_path.endswith(".toml"):
        text, label = read_text(Path(name_or_path), "site profile"), name_or_path
    elif name_or_path in profile_names():
        label = f"{name_or_path}.toml"
        text = resources.files("hongxing_crawler.sites").joinpath(label).read_text("utf-8")
    else:
        known = ", ".join(profile_names())
        raise ConfigError(
            f"unknown site {name_or_path!r}; allowed: {known}, or a path that ends in .toml"
        )
    profile = parse_profile(text, label)
    return with_seeds(profile, seeds) if seeds else profile


def parse_profile(text: str, label: str) -> SiteProfile:
    r"""Parse and check a profile's text; ``label`` names the file in errors.

    >>> parse_profile('name = "x"\ngeneric = true\nseedz = []', "x.toml")
    Traceback (most recent call last):
    hongxing_crawler.exceptions.ConfigError: x.toml:3: seedz: unknown key; did you mean seeds?
    """
    data = parse_toml(text, label)
    unknown = list(_find_unknown_keys(data))
    if unknown:
        _refuse(label, [(find_line(text, path), path, reason) for path, reason in unknown])
    try:
        profile = msgspec.convert(data, SiteProfile)
    except msgspec.ValidationError as error:
        reason, path = _read_type_error(str(error))
        _refuse(label, [(find_line(text, path), path, reason)])
    problems = [
        (find_line(text, p.path, p.value), p.path, _explain(p)) for p in find_problems(profile)
    ]
    if problems:
        _refuse(label, problems)
    return profile


def _explain(problem: Problem) -> str:
    value = "" if problem.value is None else f" in {problem.value!r:.120}"
    return f"{problem.reason}{value}; allowed: {problem.allowed}"


def _refuse(label: str, problems: Iterable[tuple[int, Sequence[str | int], str]]) -> NoReturn:
    raise ConfigError(
        "\n".join(f"{label}:{line}: {_dotted(path)}: {reason}" for line, path, reason in problems)
    )


def _dotted(path: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "file"


def _find_unknown_keys(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield from _unknown_in(data, SiteProfile, ())
    if isinstance(data.get("revisit"), dict):
        yield from _unknown_in(data["revisit"], Revisit, ("revisit",))
    for key, kind in _TABLE_KINDS.items():
        tables = data.get(key)
        for index, table in enumerate(tables if isinstance(tables, list) else []):
            if isinstance(table, dict):
                yield from _unknown_in(table, kind, (key, index))


def _unknown_in(
    table: Mapping[str, Any], kind: type, where: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    known = [field.name for field in fields(kind)]
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(known)}"
            yield (*where, key), f"unknown key; {hint}"


def _read_type_error(message: str) -> tuple[str, tuple[str | int, ...]]:
    match = _WRONG_TYPE_RE.fullmatch(message)
    path = match["path"] if match and match["path"] else ""
    parts = tuple(key or int(index) for key, index in _PATH_PART_RE.findall(path))
    reason = match["reason"] if match else message
    return reason[:1].lower() + reason[1:], parts


def with_seeds(profile: SiteProfile, seeds: Sequence[str]) -> SiteProfile:
    """Add start pages; a profile without hosts crawls the hosts of these seeds.

    Raises:
        ConfigError: A seed is no URL, or lies outside the profile's hosts.
    """
    hosts = profile.hosts or tuple(dict.fromkeys(urlsplit(s).netloc.lower() for s in seeds))
    more = replace(profile, hosts=hosts, seeds=tuple(dict.fromkeys((*profile.seeds, *seeds))))
    for problem in find_problems(more):
        raise ConfigError(f"--seed {problem.value}: {problem.reason}; allowed: {problem.allowed}")
    return more


def with_hosts(profile: SiteProfile, moves: Mapping[str, str]) -> SiteProfile:
    """Point a profile at other servers, such as a replica on loopback.

    Start pages, hosts and host names inside URL patterns are rewritten. Hosts that are not
    moved leave the profile, with their start pages, so that nothing reaches the real site;
    ``old_hosts`` stay, for they are only ever looked up on the first host.

    >>> with_hosts(load_profile("hongxing"), {"www.hxw.gov.cn": "http://127.0.0.1:8001"}).seeds[0]
    'http://127.0.0.1:8001/'

    Args:
        profile: The real site.
        moves: Base URL, as ``scheme://host:port``, for each host that is moved.
    """
    targets = {host: urlsplit(base) for host, base in moves.items()}

    def move_hosts(hosts: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(targets[host].netloc for host in hosts if host in targets))

    def move_urls(urls: Iterable[str]) -> tuple[str, ...]:
        parts = [urlsplit(url) for url in urls]
        return tuple(
            p._replace(scheme=targets[p.netloc].scheme, netloc=targets[p.netloc].netloc).geturl()
            for p in parts
            if p.netloc in targets
        )

    def move_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
        return tuple(_move_pattern(pattern, targets) for pattern in patterns)

    changes: dict[str, Any] = {key: move_urls(getattr(profile, key)) for key in _URL_KEYS}
    changes |= {key: move_patterns(getattr(profile, key)) for key in _PATTERN_KEYS}
    changes["browser"] = tuple(
        replace(rule, pattern=_move_pattern(rule.pattern, targets)) for rule in profile.browser
    )
    changes["json_list"] = tuple(_move_list(rule, targets) for rule in profile.json_list)
    hosts, media_hosts = move_hosts(profile.hosts), move_hosts(profile.media_hosts)
    return replace(profile, hosts=hosts, media_hosts=media_hosts, **changes)


def _move_list(rule: JsonList, targets: Mapping[str, SplitResult]) -> JsonList:
    return replace(
        rule,
        pattern=_move_pattern(rule.pattern, targets),
        for_pages=_move_pattern(rule.for_pages, targets),
        url=_move_address(rule.url, targets),
        address=_move_address(rule.address, targets),
    )


def _move_address(address: str, targets: Mapping[str, SplitResult]) -> str:
    """Move an address that may have places in braces."""
    for host, target in targets.items():
        pattern = rf"^(?:https?:)?//{re.escape(host)}(?=[/?]|$)"
        address = re.sub(pattern, f"{target.scheme}://{target.netloc}", address)
    return address


def _move_pattern(pattern: str, targets: Mapping[str, Any]) -> str:
    for host, target in targets.items():
        pattern = pattern.replace(re.escape(host), re.escape(target.netloc))
    return pattern
