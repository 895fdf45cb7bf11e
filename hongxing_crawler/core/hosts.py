"""Hosts as they stand in addresses: one spelling for each, and whether it is public."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote

import idna

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAX_HOST_CHARS = 253  # RFC 1035, section 2.3.4
_ASCII_HOST_RE = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER_RE = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRIVATE_NAME_RE = re.compile(
    r"(?:.*\.)?(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|arpa|onion"
    r"|test|example|invalid)"
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_OTHERS = tuple(
    ipaddress.ip_network(net)
    for net in (
        "64:ff9b:1::/48",  # NAT64 for local use, RFC 8215
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "168.63.129.16/32",  # metadata of Azure's machines, although a public address
        "fec0::/10",  # site-local, RFC 3879
    )
)


def canonical_host(host: str) -> str:
    """Spell a host in one way: lower case, IDNA, addresses in their usual form.

    Numbers are read as browsers read them, so that ``2130706433``, ``0x7f.1`` and ``127.0.0.1``
    are one host. The dot of the root is dropped. Names are not looked up.

    >>> canonical_host("红星网.CN."), canonical_host("0x7f.1"), canonical_host("[::FFFF:1]")
    ('xn--kivo95cbpa.cn', '127.0.0.1', '[::ffff:1]')

    Args:
        host: Without a port; IPv6 in brackets.

    Raises:
        ValueError: No server can have this name.

    Source:
        WHATWG URL, "host parsing" and "IPv4 parser"; UTS #46 without transitional mapping.
    """
    if len(host) > _MAX_HOST_CHARS * 9:  # each byte of three-byte UTF-8 may be encoded as %E4
        raise ValueError(f"not a host: {host[:80]!r}")
    try:
        return _spell_host(host)
    except ValueError as error:
        raise ValueError(f"not a host: {host[:80]!r} ({error})") from None


def _spell_host(host: str) -> str:
    if host.startswith("["):
        return f"[{ipaddress.IPv6Address(host[1:].removesuffix(']'))}]"
    name = _ascii_name(unquote(host, errors="strict")).removesuffix(".")
    if len(name) > _MAX_HOST_CHARS or not _ASCII_HOST_RE.fullmatch(name):
        raise ValueError("forbidden characters, or too long")
    return str(_parse_ipv4(name)) if _NUMBER_RE.fullmatch(name.rpartition(".")[2]) else name


def _ascii_name(host: str) -> str:
    if host.isascii():
        return host.lower()
    if len(host) > _MAX_HOST_CHARS:
        raise ValueError("too long")
    return idna.encode(host, uts46=True).decode("ascii").lower()


def _parse_ipv4(name: str) -> ipaddress.IPv4Address:
    numbers = [_parse_number(part) for part in name.split(".")]
    *heads, tail = numbers
    if len(numbers) > 4 or any(head > 255 for head in heads) or tail >= 256 ** (5 - len(numbers)):
        raise ValueError(f"not an IPv4 address: {name!r}")
    value = sum(head << (8 * (3 - index)) for index, head in enumerate(heads))
    return ipaddress.IPv4Address(value + tail)


def _parse_number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    if len(part) > 1 and part.startswith("0"):
        return int(part, 8)
    return int(part, 10)


def is_public_ip(address: str | Address) -> bool:
    """Tell whether an address belongs to the open internet.

    An IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4) is judged by itself, and
    so is the server of a Teredo address.
    What is no address at all is not public.

    >>> is_public_ip("114.114.114.114"), is_public_ip("::ffff:169.254.169.254"), is_public_ip("x")
    (True, False, False)

    Args:
        address: As the socket gives it; a zone (``%eth0``) is allowed.

    Source:
        IANA special-purpose address registries, as held by ``ipaddress``.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    inner = _embedded_ipv4(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    if inner is not None:
        return is_public_ip(inner)
    if any(parsed in net for net in _OTHERS if net.version == parsed.version):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _embedded_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    teredo = address.teredo
    if teredo is not None:
        return teredo[0]
    if address in _NAT64 or int(address) >> 32 == 0:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def is_private_host(host: str) -> bool:
    """Tell whether a host must not be asked because it is not on the open internet.

    Names are judged by their spelling alone: a public name may still resolve to a private
    address, so the connection has to ask `is_public_ip` as well.

    >>> [is_private_host(h) for h in ("www.hxw.gov.cn", "0177.1", "metadata.google.internal", "")]
    [False, True, True, True]

    Args:
        host: With or without a port.
    """
    try:
        name = canonical_host(split_port(host)[0])
    except ValueError:
        return True
    if name.startswith("["):
        return not is_public_ip(name[1:-1])
    if name.rpartition(".")[2].isdigit():
        return not is_public_ip(name)
    return "." not in name or _PRIVATE_NAME_RE.fullmatch(name) is not None


def split_port(netloc: str) -> tuple[str, str]:
    """Split ``host:port``; the port is empty when there is none.

    >>> split_port("[::1]:80"), split_port("hxw.gov.cn")
    (('[::1]', '80'), ('hxw.gov.cn', ''))
    """
    host, colon, port = netloc.rpartition(":")
    if not colon or port.endswith("]"):
        return netloc, ""
    return host, port
