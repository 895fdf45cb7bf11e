"""Parts of the archive as WARC files that stand by themselves."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from archive_kit import assert_judges_accept
from store_kit import START
from takedown_kit import (
    OTHER,
    OWN_PICTURE,
    REASON,
    SECRET,
    SHARED_PICTURE,
    TEXT,
    make_home,
    now,
    page,
)

from hongxing_crawler.archive.captures import read_exchanges
from hongxing_crawler.archive.fields import read_fields, warc_uri
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.archive.verify import verify_warcs
from hongxing_crawler.core.urls import canonical_url
from hongxing_crawler.exceptions import ArchiveError
from hongxing_crawler.store.home import Home
from hongxing_crawler.store.state import State
from hongxing_crawler.takedown.plan import Order, take_down
from hongxing_crawler.upkeep.warc_export import Selection, export_warc

ONE_DAY = timedelta(days=1)
SECRET_URI = warc_uri(canonical_url(SECRET))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("built"))


@pytest.fixture
def home(built, tmp_path):
    return Home(Path(shutil.copytree(built.root, tmp_path / "home")))


def _export(home, folder, **selection):
    path = folder / "part.warc.gz"
    report = export_warc(home, Selection(**selection), path, now, "馆长")
    return path, report


def _bodies(path):
    return {
        (e.capture.url, e.capture.fetched_at): (e.capture.record_type, e.record.payload())
        for e in read_exchanges(path)
    }


def test_the_captures_of_a_page_are_copied_as_they_are(built, tmp_path):
    path, report = _export(built, tmp_path, names=(SECRET,))
    before = {
        r.record_id: r.payload()
        for warc in built.warc.glob("*.gz")
        for r in read_records(warc)
        if r.url == SECRET_URI
    }
    after = {r.record_id: r.payload() for r in read_records(path) if r.url == SECRET_URI}

    assert report.exchange_count == 3
    assert after == before
    assert {url for url, _ in _bodies(path)} == {SECRET_URI}


def test_pictures_go_along_on_request(built, tmp_path):
    path, _ = _export(built, tmp_path, names=(SECRET,), with_media=True)

    assert {url for url, _ in _bodies(path)} == {SECRET_URI, OWN_PICTURE, SHARED_PICTURE}


@pytest.mark.parametrize("name", [SECRET, OTHER])
def test_texts_go_along_on_request_and_name_what_they_were_read_from(built, tmp_path, name):
    path, report = _export(built, tmp_path, names=(name,), with_text=True)
    records = list(read_records(path))
    texts = [record for record in records if record.type == "conversion"]
    pages = {r.record_id: r for r in records if r.type in {"response", "revisit"}}
    with State.open(built.state, now=now, read_only=True) as state:
        versions = [v for v in state.articles.versions(canonical_url(name)) if v.op != "deleted"]

    assert report.text_count == len(texts) == len(versions)
    for text, version in zip(texts, versions, strict=True):
        origin = pages[text.fields["warc-refers-to"].strip("<>")]
        assert origin.url == warc_uri(canonical_url(name))
        assert text.url == f"urn:text:{origin.url}"
        assert origin.fields["warc-date"].startswith(version.provenance.fetched_at[:19])
        assert text.payload().decode() == f"{version.headline}\n\n{version.article_body}\n"


def test_a_body_of_another_page_is_written_in_full_once(built, tmp_path):
    """The page was archived twice as a revisit of a page that was not asked for."""
    path, report = _export(built, tmp_path, names=(OTHER,))
    first, second = (record for record in read_exchanges(path) if record.capture.url == OTHER)

    assert report.resolved_count == 1
    assert first.capture.record_type == "response"
    assert first.record.payload() == page(TEXT)
    assert second.original.record_id == first.capture.record_id
    assert first.metadata["resolved-from"].startswith("<urn:uuid:")
    assert first.metadata["hongxing-kind"] == "article"
    assert {r.url for r in read_records(path)} == {OTHER, ""}


def test_days_hold_everything_of_theirs_and_nothing_else(built, tmp_path):
    path, report = _export(built, tmp_path, since=START + ONE_DAY, until=START + 2 * ONE_DAY)
    moments = {moment for _, moment in _bodies(path)}

    assert report.exchange_count == 2
    assert min(moments) >= START + ONE_DAY
    assert {url for url, _ in _bodies(path)} == {SECRET_URI, OTHER}
    assert report.resolved_count == 1


@pytest.mark.parametrize(
    "selection", [{"names": (SECRET, OTHER)}, {"names": (OTHER,)}, {"since": START}], ids=str
)
def test_it_stands_by_itself_for_us_and_for_others(built, tmp_path, selection):
    path, _ = _export(built, tmp_path, **selection)

    assert verify_warcs([path]).findings == []
    assert_judges_accept(path)


def test_its_first_record_says_where_it_comes_from(built, tmp_path):
    path, _ = _export(built, tmp_path, names=(SECRET,))
    first, second, *_ = read_records(path)
    told = read_fields(first.payload())

    assert told["description"] == f"captures of {SECRET}"
    assert told["operator"] == "馆长"
    assert first.fields["warc-filename"] == path.name
    assert second.type == "warcinfo"
    assert second.fields["warc-filename"] in told["hongxing-source"]


def test_after_a_takedown_the_kept_body_is_found(home, tmp_path):
    take_down(home, Order((SECRET,), REASON, "馆长"), now)
    path, report = _export(home, tmp_path, names=(OTHER,))

    assert report.exchange_count == 2
    assert {body for _, body in _bodies(path).values()} == {page(TEXT), b""}
    assert verify_warcs([path]).findings == []


def test_a_lost_original_is_named_and_nothing_is_written(home, tmp_path):
    first = min(home.warc.glob("*.gz"))
    first.unlink()

    with pytest.raises(ArchiveError, match="is in none of the WARC files"):
        _export(home, tmp_path, names=(OTHER,))
    assert not list(tmp_path.glob("*part*"))


def _run(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "hongxing_crawler", "export-warc", *map(str, arguments)],
        capture_output=True,
        cwd=folder,
        check=False,
    )


def test_the_command_writes_what_it_says(built, tmp_path):
    done = _run(tmp_path, "--home", built.root, "--url", SECRET, "-o", "x.warc.gz", "--json")

    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["exchange_count"] == 3
    assert (tmp_path / "x.warc.gz").stat().st_size == json.loads(done.stdout)["byte_count"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-o", "x.warc.gz"], 2, "say what: --url URL, or --since DAY"),
        (["--url", SECRET], 2, "Missing option '-o'"),
        (["--url", SECRET, "-o", "x.warc"], 2, "does not end in .warc.gz"),
        (["--since", "gestern", "-o", "x.warc.gz"], 2, "neither a day such as"),
        (["--since", "2026-11-24T08:00", "-o", "x.warc.gz"], 2, "neither a day such as"),
        (["--since", "2026-11-25", "--until", "2026-11-23", "-o", "x.warc.gz"], 2, "lies behind"),
        (["--url", "http://a.cn/红", "-o", "x.warc.gz"], 4, "holds no captures of http://a.cn/红"),
        (["--since", "2030-01-01", "-o", "x.warc.gz"], 4, "holds no captures since"),
        (["--url", SECRET, "-o", "there.warc.gz"], 2, "--force replaces it"),
    ],
)
def test_wrong_arguments_are_named(built, tmp_path, arguments, code, words):
    (tmp_path / "there.warc.gz").write_bytes(b"mine")

    done = _run(tmp_path, "--home", built.root, *arguments)

    assert done.returncode == code
    assert words in " ".join(done.stderr.decode().split())
    assert (tmp_path / "there.warc.gz").read_bytes() == b"mine"
    assert not (tmp_path / "x.warc.gz").exists()
