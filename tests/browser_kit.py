"""A small site whose lists and texts come by script."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from hongxing_crawler.browser.find import what_is_missing
from hongxing_crawler.browser.processes import children_of
from hongxing_crawler.core.profile import BrowserRule, SiteProfile
from hongxing_crawler.demo.message import Reply
from hongxing_crawler.demo.server import Server

needs_browser = pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing() or "there")

TEXTS = {
    f"/content/2024/01/{number:02}/{number}.html": (
        f"全省组织工作第{number}次会议在长沙召开",
        (
            f"全省组织工作第{number}次会议今天在长沙召开，省委常委、组织部部长出席会议并讲话。\n\n"
            f"会议强调，要认真学习第{number}个专题的内容，把各项工作任务落到实处。"
        ),
    )
    for number in range(1, 13)
}
_TRACKERS = """
fetch('/content/visit?id=1'); navigator.sendBeacon('/content/clicks/1', 'x');
fetch('http://127.0.0.1:OTHER/inside'); fetch('http://localhost:OTHER/inside');
new Image().src = 'http://169.254.169.254/latest/meta-data/';
new WebSocket('ws://127.0.0.1:OTHER/socket'); new Image().src = 'http://tracker.example/p.gif';
fetch('/admin/secret.json');
"""
_ADD = """
function add(rows) {
  for (const row of rows) {
    const item = document.createElement('li'), link = document.createElement('a');
    link.href = row.url; link.textContent = row.title; item.append(link);
    document.getElementById('list').append(item);
  }
}
"""
_PAGES = {
    "/list/script.html": _ADD + "fetch('/api/list?page=1').then(r => r.json()).then(add);",
    "/list/endless.html": _ADD
    + """let page = 2, busy = false;
const more = () => { if (busy) return; busy = true;
  fetch('/api/list?page=' + page++).then(r => r.json()).then(rows => { add(rows); busy = false }) };
more(); addEventListener('scroll', more);""",
}
_HTML = (("Content-Type", b"text/html; charset=utf-8"),)
_JSON = (("Content-Type", b"application/json; charset=utf-8"),)
_ROBOTS = b"User-agent: *\nDisallow: /admin/\n"
_ON_A_PAGE = 4


def _page(body: str, script: str = "") -> str:
    head = "<html><head><title>党建网</title></head>"
    return f"{head}<body>{body}<script>{script}</script></body></html>"


class ScriptSite:
    """The site, and a second server beside it that nobody may reach."""

    def __init__(self) -> None:
        self._server = Server(self._answer, ports={"www": 0, "inside": 0})

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def host(self) -> str:
        return self._server.bases["www"].removeprefix("http://")

    @property
    def asked(self) -> list[str]:
        return [request.target for request in self._server.log if request.site == "www"]

    @property
    def asked_inside(self) -> list[str]:
        return [request.target for request in self._server.log if request.site == "inside"]

    def profile(self, **more) -> SiteProfile:
        rules = (BrowserRule("/list/endless", wait_for="#list li", scroll=20),)
        profile = SiteProfile(
            "script",
            hosts=(self.host,),
            seeds=(f"http://{self.host}/",),
            never=("/content/(?:visit|clicks)",),
            article=(r"/content/\d",),
            list=("/list/",),
            list_item=("#list li",),
            browser=rules,
        )
        return replace(profile, **more)

    def _answer(self, request) -> Reply:
        path = request.path
        if path == "/robots.txt":
            return Reply(200, (("Content-Type", b"text/plain"),), _ROBOTS)
        if path == "/api/list":
            return Reply(200, _JSON, json.dumps(self._rows(request.target)).encode())
        html = self._html(path)
        return Reply(200, _HTML, html.encode()) if html else Reply(404, _HTML, b"<h1>404</h1>")

    def _html(self, path: str) -> str:
        if path == "/":
            links = "".join(f"<p><a href='{to}'>{to}</a></p>" for to in _PAGES)
            return f"<html><body><h1>党建网首页</h1>{links}</body></html>"
        if path in _PAGES:
            other = self._server.bases["inside"].rpartition(":")[2]
            script = _PAGES[path] + _TRACKERS.replace("OTHER", other)
            return _page("<div style='height:3000px'><ul id='list'></ul></div>", script)
        if path not in TEXTS:
            return ""
        title, text = TEXTS[path]
        paragraphs = "".join(f"<p>{line}</p>" for line in text.split("\n\n"))
        article = f"<h1>{title}</h1><p>2024-01-02 来源：党建网</p><div>{paragraphs}</div>"
        if path.endswith(("/3.html", "/9.html")):  # a page whose text comes by script
            script = f"document.getElementById('app').innerHTML = {json.dumps(article)}"
            return _page("<div id='app'></div>", script)
        return f"<html><body>{article}</body></html>"

    @staticmethod
    def _rows(target: str) -> list[dict[str, str]]:
        page = int(target.rpartition("=")[2])
        chosen = list(TEXTS)[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE]
        return [{"url": path, "title": TEXTS[path][0]} for path in chosen]


def living(pid: int) -> list[int]:
    """The processes below one that have not ended."""
    return [child for child in children_of(pid) if is_alive(child)]


def is_alive(pid: int) -> bool:
    """Tell a process from one that has ended and waits to be noticed."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
