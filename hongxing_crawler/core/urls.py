"""Addresses: one spelling for each, what they are for a site, and the dates they hide."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from hongxing_crawler.core.hosts import canonical_host, is_private_host, is_public_ip, split_port
from hongxing_crawler.core.surt import surt

if TYPE_CHECKING:
    from hongxing_crawler.core.profile import SiteProfile

__all__ = [
    "Scope",
    "canonical_url",
    "classify",
    "is_private_host",
    "is_public_ip",
    "join_url",
    "netloc_of",
    "shifted_date",
    "surt",
]

MAX_URL_CHARS = 4_096
_KNOWN_LINKS = 16_384
IMAGE_EXTENSIONS = ("jpg", "jpeg", "png", "gif", "bmp", "webp", "svg", "tif", "tiff", "ico", "avif")

_SPLIT_RE = re.compile(
    r"(?P<scheme>https?):[/\\]+(?P<netloc>[^/\\?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
# Already in canonical form, as nearly every link of a site is: one match instead of a rebuild.
_CANONICAL_RE = re.compile(
    r"https?://(?!xn--)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}"
    r"(?:/(?!\.\.?(?:[/?]|$))[A-Za-z0-9._~!$&'()*+,;=:@-]*)+"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?"
)
_TO_REMOVE = {ord(char): None for char in "\t\n\r"}
_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_RECODE_RE = re.compile(
    r"%(?P<code>[0-9A-Fa-f]{2})|(?:(?!%[0-9A-Fa-f]{2})[^A-Za-z0-9._~!$&'()*+,;=:@/?-])+"
)
_EXTENSION_RE = re.compile(r"\.([A-Za-z0-9]{1,8})$")


def canonical_url(url: str) -> str:
    """Spell an address in one way, so that the same page has the same address.

    Only what cannot change the meaning: case of scheme and host, IDNA, default port, dot
    segments, percent-encoding, the fragment, an empty query. The order of a query, its tracking
    parameters, a final slash, ``http`` and ``https`` stay as they are: a server may tell them
    apart.

    >>> canonical_url("HTTP://WWW.hxw.gov.cn:80/a/../%7eb?q=中#top")
    'http://www.hxw.gov.cn/~b?q=%E4%B8%AD'

    Args:
        url: Absolute. A page's character set is not asked: characters outside ASCII are UTF-8.

    Raises:
        ValueError: Not an address that we would ask: another scheme than http and https, a user
            name, an impossible host or port, or more than ``MAX_URL_CHARS``.

    Source:
        RFC 3986, section 6.2.2; WHATWG URL for what browsers accept.
    """
    if len(url) > MAX_URL_CHARS:
        raise ValueError(f"address of {len(url)} characters: {url[:80]!r}…")
    if _CANONICAL_RE.fullmatch(url):
        return url
    parts = _SPLIT_RE.fullmatch(url.strip(_C0_AND_SPACE).translate(_TO_REMOVE))
    if parts is None:
        raise ValueError(f"not an http address: {url[:80]!r}")
    scheme = parts["scheme"].lower()
    path = _resolve_dots(_recode(parts["path"].replace("\\", "/")).replace("?", "%3F"))
    query = _recode(parts["query"] or "")
    netloc = _canonical_netloc(scheme, parts["netloc"])
    built = f"{scheme}://{netloc}{path}{'' if query == '?' else query}"
    if len(built) > MAX_URL_CHARS:
        raise ValueError(f"address of {len(built)} characters: {built[:80]!r}…")
    return built


@lru_cache(maxsize=1_024)
def _canonical_netloc(scheme: str, netloc: str) -> str:
    if "@" in netloc:
        raise ValueError(f"address with a user name: {netloc[:80]!r}")
    host, port = split_port(netloc)
    name = canonical_host(host)
    if not port or port.lstrip("0") == _DEFAULT_PORTS[scheme]:
        return name
    if not (port.isascii() and port.isdigit() and len(port) < 10 and 0 < int(port) < 65_536):
        raise ValueError(f"not a port: {netloc[:80]!r}")
    return f"{name}:{int(port)}"


def _recode(text: str) -> str:
    return _RECODE_RE.sub(_recode_match, text)


def _recode_match(match: re.Match[str]) -> str:
    if match["code"]:
        code = int(match["code"], 16)
        return chr(code) if code in _UNRESERVED else f"%{code:02X}"
    # A surrogate has no UTF-8: it is the mark of a character that was lost already.
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))


def _resolve_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:] or [""]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def join_url(base: str, link: str) -> str:
    """Make a page's link absolute and canonical, or empty when it leads to no page of the web.

    >>> join_url("http://a.cn/b/c.html", "../d.html#x"), join_url("http://a.cn/", "javascript:f()")
    ('http://a.cn/d.html', '')
    """
    try:
        return canonical_url(urljoin(base, link.strip(_C0_AND_SPACE)))
    except ValueError:
        return ""


def netloc_of(url: str) -> str:
    """Take host and port out of a canonical address.

    >>> netloc_of("http://127.0.0.1:8000/a")
    '127.0.0.1:8000'
    """
    return url.split("/", 3)[2]


class Scope:
    """What addresses are for one site; patterns are compiled once.

    >>> from hongxing_crawler.core.profile import SiteProfile
    >>> scope = Scope(SiteProfile("x", hosts=("www.hxw.gov.cn",), article=("/content/[0-9/]+",)))
    >>> scope.classify("https://www.hxw.gov.cn/content/2020/03/20/1.html")
    'article'
    >>> scope.classify("https://elsewhere.cn/content/2020/03/20/1.html")
    'outside'
    """

    def __init__(self, profile: SiteProfile) -> None:
        self._hosts = frozenset(map(_profile_netloc, profile.hosts))
        self._old_hosts = frozenset(map(_profile_netloc, profile.old_hosts))
        self._media_hosts = frozenset(map(_profile_netloc, profile.media_hosts)) | self._hosts
        self._home = next(iter(profile.hosts), "")
        self._never = _any_of(profile.never)
        self._kinds = tuple(
            (kind, pattern)
            for kind, pattern in (
                ("list", _any_of(tuple(rule.pattern for rule in profile.json_list))),
                ("article", _any_of(profile.article)),
                ("list", _any_of(profile.list)),
                ("topic", _any_of(profile.topic)),
            )
            if pattern is not None
        )
        self._attachments = frozenset(profile.attachment_extensions)
        # Nearly all links of a page stand on the site's other pages too.
        self._classify_once = lru_cache(maxsize=_KNOWN_LINKS)(self._classify)

    def classify(self, url: str) -> str:
        """Say what an address is for the site.

        Returns:
            ``never`` (counters and the like, wherever they are), ``article``, ``list``, ``topic``,
            ``attachment``, ``image``, ``page`` (another page of the site), or ``outside``.
        """
        return self._classify_once(url)

    def _classify(self, url: str) -> str:
        try:
            address = canonical_url(url)
        except ValueError:
            return "outside"
        if self._never is not None and self._never.search(address):
            return "never"
        netloc = netloc_of(address)
        if netloc in self._hosts:
            for kind, pattern in self._kinds:
                if pattern.search(address):
                    return kind
        elif netloc not in self._media_hosts:
            return "outside"
        file_kind = self._classify_file(address)
        return file_kind or ("page" if netloc in self._hosts else "outside")

    def _classify_file(self, address: str) -> str:
        match = _EXTENSION_RE.search(address.partition("?")[0])
        extension = match[1].lower() if match else ""
        if extension in self._attachments:
            return "attachment"
        return "image" if extension in IMAGE_EXTENSIONS else ""

    def current_url(self, url: str) -> str:
        """Lead an address on a former host of the site to its present one; others stay.

        >>> from hongxing_crawler.core.profile import SiteProfile
        >>> scope = Scope(SiteProfile("x", hosts=("new.cn",), old_hosts=("old.cn",)))
        >>> scope.current_url("http://old.cn/a.html")
        'http://new.cn/a.html'
        """
        if not self._old_hosts or netloc_of(url) not in self._old_hosts:
            return url
        scheme, _, rest = url.partition("://")
        return f"{scheme}://{self._home}/{rest.partition('/')[2]}"


def _profile_netloc(host: str) -> str:
    return netloc_of(canonical_url(f"http://{host}/"))


def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


@lru_cache(maxsize=16)
def _scope_of(profile: SiteProfile) -> Scope:
    return Scope(profile)


def classify(url: str, profile: SiteProfile) -> str:
    """Say what an address is for a site: `Scope.classify` with the scope kept for next time."""
    return _scope_of(profile).classify(url)


def shifted_date(url: str, profile: SiteProfile) -> date | None:
    """Read the day that a site writes into its article addresses.

    The site's CMS adds ``profile.article_date_shift`` to each digit, modulo 10. A plain date is
    read too, because older addresses keep theirs; no day can be read both ways. What is no day in
    either reading is unknown, never an error (``646847/83`` is such an address).

    >>> from hongxing_crawler.core.profile import SiteProfile
    >>> pattern = r"/content/(?P<year>[0-9]{4})/?(?P<month>[0-9]{2})/(?P<day>[0-9]{2})/"
    >>> profile = SiteProfile("x", article_date=pattern, article_date_shift=4)
    >>> shifted_date("https://a.cn/content/646754/67/1.html", profile)
    datetime.date(2023, 10, 23)
    >>> shifted_date("https://a.cn/content/2012/10/08/1.html", profile)
    datetime.date(2012, 10, 8)

    Source:
        Article addresses of rednet.cn since 2023, checked against the dates of their images.
    """
    match = _date_pattern(profile.article_date).search(url) if profile.article_date else None
    if match is None:
        return None
    digits = tuple(match.groupdict().get(name) or "" for name in ("year", "month", "day"))
    return _day(digits, profile.article_date_shift) or _day(digits, 0)


@lru_cache(maxsize=16)
def _date_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _day(digits: tuple[str, ...], shift: int) -> date | None:
    shifted = ("".join(str((int(digit) - shift) % 10) for digit in part) for part in digits)
    try:
        day = date(*map(int, shifted))
    except (TypeError, ValueError):
        return None
    return day if 1980 <= day.year < 2100 else None
