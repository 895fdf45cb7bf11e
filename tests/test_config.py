import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.config import (
    SETTINGS,
    find_unknown_variables,
    load_config,
    parse_duration,
    show_config,
)
from hongxing_crawler.exceptions import ConfigError

ALL = json.loads((Path(__file__).parent / "cases" / "settings.json").read_text("utf-8"))
CASES = json.loads((Path(__file__).parent / "cases" / "config.json").read_text("utf-8"))


def _file(tmp_path, text):
    path = tmp_path / "hongxing.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_a_wrong_setting_is_named_with_file_line_and_what_is_allowed(case, tmp_path):
    path = _file(tmp_path, case["toml"])

    with pytest.raises(ConfigError) as caught:
        load_config(path, case.get("environment", {}), case.get("flags", {}))

    lines = str(caught.value).replace(str(path), "hongxing.toml").splitlines()
    assert lines == case["errors"]


def test_flags_win_over_environment_over_file_over_default(tmp_path):
    path = _file(tmp_path, 'site = "from-file"\noperator = "from file"\nhome = "h"\n')
    environment = {"HONGXING_SITE": "from-environment", "HONGXING_OPERATOR": "from environment"}

    config = load_config(path, environment, {"site": "from-flag"})

    assert config.site == "from-flag"
    assert config.operator == "from environment"
    assert config.home == tmp_path / "h"
    assert config.delay_s == 1.0
    assert config.origins["site"] == "--site"
    assert config.origins["operator"] == "HONGXING_OPERATOR"
    assert config.origins["home"] == f"{path}:3"
    assert config.origins["crawl.delay_s"] == "default"


def _write_all(settings):
    """Write a file that holds every setting, those of a table below its name."""
    tables = {}
    for setting in settings:
        table, _, name = setting["key"].rpartition(".")
        tables.setdefault(table, []).append(f"{name} = {setting['toml']}")
    return "\n".join(
        "\n".join([f"[{table}]" if table else "", *lines]) for table, lines in tables.items()
    )


def test_every_key_can_stand_in_the_file(tmp_path):
    path = _file(tmp_path, _write_all(ALL))

    shown = show_config(load_config(path, {}, {}))

    assert {key: item["value"] for key, item in shown.items()} == {
        setting["key"]: setting["shown"] for setting in ALL
    }


def test_the_file_in_the_current_folder_is_found(tmp_path, monkeypatch):
    _file(tmp_path, 'operator = "here"')
    monkeypatch.chdir(tmp_path)

    assert load_config(None, {}, {}).operator == "here"


def test_the_variable_names_another_file(tmp_path, monkeypatch):
    (tmp_path / "other.toml").write_text('operator = "other"')
    monkeypatch.chdir(tmp_path)

    assert load_config(None, {"HONGXING_CONFIG": "other.toml"}, {}).operator == "other"


def test_a_relative_home_on_the_command_line_is_relative_to_the_current_folder(
    tmp_path, monkeypatch
):
    (tmp_path / "etc").mkdir()
    path = _file(tmp_path / "etc", "")
    monkeypatch.chdir(tmp_path)

    assert load_config(path, {}, {"home": "x"}).home == tmp_path / "x"


def test_an_empty_variable_counts_as_unset():
    assert load_config(None, {"HONGXING_OPERATOR": ""}, {}).origins["operator"] == "default"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a" * 1_000_001])
def test_a_file_that_is_no_text_of_ours_is_refused(tmp_path, content):
    path = tmp_path / "hongxing.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"UTF-8|larger"):
        load_config(path, {}, {})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: cannot read the settings: No such file"):
        load_config(tmp_path / "none.toml", {}, {})


def test_a_mistyped_variable_is_found():
    found = find_unknown_variables({"HONGXING_HOEM": "x", "HONGXING_HOME": "y", "PATH": "z"})

    assert found == ["HONGXING_HOEM: no such variable; did you mean HONGXING_HOME?"]


def test_variables_and_fields_are_unique():
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)


@given(st.tuples(*[st.integers(0, 999)] * 4).filter(any))
def test_durations_add_their_units(counts):
    days, hours, minutes, seconds = counts

    text = f"{days}d{hours}h{minutes}m{seconds}s"

    assert parse_duration(text) == days * 86_400 + hours * 3_600 + minutes * 60 + seconds


@given(st.text(max_size=20))
def test_any_other_text_is_refused_or_read_but_never_crashes(text):
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert seconds >= 0
