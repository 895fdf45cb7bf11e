"""Sorts of values: how each is read, from TOML or from text, and what is allowed."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hongxing_crawler.store.s3.place import (
    ALLOWED_ENDPOINT,
    ALLOWED_URL,
    parse_endpoint,
    parse_place,
)
from hongxing_crawler.store.s3.profiles import AUTO, PROFILES
from hongxing_crawler.store.s3.retention import ALLOWED_RETENTION, parse_retention

if TYPE_CHECKING:
    from collections.abc import Callable

_DURATION_RE = re.compile(
    r"(?:(?P<d>\d{1,4})d)?(?:(?P<h>\d{1,4})h)?(?:(?P<m>\d{1,6})m)?(?:(?P<s>\d{1,8})s)?"
)
_RATE_RE = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,3})?)(?P<unit>[KMG]B)?")
_RATE_UNITS = {"": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9}
_ADDRESS_RE = re.compile(r"[^\s@,<>\"]{1,64}@[^\s@,<>\"]{1,190}")
_VARIABLE_RE = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
_UNIT_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of value: how it is read, from TOML or from text, and what is allowed."""

    read: Callable[[object], object]  # raises ValueError or TypeError
    allowed: str


def parse_duration(text: str) -> float:
    """Parse a length of time, ``90s``, ``10m``, ``2h``, ``7d`` or ``1h30m``, into seconds.

    >>> parse_duration("1h30m")
    5400.0

    Raises:
        ValueError: Not in that form.
    """
    match = _DURATION_RE.fullmatch(text.strip())
    if match is None or not match[0]:
        raise ValueError(f"not a length of time: {text!r}")
    return float(sum(_UNIT_S[unit] * int(count or 0) for unit, count in match.groupdict().items()))


def _read_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(value)
    return value.strip()


def _read_optional_text(value: object) -> str:
    return "" if value == "" else _read_text(value)


def _read_path(value: object) -> Path:
    return Path(_read_text(str(value) if isinstance(value, Path) else value)).expanduser()


def _read_duration(value: object) -> float:
    return parse_duration(_read_text(value))


def parse_rate(value: object) -> float:
    """Parse bytes a second, ``500KB``, ``8MB``, ``1.5MB`` or ``0``.

    >>> parse_rate("1.5MB")
    1500000.0

    Raises:
        ValueError: Not in that form.
    """
    match = _RATE_RE.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError(f"not a rate: {value!r}")
    return float(match["number"]) * _RATE_UNITS[match["unit"] or ""]


def _read_checked(parse: Callable[[str], object]) -> Callable[[object], object]:
    """Return a reader of text that is kept as it is once ``parse`` has taken it; or is empty."""

    def read(value: object) -> str:
        text = _read_optional_text(value)
        if text:
            parse(text)
        return text

    return read


def _one_of(*names: str) -> Callable[[object], object]:
    def read(value: object) -> str:
        text = _read_text(value)
        if text not in names:
            raise ValueError(value)
        return text

    return read


def _read_variable(value: object) -> str:
    text = _read_optional_text(value)
    if text and not _VARIABLE_RE.fullmatch(text):
        raise ValueError(value)
    return text


def _read_optional_path(value: object) -> str:
    text = _read_optional_text(str(value) if isinstance(value, Path) else value)
    return str(Path(text).expanduser()) if text else ""


def _read_yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]


def _read_http_url(value: object) -> str:
    text = _read_optional_text(value)
    parts = urlsplit(text)  # ValueError: no address
    if text and not (parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0):
        raise ValueError(value)
    return text


def _read_smtp_url(value: object) -> str:
    text = _read_text(value)
    parts = urlsplit(text)
    is_bare = not (parts.password or parts.query or parts.fragment or parts.path.strip("/"))
    if (
        parts.scheme not in {"smtp", "smtps"}
        or not parts.hostname
        or parts.port == 0
        or not is_bare
    ):
        raise ValueError(value)
    return text


def _read_addresses(value: object) -> tuple[str, ...]:
    """Read mail addresses: a list in TOML, split at commas elsewhere."""
    names = value if isinstance(value, (list, tuple)) else str(value).split(",")
    addresses = tuple(_read_optional_text(name) for name in names)
    if not all(_ADDRESS_RE.fullmatch(address) for address in addresses if address):
        raise ValueError(value)
    return tuple(filter(None, addresses))


def _read_address(value: object) -> str:
    addresses = _read_addresses([value])
    return addresses[0] if addresses else ""


def _read_command(value: object) -> str:
    text = _read_optional_text(value)
    shlex.split(text)  # ValueError: a quotation without its end
    return text


def whole(low: int, high: int) -> Kind:
    def read(value: object) -> int:
        if isinstance(value, (bool, float)) or not low <= (given := int(str(value))) <= high:
            raise ValueError(value)
        return given

    return Kind(read, f"a whole number from {low} to {high}")


def number(low: float, high: float) -> Kind:
    def read(value: object) -> float:
        if isinstance(value, bool) or not low <= (given := float(str(value))) <= high:
            raise ValueError(value)
        return given

    return Kind(read, f"a number from {low:g} to {high:g}")


def _read_formats(value: object) -> str:
    names = [name.strip() for name in _read_text(value).split(",")]
    if names[0] != "jsonl.gz" or names[1:] not in ([], ["parquet"]):
        raise ValueError(value)
    return ",".join(names)


TEXT = Kind(_read_text, "text between quotes, on one line")
OPTIONAL_TEXT = Kind(_read_optional_text, "text between quotes, on one line")
PATH = Kind(_read_path, "the path of a folder, between quotes")
FORMATS = Kind(_read_formats, '"jsonl.gz" or "jsonl.gz,parquet"')
DURATION = Kind(_read_duration, 'a length of time such as "90s", "10m", "2h" or "7d"')

RETENTION = Kind(_read_checked(parse_retention), ALLOWED_RETENTION)
S3_URL = Kind(_read_checked(parse_place), ALLOWED_URL)
ENDPOINT = Kind(_read_checked(parse_endpoint), ALLOWED_ENDPOINT)
PROFILE = Kind(_one_of(AUTO, *PROFILES), f'"{AUTO}", ' + ", ".join(f'"{p}"' for p in PROFILES))
BROWSER = Kind(_one_of("auto", "always", "off"), '"auto", "always" or "off"')
LOG_FORMAT = Kind(_one_of("text", "json"), '"text" or "json"')
VARIABLE = Kind(_read_variable, 'the beginning of names of variables, such as "ARCHIVE"')
OPTIONAL_PATH = Kind(_read_optional_path, "the path of a file, between quotes")
RATE = Kind(parse_rate, 'bytes a second such as "500KB", "8MB"; "0" means no limit')
YES_NO = Kind(_read_yes_no, "true or false")
HTTP_URL = Kind(_read_http_url, 'an address such as "https://monitor.example/ping/…"')
SMTP_URL = Kind(_read_smtp_url, '"smtp://[user@]host[:port]" or "smtps://…", without password')
ADDRESS = Kind(_read_address, "a mail address")
ADDRESSES = Kind(_read_addresses, "mail addresses, a list in the file, else split at commas")
COMMAND = Kind(_read_command, "a program and its arguments, as typed in a shell")
