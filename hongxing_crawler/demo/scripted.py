"""What the demo site gives to scripts: lists and articles as JSON, the scripts, hostile pages."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from hongxing_crawler.demo.message import Reply
from hongxing_crawler.demo.render import render_body

if TYPE_CHECKING:
    from pathlib import Path

    from hongxing_crawler.demo.content import Article, Site

_LIST = "/data/list"
_ARTICLE_RE = re.compile(r"/data/article/(\d+)\.json")
_SCRIPT_RE = re.compile(r"/js/([a-z]+)\.js")
_HOSTILE_RE = re.compile(r"/hostile/(?:([a-z]+)\.html)?")
_TURN_RE = re.compile(r"/hostile/turn-\d+\.html")  # each leads to the next
_ZIP = b"PK\5\6" + bytes(18)  # an archive with nothing in it
_ITEMS_MAX = 50


def find_scripted(site: Site, folder: Path, target: str) -> Reply | None:
    """Answer what scripts of the site's pages ask for, and the pages that only harm.

    Args:
        site: The contents that are served.
        folder: ``data/demo_site``.
        target: Path and query as asked for on the ``www`` host.
    """
    path = urlsplit(target).path
    if path == _LIST:
        return _list_items(site, parse_qs(urlsplit(target).query))
    if match := _ARTICLE_RE.fullmatch(path):
        return _find_article(site, int(match[1]))
    if match := _SCRIPT_RE.fullmatch(path):
        return _file(folder / "scripts" / f"{match[1]}.js", "application/javascript")
    return _find_hostile(folder / "hostile", path)


def _list_items(site: Site, asked: dict[str, list[str]]) -> Reply | None:
    """Give one page of a hidden channel, newest first; empty after the last."""
    try:
        channel, number, size = (int(asked[name][0]) for name in ("channel", "page", "size"))
    except (KeyError, ValueError):
        return None
    found = next((c for c in site.channels if c.id == channel and c.is_hidden), None)
    if found is None or number < 1 or not 0 < size <= _ITEMS_MAX:
        return None
    items = site.list_articles(found.key)[(number - 1) * size : number * size]
    return _json([{"title": a.headline, "url": a.path, "time": a.date[:16]} for a in items])


def _find_article(site: Site, article_id: int) -> Reply | None:
    article = next((a for a in site.articles if a.id == article_id), None)
    return _json(_describe(article)) if article and article.template == "app" else None


def _describe(article: Article) -> dict[str, str]:
    return {
        "title": article.headline,
        "time": article.date,
        "source": article.source,
        "author": article.author,
        "html": str(render_body(article, article.blocks, "")),
        "video": article.video,
    }


def _find_hostile(folder: Path, path: str) -> Reply | None:
    if path == "/hostile/update.zip":
        disposition = ("Content-Disposition", b'attachment; filename="update.zip"')
        return Reply(200, (("Content-Type", b"application/zip"), disposition), _ZIP)
    if _TURN_RE.fullmatch(path):
        return _file(folder / "redirects.html", "text/html; charset=utf-8")
    match = _HOSTILE_RE.fullmatch(path)
    if not match:
        return None
    return _file(folder / f"{match[1] or 'index'}.html", "text/html; charset=utf-8")


def _file(path: Path, kind: str) -> Reply | None:
    body = _read(path)
    return Reply(200, (("Content-Type", kind.encode()),), body) if body else None


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _json(value: object) -> Reply:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(200, (("Content-Type", b"application/json; charset=utf-8"),), body)
