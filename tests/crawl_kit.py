"""Start real crawls of the demo site and read what they leave behind."""

from __future__ import annotations

import gzip
import json
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("crawl_child.py")


@dataclass(frozen=True)
class Ended:
    """A crawl that ended: its exit code, its result, and what it logged."""

    code: int
    result: dict[str, Any]
    log: str


def start_crawl(profile, home, **options) -> subprocess.Popen[bytes]:
    home.mkdir(parents=True, exist_ok=True)
    path = home.with_name(home.name + ".profile")
    path.write_bytes(pickle.dumps(profile))
    changes = [f"{name}={json.dumps(value)}" for name, value in options.items()]
    return subprocess.Popen(
        [sys.executable, "-W", "error", CHILD, path, home, *changes],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def crawl(profile, home, *, timeout_s=120, **options) -> Ended:
    process = start_crawl(profile, home, **options)
    out, err = process.communicate(timeout=timeout_s)
    text = err.decode("utf-8", "replace")
    lines = out.decode().splitlines()
    return Ended(process.returncode, json.loads(lines[-1]) if lines else {}, text)


def rows(path: Path) -> list[dict[str, Any]]:
    """Read the rows of every part below a folder."""
    parts = sorted(path.rglob("part-*.jsonl.gz"))
    return [
        json.loads(line)
        for part in parts
        for line in gzip.decompress(part.read_bytes()).splitlines()
    ]


def snapshot(home: Path) -> dict[str, dict[str, Any]]:
    """Read the snapshot that latest.json names, by the path of each article's address."""
    latest = json.loads(next(home.glob("export/**/latest.json")).read_bytes())
    folder = next(home.glob("export/**/latest.json")).parent / latest["snapshot"]
    return {path_of(row["url"]): row for row in rows(folder)}


def parts(folder: Path) -> dict[str, list[bytes]]:
    """Read the lines of every file of rows below a folder."""
    found = {str(path).partition("/articles/")[2]: path for path in folder.rglob("part-*.gz")}
    return {name: gzip.decompress(path.read_bytes()).splitlines() for name, path in found.items()}


def reprocess(home: Path, out: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "hongxing_crawler", "reprocess", "--home", home, "--out", out]
    return subprocess.run(command, capture_output=True, check=False)


def rejects(home: Path) -> dict[str, dict[str, Any]]:
    """Read what became no row, by path; of several runs the last word counts."""
    files = (path.read_bytes() for path in sorted(home.glob("runs/*/rejects.jsonl")))
    found = (json.loads(line) for data in files for line in data.splitlines())
    return {path_of(row["url"]): row for row in found}


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]
