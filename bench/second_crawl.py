"""Measure what a second crawl of an unchanged site writes, beside the first one.

    python bench/second_crawl.py             # the demo site, `hongxing demo` twice

Counted are the bytes by which files grew, and the whole of each file that was written anew, by
folder of the home; then what reached the disk by the kernel's count, where each sync of a few
bytes costs a page of 4 KiB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path


def crawl(home: Path) -> tuple[dict[str, int], int]:
    """Run the command; its counts, and the bytes that reached the disk."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock
    command = [sys.executable, "-m", "hongxing_crawler", "demo", "--home", home, "--json"]
    done = subprocess.run(command, check=True, capture_output=True)
    blocks = resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock - before
    return json.loads(done.stdout)["counts"], blocks * 512


def files_in(home: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of change of each file, without SQLite's shared memory."""
    found = (path for path in home.rglob("*") if path.is_file())
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in found
        if not path.name.endswith("-shm")
    }


def written(
    before: dict[Path, tuple[int, int]], after: dict[Path, tuple[int, int]]
) -> Counter[Path]:
    """Bytes written since: growth of what is appended to, the whole of what is replaced."""
    sizes: Counter[Path] = Counter()
    for path, (size, changed_at) in after.items():
        old_size, old_time = before.get(path, (0, 0))
        if changed_at != old_time:
            appended = path.suffix in {".sqlite", ".jsonl"}
            sizes[path] = max(size - old_size, 0) if appended else size
    return sizes


def by_folder(home: Path, sizes: Counter[Path]) -> Counter[str]:
    total: Counter[str] = Counter()
    for path, size in sizes.items():
        total[path.relative_to(home).parts[0]] += size
    return total


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        counts, disk = crawl(home)
        first = files_in(home)
        again, disk_again = crawl(home)
        second = files_in(home)
    old, new = (by_folder(home, sizes) for sizes in (written({}, first), written(first, second)))
    print(f"{'':16}{'first':>12}{'second':>12}{'ratio':>8}")
    for name in sorted(old | new):
        ratio = f"{new[name] / old[name]:8.1%}" if old[name] else ""
        print(f"{name:16}{old[name]:12,}{new[name]:12,}{ratio}")
    rows = {
        "all files": (old.total(), new.total()),
        "on the disk": (disk, disk_again),
        "requests": (counts["requests"], again["requests"]),
        "rows in delta": (counts["articles"], again["articles"] + again["articles_deleted"]),
    }
    for name, (one, two) in rows.items():
        print(f"{name:16}{one:12,}{two:12,}{two / one:8.1%}")


if __name__ == "__main__":
    main()
