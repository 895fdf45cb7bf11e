"""The demo site as a running server: which address answers what, in which state."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from hongxing_crawler.core.profile import BrowserRule
from hongxing_crawler.demo import render
from hongxing_crawler.demo.content import DATA_FOLDER, Channel, load_site, with_shared
from hongxing_crawler.demo.dress import BEIJING, add_validators, dress_article, fit_to_client
from hongxing_crawler.demo.faults import Fault, Faults
from hongxing_crawler.demo.message import Reply, Request
from hongxing_crawler.demo.scripted import find_scripted
from hongxing_crawler.demo.seed import render_seed
from hongxing_crawler.demo.server import Server
from hongxing_crawler.sites.profile import load_profile, with_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hongxing_crawler.core.profile import SiteProfile
    from hongxing_crawler.demo.content import Site

COUNTER_RE = re.compile(r"^/content/(?:visit|clicks|star)\b|^/site/\d+$")

_HTML = b"text/html; charset=utf-8"
_LIST_RE = re.compile(r"/channel/(\d+)(?:_(\d+))?\.html")
_DAY_RE = re.compile(r"/channel/(\d{4})/(\d\d)(\d\d)/(\d+)\.html")
_TOPIC_RE = re.compile(r"/topic/(\d+)/(?:index\.html)?")
_ROBOTS = """\
User-agent: *
Disallow: /admin/
Crawl-delay: 0.01
Sitemap: {www}/sitemap.xml
"""
_SMALL_FILES = {
    "/css/site.css": (
        "text/css",
        "body{margin:0}[data-style=scroll] li{height:700px}[hidden]{display:none}",
    ),
    "/admin/login.html": ("text/html; charset=utf-8", "<html><h1>登录</h1></html>"),
}
_ITEM = "#div_newsList li"
_BROWSER_RULES = (
    BrowserRule(r"/channel/1008\.html$", wait_for=_ITEM, scroll=20),
    BrowserRule(r"/channel/1009\.html$", wait_for=_ITEM, click="a.more"),
)
_NOT_FOUND = "<html><head><title>404</title></head><body><h1>404 Not Found</h1></body></html>"


def demo_profile(www_base: str, img_base: str) -> SiteProfile:
    """Point the real site's profile to the demo site's two servers.

    Two lists of the demo have to be asked for more; that a page needs a browser at all is left
    to be found out.
    """
    moves = {"www.hxw.gov.cn": www_base, "img.hxw.gov.cn": img_base}
    profile = with_hosts(load_profile("hongxing"), moves)
    return replace(profile, browser=(*profile.browser, *_BROWSER_RULES))


class DemoSite:
    """Serve the demo site on loopback: ``www`` and ``img`` on a port each.

    >>> with DemoSite() as demo:
    ...     demo.profile.hosts[0] == demo.www.removeprefix("http://")
    True

    Attributes of use to tests: ``log`` (all requests), ``counter_calls`` (requests that a
    polite crawler never makes), ``faults`` (switch them on and off while it runs).
    """

    def __init__(
        self,
        *,
        state: int = 1,
        faults: Iterable[Fault] = (),
        ports: tuple[int, int] = (0, 0),
        folder: Path = DATA_FOLDER / "demo_site",
        shared: bool = False,
    ) -> None:
        self._folder = folder
        self._shared = shared  # pages have blocks in common, see `with_shared`
        self._server = Server(self._answer, ports={"www": ports[0], "img": ports[1]})
        self._cache: dict[tuple[int, str, str], Reply] = {}
        self.faults = Faults()
        self.faults.add(*faults)
        self.switch_to(state)

    @property
    def ports(self) -> tuple[int, int]:
        """The ports of both hosts, while it is served."""
        first, second = (urlsplit(base).port or 0 for base in (self.www, self.img))
        return first, second

    def switch_to(self, state: int) -> None:
        """Change to another state of the site: pages changed, removed and new in state 2."""
        site = load_site(state, self._folder)
        self.state = state
        self.show(with_shared(site) if self._shared else site)

    def show(self, site: Site) -> None:
        """Serve other contents from now on."""
        self._site = site
        self._articles = {
            article.part_path(number): (article, number)
            for article in site.articles
            for number in range(1, len(article.parts) + 1)
        }
        self._cache.clear()

    @property
    def www(self) -> str:
        return self._server.bases["www"]

    @property
    def img(self) -> str:
        return self._server.bases["img"]

    @property
    def profile(self) -> SiteProfile:
        return demo_profile(self.www, self.img)

    @property
    def log(self) -> list[Request]:
        return self._server.log

    @property
    def counter_calls(self) -> list[Request]:
        return [request for request in self.log if COUNTER_RE.search(request.path)]

    def start(self) -> Self:
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer(self, request: Request) -> Reply:
        return self.faults.apply(request, self._answer_rightly)

    def _answer_rightly(self, request: Request) -> Reply:
        key = (self.state, request.site, request.target)
        if key not in self._cache:
            self._cache[key] = self._find_file(request) or self._find_page(request)
        return fit_to_client(self._cache[key], request)

    def _find_file(self, request: Request) -> Reply | None:
        wanted = (request.site, request.path)
        stored = next((f for f in self._site.files if (f.site, f.path) == wanted), None)
        if stored is None:
            return None
        body = (self._folder / "files" / stored.file).read_bytes()
        headers = [("Content-Type", stored.content_type.encode())] if stored.content_type else []
        if stored.disposition:
            value = f'attachment; filename="{stored.disposition}"'.encode("gbk")
            headers.append(("Content-Disposition", value))
        return add_validators(
            Reply(200, tuple(headers), body), datetime(2020, 1, 1, tzinfo=BEIJING)
        )

    def _find_page(self, request: Request) -> Reply:
        path = request.path if request.site == "www" else ""
        if path and (reply := find_scripted(self._site, self._folder, request.target)):
            return replace(reply, body=reply.body.replace(b'"img:/', f'"{self.img}/'.encode()))
        for find in (self._find_article, self._find_listing, self._find_fixed, self._find_odd):
            if reply := find(path):
                return reply
        return _not_found()

    def _find_article(self, path: str) -> Reply | None:
        if path.startswith("/m/") and path[2:] in self._articles:
            return self._html(render.render_mobile(self._articles[path[2:]][0]))
        if path not in self._articles:
            return None
        article, number = self._articles[path]
        if article.verbatim:
            html = render_seed(article, self._folder)
        else:
            html = render.render_article(self._site, article, number)
        reply = self._html(html, article.charset, declare=article.declared == "header")
        return dress_article(reply, article, self.state)

    def _find_listing(self, path: str) -> Reply | None:
        if path in {"/", "/index.html"}:
            return self._html(render.render_home(self._site))
        if match := _LIST_RE.fullmatch(path):
            return self._find_list(int(match[1]), int(match[2] or 1))
        if match := _DAY_RE.fullmatch(path):
            return self._find_day(int(match[4]), "-".join(match.groups()[:3]))
        if match := _TOPIC_RE.fullmatch(path):
            found = [topic for topic in self._site.topics if topic.id == int(match[1])]
            return self._html(render.render_topic(self._site, found[0])) if found else None
        return None

    def _find_channel(self, channel_id: int) -> Channel | None:
        return next((c for c in self._site.channels if c.id == channel_id), None)

    def _find_list(self, channel_id: int, number: int) -> Reply | None:
        channel = self._find_channel(channel_id)
        items = self._site.list_articles(channel.key) if channel else []
        if not channel or (number > 1 and (number - 1) * render.PAGE_SIZE >= len(items)):
            return None
        return self._html(render.render_list(self._site, channel, number, items))

    def _find_day(self, channel_id: int, day: str) -> Reply | None:
        channel = self._find_channel(channel_id)
        if not channel:
            return None
        items = [a for a in self._site.list_articles(channel.key) if a.date.startswith(day)]
        return self._html(render.render_list(self._site, channel, 1, items))

    def _find_fixed(self, path: str) -> Reply | None:
        if path in _SMALL_FILES:
            return _text(*_SMALL_FILES[path])
        if COUNTER_RE.search(path):
            return _text("application/json", "1")
        makers = {
            "/robots.txt": ("text/plain", self._make_robots),
            "/sitemap.xml": ("application/xml", self._make_sitemap),
            "/rss.xml": ("application/rss+xml", self._make_feed),
            "/content/list/channel": ("application/json", self._make_script_list),
        }
        kind, make = makers.get(path, ("", str))
        return _text(kind, make()) if kind else None

    def _make_robots(self) -> str:
        return _ROBOTS.format(www=self.www)

    def _make_sitemap(self) -> str:
        return render.render_sitemap(self.www, self._site.list_articles())

    def _make_feed(self) -> str:
        return render.render_feed(self.www, self._site.list_articles()[:20])

    def _find_odd(self, path: str) -> Reply | None:
        if path in self._site.redirects:
            return Reply(301, (("Location", self._site.redirects[path].encode()),))
        if path in self._site.soft_404:
            return self._html(render.render_home(self._site))
        return None

    def _make_script_list(self) -> str:
        scripted = {channel.key for channel in self._site.channels if channel.style == "script"}
        items = [a for a in self._site.list_articles() if a.channel in scripted]
        rows = [
            {"title": a.headline, "contentUrl": self.www + a.path, "publishTimeStr": a.date[:16]}
            for a in items
        ]
        return json.dumps(rows, ensure_ascii=False)

    def _html(self, html: str, charset: str = "utf-8", *, declare: bool = True) -> Reply:
        html = html.replace('"img:/', f'"{self.img}/').replace('"www:/', f'"{self.www}/')
        html = html.replace('"old:/', '"http://www.hnredstar.gov.cn/')
        kind = f"text/html; charset={charset}" if declare else "text/html"
        return Reply(200, (("Content-Type", kind.encode()),), html.encode(charset))


def _not_found() -> Reply:
    return Reply(404, (("Content-Type", _HTML),), _NOT_FOUND.encode())


def _text(kind: str, text: str) -> Reply:
    return Reply(200, (("Content-Type", kind.encode()),), text.encode())
