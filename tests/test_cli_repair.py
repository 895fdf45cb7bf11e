"""hongxing repair on finished files: what is lost is named, pending again, and fetched again."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from crawl_kit import crawl

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.archive.reader import read_at, read_records
from hongxing_crawler.archive.record_groups import read_groups
from hongxing_crawler.demo.run import always_due
from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exit_codes import ExitCode


@pytest.fixture(scope="module")
def site():
    with DemoSite() as running:
        yield running


@pytest.fixture(scope="module")
def crawled(site, tmp_path_factory):
    home = tmp_path_factory.mktemp("crawled") / "home"
    assert crawl(site.profile, home).code == 0
    return home


@pytest.fixture
def home(crawled, tmp_path):
    return Path(shutil.copytree(crawled, tmp_path / "home"))


def warc_of(home):
    return next(home.glob("warc/*.warc.gz"))


def tear(path, pick):
    """Overwrite bytes in the middle of a response; its exchange and the file before."""
    exchange = [item for item in read_exchanges(path) if pick(item.metadata)][10]
    capture, data = exchange.capture, path.read_bytes()
    middle = capture.offset + capture.length // 2
    path.write_bytes(data[:middle] + bytes(20) + data[middle + 20 :])
    return capture


@pytest.mark.parametrize("kind", ["article", "media"])
def test_all_other_records_stay_where_they_are_and_the_lost_one_is_fetched_again(
    site, home, hongxing, kind
):
    path = warc_of(home)
    before = {item.record_id: item.offset for item in read_records(path)}
    lost = tear(path, lambda noted: noted.get("hongxing-kind") == kind)
    torn = path.read_bytes()
    found = hongxing("verify", "--home", home)
    done = json.loads(hongxing("repair", "--home", home, "--json").stdout)
    after = {item.record_id: item.offset for item in read_records(path)}
    sound = hongxing("verify", "--deep", "--home", home)
    again = crawl(site.profile, home)
    whole = hongxing("verify", "--deep", "--home", home)
    captured = [
        item.capture.url for file in sorted(home.glob("warc/*.gz")) for item in read_exchanges(file)
    ]

    assert found.returncode == ExitCode.DAMAGED
    assert before.items() - after.items() == {(lost.record_id, lost.offset)}
    assert path.with_name(path.name + ".damaged").read_bytes() == torn
    assert done["files"][0]["lost_urls"] == [lost.url]
    assert len(done["pending_urls"]) == 1
    assert sound.returncode == ExitCode.OK, sound.stderr
    assert again.code == whole.returncode == ExitCode.OK, whole.stderr
    assert lost.url in captured


def test_a_repaired_home_passes_its_fixity_check(home, hongxing):
    tear(warc_of(home), lambda noted: noted.get("hongxing-kind") == "article")
    hongxing("repair", "--home", home)
    done = hongxing("verify", "--budget", "1", "--home", home)

    assert done.returncode == ExitCode.OK, done.stderr


def test_a_sound_home_is_left_alone(home, hongxing):
    before = {path: path.read_bytes() for path in home.glob("warc/*")}
    done = hongxing("repair", "--home", home)

    assert done.stdout == b"nothing to repair\n"
    assert {path: path.read_bytes() for path in home.glob("warc/*")} == before


def test_what_lay_in_a_missing_file_is_asked_again_without_conditions(site, home, hongxing):
    path = warc_of(home)
    urls = {item.capture.url for item in read_exchanges(path) if item.record.type == "response"}
    path.unlink()
    found = hongxing("verify", "--deep", "--home", home)
    done = json.loads(hongxing("repair", "--home", home, "--json").stdout)
    again = crawl(site.profile, home)
    captured = {
        item.capture.url: item.record.type
        for file in home.glob("warc/*.gz")
        for item in read_exchanges(file)
        if item.record.type != "metadata"
    }

    assert found.returncode == ExitCode.DAMAGED
    assert path.name.encode() in found.stderr
    assert done["missing"] == [path.name]
    assert again.code == ExitCode.OK
    assert set(captured) == urls
    assert set(captured.values()) <= {"response", "metadata"}


@pytest.fixture(scope="module")
def visited_twice(site, tmp_path_factory):
    """A home whose second WARC file refers to bodies of the first."""
    home = tmp_path_factory.mktemp("twice") / "home"
    assert crawl(always_due(site.profile), home).code == 0
    assert crawl(always_due(site.profile), home).code == 0
    return home


def warc_of_first(home):
    return min(home.glob("warc/*.warc.gz"))


def first_original(home):
    """The group whose body the most records of the later file refer to, and how many do."""
    first, second = sorted(home.glob("warc/*.warc.gz"))
    named = Counter(
        record.fields["warc-refers-to"]
        for record in read_records(second)
        if record.type == "revisit"
    )
    for group in read_groups(first):
        if named[f"<{group.main.record_id}>"]:
            return group, named[f"<{group.main.record_id}>"]
    raise AssertionError("no revisit in the later file")


@pytest.mark.parametrize("what", ["12 bytes of the response", "request, response and notes"])
@pytest.mark.parametrize("state", ["as it is", "made anew from the archive"])
def test_a_loss_on_record_is_told_and_is_no_new_damage(
    site, visited_twice, tmp_path, hongxing, what, state
):
    home = Path(shutil.copytree(visited_twice, tmp_path / "home"))
    group, revisit_count = first_original(home)
    response, path = group.main, warc_of_first(home)
    [(start, end)] = group.spans()
    if what.startswith("12"):
        start, end = response.offset + 200, response.offset + 212
    data = path.read_bytes()
    path.write_bytes(data[:start] + b"X" * (end - start) + data[end:])

    damaged = hongxing("verify", "--deep", "--home", home)
    repaired = hongxing("repair", "--home", home)
    if state != "as it is":
        made_anew = hongxing("reprocess", "--home", home)
        assert made_anew.returncode == ExitCode.OK, made_anew.stderr
        shutil.copy(home / "reprocessed/state.sqlite", home / "state.sqlite")
    again = crawl(site.profile, home)
    known = hongxing("verify", "--deep", "--home", home)
    told = json.loads(hongxing("verify", "--deep", "--home", home, "--json").stdout)
    kinds = Counter(loss["kind"] for loss in told["known_losses"])

    out = tmp_path / "all.warc.gz"
    exported = hongxing("export-warc", "--since", "2020-01-01", "-o", out, "--home", home)

    assert exported.returncode == ExitCode.ARCHIVE
    assert f"the body of {response.url} is ".encode() in exported.stderr
    assert (
        b"a repair has recorded it" if state == "as it is" else b"a known loss"
    ) in exported.stderr
    assert not out.exists()
    assert damaged.returncode == ExitCode.DAMAGED
    assert repaired.returncode == again.code == ExitCode.OK
    assert known.returncode == ExitCode.OK, known.stderr
    assert told["findings"] == []
    assert kinds == {"known-loss": 1, "lost-original": revisit_count}
    assert b"known losses, recorded by repairs: 1 place in WARC files" in known.stdout
    assert response.url in {loss["url"] for loss in told["known_losses"]}
    assert "hongxing-lost-bytes" in read_at(path, told["known_losses"][0]["offset"]).fields


def test_damage_that_no_repair_has_recorded_stays_a_finding(visited_twice, tmp_path, hongxing):
    home = Path(shutil.copytree(visited_twice, tmp_path / "home"))
    group, revisit_count = first_original(home)
    path, record = warc_of_first(home), group.main
    data = path.read_bytes()
    path.write_bytes(data[: record.offset] + data[record.offset + record.length :])
    found = hongxing("verify", "--home", home)

    assert found.returncode == ExitCode.DAMAGED
    assert found.stderr.count(b": revisit-target: ") == revisit_count
    assert b"known losses" not in found.stdout


def test_the_history_of_a_page_names_the_look_that_is_lost(home, hongxing):
    lost = tear(warc_of(home), lambda noted: noted.get("hongxing-kind") == "article")
    hongxing("repair", "--home", home)
    done = hongxing("history", lost.url, "--home", home)

    assert done.returncode == ExitCode.OK, done.stderr
    assert b"has recorded" in done.stdout
