"""What Prometheus reads: names that are documented, a file that is always whole."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.lock import Holder, hold
from hongxing_crawler.upkeep.metrics import METRICS, CommandEnd, Sample, render, write_metrics

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 23, 2, 20, tzinfo=UTC)
LINE_RE = re.compile(r'(hongxing_\w+)\{((?:[a-z]+="(?:[^"\\]|\\.)*",?)+)\} (\S+)')
NAME_RE = re.compile(r"hongxing_[a-z_]+")


@pytest.fixture
def home(demo_home, tmp_path):
    return Path(shutil.copytree(demo_home, tmp_path / "home"))


def read(path):
    """Every sample of a file, by name and labels; each line has to be one."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = [LINE_RE.fullmatch(line) for line in lines]
    assert all(found), lines
    return {(m[1], re.sub(r'home="[^"]*",?', "", m[2])): float(m[3]) for m in found}


def test_exactly_the_metrics_that_exist_are_documented():
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")

    assert re.findall(r"^\| `(hongxing_\w+)`", text, re.MULTILINE) == list(METRICS)


@pytest.mark.parametrize("name", ["alerts.yml", "grafana.json"])
def test_examples_name_metrics_that_exist(name):
    text = (ROOT / "deploy" / name).read_text("utf-8")

    assert set(NAME_RE.findall(text)) - {"hongxing_crawler"} <= set(METRICS)


def test_the_dashboard_shows_every_panel_at_a_place_of_its_own():
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text("utf-8"))
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]

    assert len(set(places)) == len(places) == len({p["id"] for p in board["panels"]})
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])


def test_a_crawl_writes_them(home, hongxing, tmp_path):
    path = tmp_path / "hongxing.prom"
    done = hongxing("verify", "--home", home, "--metrics-file", path, "-q")
    look = json.loads(hongxing("status", "--home", home, "--json").stdout)

    found = read(path)
    (last,) = look["last_runs"]
    assert done.returncode == ExitCode.OK
    assert found["hongxing_command_exit_code", 'command="verify"'] == 0
    assert found["hongxing_articles", ""] == look["articles"]
    assert found["hongxing_archive_bytes", ""] == look["warc_bytes"]
    for name, count in last["counts"].items():
        assert found["hongxing_run_items", f'what="{name}"'] == count
    for state, count in look["urls"].items():
        assert found["hongxing_urls", f'state="{state}"'] == count
    success = datetime.fromisoformat(look["last_success_at"]).timestamp()
    assert found["hongxing_last_success_timestamp_seconds", ""] == pytest.approx(success)


def test_a_crawl_that_was_skipped_or_could_not_start_is_measured(home, hongxing, tmp_path):
    path = tmp_path / "hongxing.prom"
    flags = ("--home", home, "--metrics-file", path, "-q")
    hongxing("verify", *flags)
    with hold(home / "lock", Holder("a test", "", "")):
        hongxing("crawl", *flags)
    skipped = read(path)
    (home / "state.sqlite").write_bytes(b"broken" * 1000)
    hongxing("crawl", *flags)
    broken = read(path)

    assert skipped["hongxing_command_exit_code", 'command="crawl"'] == ExitCode.LOCKED
    assert skipped["hongxing_command_exit_code", 'command="verify"'] == 0
    assert skipped["hongxing_skipped_starts", ""] == 1
    assert broken["hongxing_command_exit_code", 'command="crawl"'] == ExitCode.CONFIG
    assert ("hongxing_last_success_timestamp_seconds", "") not in broken


def test_a_file_that_cannot_be_written_is_complained_of_and_changes_nothing(home, hongxing):
    done = hongxing("verify", "--home", home, "--metrics-file", "/nowhere/x.prom", "-q")

    assert done.returncode == ExitCode.OK
    assert b"could not write the metrics /nowhere/x.prom" in done.stderr


def test_an_older_file_stays_when_a_new_one_cannot_be_written(tmp_path):
    path = tmp_path / "hongxing.prom"
    end = CommandEnd("crawl", NOW, 1.0, 0)
    write_metrics(path, end, None, tmp_path)
    before = path.read_bytes()
    path.with_name(".hongxing.prom.part").mkdir()

    with pytest.raises(IsADirectoryError):
        write_metrics(path, end, None, tmp_path)
    assert path.read_bytes() == before


def test_a_name_of_any_characters_stays_in_its_label():
    sample = Sample("hongxing_run_items", 1, {"what": 'a"b\\c\nd'})

    assert 'what="a\\"b\\\\c\\nd"} 1' in render([sample], "/红星 home")


@pytest.fixture
def promtool():
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed; apt-get install prometheus")
    return tool


def test_prometheus_takes_the_rules(promtool):
    done = subprocess.run(
        [promtool, "check", "rules", ROOT / "deploy" / "alerts.yml"],
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert b"SUCCESS: 7 rules found" in done.stdout


def test_prometheus_takes_the_metrics_and_every_expression(promtool, home, hongxing, tmp_path):
    path = tmp_path / "hongxing.prom"
    hongxing("verify", "--home", home, "--metrics-file", path, "-q")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=path.read_bytes(), capture_output=True, check=False
    )
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text("utf-8"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = {"groups": [{"name": "board", "rules": _as_rules(expressions)}]}
    (tmp_path / "board.yml").write_text(json.dumps(rules))  # JSON is YAML
    checked = subprocess.run(
        [promtool, "check", "rules", tmp_path / "board.yml"], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _as_rules(expressions):
    return [
        {"record": f"panel:{number}", "expr": expression.replace("$home", ".*")}
        for number, expression in enumerate(expressions)
    ]


def test_logs_for_machines_are_an_object_a_line(home, hongxing, tmp_path):
    log = tmp_path / "log.jsonl"
    hongxing("demo", "--home", home, "-q", "--log-format", "json", "--log-file", log)
    runs = sorted(home.glob("runs/*/log"))
    lines = [json.loads(line) for path in (log, runs[-1]) for line in path.read_text().splitlines()]

    assert lines
    assert {line["run"] for line in lines} == {runs[-1].parent.name}
    assert all({"at", "level", "logger", "message"} <= set(line) for line in lines)
