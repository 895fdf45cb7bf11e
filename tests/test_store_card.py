"""The dataset card: counts, gaps and loaders from the state, and no word of a page as Markdown."""

import re

import pytest
from store_kit import ONE, TWO, Archive, picture

from hongxing_crawler.core.record import encode
from hongxing_crawler.core.schema import json_schema
from hongxing_crawler.store.card import Tally
from hongxing_crawler.store.rows import export_run

GONE, LOST, WAITING = (TWO.replace("2.html", f"{n}.html") for n in "345")


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE, TWO, GONE, LOST, WAITING)
    archive.visit(ONE)
    archive.visit(TWO, body="第二篇。\n\n完。")
    archive.visit(GONE, "gone", status=404, reason="status_404")
    archive.visit(LOST, "rejected", reason="no body | found <b>")
    yield archive
    archive.state.close()


def _card(archive, folder, **how):
    export_run(archive.state, folder, archive.run_id, **how)
    return (folder / "articles/v1/README.md").read_text("utf-8")


def _counts(card, title):
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", card, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"^\| (.+?) \| ([\d,]+) \|$", section, re.MULTILINE))


def test_it_counts_the_rows_that_were_written(archive, tmp_path):
    card = _card(archive, tmp_path)

    assert "| articles | 2 |" in card
    assert "| characters of text | 9 |" in card
    assert sum(map(int, _counts(card, "By year").values())) == 2
    assert sum(map(int, _counts(card, "By channel").values())) == 2
    assert sum(map(int, _counts(card, "By kind").values())) == 2


def test_it_names_what_is_missing_and_why(archive, tmp_path):
    gaps = _counts(_card(archive, tmp_path), "Gaps")

    assert gaps["gone: status_404"] == "1"
    assert gaps["addresses found and not asked yet"] == "1"
    assert gaps["rejected: no body &#124; found &lt;b>"] == "1"


def test_files_are_counted_with_those_that_could_not_be_had(archive, tmp_path):
    capture = archive.capture(WAITING)
    media = {"https://x/1.jpg": picture("https://x/1.jpg")}
    images = ("https://x/1.jpg", "https://x/2.jpg")
    article = archive.article(WAITING, "图。", capture, images=images, media=media)
    archive.visit(WAITING, articles=[article])
    card = _card(archive, tmp_path)

    assert "| images | 2, of which 1 are kept in `media/` |" in card
    assert _counts(card, "Gaps")["files that could not be had"] == "1"


def test_the_same_state_gives_the_same_card(archive, tmp_path):
    assert _card(archive, tmp_path / "a") == _card(archive, tmp_path / "b")


def test_every_field_of_a_row_is_explained(archive, tmp_path):
    card = _card(archive, tmp_path)

    assert [name for name in json_schema()["properties"] if f"\n| `{name}` |" not in card] == []


@pytest.mark.parametrize(("with_parquet", "form"), [(False, "jsonl.gz"), (True, "parquet")])
def test_its_head_and_loaders_name_files_that_are_there(archive, tmp_path, with_parquet, form):
    card = _card(archive, tmp_path, with_parquet=with_parquet)
    root = tmp_path / "articles/v1"
    paths = set(re.findall(r"snapshot/dt=[\d-]+/part-[\w*]+\.[a-z.]+[a-z]", card))

    assert {path.rpartition("*.")[2] for path in paths if "*" in path} == {form}
    assert len(paths) == 2
    assert [path for path in paths if not list(root.glob(path))] == []


def test_a_site_without_rows_has_a_card(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    card = _card(archive, tmp_path)
    archive.state.close()

    assert "| articles | 0 |" in card


def test_a_tally_passes_lines_on_as_they_are(archive):
    lines = [("snapshot", encode(row)) for row in archive.state.articles.snapshot()]
    tally = Tally()

    assert list(tally.watch(lines)) == lines
    assert tally.rows == 2
