"""Read the settings from flags, environment and file, and name every one that is wrong."""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hongxing_crawler.config.table import SETTINGS, Config, Setting
from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.monitors.limits import Limits
from hongxing_crawler.sites.profile import load_profile
from hongxing_crawler.sites.toml_lines import find_line, parse_toml, read_text
from hongxing_crawler.store.s3.place import hide_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hongxing_crawler.core.profile import SiteProfile

FILE_NAME = "hongxing.toml"
FILE_VARIABLE = "HONGXING_CONFIG"
# What no file and no flag may hold, because both are shown: read where it is needed.
SECRET_VARIABLES = ("HONGXING_SMTP_PASSWORD",)

_BY_KEY = {setting.key: setting for setting in SETTINGS}
_TABLES = {key.partition(".")[0] for key in _BY_KEY if "." in key}


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
            shown = "(hidden)" if setting.is_secret else hide_user(repr(value))
            allowed = setting.kind.allowed
            problems.append(f"{origin}: {setting.key} = {shown}: allowed is {allowed}")
    if problems:
        raise ConfigError("\n".join(problems))
    values["home"] = _home_path(values["home"], found["home"].origin, source.path)
    limits = {f.name: values.pop(f"monitors_{f.name}") for f in fields(Limits)}
    origins = {key: item.origin for key, item in found.items()}
    return Config(**values, limits=Limits(**limits), file=source.path, origins=origins)


def find_unusable_files(config: Config) -> list[str]:
    """Name the files of the settings that are not there, or that nobody would read."""
    found = []
    if config.s3_ca_bundle and not Path(config.s3_ca_bundle).exists():
        found.append(("s3.ca_bundle", config.s3_ca_bundle, "there is no such file"))
    if config.metrics_file and not config.metrics_file.endswith(".prom"):
        why = "the collector reads only files whose names end in .prom"
        found.append(("metrics.file", config.metrics_file, why))
    return [f"{config.origins[key]}: {key} = {value!r}: {why}" for key, value, why in found]


def load_site(config: Config, *, seeds: Sequence[str] = ()) -> SiteProfile:
    """Load the profile of the settings.

    Raises:
        ConfigError: As ``load_profile``; where the settings name a profile that is not there,
            with the file and line, or the variable, that does.
    """
    try:
        return load_profile(config.site, seeds=seeds)
    except ConfigError as error:
        origin = config.origins["site"]
        if origin in {"default", "--site"} or Path(config.site).is_file():
            raise
        raise ConfigError(f"{origin}: site: {error}") from error


def find_unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Find variables that look like settings of ours and are none."""
    known = {FILE_VARIABLE, *SECRET_VARIABLES, *(setting.variable for setting in SETTINGS)}
    mine = sorted(name for name in environment if name.startswith("HONGXING_"))
    return [
        f"{name}: no such variable{_suggest(name, known)}" for name in mine if name not in known
    ]


def show_config(config: Config) -> dict[str, dict[str, object]]:
    """List every setting with its value and where that came from."""
    return {
        setting.key: {
            "value": _shown(setting, config.value(setting)),
            "from": config.origins[setting.key],
            "variable": setting.variable,
        }
        for setting in SETTINGS
    }


def _shown(setting: Setting, value: object) -> object:
    if setting.is_secret and value:
        return "(hidden)"
    if isinstance(value, tuple):
        return list(value)
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
    return f"; did you mean {near[0]}?" if near else "; docs/settings.md lists all"


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
