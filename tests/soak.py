"""A simulated year: one real run a night, on a site that lives, with everything that goes wrong.

    make soak                                    # 365 nights
    .venv/bin/python tests/soak.py --nights 120 --home DIR

Each night is the real command in a process of its own, with its clock moved. The site, the bucket
and the receiver of alerts are real servers on loopback. Every night's exit code and alerts are
compared with what that night had in store. ``nights.jsonl`` beside the home keeps the figures.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

from alert_kit import web_server
from crawl_kit import path_of, snapshot
from fault_proxy import FaultProxy
from soak_site import HACKS, NEW_TEMPLATES, LivingSite
from upload_kit import KEYS, PREFIX, memory_server

from hongxing_crawler.store.run_ledger import find_unended, read_lines

NIGHT = Path(__file__).with_name("soak_night.py")
FIRST = date(2026, 3, 2)  # a Monday
CHINA = timezone(timedelta(hours=8))
RUN_AT = timedelta(hours=26, minutes=20)  # 02:20 of the next day, in China
_TIMEOUT_S = 180

# Holidays of the year from March 2026 on, weekends included.
HOLIDAYS = (
    ("2026-04-04", 3),
    ("2026-05-01", 5),
    ("2026-06-19", 3),
    ("2026-09-25", 3),
    ("2026-10-01", 7),
    ("2027-01-01", 3),
    ("2027-02-05", 8),
)


@dataclass(frozen=True)
class Plan:
    """What happens on which nights; the nights of a year, counted from 0."""

    nights: int
    redesign: int  # from this night on
    repaired: int  # the operator's profile knows the redesign
    hack: range
    down: range
    blocked: int
    no_bucket: range
    clock: int
    kills: frozenset[int]

    def alerts(self, night):
        """Which alerts may come: the first word of each pair has to, when the night can tell."""
        expected = set()
        for name, nights in (
            ("generic", range(self.redesign, self.repaired)),
            ("spam", self.hack),
            ("spam_hosts", self.hack),
            ("outbox", self.no_bucket),
        ):
            expected |= {name} if night in nights else set()
        return expected


def make_plan(nights, rng):
    """Spread the troubles of a year over so many nights."""
    if nights < 28:  # the shortest form: each trouble for a night or two
        return Plan(
            nights=nights,
            redesign=10,
            repaired=11,
            hack=range(8, 10),
            down=range(3, 4),
            blocked=4,
            no_bucket=range(1, 3),
            clock=nights - 1,
            kills=frozenset({7}),
        )
    if nights < 100:  # the short form: the same troubles, shorter
        busy = {16, 17, 19, *range(21, 25), 26, *range(28, 33)}
        free = [night for night in range(10, nights - 1) if night not in busy]
        kills = rng.sample(free, min(2, len(free)))
        return Plan(
            nights=nights,
            redesign=28,
            repaired=33,
            hack=range(21, 25),
            down=range(16, 18),
            blocked=19,
            no_bucket=range(7, 12),
            clock=26,
            kills=frozenset(kills),
        )
    scale = nights / 365

    def monday(night):
        return round(night * scale) // 7 * 7

    hack, redesign, bucket = monday(100), monday(200), monday(160)
    down, blocked, clock = monday(60) + 1, monday(80) + 2, monday(250) + 2
    special = {down, down + 1, down + 2, blocked, clock, hack, redesign}
    nights_left = [night for night in range(10, nights - 3) if night not in special]
    return Plan(
        nights=nights,
        redesign=redesign,
        repaired=redesign + 7,
        hack=range(hack, hack + 21),
        down=range(down, down + 2),
        blocked=blocked,
        no_bucket=range(bucket, bucket + 7),
        clock=clock,
        kills=frozenset(rng.sample(nights_left, 10)),
    )


def is_working(day):
    holidays = (
        date.fromisoformat(first) + timedelta(days=i)
        for first, days in HOLIDAYS
        for i in range(days)
    )
    return day.weekday() < 5 and day not in set(holidays)


@dataclass
class Night:
    """What a night brought."""

    number: int
    day: str
    code: int = 0
    expected_code: int = 0
    alerts: list = field(default_factory=list)
    killed: bool = False
    seconds: float = 0.0
    peak_mib: float = 0.0
    counts: dict = field(default_factory=dict)
    sizes: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)


class Year:
    """The machine, the site, the bucket, and who is told."""

    def __init__(self, folder, site, server, proxy, told, plan, rng):
        self.folder, self.site, self.server, self.proxy, self.told = (
            folder,
            site,
            server,
            proxy,
            told,
        )
        self.plan, self.rng = plan, rng
        self.home = folder / "home"
        self.nights = []
        self.seconds = 5.0  # that a night takes
        self.unseen = set()  # troubles that no run could see yet
        self.to_name = []  # runs that were killed and that the next has to name
        self.config = folder / "hongxing.toml"
        self.config.write_text(
            f'home = "home"\nsite = "site.toml"\n[crawl]\ndelay_s = 0.0\n'
            f'[s3]\nurl = "s3://archive/{PREFIX}"\nendpoint = "{proxy.endpoint}"\n'
            'region = "us-east-1"\n[upload]\ntries = 2\ntimeout = "5s"\n'
            f'[alerts]\nping_url = "{told.url}/ping"\nwebhook_url = "{told.url}/hook"\ntries = 1\n',
            "utf-8",
        )

    def write_profile(self, night):
        text = (
            resources.files("hongxing_crawler.sites").joinpath("hongxing.toml").read_text("utf-8")
        )
        for name, base in (("www", self.site.www), ("img", self.site.img)):
            text = text.replace(f"https://{name}.hxw.gov.cn", base)
            text = text.replace(f'"{name}.hxw.gov.cn"', f'"{base.removeprefix("http://")}"')
        if night >= self.plan.repaired:
            text += NEW_TEMPLATES
        (self.folder / "site.toml").write_text(text, "utf-8")

    def live(self, number, *flags):
        """One day and its night."""
        plan, site = self.plan, self.site
        day = FIRST + timedelta(days=number)
        moment = datetime(day.year, day.month, day.day, tzinfo=CHINA) + RUN_AT
        night = Night(number, str(day))
        site.weather.redesigned = number >= plan.redesign
        week = (number - plan.hack.start) // 7 % len(HACKS)
        site.weather.hack = HACKS[week] if number in plan.hack else ()
        site.weather.clock_s = -7_200.0 if number == plan.clock else 0.0
        site.now = moment.astimezone(UTC)
        if is_working(day) and number < plan.nights - 1:
            self._work(day)
        site.refresh()
        site.faults.clear()
        if number == plan.blocked:
            site.block()
        self.write_profile(number)
        self._start(night, moment, flags)
        site.log.clear()
        self.proxy.seen.clear()
        self._check(night)
        self._measure(night)
        self.nights.append(night)
        return night

    def _work(self, day):
        rng, site = self.rng, self.site
        site.publish(day, rng.choice([3, 4, 5, 6, 7, 8, 9, 12]))
        if len(site.published) > 30 and rng.random() < 0.25:
            site.correct(day)
        if len(site.published) > 60 and rng.random() < 0.05:
            site.remove()

    def _start(self, night, moment, flags):
        number, plan = night.number, self.plan
        self.told.requests.clear()
        down = self.site.away() if number in plan.down else contextlib.nullcontext()
        self.proxy.plan = _refuse if number in plan.no_bucket else _pass
        command = [sys.executable, NIGHT, moment.isoformat(), "--config", self.config]
        command = [*command, "crawl", "-q", "--json", *flags]
        begun = time.monotonic()
        status_file = self.folder / "status"
        status_file.unlink(missing_ok=True)
        environment = _environment() | {"TEST_STATUS_FILE": str(status_file)}
        with down, (self.folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=err, env=environment, cwd=self.folder
            )
            if number in plan.kills:
                time.sleep(self.rng.uniform(0.3, 1.0) * self.seconds)
                os.kill(process.pid, signal.SIGKILL)  # a child until waitpid, ended or not
            with process.stdout:
                out = process.stdout.read()
            _, status = os.waitpid(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        night.seconds = round(time.monotonic() - begun, 2)
        night.peak_mib = _peak_mib(status_file)
        night.code = process.returncode
        night.killed = night.code == -signal.SIGKILL
        with contextlib.suppress(ValueError, IndexError):
            self.last = json.loads(out)
            night.counts = self.last.get("counts", {})
        if not night.killed and number not in plan.down:
            self.seconds = 0.7 * self.seconds + 0.3 * night.seconds

    def _check(self, night):
        number, plan = night.number, self.plan
        events = [json.loads(body) for path, _, body in self.told.requests if path == "/hook"]
        pings = [path.partition("?")[0] for path, _, _ in self.told.requests if "ping" in path]
        for event in events:
            night.alerts += [f"exit {event['exit_code']}"] * (event["event"] == "failure")
            night.alerts += list(event["findings"])
        if night.killed:
            self.to_name = _open_runs(self.home)
            return
        expected = 0
        expected = 5 if number in plan.no_bucket or number in plan.down else expected
        expected = 7 if number == plan.blocked else expected
        night.expected_code = expected
        allowed = plan.alerts(number) | ({f"exit {expected}"} if expected else set())
        required = {f"exit {expected}"} if expected else set()
        for name, starts in (
            ("spam", plan.hack.start),
            ("spam_hosts", plan.hack.start),
            ("generic", plan.redesign),
            ("clock", plan.clock),
        ):
            if number == starts or name in self.unseen:
                seen = night.counts.get("articles", 0) >= 3 or name == "clock"
                self.unseen = self.unseen - {name} if seen else self.unseen | {name}
                required |= {name} if seen else set()
        if self.to_name:
            required.add("killed")
            self.to_name = []
        allowed |= required
        if expected:  # the same trouble, seen by a monitor as well
            allowed |= {"retries", "errors", "blocked"}
        if night.code != expected:
            night.problems.append(f"exit {night.code}, not {expected}")
        night.problems += [f"not told: {name}" for name in sorted(required - set(night.alerts))]
        night.problems += [f"false: {name}" for name in sorted(set(night.alerts) - allowed)]
        if len(pings) != 2 or pings[0] != "/ping/start":
            night.problems.append(f"pings {pings}")
        if night.problems:
            night.problems.append((self.folder / "stderr").read_text("utf-8", "replace")[-600:])

    def _measure(self, night):
        for name in ("warc", "cdxj", "media", "export", "runs"):
            files = [path for path in (self.home / name).rglob("*") if path.is_file()]
            night.sizes[name] = sum(path.stat().st_size for path in files)
            night.sizes[f"{name}_files"] = len(files)
        for name in ("state.sqlite", "state.sqlite-wal", "fixity.jsonl"):
            path = self.home / name
            night.sizes[name] = path.stat().st_size if path.exists() else 0

    def lost(self):
        """Articles of the site that are not in the last snapshot, or not in the archive."""
        last = snapshot(self.home)
        archived = set()
        for index in (self.home / "cdxj").glob("*.cdxj"):
            for line in index.read_text("utf-8").splitlines():
                entry = json.loads(line.partition("{")[1] + line.partition("{")[2])
                archived.add(path_of(entry["url"]) if entry["url"].count("/") > 2 else "")
        for path, article in self.site.published.items():
            if path not in last:
                yield f"{path}: not in the snapshot"
            elif missing := _missing(article, last[path]):
                yield f"{path}: {missing}"
            if path not in archived:
                yield f"{path}: not in the archive"


def _missing(article, row):
    body = _plain(row["article_body"])
    for block in article.blocks:
        if _plain(block.text) not in body:
            return f"lacks {block.text.strip()[:40]!r}"
    return ""


def _plain(text):
    return "".join(text.replace("*", "").split())


def _pass(*_):
    return None


def _refuse(*_):
    return "reset"


def _environment():
    mine = {k: v for k, v in os.environ.items() if not k.startswith("HONGXING_")}
    return mine | KEYS | {"PYTHONWARNINGS": "error"}


def _peak_mib(status_file):
    """The most memory that a process used; 0 when it was killed."""
    if not status_file.exists():
        return 0.0
    peak = status_file.read_text("utf-8").partition("VmHWM:")[2].split()[0]
    return round(int(peak) / 1024, 1)


def _open_runs(home):
    """Runs that began and never ended, however far they came."""
    return find_unended(read_lines(home / "runs" / "ledger.jsonl"))


def _address(endpoint):
    parts = urlsplit(endpoint)
    return parts.hostname, parts.port


@contextlib.contextmanager
def begin_year(folder, nights, seed=7):
    """Start all servers; yields a year to be lived."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        LivingSite(rng) as site,
        memory_server() as server,
        FaultProxy(_address(server.endpoint), _pass) as proxy,
        web_server() as told,
    ):
        yield Year(folder, site, server, proxy, told, make_plan(nights, rng), rng)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--home", type=Path, help="keep everything here")
    asked = parser.parse_args()
    with contextlib.ExitStack() as held:
        folder = asked.home or Path(held.enter_context(tempfile.TemporaryDirectory()))
        year = held.enter_context(begin_year(folder.absolute(), asked.nights, asked.seed))
        log = held.enter_context((folder / "nights.jsonl").open("a", encoding="utf-8"))
        sys.stdout.write(f"{year.plan}\n")
        begun = time.monotonic()
        for number in range(asked.nights):
            night = year.live(number, *(["--full"] if number == asked.nights - 1 else []))
            log.write(json.dumps(dataclasses.asdict(night), ensure_ascii=False) + "\n")
            log.flush()
            if night.problems or night.alerts or night.killed:
                what = "killed" if night.killed else f"exit {night.code}"
                sys.stdout.write(f"{number} {night.day} {what} {night.alerts} {night.problems}\n")
                sys.stdout.flush()
        return _report(year, time.monotonic() - begun)


def _report(year, seconds):
    nights = year.nights
    lost = list(year.lost())
    problems = [night for night in nights if night.problems]
    figures = {
        "nights": len(nights),
        "minutes": round(seconds / 60, 1),
        "killed": sum(night.killed for night in nights),
        "codes": dict(Counter(night.code for night in nights)),
        "alerts": dict(Counter(name for night in nights for name in night.alerts)),
        "nights_with_problems": len(problems),
        "articles": len(year.site.published),
        "lost": len(lost),
        "first_lost": lost[:5],
        "peak_mib": max(night.peak_mib for night in nights),
        "seconds_of_a_night": [round(night.seconds, 1) for night in nights[1::60]],
        "sizes": nights[-1].sizes,
        "own_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    sys.stdout.write(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    return int(bool(problems or lost))


if __name__ == "__main__":
    sys.exit(main())
