"""Crawl real pages from loopback with the generic profile, and score the rows.

    python bench/real_pages.py FOLDER [--sets daniel-zh,gne-zh]

FOLDER holds bench.py and data/manifest.jsonl with its pages (not part of this repository).
Every page is served as its raw bytes by a real server, listed on one start page, and crawled by
``hongxing crawl generic`` in a process of its own. Then: how many rows and rejects (a page that
is neither is an error), and the body F1 of the rows, computed by FOLDER/bench.py.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from importlib import resources
from pathlib import Path

from hongxing_crawler.demo.message import Reply
from hongxing_crawler.demo.server import Server

_HTML = (("Content-Type", b"text/html"),)  # no charset: the pages say it, rightly or wrongly


def load_scorer(folder: Path):
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("scorer", folder / "bench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(pages: dict[str, bytes]) -> Server:
    links = "".join(f'<li><a href="{path}">{path}</a></li>' for path in pages)
    start = f"<html><body><ul>{links}</ul></body></html>".encode()

    def answer(request):
        if request.path == "/":
            return Reply(headers=_HTML, body=start)
        body = pages.get(request.path)
        return Reply(headers=_HTML, body=body) if body else Reply(404)

    return Server(answer)


def write_profile(base: str, folder: Path) -> Path:
    """The packaged generic profile, for the pages of the list alone: their links lead nowhere."""
    text = resources.files("hongxing_crawler.sites").joinpath("generic.toml").read_text("utf-8")
    host = base.removeprefix("http://")
    text = text.replace("hosts = []\n", f'hosts = ["{host}"]\n', 1)
    text = text.replace("seeds = []\n", f'seeds = ["{base}/"]\nmax_depth = 1\n', 1)
    path = folder / "pages.toml"
    path.write_text(text, "utf-8")
    return path


def crawl(base: str, home: Path) -> dict:
    profile = write_profile(base, home.parent)
    command = [sys.executable, "-m", "hongxing_crawler", "crawl", str(profile)]
    command += ["--home", str(home), "--json"]
    done = subprocess.run(
        command,
        capture_output=True,
        env=os.environ | {"HONGXING_DELAY_S": "0"},
        check=False,
    )
    if not done.stdout:
        raise SystemExit(done.stderr.decode())
    return json.loads(done.stdout)


def read_rows(home: Path) -> dict[str, dict]:
    lines = [
        line
        for part in home.glob("export/articles/v1/snapshot/*/part-*.jsonl.gz")
        for line in gzip.decompress(part.read_bytes()).splitlines()
    ]
    return {"/" + row["url"].split("/", 3)[3]: row for row in map(json.loads, lines)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="daniel-zh,gne-zh")
    options = parser.parse_args()
    scorer = load_scorer(options.folder)
    wanted = set(options.sets.split(","))
    manifest = [json.loads(line) for line in (options.folder / "data/manifest.jsonl").open("rb")]
    entries = {f"/page/{e['id']}.html": e for e in manifest if e["set"] in wanted}
    pages = {
        path: gzip.decompress((options.folder / "data" / entry["html"]).read_bytes())
        for path, entry in entries.items()
    }
    with tempfile.TemporaryDirectory() as name, serve(pages) as server:
        home = Path(name) / "home"
        result = crawl(server.bases["www"], home)
        rows = read_rows(home)
        rejects = {
            "/" + row["url"].split("/", 3)[3]: row["reason"]
            for path in home.glob("runs/*/rejects.jsonl")
            for row in map(json.loads, path.read_bytes().splitlines())
        }
    scores = [
        scorer.score_body(
            entry["gold"]["body"],
            rows[path]["article_body"] if path in rows else "",
            entry["gold"].get("title"),
            entry["gold"].get("optional") or (),
        )["F"]
        for path, entry in entries.items()
        if entry["gold"].get("body")
    ]
    missing = [path for path in entries if path not in rows and path not in rejects]
    print(f"pages {len(entries)}, rows {len(rows.keys() & entries.keys())}")
    print("rejects", dict(Counter(rejects[path] for path in entries if path in rejects)))
    print(f"neither row nor reject: {len(missing)} {missing[:5]}")
    print(f"exit code {result['exit_code']}, reason {result['reason']}, {result['seconds']} s")
    print(f"body F1 {sum(scores) / len(scores):.4f} over {len(scores)} pages with gold text")


if __name__ == "__main__":
    main()
