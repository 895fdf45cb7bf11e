"""Fixtures that several tests share."""

import os
import subprocess
import sys

import hypothesis
import pytest
from gateway import INSTALL, Gateway, find_missing

# A shared machine stumbles: time is measured in bench, not here.
hypothesis.settings.register_profile("quick", deadline=None)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=3_000)
hypothesis.settings.load_profile("quick")


@pytest.fixture
def hongxing(tmp_path):
    """Start the real command in an empty folder, as an operator or cron would."""

    def start(*arguments, stdin=b"", environment=None, timeout=120):
        mine = {k: v for k, v in os.environ.items() if not k.startswith("HONGXING_")}
        mine["HONGXING_BROWSER"] = "off"  # a demo with one takes four times as long
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


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory):
    """A home after one demo, to be copied by those who change it."""
    folder = tmp_path_factory.mktemp("红星 home")
    command = [sys.executable, "-m", "hongxing_crawler", "demo", "--home", "home", "-q"]
    without = os.environ | {"HONGXING_BROWSER": "off"}
    subprocess.run(command, cwd=folder, env=without, timeout=120, check=True)
    return folder / "home"


@pytest.fixture
def memory_bucket(monkeypatch):
    """An S3 server in memory, for the logic of uploads; its contract is tested on a real one."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    from upload_kit import memory_server

    with memory_server() as running:
        yield running


@pytest.fixture
def small_home(tmp_path):
    """A home with one small run, queued for upload."""
    from upload_kit import SmallHome

    home = SmallHome(tmp_path / "home")
    home.crawl()
    yield home
    home.close()


@pytest.fixture(scope="session")
def gateway(request, tmp_path_factory):
    """A real S3 server with an empty store, http and https; each test makes its own bucket."""
    yield from _run_gateway(request, tmp_path_factory.mktemp("gateway"))


@pytest.fixture
def own_gateway(request, tmp_path_factory):
    """A real S3 server for one test, which may kill it."""
    yield from _run_gateway(request, tmp_path_factory.mktemp("own-gateway"))


def _run_gateway(request, folder):
    if missing := find_missing():
        reason = f"no S3 server to test with: {', '.join(missing)} missing; {INSTALL}"
        if _is_gateway_required():
            pytest.fail(reason)
        pytest.skip(reason)
    gateway = Gateway(folder)
    failed_before = request.session.testsfailed
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.wipe()
        if request.session.testsfailed > failed_before:
            sys.stderr.write(f"\nlogs of the S3 server: {gateway.log}\n")


def _is_gateway_required():
    """In CI a missing server is a failure, unless .ci/run could not install one and said so."""
    default = "required" if os.environ.get("CI") == "true" else "optional"
    return os.environ.get("TEST_GATEWAY", default) == "required"
