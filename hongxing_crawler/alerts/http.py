"""Ping and webhook: a POST to an address that nobody else may learn."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from hongxing_crawler import __version__
from hongxing_crawler.alerts.deadline import ChannelError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hongxing_crawler.alerts.event import Event

_AGENT = f"hongxing_crawler/{__version__}"
_MAX_ANSWER_BYTES = 64_000
_MAX_BODY_CHARS = 8_000  # healthchecks keeps 100 kB, others less
_WORTH_A_REPEAT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_PING_PATHS = {"start": "/start", "failure": "/fail", "note": "/log", "test": "/log"}


def ping(url: str, event: Event, timeout_s: float) -> None:
    """Tell a healthchecks-style monitor: start, success, fail, or a line for its log.

    Raises:
        ChannelError: It was not taken.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + _PING_PATHS.get(event.kind, "")
    query = "&".join(filter(None, (parts.query, urlencode({"rid": event.identity}))))
    address = urlunsplit(parts._replace(path=path, query=query))
    _post(address, event.text[:_MAX_BODY_CHARS].encode(), "text/plain; charset=utf-8", timeout_s)


def call_webhook(url: str, event: Event, timeout_s: float) -> None:
    """Send an event as JSON.

    Raises:
        ChannelError: It was not taken.
    """
    body = json.dumps(event.as_json(), ensure_ascii=False).encode()
    _post(url, body, "application/json", timeout_s)


def _opener() -> OpenerDirector:
    """Open http and https alone: an address that leads to a file or to FTP is no answer."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler,
        HTTPHandler,
        HTTPSHandler,
        HTTPRedirectHandler,
        HTTPDefaultErrorHandler,
        HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _post(url: str, body: bytes, content_type: str, timeout_s: float) -> None:
    headers: Mapping[str, str] = {"Content-Type": content_type, "User-Agent": _AGENT}
    request = Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - see _opener
    try:
        with _opener().open(request, timeout=timeout_s) as answer:
            answer.read(_MAX_ANSWER_BYTES)
    except HTTPError as error:
        error.close()
        is_final = error.code < HTTPStatus.INTERNAL_SERVER_ERROR
        kind = RefusedError if is_final and error.code not in _WORTH_A_REPEAT else ChannelError
        raise kind(f"HTTP {error.code}") from None  # its text holds the address
    except ValueError as error:
        raise RefusedError("the address cannot be used") from error
