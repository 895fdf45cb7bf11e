"""Find the browser of this machine, and say what to install when there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")  # best first
_PACKAGE = "chromium-headless-shell"
_EXTRA = "hongxing-crawler[browser]"
_TRY_S = 20.0
_NO_SANDBOX = "No usable sandbox"  # Chromium's own words
_SANDBOX_HELP = (
    "the browser cannot start its sandbox, because this user may not make user namespaces;"
    " type: sudo apt install chromium-sandbox"
    " (or allow them: sysctl kernel.unprivileged_userns_clone=1,"
    " kernel.apparmor_restrict_unprivileged_userns=0)"
)


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


def why_not_started(message: str) -> str:
    """Say what to do about a browser that did not start; empty when its words tell nothing."""
    return _SANDBOX_HELP if _NO_SANDBOX in message else ""


def try_browser() -> str:
    """Start the browser once, as a crawl would, and say what is missing or forbids it.

    Takes half a second. Trouble that nobody knows a remedy for is left to the crawl to tell.
    """
    if missing := what_is_missing():
        return missing
    options = ["--headless", "--disable-gpu", *(["--no-sandbox"] if is_root() else [])]
    try:
        done = subprocess.run(  # noqa: S603 - the browser that a crawl would start
            [find_browser(), *options, "--dump-dom", "about:blank"],
            capture_output=True,
            timeout=_TRY_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the browser does not start: {error}"
    return why_not_started(done.stderr.decode("utf-8", "replace"))


class NoBrowserError(Exception):
    """The browser cannot be started on this machine, now or later."""


def is_root() -> bool:
    """Tell whether the browser would have to run without its sandbox, as it does for root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
