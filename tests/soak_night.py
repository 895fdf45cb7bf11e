"""The real command at another time.

Usage: soak_night.py MOMENT ARGUMENT…

Python's clocks are moved before anything of ours is loaded; the code knows nothing of it. At its
end the process writes into TEST_STATUS_FILE what Linux tells of it, its memory among it: what a
parent learns of a child's (``ru_maxrss``) is at least its own.
"""

import atexit
import os
import sys
from datetime import datetime
from pathlib import Path

import time_machine


def _write_status():
    path = os.environ.get("TEST_STATUS_FILE")
    if path:
        Path(path).write_bytes(Path("/proc/self/status").read_bytes())


if __name__ == "__main__":
    atexit.register(_write_status)
    time_machine.travel(datetime.fromisoformat(sys.argv[1]), tick=True).start()
    del sys.argv[1]

    from hongxing_crawler.cli import main

    sys.exit(main())
