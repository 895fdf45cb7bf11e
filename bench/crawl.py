"""CPU and memory of our crawl beside bare Scrapy and a typical Scrapy project, in one go.

    python bench/crawl.py [--pages 3000] [--rounds 3] [--only bare,typical,ours] [--json]

A server on one core, one crawl at a time on the other, in turn. Each crawl also runs against
a site of a few pages: that is its start-up, shown and subtracted from the CPU per page.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import metadata, resources
from pathlib import Path
from statistics import median
from urllib.request import urlopen

import article_pages

HERE = Path(__file__).parent
SMALL_PAGES = 10
VARIANTS = ("bare", "bare-info", "typical", "ours")
SERVER_CPU, CLIENT_CPU = 1, 0
CONCURRENCY = 8  # of ours; the peers keep Scrapy's 8 to a host


@dataclass(frozen=True)
class Run:
    """One crawl of one variant; times of the whole process, memory at two moments."""

    variant: str
    pages: int
    cpu_s: float
    wall_s: float
    peak_mb: float
    memory_mb: dict[str, float]


@contextlib.contextmanager
def serving(page_count: int):
    command = [sys.executable, HERE / "serve.py", "--pages", str(page_count)]
    command += ["--cpu", str(SERVER_CPU)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def write_profile(folder: Path, base_url: str, page_count: int) -> Path:
    """The packaged hongxing profile, pointed at the loopback server."""
    text = resources.files("hongxing_crawler.sites").joinpath("hongxing.toml").read_text("utf-8")
    lists = range(-(-page_count // article_pages.LINKS_PER_LIST))
    values = {
        "name": "bench",
        "hosts": [base_url.removeprefix("http://")],
        "media_hosts": [],
        "old_hosts": [],
        "seeds": [base_url + article_pages.list_path(n) for n in lists],
        "sitemaps": [],
        "feeds": [],
    }
    for key, value in values.items():
        line = f"{key} = {json.dumps(value)}\n"
        text, count = re.subn(
            rf"^{key} = (?:\[[^\]]*\]|\"[^\"]*\").*\n", line, text, count=1, flags=re.MULTILINE
        )
        assert count == 1, f"the profile has no {key}"
    path = folder / "bench.toml"
    path.write_text(text, "utf-8")
    return path


def build_command(variant: str, folder: Path, base_url: str, page_count: int) -> list[str]:
    if variant != "ours":
        script = str(HERE / "peer_spiders.py")
        return [sys.executable, script, variant, base_url, str(page_count), str(folder)]
    profile = write_profile(folder, base_url, page_count)
    home = str(folder / "home")
    return [sys.executable, "-m", "hongxing_crawler", "crawl", str(profile), "--home", home, "-q"]


def count_rows(variant: str, folder: Path) -> int | None:
    """Rows that a crawl wrote; None when it writes none."""
    if variant == "typical":
        return sum(1 for _ in (folder / "rows.jsonl").open("rb"))
    if variant == "ours":
        parts = (folder / "home/export").glob("articles/v1/delta/**/part-*.jsonl.gz")
        return sum(1 for part in parts for _ in gzip.open(part))
    return None


def run(variant: str, base_url: str, page_count: int) -> Run:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        command = build_command(variant, folder, base_url, page_count)
        with (folder / "output").open("wb") as output:
            started = time.monotonic()
            child = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,  # no scrapy.cfg for the peers
                env=os.environ
                | {"PYTHONPATH": str(HERE.parent), "HONGXING_DELAY_S": "0"}
                | {"HONGXING_CONCURRENCY": str(CONCURRENCY)},
                preexec_fn=lambda: os.sched_setaffinity(0, {CLIENT_CPU}),  # noqa: PLW1509 - one thread
            )
            half = min(500, page_count)
            urlopen(f"{base_url}/bench/watch?pid={child.pid}&at={half},{page_count}").read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            wall_s = time.monotonic() - started
        noted = json.load(urlopen(f"{base_url}/bench/noted"))
        rows = count_rows(variant, folder) if child.returncode == 0 else None
        if child.returncode or noted["sent_count"] != page_count or rows not in {None, page_count}:
            tail = (folder / "output").read_text("utf-8", "replace")[-3_000:]
            raise SystemExit(
                f"{variant}: exit {child.returncode}, {noted['sent_count']} articles asked for, "
                f"{rows} rows, expected {page_count}\n{tail}"
            )
        cpu_s = usage.ru_utime + usage.ru_stime
        return Run(variant, page_count, cpu_s, wall_s, usage.ru_maxrss / 1e3, noted["memory_mb"])


def measure(variants: list[str], page_count: int, rounds: int) -> list[Run]:
    runs = []
    with serving(page_count) as large, serving(SMALL_PAGES) as small:
        for number in range(rounds):
            for variant in variants:
                print(f"round {number + 1} of {rounds}: {variant}", file=sys.stderr)
                runs += [run(variant, small, SMALL_PAGES), run(variant, large, page_count)]
    return runs


def summarise(runs: list[Run], page_count: int) -> dict[str, dict[str, float]]:
    """Medians over the rounds, for each variant."""
    summary = {}
    for variant in dict.fromkeys(run.variant for run in runs):
        large = [r for r in runs if r.variant == variant and r.pages == page_count]
        small = [r for r in runs if r.variant == variant and r.pages != page_count]
        startup_s = median(r.cpu_s for r in small)
        cpu_s = median(r.cpu_s for r in large)
        early = median(r.memory_mb[str(min(500, page_count))] for r in large)
        late = median(r.memory_mb[str(page_count)] for r in large)
        summary[variant] = {
            "cpu_ms_per_page": (cpu_s - startup_s) / (page_count - SMALL_PAGES) * 1e3,
            "cpu_ms_per_page_with_startup": cpu_s / page_count * 1e3,
            "startup_cpu_s": startup_s,
            "pages_per_s": page_count / median(r.wall_s for r in large),
            "memory_mb_at_500": early,
            "memory_mb_at_end": late,
            "memory_growth_mb": late - early,
            "peak_mb": median(r.peak_mb for r in large),
        }
    return summary


def print_table(summary: dict[str, dict[str, float]]) -> None:
    names = list(next(iter(summary.values())))
    width = max(map(len, names))
    print(" " * width, *(f"{variant:>9}" for variant in summary))
    for name in names:
        print(f"{name:{width}}", *(f"{values[name]:9.2f}" for values in summary.values()))
    print()


def print_ratios(runs: list[Run], page_count: int) -> None:
    """CPU of the last variant over each other's: median of the ratios round by round."""
    *peers, last = dict.fromkeys(run.variant for run in runs)
    for peer in peers:
        net = _ratios(runs, last, peer, page_count, net=True)
        whole = _ratios(runs, last, peer, page_count, net=False)
        print(f"CPU {last} / {peer}: {median(net):.2f} (with start-up {median(whole):.2f})")


def _ratios(runs: list[Run], one: str, other: str, page_count: int, *, net: bool) -> list[float]:
    """Neighbouring runs share the machine's mood, so each round is compared with itself."""
    costs = {
        variant: [
            large.cpu_s - (small.cpu_s if net else 0.0)
            for small, large in zip(
                (r for r in runs if r.variant == variant and r.pages != page_count),
                (r for r in runs if r.variant == variant and r.pages == page_count),
                strict=True,
            )
        ]
        for variant in (one, other)
    }
    return [a / b for a, b in zip(costs[one], costs[other], strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(VARIANTS), help="variants, separated by commas")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    runs = measure(options.only.split(","), options.pages, options.rounds)
    summary = summarise(runs, options.pages)
    if options.json:
        machine = {"python": platform.python_version(), "scrapy": metadata.version("scrapy")}
        print(
            json.dumps({"machine": machine, "summary": summary, "runs": [asdict(r) for r in runs]})
        )
    else:
        print_table(summary)
        print_ratios(runs, options.pages)


if __name__ == "__main__":
    main()
