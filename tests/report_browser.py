"""Open a page of ours in a real browser and listen to what it complains of."""

import shutil
import subprocess

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
]
BROWSER = shutil.which("chromium") or shutil.which("chromium-headless-shell")


def open_page(path, folder, *more):
    """Load the file; returns (DOM after loading, what the console said)."""
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder}/profile", "--enable-logging=stderr"]
    command += ["--dump-dom", *more, path.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    log = done.stderr.decode("utf-8", "replace").splitlines()
    return done.stdout.decode("utf-8"), [line for line in log if "CONSOLE" in line]
