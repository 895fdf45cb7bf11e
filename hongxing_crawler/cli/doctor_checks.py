"""What hongxing doctor looks at besides bucket and browser: machine, settings, home, site.

Nothing here waits longer than its time-out, whatever disk, name server or site do.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from hongxing_crawler import __version__
from hongxing_crawler.cli.shell import now
from hongxing_crawler.core.checkup import Check, Grade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hongxing_crawler.cli.shell import Shell
    from hongxing_crawler.config import Config

NETWORK_S = 8.0  # for each question to the network
STATE_S = 10.0  # for reading the state
_PACKAGES = ("aiohttp", "boto3", "click", "msgspec", "scrapy", "turbohtml", "twisted", "zlib-ng")
_LITTLE_BYTES = 2 << 30
_MOST_SKEW_S = 60.0
_MOST_ROBOTS_BYTES = 512 * 1024
_RIGHTS = "give this user the right to write there, or choose another home with --home"


def check_programs(_shell: Shell, _config: Config) -> Iterator[Check]:
    """Name the versions of Python and of what the crawler is made of."""
    found = f"{sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    yield Check("python", Grade.OK, f"{found}, hongxing_crawler {__version__}")
    versions, missing = [], []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        advice = "install the program again: make setup, or pip install -r requirements.lock"
        yield Check("packages", Grade.FAIL, f"missing: {', '.join(missing)}", advice)
    else:
        yield Check("packages", Grade.OK, ", ".join(versions))


def check_settings(_shell: Shell, config: Config) -> Iterator[Check]:
    """Look for mistyped variables, and for somebody who is told of trouble."""
    from hongxing_crawler.cli.alerting import alert_options
    from hongxing_crawler.config import find_unknown_variables

    unknown = find_unknown_variables(os.environ)
    if unknown:
        yield Check("settings", Grade.FAIL, "; ".join(unknown), "correct or unset the variable")
    else:
        yield Check("settings", Grade.OK, str(config.file or "no file: defaults, flags, variables"))
    if alert_options(config).wants_any:
        yield Check("alerts", Grade.OK, "somebody is told; hongxing alert sends a test")
    else:
        advice = "name a monitor, a webhook or a mailbox in [alerts], docs/alerts.md shows how"
        yield Check("alerts", Grade.WARN, "nobody is told of trouble", advice)


def check_home(_shell: Shell, config: Config) -> Iterator[Check]:
    """Look at the folder that everything is kept in: rights, room, lock."""
    from hongxing_crawler.store.lock import find_holder

    home = config.home
    place = next(folder for folder in (home, *home.parents) if folder.is_dir())
    known = "is there" if (home / "state.sqlite").is_file() else "is made by the first crawl"
    yield Check("home", Grade.OK, f"{home} {known}")
    yield _check_rights(place)
    yield _check_room(place)
    if home.is_dir():
        holder = find_holder(home / "lock")
        found = f"in use by {holder}" if holder else "free"
        yield Check("lock", Grade.OK, found)


def _check_rights(place: Path) -> Check:
    """Write a file and take it away: rights alone say nothing of a disk that is read-only."""
    probe = place / f".doctor-{os.getpid()}"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Check("permissions", Grade.FAIL, f"{place}: {error.strerror}", _RIGHTS)
    return Check("permissions", Grade.OK, f"{place} can be written")


def _check_room(place: Path) -> Check:
    free, nodes = shutil.disk_usage(place).free, os.statvfs(place).f_favail
    found = f"{free / 1e9:,.1f} GB free"
    if free < _LITTLE_BYTES or 0 < nodes < 1000:
        advice = "make room: a crawl stops when the disk is full; hongxing prune says what can go"
        return Check("disk", Grade.WARN, f"{found}, {nodes:,} more files", advice)
    return Check("disk", Grade.OK, found)


def check_state(_shell: Shell, config: Config) -> Iterator[Check]:
    """Open the state, read as much of it as there is time for, and look at its last run."""
    from hongxing_crawler.cli.verdict import judge
    from hongxing_crawler.exceptions import HongxingError
    from hongxing_crawler.store.state import State

    path = config.home / "state.sqlite"
    if not path.is_file():
        return
    try:
        with State.open(path, now=now, read_only=True) as state:
            yield _check_pages(path)
            runs = state.runs()
    except HongxingError as error:
        yield Check("state", Grade.FAIL, judge(error).sentence, "docs/runbook.md says how")
        return
    if runs and runs[-1].started_at > now():
        found = f"the last run began at {runs[-1].started_at:%Y-%m-%d %H:%M} UTC, in the future"
        yield Check("clock", Grade.FAIL, found, "set the clock right: timedatectl set-ntp true")


def _check_pages(path: Path) -> Check:
    """Let SQLite check the pages of the file; a large one as far as the time goes."""
    size = path.stat().st_size
    deadline = time.monotonic() + STATE_S
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)
    try:
        found = connection.execute("PRAGMA quick_check(3)").fetchall()
    except sqlite3.OperationalError:
        sentence = f"{size / 1e6:,.0f} MB, not read to its end in {STATE_S:g} s"
        return Check("state", Grade.OK, f"{sentence}; hongxing verify --deep reads all of it")
    except sqlite3.DatabaseError as error:
        found = [(str(error),)]
    finally:
        connection.close()
    if found == [("ok",)]:
        return Check("state", Grade.OK, f"{size / 1e6:,.1f} MB, sound")
    advice = "move it away and type hongxing reprocess; docs/runbook.md says how"
    return Check("state", Grade.FAIL, f"{path} is damaged: {found[0][0]}", advice)


def check_site(shell: Shell, config: Config) -> Iterator[Check]:
    """Ask for the site's name, then for its robots.txt, as a crawl would first."""
    from hongxing_crawler.config import load_site

    if shell.asks_s3:
        return  # the bucket is what is asked about
    profile = load_site(config)
    if not profile.seeds:
        yield Check("site", Grade.OK, f"{profile.name}: seeds are named when it is crawled")
        return
    seed = urlsplit(profile.seeds[0])
    name = seed.hostname or ""
    names = _within(lambda: socket.getaddrinfo(name, seed.port or 443, type=socket.SOCK_STREAM))
    if isinstance(names, Exception) and not os.environ.get(f"{seed.scheme}_proxy"):
        advice = "look at /etc/resolv.conf and the network"
        yield Check("DNS", Grade.FAIL, f"{name}: {names}", advice, may_pass=True)
        return
    addresses = [] if isinstance(names, Exception) else sorted({item[4][0] for item in names})
    yield Check("DNS", Grade.OK, f"{name} is {', '.join(map(str, addresses)) or 'asked by proxy'}")
    yield from _check_robots(f"{seed.scheme}://{seed.netloc}/robots.txt", profile.seeds[0])


def _check_robots(url: str, seed: str) -> Iterator[Check]:
    from hongxing_crawler.addons import SCRAPY_SETTINGS

    agent = str(SCRAPY_SETTINGS["USER_AGENT"])
    answer = _within(lambda: _fetch(url, agent))
    if isinstance(answer, Exception):
        advice = "try again later; if it stays away, ask its operator"
        yield Check("site", Grade.FAIL, f"{url}: {answer}", advice, may_pass=True)
        return
    status, date, body = answer
    if status in {403, 429} or status >= 500:
        advice = "the site refuses or is in trouble: wait a day; a crawl would stop as blocked"
        yield Check("site", Grade.FAIL, f"{url} answers {status}", advice, may_pass=True)
        return
    yield Check("site", Grade.OK, f"{url} answers {status}")
    yield _check_clock(date)
    yield _judge_robots(status, body, seed)


def _fetch(url: str, agent: str) -> tuple[int, str, bytes]:
    request = Request(url, headers={"User-Agent": agent})  # noqa: S310 - of a profile, http only
    try:
        with urlopen(request, timeout=NETWORK_S) as answer:  # noqa: S310
            return answer.status, answer.headers.get("Date", ""), answer.read(_MOST_ROBOTS_BYTES)
    except HTTPError as error:
        return error.code, error.headers.get("Date", ""), b""


def _check_clock(date: str) -> Check:
    """Compare our clock with the site's, which most servers keep right."""
    try:
        skew_s = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError):
        return Check("clock", Grade.OK, "the site does not say what time it is")
    if abs(skew_s) <= _MOST_SKEW_S:
        return Check("clock", Grade.OK, f"{skew_s:+.0f} s beside the site's")
    ahead = "ahead of" if skew_s > 0 else "behind"
    found = f"this machine is {abs(skew_s):,.0f} s {ahead} the site"
    return Check("clock", Grade.FAIL, found, "set the clock right: timedatectl set-ntp true")


def _judge_robots(status: int, body: bytes, seed: str) -> Check:
    from protego import Protego

    if status >= 400:
        return Check("robots", Grade.OK, "there is none: everything may be asked for")
    rules = Protego.parse(body.decode("utf-8", "replace"))
    if not rules.can_fetch(seed, "hongxing_crawler"):
        advice = "ask the site's operator; a crawl obeys and would ask nothing"
        return Check("robots", Grade.FAIL, f"robots.txt forbids {seed}", advice)
    delay = rules.crawl_delay("hongxing_crawler")
    return Check("robots", Grade.OK, f"allows {seed}{f', {delay:g} s apart' if delay else ''}")


def _within(call: Callable[[], Any]) -> Any:
    """Return what a call returns in time, or the error."""
    from hongxing_crawler.alerts.deadline import ChannelError, within

    answers: list[Any] = []

    def run() -> None:
        try:
            answers.append(call())
        except URLError as error:
            answers.append(error.reason if isinstance(error.reason, Exception) else error)
        except (OSError, ValueError) as error:
            answers.append(error)

    try:
        within(NETWORK_S, run)
    except ChannelError as error:
        return error
    return answers[0]


MACHINE = (check_programs, check_settings, check_home, check_state, check_site)
