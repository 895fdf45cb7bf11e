"""Download over HTTP so that the exchange can be archived as it went over the wire.

Scrapy's aiohttp handler, with four differences: the response head is kept byte for byte, a large
body goes to a temporary file, a broken body is kept and marked, and no address of a private
network is ever reached unless the site profile names that host.
"""

from __future__ import annotations

import errno
import functools
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import aiohttp
from aiohttp.client_proto import ResponseHandler
from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler, _ClientResponse
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadTimeoutError,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Headers
from scrapy.utils._download_handlers import make_response

from hongxing_crawler.core.hosts import is_private_host, split_port
from hongxing_crawler.exceptions import ArchiveError
from hongxing_crawler.fetching.bodies import CHUNK_BYTES, Body, start_of
from hongxing_crawler.fetching.refusals import ArchiveStoppedError
from hongxing_crawler.fetching.resolver import GuardedResolver
from hongxing_crawler.items import Exchange
from hongxing_crawler.running.run import KIND, RENDERING, SENT_AT, run_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from hongxing_crawler.browser.handler import BrowserHandler

EXCHANGE = "hongxing_exchange"  # request.meta: what went over the wire
EXCHANGE_BODY = "hongxing_exchange_body"  # request.meta: Path of a spooled body
EXCHANGE_CODINGS = "hongxing_exchange_codings"  # request.meta: its content codings
FILM = "hongxing_film"  # request.meta: it belongs to a film
TOO_LARGE_BYTES = "hongxing_too_large_bytes"  # request.meta: size of a body over the limit
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
_HEAD_MAX_BYTES = 256 * 1024
_HEAD_END_RE = re.compile(rb"\n\r?\n")  # some servers end their lines without CR
_INTERIM_RE = re.compile(rb"HTTP/1\.\d 1(?!01)")

logger = logging.getLogger(__name__)


class PrivateAddressError(CannotResolveHostError):
    """A URL leads to an address of a private network that the profile does not name."""


class _HeadKeeper(ResponseHandler):
    """aiohttp's protocol, keeping the bytes of the response head that passes through."""

    def __init__(self, loop: Any) -> None:
        super().__init__(loop)
        self.head = bytearray()
        self.broken = ""  # how the connection ended, when it did not end well
        self._head_ended = False

    @classmethod
    def on(cls, loop: Any) -> Any:
        return functools.partial(cls, loop=loop)

    def set_response_params(self, **kwargs: Any) -> None:
        self.head = bytearray()
        self._head_ended = False
        super().set_response_params(**kwargs)

    def data_received(self, data: bytes) -> None:
        if not self._head_ended:
            self.head += data[: _HEAD_MAX_BYTES - len(self.head)]
            self._cut_head()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.broken = str(exc or "")
        super().connection_lost(exc)

    def _cut_head(self) -> None:
        while found := _HEAD_END_RE.search(self.head):
            if not _INTERIM_RE.match(self.head):
                del self.head[found.end() :]
                self._head_ended = True
                return
            del self.head[: found.end()]  # 100 Continue, 103 Early Hints: the final head follows
        self._head_ended = len(self.head) >= _HEAD_MAX_BYTES


class _KeptResponse(_ClientResponse):
    """A response that remembers the head bytes and how its connection ended."""

    head: bytes = b""
    keeper: _HeadKeeper

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        self.keeper = connection.protocol
        response = await super().start(connection)
        self.head = bytes(self.keeper.head)
        return response

    def check_end(self) -> None:
        """Doubt a body without a length whose connection was reset: aiohttp takes it for whole.

        Raises:
            aiohttp.ClientPayloadError: The body has no end that can be trusted.
        """
        sized = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        if self.keeper.broken and not sized:
            raise aiohttp.ClientPayloadError(self.keeper.broken)


class _BodilessSession:
    """A session that sends no empty body: a GET with ``Content-Length: 0`` is no browser's."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def request(self, method: str, url: Any, *, data: bytes, **options: Any) -> Any:
        return self._session.request(method, url, data=data or None, **options)

    async def close(self) -> None:
        await self._session.close()


class ArchivingDownloadHandler(AiohttpDownloadHandler):
    """Give every response its ``Exchange`` in ``request.meta``."""

    experimental = False  # our tests run it against a real server for every fault we know

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings, run = crawler.settings, run_of(crawler)
        self._crawler, self._run = crawler, run
        self._browser: BrowserHandler | None = None
        self._spool_bytes = settings.getint("HONGXING_DOWNLOAD_SPOOL_BYTES")
        self._spool_folder = run.home.spool
        named = run.profile.hosts + run.profile.media_hosts
        self._allowed = frozenset(split_port(netloc)[0].lower() for netloc in named)
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(self._allowed),
            limit=self._pool_size_total or 100,
            limit_per_host=self._pool_size_per_host,
        )
        # aiohttp has no public way to see the head as it came: a test reads the bytes back.
        connector._factory = _HeadKeeper.on(connector._loop)  # noqa: SLF001
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            response_class=_KeptResponse,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            max_field_size=64 * 1024,
            max_line_size=64 * 1024,
        )
        self._plain_session: aiohttp.ClientSession = self._session
        self._session = cast("aiohttp.ClientSession", _BodilessSession(session))

    async def close(self) -> None:
        if self._browser is not None:
            await self._browser.close()
        await self._plain_session.close()
        await super().close()

    async def _render(self, request: Request) -> Response:
        """Let a browser render a page that has come; started and imported by the first one."""
        from hongxing_crawler.browser.handler import BrowserHandler  # noqa: PLC0415

        if self._browser is None:
            self._browser = BrowserHandler(self._crawler)
        return await self._browser.render(request)

    async def download_request(self, request: Request) -> Response:
        if request.meta.get(KIND) == RENDERING:
            return await self._render(request)
        host = (urlsplit(request.url).hostname or "").lower()
        if host not in self._allowed and is_private_host(host):
            raise PrivateAddressError(f"{request.url} leads to a private address")
        request.meta["verbatim_url"] = True  # ours are canonical: yarl must not rewrite them
        request.meta[SENT_AT] = datetime.now(UTC)
        try:
            return await super().download_request(request)
        except ValueError as error:
            raise UnsupportedURLSchemeError(f"{request.url}: {error}") from error

    def _stop_without_disk(self, request: Request, error: BaseException) -> None:
        """End the crawl when a large body found no room: the site is not to blame."""
        if not isinstance(error, OSError) or error.errno not in _DISK_ERRORS:
            return
        problem = ArchiveError(f"cannot keep {request.url} in {self._spool_folder}: {error}")
        problem.__cause__ = error
        self._run.stop_for(self._crawler, problem)
        raise ArchiveStoppedError(str(problem)) from error

    @staticmethod
    def _extract_headers(response: Any) -> Headers:
        """Keep header bytes: a GBK file name is no UTF-8."""
        return Headers(list(response.raw_headers))

    @staticmethod
    async def _receive(response: Any, body: Body, limit: int, request: Request) -> None:
        """Take a body in; a film whose head says that it is too large is not begun.

        Raises:
            DownloadCancelledError: It is larger than the limit.
            aiohttp.ClientPayloadError: It broke off.
        """
        declared = _declared_bytes(response) if FILM in request.meta else 0
        if declared <= limit or not limit:
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                body.write(chunk)
                if limit and body.size > limit:
                    break
            else:
                response.check_end()
                return
        request.meta[TOO_LARGE_BYTES] = max(declared, body.size)
        raise DownloadCancelledError(
            f"{request.url} is larger than {limit} bytes; what came is archived"
        )

    async def _read_response(self, response: Any, request: Request) -> Response:
        """Read the body to its end, its limit or its breakdown; keep what came in every case."""
        headers = self._extract_headers(response)
        arguments = self._build_base_response_args(response, request, headers)
        limit: int = request.meta.get("download_maxsize", self._default_maxsize)
        body = Body(self._spool_bytes, self._spool_folder)
        cause: Exception | None = None
        try:
            await self._receive(response, body, limit, request)
        except DownloadCancelledError as error:
            cause = error
        except aiohttp.ClientPayloadError as error:
            cause = ResponseDataLossError(f"{request.url} broke off: {error}")
        except TimeoutError:
            cause = DownloadTimeoutError(f"{request.url} did not end in time")
        except BaseException as error:
            body.discard()
            self._stop_without_disk(request, error)
            raise
        reason = _TRUNCATED.get(type(cause), "") if cause else ""
        try:
            content = body.close()
        except OSError as error:
            body.discard()
            self._stop_without_disk(request, error)
            raise
        request.meta[EXCHANGE] = Exchange(
            url=request.url,
            fetched_at=request.meta[SENT_AT],
            request_head=_request_head(response),
            response_head=response.head,
            body=content,
            ip_address=str(arguments.get("ip_address") or ""),
            protocols=_protocols(response, arguments["protocol"] or ""),
            request_body=request.body,
            truncated=reason,
        )
        if cause:
            raise cause
        if isinstance(content, bytes):
            return make_response(**arguments, body=content)
        request.meta[EXCHANGE_BODY] = content
        return make_response(**arguments, body=start_of(content))


_TRUNCATED: Mapping[type[Exception], str] = {
    DownloadCancelledError: "length",
    ResponseDataLossError: "disconnect",
    DownloadTimeoutError: "time",
}


def _declared_bytes(response: Any) -> int:
    declared = response.headers.get("Content-Length", "")
    return int(declared) if declared.isdecimal() and len(declared) < 19 else 0


def _request_head(response: Any) -> bytes:
    """Rebuild the request head from what aiohttp was told to send."""
    info = response.request_info
    lines = [f"{info.method} {info.url.raw_path_qs} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in info.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def _protocols(response: Any, http: str) -> tuple[str, ...]:
    ssl_object = response._ssl_object  # noqa: SLF001 - Scrapy keeps it there
    tls = ssl_object.version() if ssl_object else None
    names = [http.lower()]
    if tls:
        names.append(tls.lower().replace("tlsv", "tls/"))
    return tuple(name for name in names if name)
