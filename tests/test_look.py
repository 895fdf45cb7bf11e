"""What a home holds, and what a run would ask, without touching it."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hongxing_crawler.exit_codes import ExitCode

MODULE = [sys.executable, "-m", "hongxing_crawler"]


@pytest.fixture
def home(demo_home, tmp_path):
    return Path(shutil.copytree(demo_home, tmp_path / "home"))


def digests(home):
    helpers = (".sqlite-shm", ".sqlite-wal")
    files = (p for p in home.rglob("*") if p.is_file() and not p.name.endswith(helpers))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def profile(home, tmp_path):
    """The demo's site as a file, with its seeds alone."""
    first, _ = json.loads((home / "demo-ports.json").read_text())
    path = tmp_path / "hongxing.toml.site"
    host = f"127.0.0.1:{first}"
    path.with_suffix(".toml").write_text(
        f'name = "hongxing"\nhosts = ["{host}"]\nseeds = ["http://{host}/"]\n'
    )
    return path.with_suffix(".toml")


def test_a_dry_run_says_what_would_be_asked_and_changes_nothing(home, profile, hongxing):
    before = digests(home)
    done = hongxing("crawl", profile, "--home", home, "--dry-run", "--json")
    full = hongxing("crawl", profile, "--home", home, "--dry-run", "--json", "--full")

    assert done.returncode == full.returncode == ExitCode.OK, done.stderr
    due, everything = json.loads(done.stdout), json.loads(full.stdout)
    assert due["kinds"]["seed"] >= 1
    assert due["kinds"].get("article", 0) < everything["kinds"]["article"]
    assert everything["urls"] == sum(everything["kinds"].values())
    assert due["first"][0]["url"].startswith("http://127.0.0.1:")
    assert digests(home) == before


def test_a_dry_run_that_is_followed_by_a_run_was_right(home, hongxing):
    """What stands pending after a limit is what the dry run names, and the next run asks."""
    hongxing("demo", "--home", home, "--full", "--max-pages", "5", "-q")
    (host, _) = json.loads((home / "demo-ports.json").read_text())
    seed = f"http://127.0.0.1:{host}/"
    site = home.parent / "site.toml"
    site.write_text(f'name = "hongxing"\nhosts = ["127.0.0.1:{host}"]\nseeds = ["{seed}"]\n')
    waiting = json.loads(hongxing("status", "--home", home, "--json").stdout)["urls"]["pending"]

    asked = json.loads(hongxing("crawl", site, "--home", home, "--dry-run", "--json").stdout)

    assert waiting <= asked["urls"] <= waiting + 30  # and the lists, which are due every time


def test_a_dry_run_before_the_first_run_makes_no_home(hongxing, tmp_path):
    done = hongxing("crawl", "--home", tmp_path / "new", "--dry-run")

    assert done.returncode == ExitCode.OK
    assert b"https://www.hxw.gov.cn/" in done.stdout
    assert not (tmp_path / "new").exists()


def test_a_dry_run_of_another_site_is_refused_like_a_run(home, hongxing):
    done = hongxing("crawl", "generic", "--seed", "http://x.test/", "--home", home, "--dry-run")

    assert done.returncode == ExitCode.CONFIG
    assert b"holds the site hongxing" in done.stderr


def test_a_dry_run_tells_nobody(home, profile, hongxing):
    alerts = {"HONGXING_ALERTS_ON_SUCCESS": f"touch {home / 'told'}"}
    hongxing("crawl", profile, "--home", home, "--dry-run", environment=alerts)

    assert not (home / "told").exists()


def test_status_tells_the_last_success_and_the_next_page_that_is_due(home, hongxing):
    look = json.loads(hongxing("status", "--home", home, "--json").stdout)
    shown = hongxing("status", "--home", home).stdout.decode()

    assert look["last_success_at"] == look["last_runs"][-1]["ended_at"]
    assert look["next_due_at"]
    assert look["findings"] == {}
    assert "last success" in shown


def test_status_tells_what_monitors_found(hongxing, tmp_path):
    gated = {"HONGXING_MONITORS_SHORT_SHARE": "0.0001"}  # the demo has an article of pictures
    refused = hongxing("demo", "--home", "home", "-q", environment=gated)
    look = json.loads(hongxing("status", "--home", "home", "--json").stdout)
    shown = hongxing("status", "--home", "home").stdout.decode()

    assert refused.returncode == ExitCode.QUALITY
    assert look["last_success_at"] is None
    assert "short" in look["findings"]
    assert f"monitor short: {look['findings']['short']}" in shown


def test_status_imports_no_framework():
    script = (
        "import sys; from hongxing_crawler.cli import main; main(['status', '--home', 'x']);"
        "import hongxing_crawler.upkeep.look;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    heavy = {"scrapy", "twisted", "aiohttp", "boto3", "jinja2", "PIL"}
    assert heavy & set(done.stdout.decode().split()) == set()
