"""A small, quick HTTP/1.1 server on loopback, for the demo, the tests and the benchmarks.

It runs in a thread of its own with its own event loop. It can do what well-behaved servers
cannot: pause, cut a body short, reset the connection.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Self, cast

from hongxing_crawler.demo.message import Reply, Request, parse_head

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Handler = Callable[[Request], Reply]

_MAX_HEAD_BYTES = 65_536
_START_TIMEOUT_S = 10.0


class _Connection(asyncio.Protocol):
    """One client: requests are answered in order, pipelined ones too."""

    def __init__(self, server: Server, site: str) -> None:
        self._server = server
        self._site = site
        self._buffer = b""
        self._waiting = False  # a delayed reply is still to be sent
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._transport:
            self._server.connections.discard(self._transport)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._answer()

    def _answer(self) -> None:
        while not self._waiting and self._transport and (request := self._take_request()):
            reply = self._server.handle(request)
            if reply.delay_s:
                self._waiting = True
                asyncio.get_running_loop().call_later(reply.delay_s, self._resume, request, reply)
            else:
                self._send(request, reply)

    def _take_request(self) -> Request | None:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            if len(head) > _MAX_HEAD_BYTES and self._transport:
                self._transport.abort()
            return None
        request = parse_head(head, self._site, time.time())
        length = int(request.get_header("Content-Length") or 0)
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return request

    def _resume(self, request: Request, reply: Reply) -> None:
        self._waiting = False
        self._send(request, reply)
        self._answer()

    def _send(self, request: Request, reply: Reply) -> None:
        if not self._transport:
            return
        data = reply.encode(with_body=request.method != "HEAD")
        self._transport.write(data[: reply.cut_after_bytes])
        if reply.reset:
            self._reset()
        elif reply.cut_after_bytes is not None or request.get_header("Connection") == "close":
            self._transport.close()

    def _reset(self) -> None:
        """Close at once with RST: lingering for zero seconds means that."""
        if self._transport:
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()


class Server:
    """Serve one handler under one or several names, each on a port of its own.

    >>> with Server(lambda request: Reply(body=request.path.encode())) as server:
    ...     server.bases["www"].startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self,
        handler: Handler,
        *,
        host: str = "127.0.0.1",
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self._handler = handler
        self._host = host
        self._ports = dict(ports or {"www": 0})  # 0: any free port
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.bases: dict[str, str] = {}
        self.log: list[Request] = []
        self.connections: set[asyncio.Transport] = set()

    def handle(self, request: Request) -> Reply:
        """Log and answer a request; a fault of the handler itself is raised by ``stop``."""
        self.log.append(request)
        try:
            return self._handler(request)
        except Exception as error:  # noqa: BLE001 - kept and raised in the caller's thread
            self._error = error
            return Reply(500, (("Content-Type", b"text/plain"),), b"fault of the demo server")

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="demo-server", daemon=True)
        self._thread.start()
        self._ready.wait(_START_TIMEOUT_S)
        if self._error or not self.bases:
            self.stop()
            raise OSError("the demo server did not start")
        return self

    def stop(self) -> None:
        if self._loop and self._stop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error:
            raise error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        servers = [await self._listen(site, port) for site, port in self._ports.items()]
        self._ready.set()
        await self._stop.wait()
        for server in servers:
            server.close()
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)

    async def _listen(self, site: str, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self, site), self._host, port)
        chosen = server.sockets[0].getsockname()[1]
        self.bases[site] = f"http://{self._host}:{chosen}"
        return server
