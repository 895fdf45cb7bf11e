import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hongxing_crawler.exceptions import ConfigError
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.schedule import crontab, install, logrotate, systemd
from hongxing_crawler.schedule.plan import Plan, parse_time

NAMES = [
    "plain",
    "with blanks",
    "红星网 归档",
    "50% off",
    'say "no"',
    "it's",
    "$HOME",
    "back\\slash",
]


def _plan(folder, **values):
    return Plan(
        **{"name": "hongxing", "python": Path(sys.executable), "folder": folder, "home": folder}
        | values
    )


@pytest.mark.parametrize(("text", "time_of_day"), [("02:20", (2, 20)), ("9:05", (9, 5))])
def test_a_time_of_day_is_read(text, time_of_day):
    assert parse_time(text) == time_of_day


@pytest.mark.parametrize("text", ["", "24:00", "2", "02:60", "2:5", "noon", "02:20\n"])
def test_no_time_of_day_is_refused(text):
    with pytest.raises(ValueError, match="02:20"):
        parse_time(text)


@pytest.mark.parametrize("name", ["", "a b", "../x", "红", "x" * 61])
def test_a_name_that_no_unit_can_have_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="name"):
        _plan(tmp_path, name=name)


def test_a_path_that_no_crontab_can_hold_is_refused(tmp_path):
    with pytest.raises(ValueError, match="crontab"):
        _plan(tmp_path / "two\nlines")


def test_the_share_is_read_after_the_crawl_also_past_midnight(tmp_path):
    crawl, verify = _plan(tmp_path, at="23:00").jobs

    assert (crawl.hour, crawl.minute, verify.hour, verify.minute) == (23, 0, 1, 20)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("for_user", [False, True], ids=["system", "user"])
@pytest.mark.parametrize("name", NAMES)
def test_systemd_takes_the_units(tmp_path, name, for_user):
    folder = tmp_path / name
    folder.mkdir()
    units = systemd.units(_plan(folder, log_file=folder / "log"), for_user=for_user)
    for file, text in units.items():
        (tmp_path / file).write_text(text)

    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / file) for file in units)],
        capture_output=True,
        text=True,
        check=False,
    )

    said = [
        line for line in done.stderr.splitlines() if str(tmp_path) in line or "hongxing" in line
    ]
    assert (done.returncode, said) == (0, [])


def test_a_unit_forbids_what_a_crawl_does_not_need(tmp_path):
    service = systemd.units(_plan(tmp_path))["hongxing.service"].splitlines()

    for line in ("Type=oneshot", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert line in service
    assert f"ReadWritePaths={tmp_path}" in service
    assert "OnFailure=hongxing-failed.service" in service
    assert any(line.startswith("SuccessExitStatus=75 ") for line in service)


def test_a_timer_makes_up_for_a_night_that_was_missed(tmp_path):
    timer = systemd.units(_plan(tmp_path, at="03:30"))["hongxing.timer"].splitlines()

    assert "OnCalendar=*-*-* 03:30:00 Asia/Shanghai" in timer
    assert "Persistent=true" in timer
    assert any(line.startswith("RandomizedDelaySec=") for line in timer)


@pytest.mark.parametrize("name", NAMES)
def test_a_crontab_line_runs_in_a_shell_what_was_meant(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    lines = crontab.block(_plan(folder)).splitlines()
    line = next(line for line in lines if " crawl " in line)

    command = line.split("  ", 1)[1].replace("\\%", "%")  # as cron gives it to the shell

    words = shlex.split(command)
    assert words[:3] == ["cd", str(folder), "&&"]
    assert words[words.index("--home") + 1] == str(folder)
    assert "%" not in line.replace("\\%", "")


def test_a_crontab_keeps_the_lines_of_others(tmp_path):
    plan = _plan(tmp_path)
    others = "# mine\n0 1 * * * true\n"

    once = crontab.merge(others, plan)
    twice = crontab.merge(once, _plan(tmp_path, at="03:00", mail_to="a@b.cn"))

    assert once.startswith(others)
    assert once.endswith(crontab.block(plan))
    assert twice.startswith(others)
    assert twice.count("# begin hongxing_crawler") == 1
    assert "MAILTO=a@b.cn\n" in twice
    assert crontab.merge(twice, plan) == once


def test_two_homes_have_a_block_each(tmp_path):
    first, second = _plan(tmp_path), _plan(tmp_path, name="other")

    text = crontab.merge(crontab.merge("", first), second)

    assert crontab.merge(text, second) == text
    assert crontab.block(first) in text


def test_a_crontab_that_was_broken_by_hand_is_left_alone(tmp_path):
    with pytest.raises(ValueError, match="without its end"):
        crontab.merge("# begin hongxing_crawler hongxing\n0 1 * * * true\n", _plan(tmp_path))


@pytest.mark.skipif(not shutil.which("logrotate"), reason="logrotate is not installed")
def test_logrotate_takes_its_stanza(tmp_path):
    log = tmp_path / 'a "log" 红.log'
    log.write_text("line\n" * 10)
    tmp_path.chmod(0o755)
    rules = tmp_path / "rules"
    rules.write_text(logrotate.stanza(log))
    rules.chmod(0o644)

    subprocess.run(["logrotate", "--force", "--state", tmp_path / "state", rules], check=True)

    assert (tmp_path / f"{log.name}.1").read_text() == "line\n" * 10
    assert log.read_text() == ""


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="systemctl is not installed")
@pytest.mark.skipif(Path("/run/systemd/system").exists(), reason="would change this machine")
def test_units_are_written_and_a_machine_without_systemd_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"systemctl .*daemon-reload: .*; the files are written"):
        install.install_units(_plan(tmp_path), tmp_path / "units", for_user=False)

    assert {path.name for path in (tmp_path / "units").iterdir()} == set(
        systemd.units(_plan(tmp_path))
    )


CRON = all(map(shutil.which, ("cron", "crontab"))) and os.getuid() == 0
CRON_WAIT_S = 240  # cron looks once a minute, and a dead site is asked several times


@pytest.mark.skipif(not CRON, reason="cron is not installed, or we are not root")
@pytest.mark.skipif(not os.environ.get("CI"), reason="waits a minute and uses root's crontab: CI=1")
def test_cron_runs_the_crawl(tmp_path):
    """A minute passes, cron starts the command, and the run is on record."""
    home = tmp_path / "家 50%"
    site = tmp_path / "site.toml"
    site.write_text('name = "nowhere"\nhosts = ["127.0.0.1:9"]\nseeds = ["http://127.0.0.1:9/"]\n')
    plan = _plan(tmp_path, name="test-of-cron", home=home, site=str(site))
    before = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False).stdout
    every_minute = [
        "* * * * *" + line[line.index("  ") :] if " crawl " in line else line
        for line in crontab.block(plan).splitlines()
        if " verify " not in line
    ]
    subprocess.run(["crontab", "-"], input="\n".join([*every_minute, ""]), text=True, check=True)
    daemon = subprocess.Popen(["cron", "-f"])
    try:
        deadline = time.monotonic() + CRON_WAIT_S
        while not list(home.glob("runs/*/run.json")):
            assert time.monotonic() < deadline, sorted(tmp_path.rglob("*"))
            time.sleep(0.5)
    finally:
        subprocess.run(["crontab", "-"], input=before, text=True, check=True)
        daemon.terminate()
        daemon.wait()

    (record,) = home.glob("runs/*/run.json")
    assert json.loads(record.read_bytes())["exit_code"] == ExitCode.TEMPORARY


def test_the_command_prints_what_it_would_install(hongxing, tmp_path):
    done = hongxing("schedule", "--systemd", "--home", str(tmp_path), "--json")

    files = json.loads(done.stdout)
    assert {Path(name).name for name in files} == {
        "hongxing.service",
        "hongxing.timer",
        "hongxing-verify.service",
        "hongxing-verify.timer",
        "hongxing-failed.service",
    }


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--systemd", "--at", "25:00"),
        ("--crontab", "--name", "a/b"),
        ("--systemd", "--zone", "Mars/X"),
        ("--crontab", "--zone", "../etc/passwd"),
        ("--crontab", "--systemd"),
    ],
    ids=["nothing", "no time", "no name", "no zone", "no zone but a path", "both"],
)
def test_a_wrong_flag_of_schedule_is_answered_with_usage(hongxing, flags):
    done = hongxing("schedule", *flags)

    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith(b"Usage: hongxing schedule")
