"""``python -m hongxing_crawler.demo FOLDER [PORT]``: serve the files below a folder on loopback.

A process of its own, so that the server's time does not count as the crawler's. It prints its
base URL, and serves until its standard input closes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hongxing_crawler.demo.pages import serve_folder


def main() -> None:
    folder = Path(sys.argv[1])
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with serve_folder(folder, port=port) as server:
        sys.stdout.write(f"{server.bases['www']}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
