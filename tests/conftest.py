"""Fixtures that several tests share."""

import os
import subprocess
import sys

import hypothesis
import pytest

# A shared machine stumbles: time is measured in bench, not here.
hypothesis.settings.register_profile("quick", deadline=None)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=3_000)
hypothesis.settings.load_profile("quick")


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
