"""What is imported is declared, locked and explained; make says what it needs."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _names(requirements):
    return {_normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements}


RUNTIME = _names(PROJECT["dependencies"])
EXTRAS = {name: _names(listed) for name, listed in PROJECT["optional-dependencies"].items()}


def _imported(folder):
    """Distributions that the code of a folder imports."""
    distributions = packages_distributions()
    modules = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    ours = [*(ROOT / folder).rglob("*.py"), *(ROOT / "tests").glob("*.py")]
    own = {"hongxing_crawler", *(path.stem for path in ours)}
    foreign = modules - own - set(sys.stdlib_module_names)
    return {_normal(distributions.get(name, [name])[0]) for name in foreign}


def test_what_the_package_imports_is_declared():
    optional = EXTRAS["browser"] | EXTRAS["parquet"]

    assert _imported("hongxing_crawler") - optional <= RUNTIME


def test_what_is_declared_is_imported():
    assert _imported("hongxing_crawler") >= RUNTIME


@pytest.mark.parametrize("folder", ["tests", "bench"])
def test_what_the_workshop_imports_is_declared(folder):
    assert _imported(folder) <= RUNTIME | EXTRAS["dev"]


def test_every_dependency_is_pinned_with_hashes_and_without_an_address():
    pins = re.split(r"\n(?=\S)", LOCK.split("\n", 2)[2])
    names = {_normal(re.match(r"[\w.-]+", pin)[0]) for pin in pins}

    assert names >= RUNTIME | EXTRAS["dev"]
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    assert not re.search(r"https?:|file:|^-|/home|/opt", LOCK, re.MULTILINE)


def test_every_dependency_has_its_reason():
    text = (ROOT / "docs" / "decisions.md").read_text("utf-8")
    explained = {_normal(name) for name in re.findall(r"\*\*([\w-]+)\*\*", text)}

    assert explained >= RUNTIME | set().union(*EXTRAS.values())


def _make_setup(folder, programs):
    """Run ``make setup`` in a copy of the Makefile with only these programs to be found."""
    found = folder / "path"
    found.mkdir()
    for name in ("sh", "cut", "cksum", "touch"):
        (found / name).symlink_to(shutil.which(name))
    for name, script in programs.items():
        (found / name).write_text(f"#!/bin/sh\n{script}\n")
        (found / name).chmod(0o755)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return subprocess.run(
        [shutil.which("make"), "setup"],
        cwd=folder,
        env={"PATH": str(found)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


WITHOUT_ENSUREPIP = 'case "$2" in *ensurepip*) exit 1;; esac'


@pytest.mark.parametrize(
    ("programs", "sentence"),
    [
        ({}, "Python 3.11 or newer is missing: type"),
        ({"python3": "exit 1"}, "Python 3.11 or newer is missing: type"),
        ({"python3": WITHOUT_ENSUREPIP}, "python3 cannot make virtual environments: type"),
    ],
    ids=["no python", "an old python", "no ensurepip"],
)
def test_setup_says_in_one_sentence_which_package_is_missing(tmp_path, programs, sentence):
    folder = tmp_path / "红星 a"
    folder.mkdir()

    done = _make_setup(folder, programs)

    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode
    assert len(said) == 1
    assert said[0].startswith(sentence)
    assert "sudo apt install" in said[0]
    assert not (folder / ".venv").exists()
