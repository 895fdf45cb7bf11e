"""A proxy that every request of a crawl and its browser goes through: it answers and remembers."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[int, str, bytes]


class Observer:
    """``answer`` gets the address that is asked for; all hosts of the world lead here."""

    def __init__(self, answer: Callable[[str], Answer]) -> None:
        self.asked: list[str] = []  # absolute addresses; host:port of a tunnel

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler) -> None:  # noqa: N805 - http.server's names
                self.asked.append(handler.path)
                handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
                status, mime, body = answer(handler.path)
                handler.send_response(status)
                handler.send_header("Content-Type", mime)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                if handler.command != "HEAD":
                    handler.wfile.write(body)

            do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

            def do_CONNECT(handler) -> None:  # noqa: N805
                self.asked.append(handler.path)
                handler.send_error(403)

            def log_message(handler, *_: object) -> None:  # noqa: N805
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def hosts(self) -> set[str]:
        """Hosts that were asked for anything."""
        return {urlsplit(url).netloc if "://" in url else url for url in self.asked}

    def environment(self) -> dict[str, str]:
        """Variables that lead all programs through this proxy."""
        names = ("http_proxy", "https_proxy", "all_proxy")
        both = dict.fromkeys((*names, *map(str.upper, names)), self.address)
        return both | {"no_proxy": "", "NO_PROXY": ""}
