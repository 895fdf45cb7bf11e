"""The real command at another time.

Usage: soak_night.py MOMENT ARGUMENT…

Python's clocks are moved before anything of ours is loaded; the code knows nothing of it.
"""

import sys
from datetime import datetime

import time_machine

if __name__ == "__main__":
    time_machine.travel(datetime.fromisoformat(sys.argv[1]), tick=True).start()
    del sys.argv[1]

    from hongxing_crawler.cli import main

    sys.exit(main())
