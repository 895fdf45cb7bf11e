"""Break uploads in every way that we know, and look whether anything is ever lost or half there.

``python tests/s3_campaign.py --runs 300`` starts a gateway, makes two states of a home (a run, and
the run after it), and uploads them again and again under faults of the network, of the server, and
of the uploader itself. While that goes on a reader follows ``latest.json``; afterwards one plain
``hongxing upload`` must complete everything. Prints a line for each kind of fault; exits 1 when
anything was lost, wrong or half published.
"""

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fault_proxy import FAULTS, FaultProxy
from gateway import Gateway

BUCKET = "campaign"
TREE = "export/articles/v1"
_QUICK = {
    "HONGXING_UPLOAD_TRIES": "4",
    "HONGXING_UPLOAD_TIMEOUT": "2s",
    "HONGXING_UPLOAD_PART_SIZE_MB": "5",
    "HONGXING_UPLOAD_DEEP_SHARE": "0.1",
}
_ALLOWED = {0, 5}
SCENARIOS = (
    *FAULTS,
    "mixed",
    "refused",
    "refused_mid",
    "kill_uploader_before",
    "kill_uploader_after",
    "kill_uploader_mid_body",
    "kill_gateway",
)


@dataclass
class Tally:
    """What the campaign found."""

    runs: int = 0
    codes: Counter = field(default_factory=Counter)
    faults: int = 0
    lost: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    half: list = field(default_factory=list)
    unfinished: list = field(default_factory=list)

    @property
    def is_clean(self):
        return not (self.lost or self.wrong or self.half or self.unfinished)


def upload_child(home, place, endpoint, environment, out):
    """Be ``hongxing upload`` in a process of its own, which may be killed."""
    os.environ.update(environment | _QUICK | {"HONGXING_S3_ENDPOINT": endpoint})
    with Path(out).open("w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        from hongxing_crawler.cli import main

        code = main(["upload", "--home", str(home), "--s3", place])
        stream.flush()
        os._exit(code)


def make_homes(root):
    """Make the home of one run, and the same home after a second one."""
    first, second = root / "first", root / "second"
    for home, limit in ((first, "12"), (second, "14")):
        if home is second:
            shutil.copytree(first, second)
        subprocess.run(
            [sys.executable, "-m", "hongxing_crawler", "demo", "--home", home, "--max-pages", limit,
             "-q", "--no-upload"],
            check=False, capture_output=True, timeout=300,
        )  # fmt: skip
        # So few pages may be refused by the quality gate; a person may publish them all the same.
        subprocess.run(
            [sys.executable, "-m", "hongxing_crawler", "export", "--home", home, "-q"],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        assert (home / TREE / "latest.json").is_file()
    # A WARC file that goes up in three parts.
    noise = random.Random(7)
    for home in (first, second):
        path = home / "warc" / "hongxing-run_20200101T000000Z-00000.warc.gz"
        noise.seed(7)
        path.write_bytes(noise.randbytes(11 << 20))
    return first, second


class Campaign:
    """A gateway, a proxy before it, and the homes."""

    def __init__(self, root, gateway, seed):
        self.root, self.gateway, self.random = root, gateway, random.Random(seed)
        self.proxy = FaultProxy(("127.0.0.1", gateway.port)).start()
        self.first, self.second = make_homes(root)
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(
            ["hongxing_crawler.upkeep.upload", "hongxing_crawler.cli.upload", "boto3"]
        )
        self.tally = Tally()
        self.client = self._client()
        with contextlib.suppress(self.client.exceptions.BucketAlreadyOwnedByYou):
            self.client.create_bucket(Bucket=BUCKET)
        self.steps = {}  # kind of kill -> at which request the next one comes
        self.by_scenario = {}

    def _client(self):
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.gateway.endpoint,
            aws_access_key_id=self.gateway.access_key,
            aws_secret_access_key=self.gateway.secret_key,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 8}),
        )

    def run(self, count, offset=0):
        for number in range(0, count, 2):
            scenario = SCENARIOS[(offset + number // 2) % len(SCENARIOS)]
            prefix = f"红星/{number:04d}"
            home = self.root / "home"
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(self.first, home)
            self._stage(scenario, home, prefix, number)
            self._take_over(home)
            self._stage(scenario, home, prefix, number + 1)
            self._empty(prefix)

    def _take_over(self, home):
        """Let the second run happen: its files, and its state but for what was uploaded."""
        old = sqlite3.connect(home / "state.sqlite")
        rows = old.execute("SELECT * FROM outbox WHERE proof <> ''").fetchall()
        old.close()
        shutil.copytree(self.second, home, dirs_exist_ok=True)
        for name in ("state.sqlite-wal", "state.sqlite-shm"):
            (home / name).unlink(missing_ok=True)
        new = sqlite3.connect(home / "state.sqlite")
        names = [row[1] for row in new.execute("PRAGMA table_info(outbox)")]
        path, digest = names.index("path"), names.index("sha256")
        for row in rows:
            known = new.execute("SELECT sha256 FROM outbox WHERE path = ?", (row[path],)).fetchone()
            if known is None or known[0] == row[digest]:
                new.execute("DELETE FROM outbox WHERE path = ?", (row[path],))
                marks = ", ".join("?" * (len(row) - 1))
                columns = ", ".join(names[1:])
                new.execute(f"INSERT INTO outbox ({columns}) VALUES ({marks})", row[1:])
        new.commit()
        new.close()

    def _stage(self, scenario, home, prefix, number):
        """Upload under faults, then plainly; look at everything."""
        place = f"s3://{BUCKET}/{prefix}"
        self.proxy.seen.clear()
        done, reader = threading.Event(), []
        watch = threading.Thread(target=self._read_on, args=(prefix, done, reader), daemon=True)
        watch.start()
        code, text = self._break(scenario, home, place)
        self.tally.runs += 1
        self.tally.codes[f"{scenario}: {code}"] += 1
        faults = sum(fault is not None for _, _, fault in self.proxy.seen)
        self.tally.faults += faults
        allowed = _ALLOWED | ({4} if scenario == "forbidden" else set())
        allowed |= {-9} if scenario.startswith("kill_uploader") else set()
        if code not in allowed:
            self.tally.wrong.append((number, scenario, f"exit {code}", text[-500:]))
        self.proxy.plan = lambda _method, _path: None
        code, text = self._upload(home, place)
        if code != 0:
            self.tally.unfinished.append((number, scenario, f"exit {code}", text[-500:]))
        done.set()
        watch.join()
        self.tally.half += [(number, scenario, found) for found in reader]
        self._compare(home, prefix, number, scenario)

    def _break(self, scenario, home, place):
        """Upload while something breaks; exit code and output."""
        rate = 0.03 if "stall" in scenario else 0.12
        if scenario in FAULTS or scenario == "mixed":
            names = [n for n in FAULTS if n != "forbidden"] if scenario == "mixed" else [scenario]
            pick = self.random
            self.proxy.plan = lambda _m, _p: pick.choice(names) if pick.random() < rate else None
            return self._upload(home, place)
        if scenario == "refused":
            self.proxy.stop()
            try:
                return self._upload(home, place)
            finally:
                self.proxy.start()
        step = self._next_step(scenario)
        counter = iter(range(1_000_000))
        if scenario == "refused_mid":
            self.proxy.plan = lambda _m, _p: self._once(next(counter) == step, self._flap)
            return self._upload(home, place)
        if scenario == "kill_gateway":
            self.proxy.plan = lambda _m, _p: self._once(next(counter) == step, self._flap_gateway)
            code = self._upload(home, place)
            if not self.gateway.is_up():
                self.gateway.start_gateway()
            return code
        fault = {"kill_uploader_before": "stall", "kill_uploader_after": "stall_after",
                 "kill_uploader_mid_body": "reset_mid_body"}[scenario]  # fmt: skip
        killed = threading.Event()

        def plan(_method, _path):
            if next(counter) < step:
                return None
            killed.set()
            return fault

        self.proxy.plan = plan
        return self._upload(home, place, kill=killed)

    def _next_step(self, scenario):
        """Go through the requests of an upload one after the other, then from the start."""
        step = self.steps.get(scenario, self.random.randrange(3))
        self.steps[scenario] = (step + 7) % 130
        return step

    def _once(self, is_now, act):
        if is_now:
            threading.Thread(target=act, daemon=True).start()
            return "reset"
        return None

    def _flap(self):
        self.proxy.stop()
        time.sleep(0.7)
        self.proxy.start()

    def _flap_gateway(self):
        self.gateway.kill_gateway()
        time.sleep(0.3)
        self.gateway.start_gateway()

    def _upload(self, home, place, kill=None):
        out = self.root / "out"
        arguments = (home, place, self.proxy.endpoint, self.gateway.environment, out)
        child = self.context.Process(target=upload_child, args=arguments)
        child.start()
        end = time.monotonic() + 120
        while child.exitcode is None and time.monotonic() < end:
            if kill is not None and kill.is_set():
                time.sleep(self.random.random() * 0.05)
                child.kill()
            child.join(0.02 if kill is not None else 0.2)
        if child.exitcode is None:
            child.kill()
            child.join()
            return "hangs", out.read_text()
        return child.exitcode, out.read_text() if out.exists() else ""

    def _read_on(self, prefix, done, found):
        """Follow latest.json as a reader would, until told to stop."""
        last = ""
        while not done.wait(0.05):
            with contextlib.suppress(OSError, *_network_errors()):
                last = self._read_once(prefix, last, found)

    def _read_once(self, prefix, last, found):
        body = self._get(f"{prefix}/{TREE}/latest.json")
        if body is None or body == last:
            return last
        latest = json.loads(body)
        for dataset in ("snapshot", "delta"):
            folder = f"{prefix}/{TREE}/{latest[dataset]}"
            if self._get(f"{folder}/_SUCCESS") is None:
                found.append(f"{folder} has no _SUCCESS")
            manifest = json.loads(self._get(f"{folder}/_manifest.json") or b"{}")
            if manifest.get("run_id") != latest["run_id"]:
                found.append(f"{folder} is of {manifest.get('run_id')}, not {latest['run_id']}")
            for part in manifest.get("parts", []):
                data = self._get(f"{folder}/{part['name']}")
                if data is None or hashlib.sha256(data).hexdigest() != part["sha256"]:
                    found.append(f"{folder}/{part['name']} is missing or other")
        return body

    def _get(self, key):
        try:
            return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def _list(self, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=f"{prefix}/"
        )
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _compare(self, home, prefix, number, scenario):
        """Every file of the home lies in the bucket, with its bytes; latest.json is the last."""
        keys = {key.removeprefix(f"{prefix}/") for key in self._list(prefix)}
        run_id = json.loads((home / TREE / "latest.json").read_bytes())["run_id"]
        for file in sorted(home.rglob("*")):
            path = file.relative_to(home).as_posix()
            if (
                not file.is_file()
                or path.split("/")[0] in {"tmp", "lock", "demo-ports.json"}
                or path == "runs/ledger.jsonl"
                or "state.sqlite" in path
            ):
                continue
            wanted = hashlib.sha256(file.read_bytes()).hexdigest()
            key = path
            if "/snapshot/" in path:
                folder, name = path.rsplit("/", 1)
                own = f"{folder}/run={run_id}/{name}"
                key = own if own in keys else path
            if path.endswith("latest.json"):
                continue
            data = self._get(f"{prefix}/{key}")
            if data is None:
                self.tally.lost.append((number, scenario, path))
            elif hashlib.sha256(data).hexdigest() != wanted:
                self.tally.wrong.append((number, scenario, path))
        latest = self._get(f"{prefix}/{TREE}/latest.json")
        if latest is None or json.loads(latest)["run_id"] != run_id:
            self.tally.unfinished.append((number, scenario, "latest.json is not of the last run"))

    def _empty(self, prefix):
        for key in self._list(prefix):
            self.client.delete_object(Bucket=BUCKET, Key=key)


def _network_errors():
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


def run_one(runs, seed, offset):
    """Run a share of the campaign with a gateway of its own."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        gateway = Gateway(Path(folder) / "gateway")
        gateway.start()
        try:
            campaign = Campaign(Path(folder), gateway, seed)
            campaign.run(runs, offset)
        finally:
            gateway.stop()
    return campaign.tally


def run_jobs(options):
    """Share the campaign among processes: most of it is waiting."""
    share = -(-options.runs // (2 * options.jobs)) * 2
    tallies = []
    commands = [
        [sys.executable, __file__, "--runs", str(share), "--seed", str(options.seed + job),
         "--offset", str(job * len(SCENARIOS) // options.jobs), "--json"]
        for job in range(options.jobs)
    ]  # fmt: skip
    children = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    for child in children:
        out, _ = child.communicate()
        values = json.loads(out)
        values["codes"] = Counter(values["codes"])
        tallies.append(Tally(**values))
    return tallies


def add_up(tallies):
    whole = Tally()
    for tally in tallies:
        whole.runs += tally.runs
        whole.faults += tally.faults
        whole.codes += tally.codes
        for name in ("lost", "wrong", "half", "unfinished"):
            getattr(whole, name).extend(getattr(tally, name))
    return whole


def tell(tally, seconds):
    lines = [f"{name:32} {count:4}" for name, count in sorted(tally.codes.items())]
    lines.append(
        f"{tally.runs} runs, {tally.faults} faults, {seconds:.0f} s: {len(tally.lost)} objects"
        f" lost, {len(tally.wrong)} wrong, {len(tally.half)} half published,"
        f" {len(tally.unfinished)} incomplete after the next hongxing upload"
    )
    troubles = (*tally.lost, *tally.wrong, *tally.half, *tally.unfinished)
    lines += [" ".join(map(str, trouble)) for trouble in troubles]
    sys.stdout.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--offset", type=int, default=0, help="begin with this scenario")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    started = time.monotonic()
    if options.jobs > 1:
        tally = add_up(run_jobs(options))
    else:
        tally = run_one(options.runs, options.seed, options.offset)
    if options.json:
        sys.stdout.write(json.dumps(vars(tally)))
    else:
        tell(tally, time.monotonic() - started)
    return 0 if tally.is_clean and tally.runs >= options.runs else 1


if __name__ == "__main__":
    sys.exit(main())
