"""What can go wrong between a server and us, to be switched on for some addresses or all."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from hongxing_crawler.demo.message import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[Request], Reply]

_HTML = ("Content-Type", b"text/html; charset=utf-8")
_HUGE_BYTES = 50_000_000
_BOMB_BYTES = 200_000_000
_NESTED_TAGS = 100_000
_HOSTILE_LINKS = (
    "file:///etc/passwd",
    "http://127.0.0.1:9/content/2020/01/01/1.html",
    "http://localhost/content/2020/01/01/2.html",
    "http://[::1]/content/2020/01/01/3.html",
    "http://169.254.169.254/latest/meta-data/",
    "http://user@www.hxw.gov.cn/content/2020/01/01/4.html",
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://127.0.0.1/content/2020/01/01/5.html",
    "//169.254.169.254/content/2020/01/01/6.html",
    "http://0x7f000001/content/2020/01/01/7.html",
    "http://www.hxw.gov.cn:99999/content/2020/01/01/8.html",
    "http://[bad/content/2020/01/01/9.html",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Kinds: ``slow`` (pause of ``delay_s``), ``reset`` (after ``after_bytes``), ``status``
    (answer ``status``, with ``retry_after`` when given), ``truncate`` (half the body, then the
    connection ends), ``wrong_length`` (a Content-Length 100 too small), ``redirect_loop``,
    ``endless_pager``, ``gzip_bomb``, ``huge`` (50 MB), ``deep`` (100,000 nested tags), ``nul``,
    ``hostile_links``, ``empty``.
    """

    kind: str
    pattern: str = ""  # regular expression searched in path and query; empty: everything
    times: int = 0  # how often; 0: until it is switched off
    each: bool = False  # ``times`` counts for each address by itself
    delay_s: float = 1.0
    after_bytes: int = 0
    status: int = 500
    retry_after: str = ""


@dataclass(slots=True)
class Faults:
    """The faults that are on, in order; the first that fits a request is applied."""

    active: list[Fault] = field(default_factory=list)
    _used: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, *faults: Fault) -> None:
        for fault in faults:
            if fault.kind not in _MAKERS:
                raise ValueError(f"unknown fault {fault.kind!r}; known: {', '.join(_MAKERS)}")
            self.active.append(fault)

    def clear(self) -> None:
        self.active.clear()
        self._used.clear()

    def apply(self, request: Request, answer: Answer) -> Reply:
        for index, fault in enumerate(self.active):
            key = (index, request.site + request.target if fault.each else "")
            used = self._used.get(key, 0)
            if re.search(fault.pattern, request.target) and not 0 < fault.times <= used:
                self._used[key] = used + 1
                return _MAKERS[fault.kind](fault, request, answer)
        return answer(request)


def _slow(fault: Fault, request: Request, answer: Answer) -> Reply:
    return replace(answer(request), delay_s=fault.delay_s)


def _reset(fault: Fault, request: Request, answer: Answer) -> Reply:
    return replace(answer(request), cut_after_bytes=fault.after_bytes, reset=True)


def _status(fault: Fault, request: Request, answer: Answer) -> Reply:
    del request, answer
    headers = (
        (_HTML, ("Retry-After", fault.retry_after.encode())) if fault.retry_after else (_HTML,)
    )
    return Reply(fault.status, headers, f"<html><h1>{fault.status}</h1></html>".encode())


def _truncate(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault
    reply = answer(request)
    whole = len(reply.encode())
    return replace(reply, cut_after_bytes=whole - len(reply.body) // 2 - 1)


def _wrong_length(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault
    reply = answer(request)
    length = b"%d" % max(len(reply.body) - 100, 0)
    headers = (*reply.headers, ("Content-Length", length), ("Connection", b"close"))
    whole = len(replace(reply, headers=headers, chunked=False).encode())
    return replace(reply, headers=headers, chunked=False, cut_after_bytes=whole)


def _redirect_loop(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault, answer
    there = request.target.removesuffix("?again") if "?again" in request.target else "?again"
    return Reply(302, (("Location", there.encode()),))


def _endless_pager(fault: Fault, request: Request, answer: Answer) -> Reply:
    """Answer any page number with a list that offers the next one."""
    del fault, answer
    match = re.fullmatch(r"(/.*?)(?:_(\d+))?\.html", request.path)
    stem, number = (match[1], int(match[2] or 1)) if match else ("/channel/1001", 1)
    following = f'<a class="next" href="{stem}_{number + 1}.html">下一页</a>'
    return _page(
        '<div id="div_newsList"><ul class="news_list"></ul></div>'
        f'<div class="pagination"><span class="active">{number}</span>{following}</div>'
    )


def _gzip_bomb(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault, request, answer
    return Reply(200, (_HTML, ("Content-Encoding", b"gzip")), _make_bomb())


def _huge(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault, request, answer
    return Reply(200, (_HTML,), _make_huge())


def _deep(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault, request, answer
    return _page("<div>" * _NESTED_TAGS + "<p>底。</p>")


def _nul(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault
    reply = answer(replace(request, headers=()))
    return replace(reply, body=b"\0" + reply.body.replace("。".encode(), "\0。\0".encode()))


def _hostile_links(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault, request, answer
    anchors = "".join(f'<p><a href="{x}">{x}</a><img src="{x}"></p>' for x in _HOSTILE_LINKS)
    return _page(f"<h1>链接</h1>{anchors}")


def _empty(fault: Fault, request: Request, answer: Answer) -> Reply:
    del fault, request, answer
    return Reply(200, (_HTML,))


def _page(body: str) -> Reply:
    text = f"<!DOCTYPE html><html><head><title>页</title></head><body>{body}</body></html>"
    return Reply(200, (_HTML,), text.encode())


@cache
def _make_bomb() -> bytes:
    return gzip.compress(b"<p>" + b" " * _BOMB_BYTES, 9, mtime=0)


@cache
def _make_huge() -> bytes:
    line = "<p>这一页太大了，读到上限就该停下。</p>\n".encode()
    return b"<html><body>" + line * (_HUGE_BYTES // len(line) + 1)


_MAKERS: dict[str, Callable[[Fault, Request, Answer], Reply]] = {
    "slow": _slow,
    "reset": _reset,
    "status": _status,
    "truncate": _truncate,
    "wrong_length": _wrong_length,
    "redirect_loop": _redirect_loop,
    "endless_pager": _endless_pager,
    "gzip_bomb": _gzip_bomb,
    "huge": _huge,
    "deep": _deep,
    "nul": _nul,
    "hostile_links": _hostile_links,
    "empty": _empty,
}
