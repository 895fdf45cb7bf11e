"""Rows: built from pages, in the shape of their schema, proved by their own edits."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.document import (
    ArticleContent,
    Author,
    CleanedPage,
    DamagedPlace,
    FoundAttachment,
    FoundImage,
    GlossEntry,
    Page,
    Restoration,
    Step,
)
from hongxing_crawler.core.edits import Edit, RemovedBlock, replay
from hongxing_crawler.core.record import (
    MediaFile,
    Origin,
    article_id,
    build_article,
    content_sha256,
    decode,
    encode,
    json_schema,
    media_key,
    received_body,
    relabel,
    replay_row,
    undo_edits,
)
from hongxing_crawler.core.schema import field_tables
from hongxing_crawler.exceptions import PageError
from hongxing_crawler.items import Capture

URL = "https://www.hxw.gov.cn/content/2020/03/20/1.html"
RECEIVED = "會(huì)议召开。\n\n成都|绵阳|\n\n完。"
CAPTURE = Capture(
    "demo-00000.warc.gz", 512, 2_048, "urn:uuid:1", "response", "sha256:ab", URL,
    datetime(2026, 11, 23, 8, tzinfo=UTC), 200, "text/html",
)  # fmt: skip
GLOSS = Edit(0, 6, "會(huì)", "会", "restore.gloss")
WHEEL = Edit(5, 13, "\n\n成都|绵阳|", "", "spam.link_wheel")


def _page(**changes):
    steps = (Step("restore", (GLOSS,)), Step("spam", (WHEEL,)), Step("footer"))
    body = replay(RECEIVED, [step.edits for step in steps])
    content = {
        "headline": "会议召开",
        "article_body": body,
        "date_published": "2020-03-20T16:56:00+08:00",
        "date_precision": "minute",
        "source_name": "人民日报",
        "authors": (Author("王某", "记者 王某"), Author("李某", "李某 摄", "photographer")),
    }
    return CleanedPage(
        page=Page(URL, template="a"),
        article=ArticleContent(**content | changes),
        received=RECEIVED,
        steps=steps,
        removed=(
            RemovedBlock("spam.hidden", "div.x", "博彩", ("http://x.cn/",), ("hidden=left",)),
        ),
        field_edits=(("headline", (Edit(0, 1, "會", "会", "restore.script"),)),),
        restoration=Restoration(
            "proved",
            (GlossEntry("會", "huì", 1),),
            (DamagedPlace("article_body", 0, 1, "會(huì)", "会", "proved"),),
        ),
        warnings=("pager without a second page",),
    )


def _build(cleaned=None, media=None, **origin):
    return build_article(
        cleaned or _page(), origin=Origin(URL, **origin), capture=CAPTURE, media=media
    )


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def test_a_row_fulfils_its_schema(validator):
    row = json.loads(encode(_build()))

    assert list(validator.iter_errors(row)) == []


def test_a_row_without_an_archive_fulfils_its_schema(validator):
    row = json.loads(encode(build_article(_page(), origin=Origin(URL))))

    assert list(validator.iter_errors(row)) == []
    assert row["provenance"]["warc_offset"] == -1


@pytest.mark.parametrize(
    "change",
    [{"op": "moved"}, {"revision": 0}, {"headline": ""}, {"images": None}, {"deleted_at": None},
     {"date_published": "2020-03-20"}, {"id": "1"}, {"char_count": "7"}, {"more": 1}],
)  # fmt: skip
def test_the_schema_refuses_other_shapes(validator, change):
    row = json.loads(encode(_build())) | change

    assert not validator.is_valid(row)


def test_every_key_is_required_and_explained():
    schema = json_schema()
    shapes = {"Article": schema, **schema["$defs"]}

    assert {name for name, shape in shapes.items() if shape["additionalProperties"]} == set()
    for name, shape in shapes.items():
        assert shape["required"] == list(shape["properties"]), name
        unexplained = [k for k, v in shape["properties"].items() if not v.get("description")]
        assert unexplained == [], name


def test_a_line_is_read_back_as_it_was():
    article = _build(media={})

    assert decode(encode(article)) == article


def test_a_line_has_no_line_feed_and_keeps_chinese():
    line = encode(_build())

    assert b"\n" not in line
    assert "会议召开".encode() in line


_KEY_LIKE = st.sampled_from(
    ['","op":"new","', ',"last_seen_at":null,', '"last_seen_at":"', "\\", '"']
)


@given(
    texts=st.lists(st.one_of(st.text(max_size=9), _KEY_LIKE), max_size=6).map("".join),
    op=st.sampled_from(["snapshot", "new", "changed", "deleted"]),
    before=st.sampled_from([None, "2026-11-23T08:00:00Z"]),
    after=st.sampled_from([None, "2027-01-01T00:00:00Z"]),
)
def test_a_line_gets_a_new_label_without_being_read(texts, op, before, after):
    row = replace(_build(), list_url=texts, source_raw=texts, last_seen_at=before)

    assert relabel(encode(row), op, after) == encode(replace(row, op=op, last_seen_at=after))
    assert relabel(encode(row), op) == encode(replace(row, op=op))


def test_a_line_with_a_missing_key_is_refused():
    row = json.loads(encode(_build()))
    del row["rights"]

    with pytest.raises(ValueError, match="rights"):
        decode(json.dumps(row).encode())


def test_the_row_proves_itself():
    article = _build()

    assert received_body(article) == RECEIVED
    assert replay_row(article)


@pytest.mark.parametrize(
    "change",
    [
        {"article_body": "会议召开。\n\n完了"},
        {"article_body": "话议召开。\n\n完。"},
        {"headline": "别的"},
    ],
)
def test_a_row_whose_text_was_touched_does_not(change):
    assert not replay_row(replace(_build(), **change))


def test_the_digest_is_of_composed_headline_and_body():
    assert content_sha256("é", "x") == content_sha256("e\u0301", "x")
    assert content_sha256("a", "b\nc") != content_sha256("a\nb", "c\n")


def test_ids_follow_the_canonical_address():
    one = _build(final_url="HTTPS://WWW.hxw.gov.cn:443/content/2020/03/20/1.html")

    assert one.id == article_id(URL)
    assert (one.canonical_url, one.requested_url) == (URL, URL)


def test_files_are_stored_doubled_or_failed():
    images = tuple(FoundImage(f"http://a.cn/{number}") for number in (1, 2, 3))
    stored = MediaFile("http://a.cn/1", "ab" * 32, "image/jpeg", 10, 4, 3)
    files = {"http://a.cn/1": stored, "http://a.cn/2": stored}
    row = _build(_page(images=images, attachments=(FoundAttachment("http://a.cn/4", "表"),)), files)

    assert [image.status for image in row.images] == ["stored", "duplicate", "failed"]
    assert row.main_image == "ab" * 32
    assert row.images[1].key == f"media/sha256/ab/{'ab' * 32}.jpg"
    assert row.quality.flags == ("media_failed",)
    assert row.quality.errors[1] == "attachments[0]: not stored: http://a.cn/4"


def test_files_that_were_not_asked_for_are_skipped():
    row = _build(_page(images=(FoundImage("http://a.cn/1"),)))

    assert row.images[0].status == "skipped"
    assert row.quality.errors == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"headline": ""}, "no headline"), ({"article_body": ""}, "no text and no files")],
)
def test_what_is_no_article_is_rejected_with_its_reason(changes, message):
    with pytest.raises(PageError, match=message):
        _build(_page(**changes))


def test_pictures_without_text_are_an_article():
    row = _build(_page(article_body="", images=(FoundImage("http://a.cn/1"),)))

    assert row.quality.flags == ("no_body",)
    assert row.quality.completeness == 0.75


@pytest.mark.parametrize(
    ("mime", "ending"),
    [("image/jpeg", "jpg"), ("image/png", "png"), ("image/svg+xml", "svg"), ("", "bin"),
     ("application/pdf", "pdf"), ("application/x-../../etc", "etc"), ("text/html; x=1", "html")],
)  # fmt: skip
def test_endings_follow_the_media_type_alone(mime, ending):
    assert media_key("0f" * 32, mime) == f"media/sha256/0f/{'0f' * 32}.{ending}"


FRAGMENTS = ["会议", "會(huì)議", "\n\n", "成都|", "a", "e\u0301", ""]


@given(st.data())
def test_edits_are_undone_exactly(data):
    pieces = data.draw(st.lists(st.tuples(*[st.sampled_from(FRAGMENTS)] * 3), max_size=6))
    text, edits = "", []
    for kept, removed, inserted in pieces:
        text += kept
        if removed or inserted:
            edits.append(Edit(len(text), len(text) + len(removed), removed, inserted, "test.any"))
        text += removed

    assert undo_edits(replay(text, [edits]), edits) == text


def test_the_documentation_lists_the_fields():
    text = (Path(__file__).parent.parent / "docs" / "data-format.md").read_text("utf-8")

    for line in field_tables().splitlines():
        assert line in text
