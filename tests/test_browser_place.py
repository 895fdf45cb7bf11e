"""Where the browser lives: on machines without one, without a network, as a user without rights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browser_kit import TEXTS, needs_browser
from crawl_kit import crawl, snapshot
from observer_kit import Observer

from hongxing_crawler.browser.find import find_browser
from hongxing_crawler.browser.launch import launch_options
from hongxing_crawler.core.profile import BrowserRule, SiteProfile

HOST = "www.dang.cn"
SITE = f"http://{HOST}"
# Every way out that a page knows; the hosts are nobody's.
OUT = """
<link rel=stylesheet href="http://style.cn/a.css"><link rel=preconnect href="http://connect.cn/">
<link rel=prefetch href="http://prefetch.cn/x"><link rel=dns-prefetch href="//dns.cn/">
<script src="http://cdn.cn/x.js"></script><iframe src="http://frame.cn/"></iframe>
<img src="http://picture.cn/p.gif"><video src="http://film.cn/a.mp4" autoplay muted></video>
<object data="http://object.cn/x.swf"></object>
<form id=f action="http://form.cn/" target=_blank></form>
<script>
const worker = code => new Worker(URL.createObjectURL(new Blob([code])));
for (const act of [
  () => fetch("http://tracker.cn/fetch"),
  () => navigator.sendBeacon("http://tracker.cn/beacon", "x"),
  () => fetch("/content/visit?id=1"), () => navigator.sendBeacon("/content/clicks/1", "x"),
  () => { new Image().src = "/content/star/1" }, () => { const x = new XMLHttpRequest();
    x.open("POST", "http://tracker.cn/xhr"); x.send("x") },
  () => new WebSocket("ws://socket.cn/"), () => new EventSource("http://events.cn/"),
  () => worker("fetch('http://worker.cn/fetch')"), () => worker("importScripts('http://worker.cn/x.js')"),
  () => navigator.serviceWorker.register("/sw.js"), () => import("http://module.cn/x.mjs"),
  () => document.fonts.add(new FontFace("x", "url(http://font.cn/x.woff)").load()),
  () => window.open("http://popup.cn/"), () => document.getElementById("f").submit(),
  () => {
    new RTCPeerConnection({iceServers: [{urls: "stun:stun.cn:3478"}]}).createDataChannel("x") },
  () => setTimeout(() => { location = "http://elsewhere.cn/" }, 400),
]) { try { const r = act(); if (r && r.catch) r.catch(() => 0) } catch (e) {} }
</script>
"""
FILL = """<ul id=list></ul><script>
fetch("/api/list").then(r => r.json()).then(rows => rows.forEach(row => {
  const a = document.createElement("a"); a.href = row.url; a.textContent = row.title;
  document.getElementById("list").append(a) }))</script>"""


def answer(url):
    """The site on its host; whatever is asked of others succeeds, so that it is not asked twice."""
    path = url.removeprefix(SITE)
    if path == "/robots.txt":
        return 404, "text/plain", b""
    if path == "/api/list":
        rows = [{"url": path, "title": title} for path, (title, _) in TEXTS.items()]
        return 200, "application/json", json.dumps(rows).encode()
    if path in TEXTS:
        title, text = TEXTS[path]
        html = f"<h1>{title}</h1><p>2024-01-02 来源：党建网</p><p>{text}</p>{OUT}"
    elif path in {"/", "/list/1.html"}:
        html = f"<h1>党建网</h1>{FILL}{OUT}"
    else:
        return 200, "text/plain", b"x"
    return 200, "text/html; charset=utf-8", f"<html><body>{html}</body></html>".encode()


PROFILE = SiteProfile(
    "dang",
    hosts=(HOST,),
    seeds=(f"{SITE}/", f"{SITE}/list/1.html"),
    never=("/content/(?:visit|clicks|star)",),
    article=(r"/content/\d",),
    list=("/list/",),
    browser=(BrowserRule("."),),
)


@needs_browser
def test_no_request_of_crawler_or_browser_leaves_the_scope(tmp_path, monkeypatch):
    with Observer(answer) as observer:
        for name, value in observer.environment().items():
            monkeypatch.setenv(name, value)
        ended = crawl(PROFILE, tmp_path / "home", browser="auto")
    counters = [
        url for url in observer.asked if url.startswith(f"{SITE}/content/") and "/20" not in url
    ]

    assert ended.code == 0, ended.log
    assert sorted(snapshot(tmp_path / "home")) == sorted(TEXTS)
    assert observer.hosts == {HOST}
    assert counters == []


@needs_browser
def test_the_observer_sees_what_a_browser_of_its_own_asks_for(tmp_path):
    """Without this, silence would prove nothing."""
    command = [find_browser(), "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}"]
    with Observer(answer) as observer:
        place = [f"--proxy-server={observer.address}", "--timeout=4000", "--dump-dom"]
        subprocess.run(
            [*command, *place, f"{SITE}/list/1.html"], capture_output=True, check=False, timeout=60
        )

    assert {HOST, "tracker.cn", "cdn.cn", "frame.cn", "style.cn"} <= observer.hosts
    assert any("/content/visit" in url for url in observer.asked)


def test_js_without_a_browser_ends_with_one_sentence_and_the_remedy(hongxing, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = hongxing(
        "crawl",
        "generic",
        "--seed",
        "http://127.0.0.1:1/",
        "--js",
        environment={"PATH": str(empty)},
    )

    assert done.returncode == 4
    assert done.stdout == b""
    assert done.stderr.decode() == (
        "hongxing: --js: no browser is installed; type: sudo apt install chromium-headless-shell\n"
    )
    assert not (tmp_path / "var").exists()


# Nobody, who may still read this tree: a user of the crawler's own would have one that it may read.
AS_NOBODY = (
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
)  # fmt: skip


def why_not_nobody():
    """Say why this machine cannot try a user without rights; empty when it can."""
    if os.geteuid() != 0:
        return "only root can become another user"
    if not (shutil.which("setpriv") and shutil.which("unshare")):
        return "setpriv or unshare is missing; install util-linux"
    if subprocess.run(
        [*AS_NOBODY, "unshare", "-U", "true"], capture_output=True, check=False
    ).returncode:
        return "user namespaces are forbidden here"
    return ""


needs_nobody = pytest.mark.skipif(bool(why_not_nobody()), reason=why_not_nobody() or "can")


def crawl_as_nobody(folder, path=""):
    """Crawl the site through the observer; the result of the crawl and what it logged."""
    os.chown(folder, 65534, 65534)
    code = (
        "import json, pathlib, test_browser_place as place;"
        f"home = pathlib.Path({str(folder / 'home')!r});"
        "ended = place.crawl(place.PROFILE, home, browser='auto');"
        "print(json.dumps([ended.code, ended.result, ended.log]))"
    )
    tests = str(Path(__file__).parent)
    with Observer(answer) as observer:
        environment = os.environ | observer.environment()
        environment |= {"PATH": f"{path}:{os.environ['PATH']}", "HOME": str(folder)}
        environment |= {"PYTHONPATH": tests, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder)}
        done = subprocess.run(
            [*AS_NOBODY, sys.executable, "-c", code],
            capture_output=True,
            env=environment,
            cwd=folder,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture
def open_folder(tmp_path):
    """A folder that nobody can reach: pytest's own are for their owner alone."""
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    return tmp_path


@needs_browser
@needs_nobody
def test_a_user_without_rights_crawls_in_the_sandbox(open_folder):
    code, result, log = crawl_as_nobody(open_folder)

    assert code == 0, log
    assert sorted(snapshot(open_folder / "home")) == sorted(TEXTS)
    assert "without its sandbox" not in log
    assert not any("browser" in line and "stand as" in line for line in result["warnings"])


@needs_browser
@needs_nobody
def test_a_sandbox_that_cannot_start_is_named_once_with_its_remedy(open_folder):
    shell = open_folder / "bin" / "chromium-headless-shell"
    shell.parent.mkdir()
    shell.write_text(f'#!/bin/sh\nexec unshare -U {find_browser()} "$@"\n')  # no more namespaces
    shell.chmod(0o755)
    code, result, log = crawl_as_nobody(open_folder, shell.parent)

    (told,) = [line for line in result["warnings"] if "sandbox" in line]

    assert code == 0, log
    assert told == (
        "pages need a browser, and the browser cannot start its sandbox, because this user may not"
        " make user namespaces; type: sudo apt install chromium-sandbox (or allow them: sysctl"
        " kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)"
    )
    assert log.count("cannot start its sandbox") == 1


def test_the_sandbox_is_off_for_root_alone(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    others = launch_options()["chromium_sandbox"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert (others, launch_options()["chromium_sandbox"]) == (True, False)
