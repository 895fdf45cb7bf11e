"""Keys that bring the captures of one page together, whatever way its address was written.

A key is the host turned round, then path and query in a canonical form: what archive indexes
call a SURT. The rules are those of the web archives' canonicalizer, found by trying them out;
``tests/cases/surt.json`` holds the pairs.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

_OPAQUE_RE = re.compile(r"(?:dns|warcinfo|urn|mailto|filedesc|metadata|screenshot|text):")
_URL_RE = re.compile(
    r"""
    (?:([A-Za-z][A-Za-z0-9+.-]*):)?//
    (?:[^/?\#@]*@)?            # user and password go
    (\[[^]/?\#]*]|[^/?\#:]*)   # host, or an IPv6 address
    (?::(\d*))?
    ([^?\#]*)(?:\?([^\#]*))?   # the fragment goes
    """,
    re.VERBOSE,
)
_WWW_RE = re.compile(r"^www\d*\.")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_NESTED_RE = re.compile(rb"%(?:25)+")  # encoded again and again: once says the same
_PLAIN = "".join(map(chr, range(0x21, 0x7F))).replace("%", "").replace("#", "")

_PATH_SESSION_RE = re.compile(
    r"(.*/)(?:\((?:[a-z]\([0-9a-z]{24}\))+\)|\([0-9a-z]{24}\))/([^?]+\.aspx.*)"
)
_QUERY_SESSION_RES = tuple(
    re.compile(rf"(.*){pair}(?:&(.*))?", re.DOTALL)
    for pair in (
        "jsessionid=[0-9a-z]{32}",
        "phpsessid=[0-9a-z]{32}",
        "sid=[0-9a-z]{32}",
        "aspsessionid[a-z]{8}=[a-z]{24}",
        "cfid=[^&]+&cftoken=[^&]+",
    )
)


class _Parts(NamedTuple):
    scheme: str
    host: str
    port: str
    path: str
    query: str


def surt(url: str) -> str:
    """Return the index key of an address.

    Case, ``www.``, default ports, user names, fragments, doubled slashes, the order of query
    arguments and well-known session ids make no difference. Two different pages may get the
    same key; the index line keeps the exact address.

    >>> surt("https://www.Site.example:443/b/../A?y=2&x=%E7%BA%A2#top")
    'example,site)/a?x=%e7%ba%a2&y=2'

    Args:
        url: Any address; of other schemes than http and its kin it comes back as it is.
    """
    if _OPAQUE_RE.match(url):
        return url
    parts = _split(url)
    path = _without_path_session(_path(_canonical(parts.path)).lower())
    query = _query(_canonical(parts.query).lower())
    return f"{_host(parts)}){path}" + (f"?{query}" if query else "")


def _split(url: str) -> _Parts:
    text = re.sub(r"[\r\n\t]", "", url.strip())
    found = _URL_RE.match(text) or _URL_RE.match("http://" + text)
    if found is None:
        return _Parts("", "", "", "/", "")
    scheme, host, port, path, query = (part or "" for part in found.groups())
    return _Parts(scheme.lower(), host, port, path or "/", query)


def _host(parts: _Parts) -> str:
    labels = unquote_to_bytes(parts.host).decode("utf-8", "replace").split(".")
    host = _WWW_RE.sub("", _ascii(".".join(filter(None, labels))).lower(), count=1)
    turned = host.strip("[]") if ":" in host else ",".join(reversed(host.split(".")))
    port = parts.port.lstrip("0")
    is_default = not port or port == _DEFAULT_PORTS.get(parts.scheme, "80")
    return turned if is_default else f"{turned}:{port}"


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return quote_from_bytes(host.encode("utf-8", "replace"))


def _canonical(text: str) -> str:
    """Undo percent-encoding as often as it was done, then encode once what needs it."""
    data = _NESTED_RE.sub(b"%25", text.encode("utf-8", "surrogatepass"))
    while (plain := unquote_to_bytes(data)) != data:
        data = plain
    return quote_from_bytes(data, safe=_PLAIN)


def _path(path: str) -> str:
    kept: list[str] = []
    for segment in path.removeprefix("/").split("/"):
        if segment == ".." and kept:
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(filter(None, kept))


def _without_path_session(path: str) -> str:
    found = _PATH_SESSION_RE.fullmatch(path)
    return found[1] + found[2] if found else path


def _query(query: str) -> str:
    for session_re in _QUERY_SESSION_RES:
        found = session_re.fullmatch(query)
        if found:
            query = found[1] + (found[2] or "")
    return "&".join(sorted(query.split("&"), key=lambda argument: argument.split("=", 1)))
