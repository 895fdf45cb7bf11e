"""Keys stay where they came from: in no file, no output, no process list, whatever goes wrong."""

import gzip
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from bucket_kit import environment_of, make_bucket
from crawl_kit import crawl

from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exit_codes import ExitCode

COMMAND = [sys.executable, "-m", "hongxing_crawler"]


class Looker:
    """Runs commands and looks for secrets in all that they show and leave."""

    def __init__(self, secrets, folder):
        self.secrets = [secret.encode() for secret in secrets]
        self.folder = folder
        self.seen_in = set()
        self.process_count = 0

    def run(self, *arguments, environment):
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        watching = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, watching))
        watcher.start()
        out, err = process.communicate(timeout=120)
        watching.set()
        watcher.join()
        self.look(out, f"stdout of {arguments}")
        self.look(err, f"stderr of {arguments}")
        return process.returncode, err.decode()

    def _watch(self, pid, end):
        """Read the command lines of the process and its threads' children while it runs."""
        while not end.is_set():
            for child in (pid, *_children(pid)):
                line = _cmdline(child)
                self.process_count += bool(line)
                self.look(line, f"the process list: {line!r}")
            time.sleep(0.02)

    def look(self, data, where):
        if any(secret in data for secret in self.secrets):
            self.seen_in.add(where)

    def look_into_files(self):
        count = 0
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            data = path.read_bytes()
            self.look(data, str(path))
            if data[:2] == b"\x1f\x8b":
                self.look(gzip.decompress(data), str(path))
            count += 1
        return count


def _children(pid):
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(p) for task in tasks for p in (task / "children").read_text().split()]
    except OSError:
        return []


def _cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="module")
def looker(gateway, tmp_path_factory):
    secrets = [gateway.access_key, gateway.secret_key]
    return Looker(secrets, tmp_path_factory.mktemp("credentials"))


@pytest.fixture(scope="module")
def runs(gateway, looker):
    """Everything that touches the bucket, going well and failing; exit codes by what was done."""
    bucket, well = make_bucket(gateway), environment_of(gateway)
    url, home = f"s3://{bucket}/x", looker.folder / "home"
    keys = {name: well[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    named = {
        **{name: value for name, value in well.items() if name not in keys},
        "ARCHIVE_ACCESS_KEY_ID": gateway.access_key,
        "ARCHIVE_SECRET_ACCESS_KEY": gateway.secret_key,
        "HONGXING_S3_CREDENTIALS": "ARCHIVE",
    }
    loud = ("-v", "-v")
    codes = {}

    def run(name, *arguments, environment):
        codes[name] = looker.run(*arguments, environment=environment)

    with DemoSite() as site:
        seed = f"http://{site.profile.hosts[0]}/"
        assert crawl(site.profile, home).code == ExitCode.OK
        flags = ("--seed", seed, "--max-pages", "4", "--log-file", "crawl.log", *loud)
        run("crawl", "crawl", "generic", *flags, "--home", "other", "--s3", url,
            environment=named)  # fmt: skip
    place = ("--home", home, "--s3", url)
    away = {"HONGXING_S3_ENDPOINT": "http://127.0.0.1:9", "HONGXING_UPLOAD_TRIES": "2"}
    stranger = {"HONGXING_S3_ENDPOINT": gateway.tls_endpoint, "HONGXING_UPLOAD_TRIES": "2"}
    half = {"AWS_SECRET_ACCESS_KEY": gateway.secret_key[:-1] + "-"}
    place = ("--home", home, "--s3", f"s3://{bucket}/y")
    run("away", "upload", *place, *loud, environment=well | away)
    run("unknown authority", "upload", *place, *loud, environment=well | stranger)
    run("wrong secret", "upload", *place, *loud, environment=well | half)
    run("no bucket", "upload", "--home", home, "--s3", "s3://no-such-bucket", *loud,
        environment=well)  # fmt: skip
    run("upload", "upload", *place, *loud, environment=well)
    run("named", "upload", *place, "--json", environment=named)
    run("doctor", "doctor", "--s3", f"s3://{bucket}", "--json", environment=well)
    run("verify", "verify", *place, environment=named)
    run("status", "status", "--home", home, "--json", environment=well)
    run("show", "config", "show", *place, environment=named)
    run("show json", "config", "show", *place, "--json", environment=well)
    run("restore", "restore-home", f"s3://{bucket}/y", "--home", "again", *loud, environment=named)
    return codes


EXPECTED = {
    "away": ExitCode.TEMPORARY,
    "unknown authority": ExitCode.CONFIG,
    "wrong secret": ExitCode.CONFIG,
    "no bucket": ExitCode.CONFIG,
    "upload": ExitCode.OK,
    "named": ExitCode.OK,
    "doctor": ExitCode.OK,
    "verify": ExitCode.OK,
    "status": ExitCode.OK,
    "show": ExitCode.OK,
    "show json": ExitCode.OK,
    "restore": ExitCode.OK,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_command_ended_as_it_should(runs, name):
    code, said = runs[name]

    assert code == EXPECTED[name], said


def test_the_crawl_uploaded_with_the_named_keys(runs, looker):
    assert (looker.folder / "crawl.log").stat().st_size > 1000
    assert list((looker.folder / "other" / "warc").iterdir())
    assert "credentials" not in runs["crawl"][1]


def test_no_secret_is_anywhere(runs, looker):
    assert looker.process_count > len(runs)
    assert looker.look_into_files() > 150
    assert looker.seen_in == set()


def test_the_looker_finds_a_secret_when_there_is_one(gateway, tmp_path):
    looker = Looker([gateway.secret_key], tmp_path)
    (tmp_path / "plain").write_text(f"x{gateway.secret_key}y")
    (tmp_path / "packed").write_bytes(gzip.compress(gateway.secret_key.encode()))
    looker.look_into_files()
    looker.run("config", "show", "--home", gateway.secret_key, environment={})

    assert len(looker.seen_in) >= 4


MISPLACED = [
    {"HONGXING_S3_URL": "s3://{key}:{secret}@bucket/x"},
    {"HONGXING_S3_ENDPOINT": "https://{key}:{secret}@example.org"},
    {"AWS_ENDPOINT_URL": "http://{key}:{secret}@127.0.0.1:9"},
]


@pytest.mark.parametrize("placed", MISPLACED, ids=[next(iter(p)) for p in MISPLACED])
@pytest.mark.parametrize("command", [("config", "show"), ("doctor", "--s3"), ("upload", "-v")])
def test_a_secret_in_an_address_is_not_repeated(gateway, runs, looker, placed, command):
    keys = {"key": gateway.access_key, "secret": gateway.secret_key}
    placed = {name: value.format(**keys) for name, value in placed.items()}
    environment = {"HONGXING_S3_URL": "s3://bucket-x/y", "HONGXING_UPLOAD_TRIES": "1"} | placed
    looker.run(*command, "--home", looker.folder / "home", environment=environment)

    assert looker.seen_in == set()
