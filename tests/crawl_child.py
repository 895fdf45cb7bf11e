"""One crawl in a process of its own, as cron would start it; for tests that count and kill.

Usage: crawl_child.py PROFILE.pickle HOME [NAME=JSON …]; prints the result as one JSON object.
"""

from __future__ import annotations

import dataclasses
import json
import pickle
import sys
from pathlib import Path

from hongxing_crawler.cli.verdict import judge
from hongxing_crawler.crawl import CrawlOptions, crawl
from hongxing_crawler.exceptions import HongxingError


def main(profile_path: str, home: str, *changes: str) -> int:
    profile = pickle.loads(Path(profile_path).read_bytes())
    given = {name: json.loads(value) for name, _, value in (c.partition("=") for c in changes)}
    settings = {"HONGXING_BACKOFF_BASE_S": 0.02, "HONGXING_DISK_MIN_BYTES": 0}
    settings |= given.pop("settings", {})
    options = CrawlOptions(home=Path(home), site=profile, delay_s=0.0, settings=settings)
    try:
        result = crawl(dataclasses.replace(options, **given))
    except HongxingError as error:
        code, sentence = judge(error)
        sys.stdout.write(json.dumps({"exit_code": code, "sentence": sentence}) + "\n")
        return int(code)
    sys.stdout.write(json.dumps(dataclasses.asdict(result)) + "\n")
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
