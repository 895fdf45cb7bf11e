"""Measure `hongxing upload` beside plain boto3, on a real gateway on this machine, in one run.

    python bench/s3.py                     # 1,000 x 100 KB, 5 x 200 MB, and a home of 10,000 files
    python bench/s3.py --rounds 1 --large 0 --again 2000

Plain boto3 is ``upload_file`` with as many threads: one file a thread for small files, the threads
of its own ``TransferConfig`` for large ones. Ours looks, hashes, sends, reads back and notes; the
outbox is full already, as after a crawl, and neither pays for making its client. Both run in
processes of their own, in turns; memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from gateway import Gateway

from hongxing_crawler.store.home import Home
from hongxing_crawler.store.home_files import find_new
from hongxing_crawler.store.s3 import client as s3_client
from hongxing_crawler.store.s3.client import S3Options
from hongxing_crawler.store.s3.place import Place
from hongxing_crawler.store.s3.upload import UploadOptions
from hongxing_crawler.store.state import State
from hongxing_crawler.upkeep.upload import upload_home

BUCKET = "bench"


def make_home(root: Path, count: int, size: int) -> None:
    """Make a home of so many pictures."""
    noise = Random(count * size)
    for number in range(count):
        folder = root / "media" / "sha256" / f"{number % 256:02x}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{number:064x}.jpg").open("wb") as file:
            for _ in range(0, size, 1 << 20):
                file.write(noise.randbytes(min(size, 1 << 20)))


def run_plain(home: Path, prefix: str, threads: int, endpoint: str) -> dict:
    client = boto3.client(
        "s3", endpoint_url=endpoint, config=Config(max_pool_connections=threads + 2)
    )
    files = sorted(path for path in (home / "media").rglob("*") if path.is_file())
    is_large = bool(files) and files[0].stat().st_size > 8 << 20
    config = TransferConfig(max_concurrency=threads)
    started = time.perf_counter()
    with ThreadPoolExecutor(1 if is_large else threads) as pool:
        list(
            pool.map(
                lambda path: client.upload_file(
                    str(path), BUCKET, f"{prefix}/{path.relative_to(home)}", Config=config
                ),
                files,
            )
        )
    return {"seconds": time.perf_counter() - started, "calls": {}}


def run_ours(home: Path, prefix: str, threads: int, endpoint: str) -> dict:
    with State.open(home / "state.sqlite", now=lambda: datetime.now(UTC)) as state:
        state.queue(find_new(home, state.outbox.known()))  # a crawl does so while it runs
    calls: Counter[str] = Counter()
    make = s3_client.make_client
    setup_s = []

    def counting(*arguments: object) -> object:
        started = time.perf_counter()
        client = make(*arguments)
        setup_s.append(time.perf_counter() - started)
        client.meta.events.register("before-call.s3", lambda model, **_: calls.update([model.name]))
        return client

    s3_client.make_client = counting
    place = S3Options(Place(BUCKET, f"{prefix}/"), endpoint=endpoint, threads=threads)
    started = time.perf_counter()
    upload_home(Home(home), place, UploadOptions(threads), now=lambda: datetime.now(UTC))
    seconds = time.perf_counter() - started - sum(setup_s)
    return {"seconds": seconds, "calls": dict(calls)}


def child(kind: str, *arguments: object) -> dict:
    """Run one upload in a process of its own."""
    command = [sys.executable, __file__, "--child", kind, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def compare(title: str, home: Path, rounds: int, threads: int, endpoint: str) -> bool:
    seconds: dict[str, list[float]] = {"plain": [], "ours": []}
    peak_mb = 0.0
    size = sum(path.stat().st_size for path in (home / "media").rglob("*") if path.is_file())
    for number in range(rounds):
        for kind in ("plain", "ours") if number % 2 == 0 else ("ours", "plain"):
            prefix = f"{home.name}-{kind}-{number}"
            for state in home.glob("state.sqlite*"):
                state.unlink()
            result = child(kind, home, prefix, threads, endpoint)
            seconds[kind].append(result["seconds"])
            peak_mb = max(peak_mb, result["peak_mb"]) if kind == "ours" else peak_mb
            empty(prefix, endpoint)
    plain, ours = (statistics.median(seconds[kind]) for kind in ("plain", "ours"))
    ratio = plain / ours
    print(
        f"{title}: boto3 {plain:.1f} s ({size / plain / 1e6:.1f} MB/s), ours {ours:.1f} s"
        f" ({size / ours / 1e6:.1f} MB/s): {ratio:.2f} of boto3, peak {peak_mb:.0f} MB",
        flush=True,
    )
    return ratio >= 0.8 and peak_mb <= 150


def again(home: Path, threads: int, endpoint: str) -> bool:
    first = child("ours", home, "again", threads, endpoint)
    second = child("ours", home, "again", threads, endpoint)
    puts = second["calls"].get("PutObject", 0) + second["calls"].get("UploadPart", 0)
    share = second["seconds"] / first["seconds"]
    print(
        f"home of {first['calls']['PutObject']:,} files: first {first['seconds']:.1f} s, again"
        f" {second['seconds']:.2f} s ({share:.3f}), {puts} puts, calls {second['calls']}"
    )
    empty("again", endpoint)
    return puts == 0 and share < 0.1


def empty(prefix: str, endpoint: str) -> None:
    """Delete what a round stored, so that the disk stays small."""
    client = boto3.client("s3", endpoint_url=endpoint)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client.delete_object(Bucket=BUCKET, Key=key), keys))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=5)
    parser.add_argument("--again", type=int, default=10_000)
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        kind, home, prefix, threads, endpoint = options.child
        run = run_plain if kind == "plain" else run_ours
        result = run(Path(home), prefix, int(threads), endpoint)
        result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(result))
        return 0
    return measure(options)


def measure(options: argparse.Namespace) -> int:

    with tempfile.TemporaryDirectory(prefix="bench-s3-") as folder:
        gateway = Gateway(Path(folder) / "gateway")
        gateway.start()
        os.environ.update(gateway.environment)
        good = []
        try:
            boto3.client("s3", endpoint_url=gateway.endpoint).create_bucket(Bucket=BUCKET)
            for name, count, size in (
                ("small", options.small, 100_000),
                ("large", options.large, 200_000_000),
            ):
                if count:
                    home = Path(folder) / name
                    make_home(home, count, size)
                    title = f"{count:,} x {size / 1e6:g} MB, {options.threads} threads"
                    good.append(
                        compare(title, home, options.rounds, options.threads, gateway.endpoint)
                    )
            if options.again:
                home = Path(folder) / "again"
                make_home(home, options.again, 4_000)
                good.append(again(home, options.threads, gateway.endpoint))
        finally:
            gateway.stop()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
