"""The commands around a home, started for real on the demo site."""

import gzip
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crawl_kit import crawl

from hongxing_crawler.core.record import decode
from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.lock import Holder, hold

README = Path(__file__).parent.parent / "README.md"
MODULE = [sys.executable, "-m", "hongxing_crawler"]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """A home after one demo: the home, and what the command printed."""
    folder = tmp_path_factory.mktemp("红星 demo")
    done = subprocess.run(
        [*MODULE, "demo", "--home", "home"],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == ExitCode.OK, done.stderr.decode()
    return folder / "home", done


@pytest.fixture
def home(crawled, tmp_path):
    """A copy of that home, to be changed."""
    return Path(shutil.copytree(crawled[0], tmp_path / "home"))


def test_the_demo_ends_with_a_table_and_says_where_everything_is(crawled):
    home, done = crawled
    text = done.stdout.decode()
    lines = [line.split("  ", 1) for line in text.splitlines() if "  " in line]
    shown = {name.strip(): rest.strip() for name, rest in lines}

    assert {"pages", "articles", "images", "attachments", "time"} <= set(shown)
    assert {"spam blocks removed", "damaged texts restored"} <= set(shown)
    for name in ("home", "warc", "rows", "media", "report"):
        assert Path(shown[name]).exists(), name
        assert shown[name].startswith(str(home))
    assert not done.stderr


def _assert_shortened(shown, real, where):
    """Compare what a document shows with a row: keys may be left out, texts end in an ellipsis."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            _assert_shortened(value, real[key], f"{where}.{key}")
    elif isinstance(shown, list):
        for value, counterpart in zip(shown, real, strict=False):
            _assert_shortened(value, counterpart, where)
    elif isinstance(shown, str) and shown.endswith("…"):
        assert real.startswith(shown.removesuffix("…")), where
    elif not where.endswith(".url"):  # its port may be another one
        assert real == shown, where


def test_the_row_in_the_readme_is_one_of_the_demos(crawled):
    (block,) = re.findall(r"```json\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (part,) = crawled[0].glob("export/articles/v1/snapshot/*/*.gz")
    rows = [json.loads(line) for line in gzip.decompress(part.read_bytes()).splitlines()]
    shown = json.loads(block)
    (real,) = [row for row in rows if row["url"].endswith(shown["url"].rpartition("/")[2])]

    _assert_shortened(shown, real, "row")


def test_the_log_is_kept_with_the_run(crawled):
    (log,) = crawled[0].glob("runs/*/log")

    assert "Spider closed" in log.read_text("utf-8")


def test_a_quiet_run_prints_nothing(home, hongxing):
    done = hongxing("demo", "--home", home, "-q")

    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.OK, b"", b"")


def test_a_run_for_machines_prints_one_object(home, hongxing):
    result = json.loads(hongxing("demo", "--home", home, "--json").stdout)

    assert result["exit_code"] == ExitCode.OK
    assert result["counts"]["pages"] > 0
    assert Path(result["paths"]["warc"]).is_file()


def test_status_tells_articles_runs_and_nobody_at_work(home, hongxing):
    look = json.loads(hongxing("status", "--home", home, "--json").stdout)

    assert look["articles"] >= 60
    assert look["holder"] is None
    assert [run["exit_code"] for run in look["last_runs"]] == [0]
    assert b"nobody" in hongxing("status", "--home", home).stdout


def test_status_tells_who_is_at_work(home, hongxing):
    with hold(home / "lock", Holder("crawl, process 1 on here", "run_x", "2026-11-23T08:00:00Z")):
        done = hongxing("status", "--home", home)

    assert b"crawl, process 1 on here, run_x, since 2026-11-23T08:00:00Z" in done.stdout


@pytest.mark.parametrize(
    "command", ["status", "export", "verify", "repair", "pack", "reprocess", "report"]
)
def test_a_folder_that_is_no_home_is_named(command, hongxing, tmp_path):
    done = hongxing(command, "--home", "nothing")

    assert done.returncode == ExitCode.CONFIG
    assert str(tmp_path / "nothing") in done.stderr.decode()
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("command", ["demo", "export", "repair", "pack", "reprocess", "report"])
def test_a_second_command_is_told_who_holds_the_home(command, home, hongxing):
    with hold(home / "lock", Holder("crawl, process 1 on here", "run_x", "2026-11-23T08:00:00Z")):
        done = hongxing(command, "--home", home)

    assert done.returncode == ExitCode.LOCKED
    assert b"crawl, process 1 on here, run_x, since 2026-11-23T08:00:00Z" in done.stderr
    assert b"Traceback" not in done.stderr


def test_export_writes_the_same_bytes_again(home, hongxing):
    parts = {path: path.read_bytes() for path in home.rglob("*.jsonl.gz")}

    done = hongxing("export", "--home", home)

    assert done.returncode == ExitCode.OK
    assert parts == {path: path.read_bytes() for path in home.rglob("*.jsonl.gz")}


def test_export_elsewhere_writes_all_and_leaves_the_home_alone(home, hongxing, tmp_path):
    before = {path: path.read_bytes() for path in home.glob("export/**/*") if path.is_file()}

    with hold(home / "lock", Holder("crawl", "run_x", "2026-11-23T08:00:00Z")):
        done = hongxing("export", "--home", home, "--out", "out")

    assert done.returncode == ExitCode.OK
    assert before == {p: p.read_bytes() for p in home.glob("export/**/*") if p.is_file()}
    for path, data in before.items():
        if path.name.endswith(".gz"):
            assert (tmp_path / "out" / path.relative_to(home / "export")).read_bytes() == data


def test_export_as_of_a_day_before_the_first_run_holds_nothing(home, hongxing, tmp_path):
    hongxing("export", "--home", home, "--as-of", "2020-01-01", "--out", "old")

    (manifest,) = (tmp_path / "old").rglob("_manifest.json")
    assert json.loads(manifest.read_bytes())["rows"] == 0


def test_reprocess_makes_the_rows_again_byte_for_byte(home, hongxing):
    done = hongxing("reprocess", "--home", home)

    assert done.returncode == ExitCode.OK
    assert b"same rows as the crawl's, byte for byte" in done.stdout


def test_a_lost_state_is_made_again_and_the_next_crawl_goes_on_with_it(home, hongxing):
    for path in home.glob("state.sqlite*"):
        path.unlink()

    done = hongxing("reprocess", "--home", home)
    (home / "reprocessed" / "state.sqlite").rename(home / "state.sqlite")
    later = json.loads(hongxing("status", "--home", home, "--json").stdout)

    assert b"same rows as the crawl's, byte for byte" in done.stdout
    assert b"mv " in done.stdout
    assert later["articles"] >= 60
    assert later["urls"].get("pending", 0) == 0


def test_reprocess_never_empties_a_folder_that_is_not_its_own(home, hongxing, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")

    done = hongxing("reprocess", "--home", home, "--out", "mine")
    into_home = hongxing("reprocess", "--home", home, "--out", home)

    assert done.returncode == into_home.returncode == ExitCode.CONFIG
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
    assert (home / "warc").is_dir()


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("empty", b""),
        ("a page", b"<html>no archive</html>"),
        ("noise", bytes(range(256)) * 12),
        ("gzip of a page", gzip.compress(b"<html>no archive</html>")),
        (
            "a WARC file of another program",
            gzip.compress(
                b"WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
                b"WARC-Record-ID: <urn:uuid:6a3a8c4e-3f0a-4b57-9f4e-000000000001>\r\n"
                b"Content-Type: application/warc-fields\r\nContent-Length: 18\r\n\r\n"
                b"software: another\n\r\n\r\n"
            ),
        ),
    ],
)
def test_reprocess_refuses_files_that_are_none_of_ours_and_leaves_nothing(
    hongxing, tmp_path, label, content
):
    path = tmp_path / "strange.warc.gz"
    path.write_bytes(content)
    done = hongxing("reprocess", path)

    assert done.returncode == ExitCode.CONFIG, label
    assert b"strange.warc.gz was not written by hongxing_crawler" in done.stderr
    assert list(tmp_path.iterdir()) == [path]


def test_reprocess_reads_given_files_alone(home, hongxing, tmp_path):
    (warc,) = home.glob("warc/*.warc.gz")

    done = hongxing("reprocess", warc, "--json")

    assert json.loads(done.stdout)["result"]["article_count"] >= 60
    assert list((tmp_path / "reprocessed").rglob("*.jsonl.gz"))


def test_verify_finds_a_sound_archive_sound(home, hongxing):
    done = hongxing("verify", "--deep", "--home", home)

    assert done.returncode == ExitCode.OK, done.stderr.decode()
    assert b"no findings" in done.stdout


def test_verify_names_damage(home, hongxing):
    (warc,) = home.glob("warc/*.warc.gz")
    data = bytearray(warc.read_bytes())
    data[len(data) // 2] ^= 0xFF
    warc.write_bytes(data)

    done = hongxing("verify", "--home", home)

    assert done.returncode == ExitCode.DAMAGED
    assert warc.name in done.stderr.decode()


def test_verify_names_a_media_file_that_changed(home, hongxing):
    media = next(home.glob("media/sha256/*/*"))
    media.write_bytes(b"x")

    done = hongxing("verify", "--deep", "--home", home)

    assert done.returncode == ExitCode.DAMAGED
    assert media.name in done.stderr.decode()


def test_repair_finishes_a_torn_file_and_makes_its_index(home, hongxing):
    (warc,) = home.glob("warc/*.warc.gz")
    (index,) = home.glob("cdxj/*.cdxj")
    index.unlink()
    torn = warc.with_name(warc.name + ".open")
    warc.rename(torn)
    torn.write_bytes(torn.read_bytes()[:-10])

    done = hongxing("repair", "--home", home)

    assert done.returncode == ExitCode.OK
    assert warc.is_file()
    assert index.is_file()
    assert not torn.exists()
    assert hongxing("verify", "--home", home).returncode == ExitCode.OK


def test_pack_makes_one_file(home, hongxing):
    report = json.loads(hongxing("pack", "--home", home, "--json").stdout)

    assert Path(report["path"]).is_file()
    assert report["page_count"] >= 60


def test_pack_names_a_warc_file_that_is_missing(home, hongxing):
    [path] = (home / "warc").glob("*.warc.gz")
    away = path.rename(home / path.name)
    nothing = hongxing("pack", "--home", home)
    shutil.copy(away, path.with_name(path.name.replace("-00000.", "-00001.")))
    done = hongxing("pack", "--home", home)

    assert nothing.returncode == ExitCode.CONFIG
    assert path.name.encode() in nothing.stderr
    assert f"missing, and not in the package: {path}" in done.stdout.decode()


def test_pack_of_an_unknown_run_names_it(home, hongxing):
    done = hongxing("pack", "--home", home, "--run", "run_1")

    assert done.returncode == ExitCode.CONFIG
    assert b"run_1" in done.stderr


def test_the_report_of_a_run_is_written_again(home, hongxing):
    (page,) = home.glob("runs/*/report.html")
    page.unlink()

    assert hongxing("report", "--home", home).returncode == ExitCode.OK
    assert page.is_file()


def test_a_limit_stops_a_run_and_the_same_command_goes_on(hongxing, tmp_path):
    stopped = hongxing("demo", "--home", "h", "--max-pages", "5")
    finished = hongxing("demo", "--home", "h")

    assert stopped.returncode == ExitCode.STOPPED
    assert b"goes on" in stopped.stderr
    assert finished.returncode == ExitCode.OK
    assert json.loads(hongxing("status", "--home", "h", "--json").stdout)["articles"] >= 60


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_a_signal_ends_a_crawl_in_order(tmp_path, number, code):
    process = subprocess.Popen(
        [*MODULE, "demo", "--home", "h"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    while not list(tmp_path.glob("h/warc/*.open")):
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(number)
    _, complaint = process.communicate(timeout=60)

    assert process.returncode == code
    assert b"Traceback" not in complaint
    assert b"goes on" in complaint
    assert not list(tmp_path.glob("h/warc/*.open"))


def test_an_unknown_site_is_answered_with_those_that_are_known(hongxing):
    done = hongxing("crawl", "hongxin")

    assert done.returncode == ExitCode.CONFIG
    assert b"generic, hongxing" in done.stderr


def test_a_broken_profile_is_named_with_its_line(hongxing, tmp_path):
    (tmp_path / "mine.toml").write_text('name = "mine"\nhosts = [\n')

    done = hongxing("crawl", "mine.toml")

    assert done.returncode == ExitCode.CONFIG
    assert b"mine.toml:3: not valid TOML" in done.stderr


def test_a_home_that_cannot_be_made_is_named(hongxing, tmp_path):
    (tmp_path / "file").write_text("")

    done = hongxing("demo", "--home", "file/home")

    assert done.returncode == ExitCode.CONFIG
    assert b"--home" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_disk_without_room_stops_a_run_at_its_start(tmp_path):
    with DemoSite() as site:
        ended = crawl(
            site.profile,
            tmp_path / "home",
            settings={"HONGXING_DISK_MIN_BYTES": 1 << 60, "HONGXING_DISK_WAIT_S": 0},
        )

    assert ended.code == ExitCode.STOPPED
    assert "goes on" in ended.result["sentence"]


def test_a_home_is_for_one_site(home, hongxing):
    done = hongxing("crawl", "generic", "--seed", "http://127.0.0.1:1/", "--home", home)

    assert done.returncode == ExitCode.CONFIG
    assert b"holds the site hongxing" in done.stderr


def test_the_real_site_has_no_place_in_the_home_of_its_replica(home, hongxing):
    """Both bear one name; a run would mix them, and ask the replica's pages of the real site."""
    done = hongxing("crawl", "--home", home, "--dry-run")

    assert done.returncode == ExitCode.CONFIG
    assert b"holds hongxing of 127.0.0.1" in done.stderr
    assert b"not of www.hxw.gov.cn; choose another home" in done.stderr


def test_a_site_that_moved_names_its_former_host(home, hongxing, tmp_path):
    moved = tmp_path / "moved.toml"
    start = 'name = "hongxing"\nhosts = ["new.test"]\nseeds = ["http://new.test/"]\n'
    moved.write_text(f'{start}old_hosts = ["127.0.0.1"]\n')

    assert hongxing("crawl", moved, "--home", home, "--dry-run").returncode == ExitCode.OK


def test_scrapy_crawl_works_as_every_scrapy_user_expects(tmp_path):
    with DemoSite() as site:
        host = site.profile.hosts[0]
        profile = tmp_path / "demo.toml"
        profile.write_text(
            f'name = "demo"\ngeneric = true\nhosts = ["{host}"]\nseeds = ["http://{host}/"]\n'
        )
        settings = {
            "HONGXING_SITE": profile,
            "HONGXING_HOME": tmp_path / "home",
            "DOWNLOAD_DELAY": "0",
            "AUTOTHROTTLE_ENABLED": "0",
            "HONGXING_BACKOFF_BASE_S": "0.02",
        }
        flags = [flag for name, value in settings.items() for flag in ("-s", f"{name}={value}")]
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "scrapy",
                "crawl",
                "hongxing",
                "-O",
                tmp_path / "x.jsonl",
                *flags,
            ],
            cwd=README.parent,
            capture_output=True,
            timeout=120,
            check=False,
        )

    rows = [decode(line) for line in (tmp_path / "x.jsonl").read_bytes().splitlines()]
    assert done.returncode == 0, done.stderr.decode()
    assert len(rows) >= 60
    assert list(tmp_path.glob("home/warc/*.warc.gz"))


def test_one_thing_is_told_in_the_singular(home, hongxing, tmp_path):
    told = [
        hongxing("verify", "--home", home),
        hongxing("status", "--home", home),
        hongxing("export-warc", "--since", "2020-01-01", "-o", "all.warc.gz", "--home", home),
    ]
    index = next(home.glob("cdxj/*.cdxj"))
    index.unlink()
    damaged = hongxing("verify", "--home", home)

    for done in told:
        assert done.returncode == ExitCode.OK, done.stderr
        assert b"1 WARC file" in done.stdout
        assert not re.search(rb"\b1 (WARC files|records|exchanges)\b", done.stdout)
    assert b": 1 finding\n" in damaged.stdout
