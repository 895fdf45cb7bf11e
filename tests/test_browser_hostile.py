"""What hostile pages cost, and that nothing of the browser outlives the crawl."""

import json
import os
import signal
import time
from dataclasses import replace

import pytest
from browser_kit import is_alive, living, needs_browser
from crawl_kit import crawl, snapshot, start_crawl

from hongxing_crawler.browser.processes import is_browser
from hongxing_crawler.demo.content import DATA_FOLDER, load_site
from hongxing_crawler.demo.site import DemoSite

pytestmark = needs_browser

HOSTILE = sorted(path.stem for path in (DATA_FOLDER / "demo_site" / "hostile").glob("*.html"))
LIST = "/channel/1007.html"
BEHIND = sorted(a.path for a in load_site(1).list_articles("zbfc"))
QUICK = {"HONGXING_BROWSER_TIMEOUT_S": 20}  # the pages beside it need theirs on a busy machine


def profile_of(site, *paths, **more):
    """Some pages of the demo and what is next to them."""
    seeds = tuple(site.www + path for path in paths)
    limits = {"sitemaps": (), "feeds": (), "max_depth": 1, "needs_browser": ("/hostile/",)}
    return replace(site.profile, seeds=seeds, **limits | more)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_costs_its_time_and_the_crawl_goes_on(name, tmp_path):
    home = tmp_path / "home"
    with DemoSite() as site:
        profile = profile_of(site, f"/hostile/{name}.html", LIST, browser=())
        started = time.monotonic()
        with start_crawl(profile, home, browser="auto", settings=QUICK) as process:
            ours = wait_for_browser(process)
            _, log = process.communicate(timeout=120)
        seconds = time.monotonic() - started
    hosts = {site.www.removeprefix("http://"), site.img.removeprefix("http://")}

    assert process.returncode == 0, log
    assert set(BEHIND) <= set(snapshot(home))
    assert peak_bytes(home) < 1 << 30
    assert {request.get_header("Host") for request in site.log} <= hosts
    assert [r.target for r in site.log if r.path.startswith(("/inside/", "/admin/"))] == []
    assert site.counter_calls == []
    assert [pid for pid in ours if is_alive(pid)] == []
    assert seconds < 100  # two tries, and the start of crawl and browser on a busy machine


def test_other_pages_are_asked_for_while_one_is_with_the_browser(tmp_path):
    with DemoSite() as site:
        profile = profile_of(site, "/hostile/miner.html", LIST, browser=())
        settings = {"HONGXING_BROWSER_TIMEOUT_S": 20}
        ended = crawl(profile, tmp_path / "home", browser="auto", settings=settings)
    asked = {request.path: request.at for request in site.log}

    assert ended.code == 0, ended.log
    others = [asked[path] for path in asked if path.startswith(("/channel/", "/topic/"))]
    assert max(others) - asked["/hostile/miner.html"] < 15, "it takes all of its 20 seconds"


def test_a_chain_of_redirects_by_script_ends(tmp_path):
    with DemoSite() as site:
        profile = profile_of(site, "/hostile/redirects.html", max_depth=50)
        profile = replace(profile, never=(*profile.never, "/$|/channel/"))
        ended = crawl(profile, tmp_path / "home", browser="auto", settings=QUICK)
    turns = {request.path for request in site.log if "/turn-" in request.path}

    assert ended.code == 0, ended.log
    assert 1 <= len(turns) <= 3, "a redirect counts as many links"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("name", ["miner", "index"])
def test_no_process_is_left_when_the_crawl_is_ended(name, sign, tmp_path):
    with DemoSite() as site:
        profile = profile_of(site, f"/hostile/{name}.html", browser=())
        with start_crawl(profile, tmp_path / "home", browser="auto") as process:
            ours = wait_for_browser(process)
            os.kill(process.pid, sign)
            process.communicate(timeout=60)
        until = time.monotonic() + 20
        while any(map(is_alive, ours)) and time.monotonic() < until:
            time.sleep(0.1)

    assert [pid for pid in ours if is_alive(pid)] == []


def wait_for_browser(process):
    """Wait until the browser renders; all processes below the crawl."""
    until = time.monotonic() + 40
    while time.monotonic() < until:
        ours = living(process.pid)
        if sum(map(is_browser, ours)) >= 5:
            return ours
        time.sleep(0.1)
    process.kill()
    raise TimeoutError(process.pid)


def peak_bytes(home):
    """The most that the browser's processes held together."""
    run = json.loads(next(home.glob("runs/*/run.json")).read_bytes())
    return run["stats"]["hongxing/browser/memory_peak_byte_count"]
