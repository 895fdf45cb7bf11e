"""What operators rely on is documented, and what is documented is there."""

import ast
import re
import tomllib
from pathlib import Path

import click
import pytest

from hongxing_crawler.addons import OUR_SETTINGS
from hongxing_crawler.cli import app
from hongxing_crawler.cli.shell import CommonOption
from hongxing_crawler.config import FILE_VARIABLE, SETTINGS, load_config
from hongxing_crawler.exit_codes import ExitCode

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCES = sorted((ROOT / "hongxing_crawler").rglob("*.py"))
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")])


def _read(name):
    return (DOCS / name).read_text("utf-8")


def _rows(text, columns):
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row[:columns]] for row in rows]


def _commands(command, path):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _commands(command.get_command(context, name), f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(_commands(app, "hongxing"))


def _sections():
    parts = re.split(r"^## (.+)\n", _read("commands.md"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_exactly_the_commands_that_exist_are_documented():
    documented = {title for title in _sections() if title.startswith("hongxing ")}

    assert documented == set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_exactly_the_options_that_exist_are_documented(path):
    own = [p for p in COMMANDS[path].params if not isinstance(p, CommonOption)]
    names = {name for p in own if isinstance(p, click.Option) for name in p.opts if "--" in name}

    assert set(re.findall(r"^\| `(--[a-z0-9-]+)", _sections()[path], re.MULTILINE)) == names


def test_exactly_the_common_options_are_documented():
    common = [p for p in app.params if isinstance(p, CommonOption)]
    names = {name for option in common for name in option.opts if name.startswith("--")}

    section = _sections()["Options of every command"]

    assert set(re.findall(r"^\| `(--[a-z0-9-]+)", section, re.MULTILINE)) == names


def test_exactly_the_exit_codes_are_documented():
    documented = {(code, name) for code, name in _rows(_read("exit-codes.md"), 2) if code.isdigit()}

    assert documented == {(str(int(code)), code.name) for code in ExitCode}


def test_every_key_of_the_settings_file_is_documented_with_its_variable():
    documented = {(key, name) for key, name in _rows(_read("settings.md"), 2) if "`" in name}

    assert {(f"`{s.key}`", f"`{s.variable}`") for s in SETTINGS} <= documented


def test_exactly_the_settings_that_exist_are_documented():
    text = _read("settings.md")
    scrapy_part = text[text.index("## Settings for Scrapy") :]

    assert set(re.findall(r"^\| `(\w+)`", scrapy_part, re.MULTILINE)) == set(OUR_SETTINGS)
    known = {FILE_VARIABLE, *OUR_SETTINGS, *(setting.variable for setting in SETTINGS)}
    assert set(re.findall(r"HONGXING_\w+", text)) <= known


def test_every_setting_that_the_code_reads_has_a_default():
    read = re.compile(r"""(?:get\w*\(|settings\[)\s*["'](HONGXING_\w+)["']""")
    names = {name for path in SOURCES for name in read.findall(path.read_text("utf-8"))}

    assert names <= set(OUR_SETTINGS) | {FILE_VARIABLE}


def test_the_example_settings_hold_every_key_with_its_default():
    path = ROOT / "deploy" / "hongxing.toml"
    table = tomllib.loads(path.read_text("utf-8"))
    keys = {
        f"{name}.{key}" if isinstance(value, dict) else name
        for name, value in table.items()
        for key in (value if isinstance(value, dict) else [name])
    }
    example, defaults = load_config(path, {}, {}), load_config(None, {}, {"home": "x"})

    assert keys == {setting.key for setting in SETTINGS}
    for setting in SETTINGS[1:]:
        assert example.value(setting) == defaults.value(setting)


def _stat_names():
    """Literals of the code that name stats; an expression within becomes a star."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts
            )
            if text.startswith("hongxing/") and "_" in text and not text.endswith("/"):
                yield text


def test_every_stat_is_documented():
    documented = re.findall(r"^\| `(hongxing/[^`]+)`", _read("stats.md"), re.MULTILINE)
    patterns = [re.compile(re.sub(r"<\w+>", "[^/]+", name)) for name in documented]

    undocumented = {n for n in _stat_names() if not any(p.fullmatch(n) for p in patterns)}

    assert not undocumented


def test_every_documented_stat_is_counted_somewhere():
    documented = re.findall(r"^\| `(hongxing/[^`]+)`", _read("stats.md"), re.MULTILINE)
    counted = set(_stat_names())

    assert [n for n in documented if re.sub(r"<\w+>", "*", n) not in counted] == []


def test_the_readme_leads_to_every_document():
    text = (ROOT / "README.md").read_text("utf-8")

    assert [page.name for page in DOCS.glob("*.md") if f"(docs/{page.name})" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_document_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []
