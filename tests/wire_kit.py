"""A server that sends exactly the bytes it is told to, and keeps those that it got."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.core.profile import Revisit, SiteProfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Self

    from hongxing_crawler.archive.captures import ArchivedExchange

TEXT = "会议指出，要坚持问题导向，推动基层党建工作全面进步、全面过硬，把各项任务落到实处。" * 6
ALWAYS_DUE = Revisit(article_first_s=0, article_ceiling_s=0, unconditional_share=0.0)


@dataclass(frozen=True)
class Sent:
    """Bytes to send, a rest after a pause, and whether the connection then stays."""

    raw: bytes = b""
    pause_s: float = 0.0
    rest: bytes = b""
    keep: bool = False
    reset: bool = False  # end with a reset in place of a farewell


def ok(body: bytes, *lines: bytes, status: bytes = b"200 OK", mime: bytes = b"text/html") -> Sent:
    head = [b"HTTP/1.1 " + status, b"Content-Type: " + mime]
    head += [*lines, b"Content-Length: %d" % len(body)]
    return Sent(b"\r\n".join(head) + b"\r\n\r\n" + body, keep=True)


def article(title: str = "全省会议召开", inside: str = "", *, text: str = TEXT) -> bytes:
    return (
        f"<html><head><meta charset='utf-8'><title>{title}</title></head><body><h1>{title}</h1>"
        f"<div>来源：红星网 2020-03-20 16:56</div><div class='content'><p>{text}</p>{inside}"
        f"<p>{text}</p></div></body></html>"
    ).encode()


def links(urls: Iterable[str]) -> bytes:
    items = "".join(f'<li><a href="{url}">{url}</a></li>' for url in urls)
    return f"<html><head><title>首页</title></head><body><ul>{items}</ul></body></html>".encode()


@dataclass
class WireSite:
    """Answers by target, the last one for ever; a target that is not there is a 404.

    ``/a/`` are articles. The start page links to all of them unless it is given.
    """

    answers: dict[str, Sent | list[Sent]] = field(default_factory=dict)
    received: list[tuple[str, bytes, float]] = field(default_factory=list)  # target, head, time

    def __enter__(self) -> Self:
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.site = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def base(self) -> str:
        return f"http://{self.netloc}"

    def profile(self, **changes: Any) -> SiteProfile:
        values: dict[str, Any] = {
            "hosts": (self.netloc,),
            "seeds": (self.base + "/",),
            "article": (r"/a/",),
            "list": (r"/list/",),
            "never": (r"/visit/",),
            "max_depth": 1,
            "revisit": ALWAYS_DUE,
        }
        return SiteProfile("wire", **(values | changes))

    def asked(self) -> list[str]:
        return [target for target, _, _ in self.received]

    def times(self, target: str) -> list[float]:
        return [at for asked, _, at in self.received if asked == target]

    def answer(self, target: str) -> Sent:
        known = self.answers.get(target)
        if known is None:
            known = self._default(target)
        if isinstance(known, Sent):
            return known
        number = min(self._counts[target], len(known) - 1)
        self._counts[target] += 1
        return known[number]

    def _default(self, target: str) -> Sent:
        if target == "/":
            return ok(links(path for path in self.answers if path.startswith("/a/")))
        return ok(b"", status=b"404 Not Found")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    site: WireSite

    def shutdown_request(self, request: Any) -> None:
        """Close at once: a farewell before a reset would be one."""
        request.close()

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no error."""


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        for head in self._heads():
            target = head.split(b" ", 2)[1].decode("latin-1")
            self.server.site.received.append((target, head, time.monotonic()))
            sent = self.server.site.answer(target)
            self.request.sendall(sent.raw)
            if sent.pause_s:
                time.sleep(sent.pause_s)
                self.request.sendall(sent.rest)
            if sent.reset:
                linger = struct.pack("ii", 1, 0)
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if not sent.keep:
                return

    def _heads(self) -> Iterator[bytes]:
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                data = self.request.recv(65_536)
                if not data:
                    return
                received += data
            head, _, received = received.partition(b"\r\n\r\n")
            yield head + b"\r\n\r\n"


def archived(home: Path) -> dict[str, ArchivedExchange]:
    """Return what a home's WARC files hold, by path and query; the last record of each."""
    found = (e for path in sorted(home.glob("warc/*.warc.gz")) for e in read_exchanges(path))
    return {"/" + e.capture.url.split("/", 3)[-1]: e for e in found}


def left_over(home: Path) -> list[Path]:
    """Return temporary files that should be gone."""
    return [path for path in home.rglob("*") if ".part" in path.name or path.suffix == ".open"]
