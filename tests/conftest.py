"""Fixtures that several tests share."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def hongxing(tmp_path):
    """Start the real command in an empty folder, as an operator or cron would."""

    def start(*arguments, stdin=b"", environment=None, timeout=120):
        mine = {k: v for k, v in os.environ.items() if not k.startswith("HONGXING_")}
        return subprocess.run(
            [sys.executable, "-m", "hongxing_crawler", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=mine | {"PYTHONWARNINGS": "error"} | (environment or {}),
            timeout=timeout,
            check=False,
        )

    return start
