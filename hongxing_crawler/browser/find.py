"""Find the browser of this machine, and say what to install when there is none."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")  # best first
_PACKAGE = "chromium-headless-shell"
_EXTRA = "hongxing-crawler[browser]"


def find_browser() -> str:
    """Return the path of the browser, empty when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), "")


def what_is_missing() -> str:
    """Say what has to be installed before pages can be rendered; empty when nothing is."""
    if not find_browser():
        return f"no browser is installed; type: sudo apt install {_PACKAGE}"
    if find_spec("scrapy_playwright") is None:
        return f"the Python package scrapy-playwright is missing; type: pip install '{_EXTRA}'"
    return ""


def is_root() -> bool:
    """Tell whether the browser would have to run without its sandbox, as it does for root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
