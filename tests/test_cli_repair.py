"""hongxing repair on finished files: what is lost is named, pending again, and fetched again."""

import json
import shutil
from pathlib import Path

import pytest
from crawl_kit import crawl

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.archive.reader import read_records
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
