"""History: what a new look at an article means, and how two looks differ."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongxing_crawler.core.document import ArticleContent, CleanedPage, FoundImage, Page
from hongxing_crawler.core.edits import RemovedBlock, apply_edits
from hongxing_crawler.core.history import (
    Known,
    bury,
    changed_fields,
    compare,
    find_text_changes,
    fingerprint,
    fold,
    tell_change,
)
from hongxing_crawler.core.record import MediaFile, Origin, build_article
from hongxing_crawler.core.row import ChangeRow

URL = "https://www.hxw.gov.cn/content/2020/03/20/1.html"
RUN = "run_20261124T080000Z"


def _article(body="五人获奖。\n\n完。", template="a", removed=(), **changes):
    content = ArticleContent(**{"headline": "标题", "article_body": body, **changes})
    cleaned = CleanedPage(Page(URL, template=template), content, received=body, removed=removed)
    return build_article(cleaned, origin=Origin(URL))


def _known(article, **changes):
    known = Known(
        article.revision, article.content_sha256, fingerprint(article), "2026-01-01T00:00:00Z"
    )
    return replace(known, **changes)


def test_the_first_look_is_new():
    row = fold(None, _article(), RUN)

    assert (row.op, row.revision, row.run_id) == ("new", 1, RUN)


def test_the_same_look_is_nothing():
    assert fold(_known(_article()), _article(), RUN) is None


@pytest.mark.parametrize(
    ("article", "revision"),
    [
        (_article("六人获奖。\n\n完。"), 2),
        (_article(headline="新标题"), 2),
        (_article(source_name="人民日报"), 1),
        (_article(date_published="2020-03-20T16:56:00+08:00"), 1),
    ],
)
def test_another_look_is_changed_and_only_content_makes_a_revision(article, revision):
    row = fold(_known(_article()), article, RUN)

    assert (row.op, row.revision) == ("changed", revision)
    assert row.first_seen_at == "2026-01-01T00:00:00Z"


def test_the_same_look_at_a_buried_article_is_changed():
    row = fold(_known(_article(), is_deleted=True), _article(), RUN)

    assert (row.op, row.revision, row.deleted_at) == ("changed", 1, "")


def test_a_tombstone_keeps_the_text():
    tombstone = bury(_article(), RUN, "2026-11-24T08:00:00Z")

    assert (tombstone.op, tombstone.article_body) == ("deleted", "五人获奖。\n\n完。")


def test_changed_fields_are_named_in_the_order_of_the_row():
    after = _article("六人获奖。\n\n完。", source_name="人民日报")

    assert changed_fields(_article(), after) == (
        "source_name",
        "article_body",
        "content_sha256",
    )


WHEEL = RemovedBlock("spam.link_wheel", "div.links", "成都|绵阳|")


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (_article(), "none"),
        (_article("六人获奖。\n\n完。"), "editorial"),
        (_article(source_name="人民日报"), "editorial"),
        (_article(removed=(WHEEL,)), "spam"),
        (_article(removed=(WHEEL,), source_name="人民日报"), "editorial"),
        (_article(template="b"), "template"),
        (_article("五人获奖。\n完。", template="b"), "template"),
        (_article("六人获奖。\n\n完。", template="b"), "editorial"),
    ],
)
def test_kinds_of_change(after, kind):
    assert compare(_article(), after).kind == kind


PICTURE = "https://img.hxw.gov.cn/1.jpg"


def _looked(sha256="", digest="", **changes):
    """A row with one picture, stored or not, read from bytes of that digest."""
    images = (FoundImage(PICTURE, caption="图说"),)
    article = _article(images=images, **changes)
    row = replace(article.images[0], sha256=sha256, status="stored" if sha256 else "failed")
    provenance = replace(article.provenance, raw_sha256=digest)
    return replace(article, images=(row,), main_image=sha256, provenance=provenance)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (_looked(), _looked("a" * 64), "files"),
        (_looked("a" * 64), _looked(), "files"),
        (_looked("a" * 64), _looked("b" * 64), "editorial"),
        (_article(), _article(date_published_raw="2020年3月20日"), "template"),
        (_article(), _article("五人获奖。\n完。"), "template"),
        (_article(), _article(template="b", source_name="人民日报"), "template"),
        (_article(source_name="人民日报"), _article(template="b", source_name="求是"), "editorial"),
        (_looked(digest="a" * 64), _looked(digest="a" * 64, body="五人获奖。"), "cleaning"),
        (_looked(digest="a" * 64), _looked(digest="b" * 64, body="五人获奖。"), "editorial"),
    ],
)
def test_kinds_of_change_that_look_like_others(before, after, kind):
    assert compare(before, after).kind == kind


def test_a_row_says_what_it_changed():
    new = replace(_article(), op="new")
    changed = replace(_article("六人获奖。\n\n完。"), op="changed")
    gone = bury(changed, RUN, "2026-11-24T08:00:00Z")

    assert tell_change(None, new).kind == "first"
    assert tell_change(new, changed).fields == ("article_body", "content_sha256")
    assert tell_change(changed, gone) == ChangeRow(
        kind="removed", fields=("deleted_at",), reason=""
    )
    assert tell_change(gone, changed) == ChangeRow(
        kind="returned", fields=("deleted_at",), reason=""
    )


FRAGMENTS = ["五人获奖。", "完。", "\n\n", "\n", "一" * 30, "二", ""]
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)


@given(TEXTS, TEXTS)
def test_text_changes_lead_from_one_text_to_the_other(before, after):
    assert apply_edits(before, find_text_changes(before, after)) == after


def test_very_long_differences_take_no_time():
    before, after = "甲乙" * 30_000, "乙甲丙" * 30_000

    (edit,) = find_text_changes(before, after)

    assert (edit.removed, edit.inserted) == (before, after)


FILM = "https://www.hxw.gov.cn/v/1.mp4"


def _with_film(url=FILM, sha256=""):
    kept = {url: MediaFile(url, sha256, "video/mp4", 9)} if sha256 else {}
    content = ArticleContent(headline="标题", article_body="五人获奖。", videos=(url,))
    page = CleanedPage(Page(URL, template="a"), content, received="五人获奖。")
    return build_article(page, origin=Origin(URL, raw_sha256=url), media=kept)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        pytest.param(_with_film(), _with_film(FILM + "?v=2"), "editorial", id="another film"),
        pytest.param(_with_film(), _with_film(sha256="a" * 64), "files", id="kept at last"),
        pytest.param(_with_film(sha256="a" * 64), _with_film(), "files", id="not kept any more"),
        pytest.param(
            _with_film(sha256="a" * 64), _with_film(sha256="b" * 64), "editorial", id="other bytes"
        ),
    ],
)
def test_a_change_of_films_has_its_kind(before, after, kind):
    assert tell_change(before, after).kind == kind
