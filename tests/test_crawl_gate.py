import json

from hongxing_crawler.exit_codes import ExitCode

GATED = {"HONGXING_MONITORS_SHORT_SHARE": "0.0001"}  # the demo has an article of pictures alone


def _latest(home):
    path = home / "export" / "articles" / "v1" / "latest.json"
    return json.loads(path.read_bytes())["run_id"] if path.exists() else None


def _last_record(home):
    return json.loads(max(home.glob("runs/*/run.json")).read_bytes())


def test_a_failed_gate_keeps_what_is_published_until_a_person_has_looked(hongxing, tmp_path):
    home = tmp_path / "home"
    flags = ("--home", home, "-q", "--json")

    first = hongxing("demo", "--max-pages", 30, *flags)
    refused = hongxing("demo", *flags, environment=GATED)

    assert first.returncode == ExitCode.STOPPED
    assert refused.returncode == ExitCode.QUALITY
    assert "latest.json stays as it was" in json.loads(refused.stdout)["sentence"]
    published = _latest(home)
    record = _last_record(home)
    assert published == json.loads(first.stdout)["run_id"] != record["run_id"]
    assert [finding["name"] for finding in record["findings"] if finding["is_gate"]] == ["short"]
    delta = home.glob(f"export/articles/v1/delta/*/run={record['run_id']}/_SUCCESS")
    assert list(delta), "for the person to look at"

    assert hongxing("export", *flags).returncode == ExitCode.OK
    assert _latest(home) == record["run_id"]


def test_what_a_refused_run_changed_is_published_by_the_next_that_passes(hongxing, tmp_path):
    refused, plain = tmp_path / "refused", tmp_path / "plain"

    for home, environment in ((refused, GATED), (plain, {})):
        flags = ("--home", home, "-q")
        hongxing("demo", "--max-pages", 30, *flags)
        hongxing("demo", *flags, environment=environment)
        assert hongxing("demo", "--state", 2, *flags).returncode == ExitCode.OK

    counts = []
    for home in (refused, plain):
        (manifest,) = home.glob("export/articles/v1/snapshot/*/_manifest.json")
        counts.append(json.loads(manifest.read_bytes())["rows"])
    assert counts[0] == counts[1]
