"""Take a page down in a process of its own that kills itself at its n-th change of the disk.

Usage: takedown_child.py HOME N; with N = 0 it counts the changes and prints how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from takedown_kit import REASON, SECRET, now

from hongxing_crawler.store.home import Home
from hongxing_crawler.takedown.carry_out import resume
from hongxing_crawler.takedown.plan import Order, take_down

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"}
_WRITING = os.O_WRONLY | os.O_RDWR


def main(folder: str, number: str) -> None:
    home, last = Home(Path(folder)), int(number)
    count = 0

    def watch(event, arguments):
        nonlocal count
        written = event == "open" and bool((arguments[2] or 0) & _WRITING)
        if event in _CHANGES or written:
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    if (home.takedown / "journal.json").exists():
        resume(home, now)
    else:
        take_down(home, Order((SECRET,), REASON, "馆长", with_media=True), now)
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
