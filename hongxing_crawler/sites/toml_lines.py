"""Read TOML files and say where in them something is wrong: ``tomllib`` forgets the lines."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from hongxing_crawler.exceptions import ConfigError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Sequence

_HEADER_RE = re.compile(r"\[{1,2}([^\[\]]+)\]{1,2}")
_KEY_RE = re.compile(r"(?:\"([^\"]+)\"|'([^']+)'|([\w-]+))[ \t]*=")
_SYNTAX_LINE_RE = re.compile(r"\(at line (\d+)")
_MAX_FILE_BYTES = 1_000_000

Path = tuple[str | int, ...]


def read_text(path: pathlib.Path, what: str) -> str:
    """Read a TOML file as text; ``what`` names its content in errors.

    Raises:
        ConfigError: It cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
        if len(data) > _MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_FILE_BYTES} bytes; no {what}")
        return data.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{path}: cannot read the {what}: {reason}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from error


def parse_toml(text: str, label: str) -> dict[str, Any]:
    """Parse TOML; ``label`` names the file in errors.

    Raises:
        ConfigError: Not valid; with the line.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_LINE_RE.search(str(error))
        line = found[1] if found else text.count("\n") + 1
        raise ConfigError(f"{label}:{line}: not valid TOML: {error}") from error


def _numbered_keys(text: str) -> Iterator[tuple[Path, int]]:
    """Yield the path of every table header and key, with its line number."""
    table: Path = ()
    counts: dict[str, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if header := _HEADER_RE.match(line):
            name = header[1].strip()
            table = (name,)
            if line.startswith("[["):
                counts[name] = counts.get(name, -1) + 1
                table = (name, counts[name])
            yield table, number
        elif key := _KEY_RE.match(line):
            yield (*table, key[1] or key[2] or key[3]), number


def find_line(text: str, path: Sequence[str | int], value: object = None) -> int:
    r"""Find the line of a key, or of one string among its values.

    Only the forms that profiles use are known: plain keys, ``[table]`` and ``[[table]]``
    headers. A dotted key is reported at its nearest known parent, an unknown one at line 1.

    >>> find_line('a = 1\n[[t]]\nx = [\n  "p",\n  "q",\n]', ("t", 0, "x"), "q")
    5

    Args:
        text: The file.
        path: Keys and array indexes from the top, such as ``("templates", 2, "title")``.
        value: A string within that key's value; the first line that holds it is meant.

    Returns:
        The line number, counted from 1.
    """
    lines = dict(reversed(list(_numbered_keys(text))))
    wanted = tuple(path)
    while wanted and wanted not in lines:
        wanted = wanted[:-1]
    start = lines.get(wanted, 1)
    if not isinstance(value, str):
        return start
    following = enumerate(text.splitlines()[start - 1 :], start)
    return next((number for number, line in following if value in line), start)
