"""SURT keys: what a CDXJ index is sorted by."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_SPLIT_RE = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<netloc>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?",
    re.DOTALL,
)
_WWW_RE = re.compile(r"^www\d*\.")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
# ASP.NET's cookieless sessions: /(S(24 characters))/page.aspx
_PATH_SESSION_RE = re.compile(
    r"^(.*/)\((?:[a-z]\([0-9a-z]{24}\))+\)/([^?]+\.aspx.*)$", re.IGNORECASE
)
_QUERY_SESSION_RE = re.compile(
    r"^(.*?)(?:(?:jsessionid|phpsessid|sid)=[0-9a-z]{32}|aspsessionid[a-z]{8}=[a-z]{24}"
    r"|cfid=[^&]+&cftoken=[^&]+)(?:&(.*))?$",
    re.IGNORECASE,
)


def surt(url: str) -> str:
    """Make the key under which an index lists an address.

    The key folds what most servers do not tell apart (case, ``www.``, final slash, order of the
    query, session numbers), so it names no page exactly: it only finds candidates.

    >>> surt("https://www.hxw.gov.cn/Content/2020/1.html?b=2&a=1#top")
    'cn,gov,hxw)/content/2020/1.html?a=1&b=2'

    Args:
        url: Absolute, http or https.

    Source:
        Behaviour of the ``surt`` package 0.3.1, which pywb and cdxj-indexer use; compared in
        ``tests/cases/urls_surt.json``.
    """
    parts = _SPLIT_RE.match(url.strip().translate({9: None, 10: None, 13: None}))
    assert parts is not None  # every part of the pattern may be empty
    host = _reverse_host((parts["scheme"] or "http").lower(), parts["netloc"].rpartition("@")[2])
    path = _strip_path_session(_collapse(_escape(parts["path"])).lower())
    return f"{host}){path}{_fold_query(parts['query'] or '')}"


def _reverse_host(scheme: str, netloc: str) -> str:
    host, _, port = netloc.lower().partition("]") if netloc.startswith("[") else ("", "", "")
    if host:
        host, port = host[1:], port.lstrip(":")
    else:
        host, _, port = netloc.lower().partition(":")
    host = ".".join(map(_ascii_label, host.split(".")))
    host = _WWW_RE.sub("", re.sub(r"\.{2,}", ".", host).strip("."))
    suffix = "" if port in {"", _DEFAULT_PORTS.get(scheme)} else f":{port}"
    return ",".join(reversed(host.split("."))) + suffix


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:  # no name of a host: any key will do
        return _escape(label)


def _escape(text: str) -> str:
    raw = text.encode("utf-8", "replace")
    while (plain := unquote_to_bytes(raw)) != raw:
        raw = plain
    return "".join(
        chr(byte) if 0x20 < byte < 0x7F and byte not in b"#%" else f"%{byte:02x}" for byte in raw
    )


def _collapse(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == ".." and kept:
            kept.pop()
        elif segment not in {"", "."}:
            kept.append(segment)
    return "/" + "/".join(kept)


def _strip_path_session(path: str) -> str:
    return _PATH_SESSION_RE.sub(r"\1\2", path)


def _fold_query(query: str) -> str:
    text = _escape(query[1:]).lower()
    while (match := _QUERY_SESSION_RE.match(text)) is not None:
        text = match[1] + (match[2] or "")
    if not text:
        return ""
    return "?" + "&".join(sorted(text.split("&"), key=lambda pair: tuple(pair.split("=", 1))))
