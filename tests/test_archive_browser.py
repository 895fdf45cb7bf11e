"""The demo's archive in a real browser: imported by pywb, served on loopback, looked at.

The crawl has a browser too, so lists that a script fills are in it; the site has gone when they are
looked at, and the browser that looks can reach nothing but pywb.

``make referees`` builds pywb's environment and says what is missing of the rest. With
HONGXING_SCREENSHOTS=DIR the pictures are kept there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from archive_kit import referee_python
from crawl_kit import crawl, snapshot
from PIL import Image
from pywb_kit import replayed
from report_browser import BROWSER, FLAGS

from hongxing_crawler.demo.content import load_site
from hongxing_crawler.demo.site import DemoSite

SITE = load_site(1)

if BROWSER is None:
    pytest.skip("no browser; apt install chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A home that a crawl of the demo with a browser left, after the site has gone."""
    referee_python()
    folder = tmp_path_factory.mktemp("browser")
    with DemoSite() as site:
        ended = crawl(site.profile, folder / "home", browser="auto")
    assert ended.code == 0, ended.log
    return folder


@pytest.fixture(scope="module", params=["package", "files"])
def shown(request, folder, tmp_path_factory):
    """Serve the archive by pywb: its address, the rows, and a folder for pictures."""
    work = tmp_path_factory.mktemp(request.param)
    (work / "config.yaml").write_text("framed_replay: false\n")
    added = ("--unpack-wacz", "all", pack(folder))
    if request.param == "files":
        added = ("all", *sorted(folder.glob("home/warc/*.warc.gz")))
    with replayed(work, *added) as address:
        yield address, snapshot(folder / "home"), work


def pack(folder):
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
    return json.loads(packed.stdout)["path"]


def origin_of(found):
    """The site that has gone, as it stands in the rows."""
    parts = urlsplit(next(iter(found.values()))["url"])
    return f"{parts.scheme}://{parts.netloc}"


def look_at(address, folder, name):
    """Open an address; its text after loading, and a picture of the window."""
    picture = folder / f"{name}.png"
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder}/profile", "--window-size=1000,1400"]
    command += ["--virtual-time-budget=5000"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
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
    rows = [found[path] for path in sorted(found)]
    whole = [row for row in rows if not any(step["edits"] for step in row["cleaning"]["steps"])]
    row = next(row for row in whole if row["images"] and len(row["article_body"]) > 200)
    moment = row["provenance"]["fetched_at"].replace("-", "").replace(":", "").replace("T", "")
    text, picture = look_at(f"{address}/{moment[:14]}/{row['url']}", folder, "article")

    assert row["headline"] in text
    assert row["article_body"][:20] in text
    assert has_picture(picture)


def test_the_start_page_opens_after_the_site_has_gone(shown):
    address, found, folder = shown
    origin = origin_of(found)
    text, picture = look_at(f"{address}/{origin}/", folder, "start")

    assert "/channel/" in text
    assert "红星网" in text
    assert has_picture(picture)


@pytest.mark.parametrize("channel", [1007, 1008, 1009])
def test_a_list_that_a_script_fills_is_filled_in_replay(shown, channel):
    address, found, folder = shown
    origin = origin_of(found)
    key, style = next((c.key, c.style) for c in SITE.channels if c.id == channel)
    articles = SITE.list_articles(key)
    text, picture = look_at(f"{address}/{origin}/channel/{channel}.html", folder, f"list{channel}")
    items = re.findall(r'<li><a href="([^"]+)">([^<]+)</a>', text.partition("div_newsList")[2])
    shown_first = {"fetch": 10, "scroll": 2, "more": 1}[style]

    assert [title for _, title in items] == [a.headline for a in articles[:shown_first]]
    assert [a.path in link for (link, _), a in zip(items, articles, strict=False)].count(False) == 0
    assert has_picture(picture)


def test_an_article_that_a_script_writes_is_written_in_replay(shown):
    address, found, folder = shown
    article = next(a for a in SITE.articles if a.template == "app")
    text, picture = look_at(f"{address}/{found[article.path]['url']}", folder, "app")

    assert text.count(article.blocks[0].read_text()) == 1
    assert has_picture(picture)
