"""``python -m hongxing_crawler`` is ``hongxing``."""

import sys

from hongxing_crawler.cli import main

sys.exit(main())
