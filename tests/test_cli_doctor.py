"""Each thing that hongxing doctor looks at, sound and broken, on real servers and files."""

import json
import shutil
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.lock import Holder, hold


@pytest.fixture
def home(demo_home, tmp_path):
    return Path(shutil.copytree(demo_home, tmp_path / "home"))


class Site:
    """A site whose robots.txt, status and clock a test decides on."""

    def __init__(self):
        self.robots, self.status, self.ahead, self.wait_s = b"", 200, timedelta(), 0.0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                time.sleep(site.wait_s)
                self.send_response_only(site.status)
                self.send_header("Date", format_datetime(datetime.now(UTC) + site.ahead, True))
                self.send_header("Content-Length", str(len(site.robots)))
                self.end_headers()
                self.wfile.write(site.robots)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site():
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def doctor(hongxing, home, site, tmp_path):
    """Run doctor on the home and the site; the checks by name, and how it ended."""

    def run(host=None, **environment):
        host = host or site.host
        path = tmp_path / "site.toml"
        path.write_text(f'name = "hongxing"\nhosts = ["{host}"]\nseeds = ["http://{host}/"]\n')
        environment = {"HONGXING_SITE": str(path), "HONGXING_HOME": str(home)} | environment
        done = hongxing("doctor", "--json", environment=environment)
        answer = json.loads(done.stdout)
        return done.returncode, {check["name"]: check for check in answer["checks"]}

    return run


def test_a_sound_machine_passes(doctor, site):
    site.robots = b"User-agent: *\nCrawl-delay: 2\n"
    code, checks = doctor()

    assert code == ExitCode.OK
    names = ("python", "packages", "settings", "home", "permissions", "disk", "lock", "state")
    for name in (*names, "DNS", "site", "clock", "robots"):
        assert checks[name]["grade"] in {"ok", "warn"}, checks[name]
    assert "2 s apart" in checks["robots"]["found"]
    assert checks["alerts"]["grade"] == "warn"  # the tests name nobody


def test_everything_that_is_not_well_has_its_remedy(doctor, site):
    site.ahead = timedelta(hours=2)
    site.robots = b"User-agent: *\nDisallow: /\n"
    code, checks = doctor(HONGXING_HOEM="x")

    assert code == ExitCode.CONFIG
    assert {name for name, check in checks.items() if check["grade"] == "fail"} == {
        "settings",
        "clock",
        "robots",
    }
    assert all(check["advice"] for check in checks.values() if check["grade"] != "ok")
    assert "did you mean HONGXING_HOME" in checks["settings"]["found"]
    assert "behind the site" in checks["clock"]["found"]


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_site_that_refuses_may_do_so_for_a_while(doctor, site, status):
    site.status = status
    code, checks = doctor()

    assert code == ExitCode.TEMPORARY
    assert str(status) in checks["site"]["found"]


def test_a_site_without_robots_may_be_asked(doctor, site):
    site.status = 404
    code, checks = doctor()

    assert (code, checks["robots"]["grade"]) == (ExitCode.OK, "ok")


def test_a_site_that_hangs_holds_nobody_up(doctor, site):
    site.wait_s = 60
    started = time.monotonic()
    code, checks = doctor()

    assert code == ExitCode.TEMPORARY
    assert checks["site"]["grade"] == "fail"
    assert time.monotonic() - started < 30


def test_a_site_that_is_away(doctor):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code, checks = doctor(f"127.0.0.1:{port}")
    unknown, named = doctor("nowhere.invalid")

    assert code == unknown == ExitCode.TEMPORARY
    assert "refused" in checks["site"]["found"]
    assert "nowhere.invalid" in named["DNS"]["found"]


@pytest.mark.parametrize(
    ("keep", "words"), [(0, "cut short"), (5_000, "cut short")], ids=["empty", "short"]
)
def test_a_state_that_is_cut_short(doctor, home, keep, words):
    path = home / "state.sqlite"
    path.write_bytes(path.read_bytes()[:keep])
    code, checks = doctor()

    assert code == ExitCode.CONFIG
    assert words in checks["state"]["found"]
    assert checks["state"]["advice"]


def test_a_state_with_damaged_pages(doctor, home):
    path = home / "state.sqlite"
    data = bytearray(path.read_bytes())
    data[40_960 : len(data) // 2] = b"\xff" * (len(data) // 2 - 40_960)
    path.write_bytes(data)
    code, checks = doctor()

    assert code == ExitCode.CONFIG
    assert "hongxing reprocess" in checks["state"]["found"] + checks["state"]["advice"]


def test_a_home_at_work_is_no_trouble(doctor, home):
    with hold(home / "lock", Holder("a test, process 1", "", "2026-11-23T01:00:00Z")):
        code, checks = doctor()

    assert code == ExitCode.OK
    assert "in use by a test, process 1" in checks["lock"]["found"]


def test_a_home_that_cannot_be_written(doctor, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    code, checks = doctor(HONGXING_HOME="/proc/hongxing")

    assert code == ExitCode.CONFIG
    assert checks["permissions"]["grade"] == "fail"
    assert "--home" in checks["permissions"]["advice"]
