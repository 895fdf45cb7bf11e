"""Serve given pages on loopback: for tests and benchmarks that bring their own.

``python -m hongxing_crawler.demo FOLDER`` does it in a process of its own.
"""

from __future__ import annotations

import mimetypes
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

from hongxing_crawler.demo.message import Reply, Request
from hongxing_crawler.demo.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_INDEX = "/index.html"


def _make_index(paths: list[str]) -> bytes:
    items = "".join(f'<li><a href="{escape(path)}">{escape(path)}</a></li>\n' for path in paths)
    return f"<!DOCTYPE html><html><body><ul>\n{items}</ul></body></html>".encode()


def _content_type(path: str) -> bytes:
    """Name the type of a file, without charset: pages of any encoding are served."""
    return (mimetypes.guess_type(path)[0] or "text/html").encode()


def serve_pages(
    pages: Mapping[str, bytes], *, headers: Mapping[str, str] | None = None, port: int = 0
) -> Server:
    """Make a server for pages given by path; ``/`` and ``/index.html`` link to all of them.

    >>> with serve_pages({"/a.html": b"<p>x</p>"}) as server:
    ...     sorted(server.bases)
    ['www']

    Args:
        pages: Body by path; every path starts with a slash.
        headers: More headers for every answer; a Content-Type here replaces the guess.
        port: 0 for any free port.

    Returns:
        A server that is not started: use it as a context manager.
    """
    extra = {name: value.encode() for name, value in (headers or {}).items()}
    index = _make_index(list(pages))
    known = {"/": index, _INDEX: index, **pages}

    def answer(request: Request) -> Reply:
        body = known.get(request.path)
        if body is None:
            return Reply(404, (("Content-Type", b"text/plain"),), b"not here")
        all_headers = {"Content-Type": _content_type(request.path), **extra}
        return Reply(200, tuple(all_headers.items()), body)

    return Server(answer, ports={"www": port})


@contextmanager
def serve_folder(folder: Path, *, port: int = 0) -> Iterator[Server]:
    """Serve the files below a folder, read once into memory."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pages = {f"/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in files}
    with serve_pages(pages, port=port) as server:
        yield server
