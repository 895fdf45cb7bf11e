"""A pywb of the referees' environment, serving a collection on loopback."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from archive_kit import referee_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replayed(home: Path, *added: Any) -> Iterator[str]:
    """Serve what ``wb-manager add all`` is told to add; yields the collection's address."""
    command = [referee_python(), "-c", "from pywb.manager.manager import main; main()"]
    for arguments in (["init", "all"], ["add", *added]):
        subprocess.run([*command, *arguments], cwd=home, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *[referee_python(), "-c", "from pywb.apps.cli import wayback; wayback()"],
            *["-b", "127.0.0.1", "-p", str(port)],
        ],
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _wait_for(f"http://127.0.0.1:{port}/all")
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(address: str) -> str:
    for _ in range(200):
        try:
            fetch(address)
        except OSError:
            time.sleep(0.2)
        else:
            return address
    raise TimeoutError(address)


def fetch(address: str) -> tuple[int, Any, bytes]:
    """Return status, headers and body; an error status is an answer too."""
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()
