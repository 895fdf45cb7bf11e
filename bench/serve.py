"""Serve made-up pages on loopback, faster than any crawler here asks for them.

    python bench/serve.py --pages 3000 [--cpu 1]

prints its base URL and runs until it is stopped. `/bench/watch?pid=…&at=500,3000` makes it
note the memory of that process (with its children) when so many articles were sent, and
`/bench/noted` returns the notes as JSON and forgets them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import article_pages

_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


def _answer(body: bytes, mime: str = "text/html", status: str = "200 OK") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
        f"Content-Type: {mime}\r\nContent-Length: {len(body)}\r\n"
        f'Last-Modified: Fri, 20 Nov 2026 08:00:00 GMT\r\nETag: "{len(body):x}"\r\n'
        "Connection: keep-alive\r\nAccept-Ranges: bytes\r\n\r\n"
    )
    return head.encode() + body


def build_site(page_count: int) -> dict[bytes, bytes]:
    """Every answer by its path, complete with its head."""
    lists = range(-(-page_count // article_pages.LINKS_PER_LIST))
    site = {article_pages.list_path(n): article_pages.list_page(n, page_count) for n in lists}
    site |= {
        article_pages.article_path(n): article_pages.article_page(n, page_count)
        for n in range(page_count)
    }
    site["/"] = article_pages.home_page(page_count)
    answers = {path.encode(): _answer(body) for path, body in site.items()}
    answers[b"/robots.txt"] = _answer(b"User-agent: *\nAllow: /\n", "text/plain")
    return answers


def _children(pid: int) -> list[int]:
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").glob("*/children")
        for child in task.read_text().split()
    ]
    return [pid, *(deeper for child in children for deeper in _children(child))]


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    pages = (int(Path(f"/proc/{p}/statm").read_text().split()[1]) for p in _children(pid))
    return sum(pages) * _PAGE_SIZE / 1e6


class Watch:
    """Notes a process's memory when so many articles were sent."""

    def __init__(self) -> None:
        self.reset({})

    def reset(self, query: dict[str, list[str]]) -> None:
        self.pid = int(query["pid"][0]) if query else 0
        self.at = {int(n) for n in query["at"][0].split(",")} if query else set()
        self.sent_count = 0
        self.noted: dict[str, float] = {}

    def count(self) -> None:
        self.sent_count += 1
        if self.sent_count in self.at:
            self.noted[str(self.sent_count)] = memory_mb(self.pid)


class Server(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, for GET requests without body."""

    def __init__(self, answers: dict[bytes, bytes], watch: Watch) -> None:
        self.answers = answers
        self.watch = watch
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self.received = (self.received + data).split(b"\r\n\r\n")
        for request in requests:
            self.transport.write(self._respond(request.split(b" ", 2)[1]))

    def _respond(self, path: bytes) -> bytes:
        if path.startswith(b"/content/"):
            self.watch.count()
        if path.startswith(b"/bench/"):
            return self._control(path.decode())
        return self.answers.get(path) or _answer(b"<h1>404</h1>", status="404 Not Found")

    def _control(self, path: str) -> bytes:
        parts = urlsplit(path)
        if parts.path == "/bench/watch":
            self.watch.reset(parse_qs(parts.query))
            return _answer(b"{}", "application/json")
        noted = {"sent_count": self.watch.sent_count, "memory_mb": self.watch.noted}
        self.watch.reset({})
        return _answer(json.dumps(noted).encode(), "application/json")


async def serve(page_count: int, port: int) -> None:
    answers = build_site(page_count)
    watch = Watch()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(answers, watch), "127.0.0.1", port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=3_000)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cpu", type=int, help="pin to this core")
    options = parser.parse_args()
    if options.cpu is not None:
        os.sched_setaffinity(0, {options.cpu})
    asyncio.run(serve(options.pages, options.port))


if __name__ == "__main__":
    main()
