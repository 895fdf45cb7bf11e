"""Settings of the program: flags, then environment, then hongxing.toml, then defaults.

Every setting is one line of ``SETTINGS``; ``load_config`` reads all sources once and either
returns a ``Config`` whose values are all usable, or names every value that is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.sites.toml_lines import find_line, parse_toml, read_text
from hongxing_crawler.store.s3.place import (
    ALLOWED_ENDPOINT,
    ALLOWED_URL,
    hide_user,
    parse_endpoint,
    parse_place,
)
from hongxing_crawler.store.s3.profiles import AUTO, PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FILE_NAME = "hongxing.toml"
FILE_VARIABLE = "HONGXING_CONFIG"

_DURATION_RE = re.compile(
    r"(?:(?P<d>\d{1,4})d)?(?:(?P<h>\d{1,4})h)?(?:(?P<m>\d{1,6})m)?(?:(?P<s>\d{1,8})s)?"
)
_NAMED_TABLES = {"s3", "upload"}  # their names stand in their variables: HONGXING_S3_URL
_RATE_RE = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,3})?)(?P<unit>[KMG]B)?")
_RATE_UNITS = {"": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9}
_VARIABLE_RE = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
_UNIT_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of value: how it is read, from TOML or from text, and what is allowed."""

    read: Callable[[object], object]  # raises ValueError or TypeError
    allowed: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key in hongxing.toml, its variable, what it takes and when unset."""

    key: str  # dotted when it stands in a table
    kind: Kind
    default: Any
    own_flag: str = ""

    @property
    def field(self) -> str:
        table, _, name = self.key.rpartition(".")
        return f"{table}_{name}" if table in _NAMED_TABLES else name

    @property
    def variable(self) -> str:
        return f"HONGXING_{self.field.upper()}"

    @property
    def flag(self) -> str:
        return self.own_flag or f"--{self.field.replace('_', '-')}"


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


def _whole(low: int, high: int) -> Kind:
    def read(value: object) -> int:
        if isinstance(value, (bool, float)) or not low <= (number := int(str(value))) <= high:
            raise ValueError(value)
        return number

    return Kind(read, f"a whole number from {low} to {high}")


def _number(low: float, high: float) -> Kind:
    def read(value: object) -> float:
        if isinstance(value, bool) or not low <= (number := float(str(value))) <= high:
            raise ValueError(value)
        return number

    return Kind(read, f"a number from {low:g} to {high:g}")


def _read_formats(value: object) -> str:
    names = [name.strip() for name in _read_text(value).split(",")]
    if names[0] != "jsonl.gz" or names[1:] not in ([], ["parquet"]):
        raise ValueError(value)
    return ",".join(names)


_TEXT = Kind(_read_text, "text between quotes")
_OPTIONAL_TEXT = Kind(_read_optional_text, "text between quotes")
_PATH = Kind(_read_path, "the path of a folder, between quotes")
_FORMATS = Kind(_read_formats, '"jsonl.gz" or "jsonl.gz,parquet"')
_DURATION = Kind(_read_duration, 'a length of time such as "90s", "10m", "2h" or "7d"')

_S3_URL = Kind(_read_checked(parse_place), ALLOWED_URL)
_ENDPOINT = Kind(_read_checked(parse_endpoint), ALLOWED_ENDPOINT)
_PROFILE = Kind(_one_of(AUTO, *PROFILES), f'"{AUTO}", ' + ", ".join(f'"{p}"' for p in PROFILES))
_VARIABLE = Kind(_read_variable, 'the beginning of names of variables, such as "ARCHIVE"')
_OPTIONAL_PATH = Kind(_read_optional_path, "the path of a file, between quotes")
_RATE = Kind(parse_rate, 'bytes a second such as "500KB", "8MB"; "0" means no limit')
_YES_NO = Kind(_read_yes_no, "true or false")

SETTINGS = (
    Setting("home", _PATH, Path("var")),
    Setting("site", _TEXT, "hongxing"),
    Setting("operator", _OPTIONAL_TEXT, ""),
    Setting("wait_lock", _DURATION, 0.0),
    Setting("crawl.concurrency", _whole(1, 16), 1),
    Setting("crawl.delay_s", _number(0, 3_600), 1.0),
    Setting("crawl.max_pages", _whole(0, 1_000_000_000), 0),
    Setting("crawl.max_duration", _DURATION, 0.0),
    Setting("export.format", _FORMATS, "jsonl.gz"),
    Setting("s3.url", _S3_URL, "", "--s3"),
    Setting("s3.endpoint", _ENDPOINT, ""),
    Setting("s3.region", _OPTIONAL_TEXT, ""),
    Setting("s3.profile", _PROFILE, AUTO),
    Setting("s3.ca_bundle", _OPTIONAL_PATH, ""),
    Setting("s3.credentials", _VARIABLE, ""),
    Setting("upload.during_crawl", _YES_NO, default=False),
    Setting("upload.threads", _whole(1, 64), 4),
    Setting("upload.part_size_mb", _whole(5, 1_024), 8),
    Setting("upload.max_bandwidth", _RATE, 0.0),
    Setting("upload.deep_share", _number(0, 1), 0.02),
    Setting("upload.tries", _whole(1, 100), 6),
    Setting("upload.timeout", _DURATION, 60.0),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}
_TABLES = {key.partition(".")[0] for key in _BY_KEY if "." in key}


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, read and checked; ``origins`` tells where each value came from."""

    home: Path
    site: str
    operator: str
    wait_lock: float  # seconds
    concurrency: int  # requests at a time
    delay_s: float
    max_pages: int  # 0: no limit
    max_duration: float  # seconds, 0: no limit
    format: str  # of rows: jsonl.gz or jsonl.gz,parquet
    s3_url: str  # s3://bucket/prefix, "" for none
    s3_endpoint: str
    s3_region: str
    s3_profile: str
    s3_ca_bundle: str
    s3_credentials: str  # beginning of the names of variables
    upload_during_crawl: bool
    upload_threads: int
    upload_part_size_mb: int  # MiB
    upload_max_bandwidth: float  # bytes a second, 0: no limit
    upload_deep_share: float  # 0 to 1
    upload_tries: int
    upload_timeout: float  # seconds
    file: Path | None
    origins: Mapping[str, str]  # key -> "--home", "HONGXING_HOME", "hongxing.toml:3" or "default"

    @property
    def with_parquet(self) -> bool:
        return "parquet" in self.format


class _Found(NamedTuple):
    value: object
    origin: str


class _File(NamedTuple):
    path: Path | None
    text: str
    table: dict[str, Any]

    def place(self, keys: Sequence[str]) -> str:
        return f"{self.path}:{find_line(self.text, keys)}"


def load_config(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, object]
) -> Config:
    """Read every source and check every value.

    Args:
        file: The file asked for with ``--config``; None means the one that
            ``HONGXING_CONFIG`` names, else hongxing.toml in the current folder, else no file.
        environment: Environment variables; empty ones count as unset.
        flags: Values given on the command line by their key; None counts as not given.

    Raises:
        ConfigError: A file that cannot be read, or values that cannot be used, one line for
            each: file and line (or variable), key, what stands there, what is allowed.
    """
    source = _read_file(_choose_file(file, environment))
    problems = [f"{source.place(keys)}: {why}" for keys, why in _find_unknown(source.table)]
    found = {setting.key: _find_value(setting, flags, environment, source) for setting in SETTINGS}
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        value, origin = found[setting.key]
        try:
            values[setting.field] = value if origin == "default" else setting.kind.read(value)
        except (ValueError, TypeError, KeyError):
            shown, allowed = hide_user(repr(value)), setting.kind.allowed
            problems.append(f"{origin}: {setting.key} = {shown}: allowed is {allowed}")
    if problems:
        raise ConfigError("\n".join(problems))
    values["home"] = _home_path(values["home"], found["home"].origin, source.path)
    origins = {key: item.origin for key, item in found.items()}
    return Config(**values, file=source.path, origins=origins)


def find_unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Find variables that look like settings of ours and are none."""
    known = {FILE_VARIABLE, *(setting.variable for setting in SETTINGS)}
    mine = sorted(name for name in environment if name.startswith("HONGXING_"))
    return [
        f"{name}: no such variable{_suggest(name, known)}" for name in mine if name not in known
    ]


def show_config(config: Config) -> dict[str, dict[str, object]]:
    """List every setting with its value and where that came from."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {
        setting.key: {
            "value": _plain(values[setting.field]),
            "from": config.origins[setting.key],
            "variable": setting.variable,
        }
        for setting in SETTINGS
    }


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _choose_file(file: Path | None, environment: Mapping[str, str]) -> Path | None:
    if file is not None:
        return file
    if named := environment.get(FILE_VARIABLE):
        return Path(named)
    here = Path(FILE_NAME)
    return here if here.is_file() else None


def _read_file(path: Path | None) -> _File:
    if path is None:
        return _File(None, "", {})
    text = read_text(path, "settings")
    return _File(path, text, parse_toml(text, str(path)))


def _find_unknown(table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in table.items():
        if name in _TABLES and isinstance(value, dict):
            for key in value:
                if f"{name}.{key}" not in _BY_KEY:
                    suggestion = _suggest(f"{name}.{key}", _BY_KEY)
                    yield (name, key), f"{name}.{key}: unknown key{suggestion}"
        elif name in _TABLES:
            yield (name,), f"{name}: this is a table, write [{name}] and its keys below"
        elif name not in _BY_KEY:
            yield (name,), f"{name}: unknown key{_suggest(name, _BY_KEY)}"


def _suggest(name: str, known: Mapping[str, object] | set[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}"


def _find_value(
    setting: Setting, flags: Mapping[str, object], environment: Mapping[str, str], source: _File
) -> _Found:
    flag = flags.get(setting.key)
    if flag is not None:
        return _Found(flag, setting.flag)
    if given := environment.get(setting.variable):
        return _Found(given, setting.variable)
    keys = setting.key.split(".")
    value: object = source.table
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if value is None:
        return _Found(setting.default, "default")
    return _Found(value, source.place(keys))


def _home_path(home: Path, origin: str, file: Path | None) -> Path:
    """Take a relative home in a file as relative to that file, so that cron finds it too."""
    from_file = file is not None and origin.startswith(f"{file}:")
    return (file.parent / home if from_file and file else home).absolute()
