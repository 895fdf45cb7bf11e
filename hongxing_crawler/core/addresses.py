"""Addresses as pages print them, made absolute without the cost of a full parser."""

from __future__ import annotations

import re
from urllib.parse import urljoin

_MAX_ADDRESS = 2_000
_WEB = ("http://", "https://")
_SCHEME_RE = re.compile(r"[a-z][a-z0-9+.-]{0,20}:", re.IGNORECASE)
# What most addresses of a site are: a plain path from its root.
_ROOTED_RE = re.compile(r"/[\w-][\w/-]*(?:\.\w+)?", re.ASCII)
_WHOLE_RE = re.compile(r"https?://[\w./?=&%:,+~-]+", re.ASCII)
_SECOND_LEVEL = frozenset({"gov", "com", "org", "net", "edu", "ac"})
_CONTROL_RE = re.compile(r"[\x00-\x1f\x7f]")
_EXTENSION_RE = re.compile(r"\.([a-z0-9]{1,5})(?:[?#]|$)", re.IGNORECASE)


class Resolver:
    """Make the addresses of one page absolute; anything but http and https becomes ""."""

    def __init__(self, url: str, base: str = "") -> None:
        root = _join(url, base) if base else url
        if not root.startswith(("http://", "https://")):
            root = url
        self.base = root if root.startswith(("http://", "https://")) else "http://localhost/"
        self.scheme, _, rest = self.base.partition("://")
        host, slash, path = rest.split("#")[0].split("?")[0].partition("/")
        self.host = host
        self.root = f"{self.scheme}://{host}"
        self.known: dict[str, str] = {}
        self.folder = self.root + slash + path[: path.rfind("/") + 1] if slash else self.root + "/"

    def absolute(self, address: str) -> str:
        """Return the address as absolute http or https URL without fragment, else ``""``.

        >>> Resolver("http://a.cn/x/y.html").absolute("z.html"), Resolver("http://a.cn/").absolute("file:///etc")
        ('http://a.cn/x/z.html', '')
        """
        found = self.known.get(address)
        if found is None:
            first = address[:1]
            if len(address) > _MAX_ADDRESS:
                found = ""
            elif first == "/" and _ROOTED_RE.fullmatch(address):
                found = self.root + address
            elif first == "h" and _WHOLE_RE.fullmatch(address):
                found = address
            else:
                found = self._absolute(address)
            self.known[address] = found
        return found

    def _absolute(self, address: str) -> str:
        address = address.strip()
        if len(address) > _MAX_ADDRESS or not address or address[0] == "#":
            return ""
        if not address.isprintable():
            address = _CONTROL_RE.sub("", address)
        if "#" in address:
            address = address.partition("#")[0]
        if address.startswith(_WEB) or address[:8].lower().startswith(_WEB):
            return address
        if (
            "./" not in address
            and "\\" not in address
            and not (":" in address and _SCHEME_RE.match(address))
        ):
            if address.startswith("//"):
                return f"{self.scheme}:{address}"
            if address.startswith("/"):
                return self.root + address
            if address and address[0] not in "?;":
                return self.folder + address
        scheme = _SCHEME_RE.match(address)
        is_web = scheme is None or scheme[0].lower() in {"http:", "https:"}
        joined = _join(self.base, address.replace("\\", "/")) if is_web else ""
        return joined if joined.startswith(("http://", "https://")) else ""


def _join(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def host_of(url: str) -> str:
    """Return the host of an absolute URL, without its port.

    >>> host_of("http://www.hxw.gov.cn:8080/content/1.html")
    'www.hxw.gov.cn'
    """
    rest = url.partition("://")[2]
    for mark in "/?#":
        rest = rest.partition(mark)[0]
    host = rest.rpartition("@")[2]
    return (host if host.startswith("[") else host.partition(":")[0]).lower()


def extension_of(url: str) -> str:
    """Return the extension of the URL's last path part in lower case, or "".

    >>> extension_of("http://img.hxw.gov.cn/2026/a.XLSX?x=1")
    'xlsx'
    """
    name = url.split("#", 1)[0].split("?", 1)[0].rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem and extension.isalnum() and len(extension) <= 5 else ""


def site_of(host: str) -> str:
    """Return the last labels of a host that tell sites apart.

    >>> site_of("img.hxw.gov.cn"), site_of("www.a.example")
    ('hxw.gov.cn', 'a.example')
    """
    labels = host.split(".")
    size = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-size:])
