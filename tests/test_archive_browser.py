"""The demo's WACZ in a real browser: imported by pywb, served on loopback, looked at.

``make referees`` builds pywb's environment and says what is missing of the rest. With
HONGXING_SCREENSHOTS=DIR the pictures are kept there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from archive_kit import referee_python
from crawl_kit import crawl, snapshot
from PIL import Image
from pywb_kit import replayed
from report_browser import BROWSER, FLAGS

from hongxing_crawler.demo.site import DemoSite

if BROWSER is None:
    pytest.skip("no browser; apt install chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The rows of a demo crawl, and its package served by pywb after the site has gone."""
    referee_python()
    folder = tmp_path_factory.mktemp("browser")
    with DemoSite() as site:
        ended = crawl(site.profile, folder / "home")
    assert ended.code == 0, ended.log
    command = [
        sys.executable,
        "-m",
        "hongxing_crawler",
        "pack",
        "--home",
        folder / "home",
        "--json",
    ]
    packed = subprocess.run(command, capture_output=True, check=True)
    package = json.loads(packed.stdout)["path"]
    (folder / "config.yaml").write_text("framed_replay: false\n")
    with replayed(folder, "--unpack-wacz", "all", package) as address:
        yield address, snapshot(folder / "home"), folder


def look_at(address, folder, name):
    """Open an address; its text after loading, and a picture of the window."""
    picture = folder / f"{name}.png"
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder}/profile", "--window-size=1000,1400"]
    command += ["--virtual-time-budget=5000"]
    flags = ("--dump-dom", f"--screenshot={picture}")
    text, _ = (
        subprocess.run(
            [*command, flag, address], capture_output=True, timeout=90, check=True
        ).stdout
        for flag in flags
    )
    if target := os.environ.get("HONGXING_SCREENSHOTS"):
        shutil.copy(picture, Path(target))
    return text.decode("utf-8", "replace"), picture


def has_picture(path):
    """Tell whether anything but one colour is on a screenshot."""
    with Image.open(path) as picture:
        return len(picture.convert("RGB").getcolors(maxcolors=1 << 24)) > 500


def test_an_article_with_pictures_opens_as_it_was(shown):
    address, found, folder = shown
    whole = [found[path] for path in sorted(found) if not found[path]["cleaning"]["steps"]]
    row = next(row for row in whole if row["images"] and len(row["article_body"]) > 200)
    moment = row["provenance"]["fetched_at"].replace("-", "").replace(":", "").replace("T", "")
    text, picture = look_at(f"{address}/{moment[:14]}/{row['url']}", folder, "article")

    assert row["headline"] in text
    assert row["article_body"][:20] in text
    assert has_picture(picture)


def test_the_start_page_opens_after_the_site_has_gone(shown):
    address, found, folder = shown
    origin = next(iter(found.values()))["url"].partition("/content")[0]
    text, picture = look_at(f"{address}/{origin}/", folder, "start")

    assert "/channel/" in text
    assert "红星网" in text
    assert has_picture(picture)
