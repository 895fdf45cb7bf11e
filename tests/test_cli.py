import errno
import json
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from hongxing_crawler import exceptions
from hongxing_crawler.cli import COMMANDS
from hongxing_crawler.cli.verdict import judge
from hongxing_crawler.core.record import decode
from hongxing_crawler.exit_codes import ExitCode

PARAGRAPH = "会议指出，要坚持以高质量党建引领高质量发展，抓好各项工作落实。"
PAGE = f"""<html><head><meta charset="utf-8"><title>全市组织工作会议召开_红星网</title></head>
<body><h1>全市组织工作会议召开</h1><div>2024-05-06 10:20:30 来源：红星网</div>
<div class="content"><p>{PARAGRAPH}</p><p>{PARAGRAPH}</p></div></body></html>""".encode()
MODULE = [sys.executable, "-m", "hongxing_crawler"]


def test_help_names_every_command(hongxing):
    done = hongxing("--help")

    assert done.returncode == ExitCode.OK
    for name in COMMANDS:
        assert f"\n  {name} ".encode() in done.stdout
    assert b"..." not in done.stdout.partition(b"Commands:")[2]


@pytest.mark.parametrize("arguments", [["--help"], ["crawl", "--help"], ["upload", "--help"]])
def test_help_imports_nothing_that_takes_long(arguments):
    script = (
        "import sys; from hongxing_crawler.cli import main; main(sys.argv[1:]);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, check=True
    )

    heavy = {"scrapy", "twisted", "aiohttp", "boto3", "botocore", "turbohtml", "rich", "jinja2"}
    assert heavy & set(done.stderr.decode().split()) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(hongxing, name):
    done = hongxing(name, "--help")

    assert done.returncode == ExitCode.OK
    assert done.stdout.startswith(f"Usage: hongxing {name}".encode())
    assert not done.stderr


def test_a_wrong_flag_is_answered_with_usage(hongxing):
    done = hongxing("config", "show", "--hom", "x")

    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith(b"Usage: hongxing config show")
    assert b"--home" in done.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ("crawl", "--max-pages", "-5"),
        ("crawl", "--max-pages", "many"),
        ("crawl", "--max-duration", "soon"),
        ("crawl", "--wait-lock", "1 hour"),
        ("crawl", "--home", ""),
        ("crawl", "generic"),
        ("crawl", "generic", "hongxing"),
        ("demo", "--state", "3"),
        ("status", "--runs", "-1"),
        ("export", "--as-of", "soon"),
    ],
    ids=" ".join,
)
def test_a_wrong_value_of_a_flag_is_answered_with_usage(hongxing, flags):
    done = hongxing(*flags)

    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith(f"Usage: hongxing {flags[0]}".encode())
    assert not done.stdout


def test_an_unknown_command_is_answered_with_usage(hongxing):
    assert hongxing("crwal").returncode == ExitCode.USAGE


def test_a_wrong_setting_is_named_in_one_sentence(hongxing, tmp_path):
    (tmp_path / "hongxing.toml").write_text("[crawl]\ndelay_s = -1\n")

    done = hongxing("config", "validate")

    assert done.returncode == ExitCode.CONFIG
    assert done.stderr.decode() == (
        "hongxing: hongxing.toml:2: crawl.delay_s = -1: allowed is a number from 0 to 3600\n"
    )
    assert not done.stdout


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('operator = "x"\nsite = "nowhere"\n', "hongxing.toml:2: site: unknown site 'nowhere'"),
        ('site = "none.toml"\n', "hongxing.toml:1: site: none.toml: cannot read the site profile"),
        (
            '[s3]\nca_bundle = "none.pem"\n',
            "hongxing.toml:2: s3.ca_bundle = 'none.pem': there is no such file",
        ),
        (
            '[metrics]\nfile = "hongxing.txt"\n',
            "hongxing.toml:2: metrics.file = 'hongxing.txt': the collector reads only files whose",
        ),
    ],
)
def test_what_the_settings_name_has_to_be_there(hongxing, tmp_path, toml, says):
    (tmp_path / "hongxing.toml").write_text(toml)
    done = hongxing("config", "validate")

    assert done.returncode == ExitCode.CONFIG
    assert done.stderr.decode().startswith(f"hongxing: {says}")


def test_a_crawl_says_where_an_unknown_site_is_named(hongxing, tmp_path):
    (tmp_path / "hongxing.toml").write_text('site = "nowhere"\n')

    assert b"hongxing.toml:1: site: unknown site" in hongxing("crawl").stderr
    assert hongxing("crawl", "elsewhere").stderr.startswith(b"hongxing: unknown site 'elsewhere'")


def test_a_failure_is_an_object_for_machines(hongxing):
    done = hongxing("config", "validate", "--json", environment={"HONGXING_SITE": "nowhere"})

    answer = json.loads(done.stdout)
    assert done.returncode == answer["exit_code"] == ExitCode.CONFIG
    assert "nowhere" in answer["error"]


def test_a_wrong_flag_is_an_object_for_machines_too(hongxing):
    done = hongxing("--json", "crawl", "--max-pages", "-5")

    assert json.loads(done.stdout)["exit_code"] == done.returncode == ExitCode.USAGE


def test_a_mistyped_variable_fails_validation(hongxing):
    done = hongxing("config", "validate", environment={"HONGXING_HOEM": "x"})

    assert done.returncode == ExitCode.CONFIG
    assert b"did you mean HONGXING_HOME?" in done.stderr


def test_common_options_stand_before_or_after_the_command(hongxing, tmp_path):
    before = hongxing("--home", "a", "--json", "config", "show")
    after = hongxing("config", "show", "--home", "a", "--json")

    between = hongxing("config", "--home", "a", "--json", "show")

    assert before.stdout == after.stdout == between.stdout
    assert json.loads(after.stdout)["home"]["value"] == str(tmp_path / "a")


def test_the_schema_is_that_of_a_row(hongxing):
    schema = json.loads(hongxing("schema").stdout)

    assert schema["title"] == "article/1.0"
    assert "headline" in schema["required"]


def test_clean_prints_the_row_of_a_page(hongxing):
    done = hongxing("clean", "-", "--url", "http://www.hxw.gov.cn/a/1.html", stdin=PAGE)

    row = decode(done.stdout)
    assert done.returncode == ExitCode.OK
    assert row.headline == "全市组织工作会议召开"
    assert row.article_body == f"{PARAGRAPH}\n\n{PARAGRAPH}"
    assert row.url == "http://www.hxw.gov.cn/a/1.html"


def test_clean_reads_a_file_and_any_charset(hongxing, tmp_path):
    page = PAGE.decode().replace('<meta charset="utf-8">', "").encode("gb18030")
    (tmp_path / "页 面.html").write_bytes(page)

    done = hongxing("clean", "页 面.html", environment={"LC_ALL": "C"})

    assert decode(done.stdout).headline == "全市组织工作会议召开"


def test_clean_explains_itself_in_text_and_as_a_page(hongxing, tmp_path):
    done = hongxing("clean", "-", "--explain", "--html", "why.html", stdin=PAGE)

    assert "全市组织工作会议召开" in done.stdout.decode()
    assert "全市组织工作会议召开" in (tmp_path / "why.html").read_text("utf-8")


def test_a_page_without_an_article_is_partial(hongxing):
    done = hongxing("clean", "-", stdin=b"<html></html>")

    assert done.returncode == ExitCode.PARTIAL
    assert b"holds no article" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    "flags", [("--url", "file:///etc/passwd"), ("--url", "x"), ("--html", "/")]
)
def test_clean_refuses_what_is_no_page_address_or_file(hongxing, flags):
    assert hongxing("clean", "-", *flags, stdin=PAGE).returncode == ExitCode.USAGE


DAMAGED = "會(huì)議(yì)召開(kāi)，時(shí)間：2024年5月6日。會(huì)議(yì)指出，時(shí)間緊迫。\n"


def test_restore_prints_the_restored_text(hongxing):
    done = hongxing("restore", "-", stdin=DAMAGED.encode())

    assert done.returncode == ExitCode.OK
    assert done.stdout.decode() == "会议召开，时间：2024年5月6日。会议指出，时间紧迫。\n"


def test_restore_explains_itself(hongxing):
    text = hongxing("restore", "-", "--explain", stdin=DAMAGED.encode()).stdout.decode()

    assert text.startswith("verdict: ")
    assert "會(huì)" in text


def test_restore_tells_machines_the_verdict(hongxing):
    answer = json.loads(hongxing("restore", "-", "--json", stdin=DAMAGED.encode()).stdout)

    assert answer["text"].startswith("会议召开")
    assert answer["verdict"] in {"proved", "guessed"}
    assert answer["edits"] > 0


@pytest.mark.parametrize(
    "data", [b"", b"abc\r\nd", "会议（一）召开。\r\n".encode(), b"\xef\xbb\xbfabc"]
)
def test_restore_leaves_sound_text_as_it_is_byte_for_byte(hongxing, data):
    assert hongxing("restore", "-", stdin=data).stdout == data


def _since(text):
    from hongxing_crawler.cli.crawling import _parse_since

    return _parse_since(None, None, text)


def test_since_takes_a_day_or_an_age():
    assert _since("2026-01-31") == "2026-01-31"
    assert _since(None) == ""
    assert date.fromisoformat(_since("7d")) < date.fromisoformat(_since("1h"))


@pytest.mark.parametrize("text", ["yesterday", "", "7", "2026-13-01", "9999d9999d", "9999999d"])
def test_since_refuses_anything_else_with_usage(hongxing, text):
    done = hongxing("crawl", "--since", text)

    assert done.returncode == ExitCode.USAGE
    assert b"such as 7d" in done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    shell = f"{shlex.join(MODULE)} schema | head -c 1; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(
        ["bash", "-c", shell], capture_output=True, cwd=tmp_path, timeout=60, check=True
    )

    assert done.stdout == b"{0\n"
    assert not done.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("schema >&-", ExitCode.OK),
        ("schema <&-", ExitCode.OK),
        ("schema 2>&-", ExitCode.OK),
        ("--help >&- 2>&- <&-", ExitCode.OK),
        ("crwal 2>&-", ExitCode.USAGE),
        ("status --home none >&- 2>&-", ExitCode.CONFIG),
        ("status --home none --json >&-", ExitCode.CONFIG),
        ("clean page.html --html out.html >&- 2>&- <&-", ExitCode.OK),
        ("status --home none 2> >(true)", ExitCode.CONFIG),
        ("crwal 2> >(true)", ExitCode.USAGE),
    ],
)
def test_streams_that_are_closed_change_no_exit_code(tmp_path, command, code):
    (tmp_path / "page.html").write_bytes(PAGE)

    done = subprocess.run(
        ["bash", "-c", f"{shlex.join(MODULE)} {command}"],
        capture_output=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )

    assert done.returncode == code
    assert b"Traceback" not in done.stdout + done.stderr
    if "out.html" in command:
        assert (tmp_path / "out.html").read_bytes().startswith(b"<!DOCTYPE html>")


def _wait_for_handler(pid):
    """Wait until the program catches SIGTERM, on however busy a machine."""
    term = 1 << (signal.SIGTERM - 1)
    while True:
        status = Path(f"/proc/{pid}/status").read_text()
        if int(status.partition("SigCgt:")[2].split()[0], 16) & term:
            return
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_a_signal_ends_a_command_with_its_code_and_no_traceback(tmp_path, number, code):
    process = subprocess.Popen(
        [*MODULE, "clean", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    _wait_for_handler(process.pid)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=30)

    assert process.returncode == code
    assert b"Traceback" not in complaint
    assert complaint.strip()


def _caused(error, cause):
    error.__cause__ = cause
    return error


def _sqlite_full():
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


FULL = OSError(errno.ENOSPC, "No space left on device")
JUDGED = [
    (exceptions.ConfigError("x"), ExitCode.CONFIG),
    (exceptions.StateError("x"), ExitCode.CONFIG),
    (exceptions.DiskFullError("x"), ExitCode.STOPPED),
    (exceptions.LockedError("x"), ExitCode.LOCKED),
    (exceptions.ArchiveError("x"), ExitCode.ARCHIVE),
    (exceptions.PageError("x"), ExitCode.PARTIAL),
    (exceptions.UploadError("x"), ExitCode.TEMPORARY),
    (_caused(exceptions.ArchiveError("x"), FULL), ExitCode.STOPPED),
    (_caused(exceptions.StateError("x"), _sqlite_full()), ExitCode.STOPPED),
    (FULL, ExitCode.STOPPED),
    (PermissionError(errno.EACCES, "Permission denied", "/home"), ExitCode.CONFIG),
    (OSError(errno.EROFS, "Read-only file system", "/home"), ExitCode.CONFIG),
    (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), ExitCode.TEMPORARY),
    (OSError(errno.EIO, "Input/output error"), ExitCode.UNEXPECTED),
    (ValueError("x"), ExitCode.UNEXPECTED),
]


@pytest.mark.parametrize(("error", "code"), JUDGED, ids=repr)
def test_an_error_has_its_code_and_a_sentence_that_says_what_next(error, code):
    verdict = judge(error)

    assert verdict.code == code
    assert verdict.sentence


def test_every_error_of_ours_has_a_code():
    kinds = {kind for kind in vars(exceptions).values() if isinstance(kind, type)}

    for kind in kinds - {exceptions.HongxingError}:
        assert judge(kind("x")).code != ExitCode.UNEXPECTED


def test_an_unexpected_error_names_its_place_and_shows_no_traceback(hongxing, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import json\ndef dumps(*a, **k): raise ZeroDivisionError(0)\njson.dumps = dumps\n"
    )
    spoilt = {"PYTHONPATH": str(tmp_path)}

    quiet = hongxing("schema", environment=spoilt)
    verbose = hongxing("schema", "-v", environment=spoilt)

    assert quiet.returncode == verbose.returncode == ExitCode.UNEXPECTED
    assert b"unexpected ZeroDivisionError at sitecustomize.py:2: 0" in quiet.stderr
    assert b"Traceback" not in quiet.stderr
    assert b"Traceback" in verbose.stderr
