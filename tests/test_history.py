"""The history of a page: what changed between two looks, and by whose doing."""

import json
import os
import shutil
import subprocess
import sys
from urllib.parse import quote

import pytest
from crawl_kit import crawl, reprocess, rows
from wire_kit import TEXT, WireSite, article, ok

from hongxing_crawler.running.run import utc_now
from hongxing_crawler.store.home import Home
from hongxing_crawler.upkeep.history import read_history

CHINESE = quote("/a/红星 新闻")
WHEEL = (
    '<div class="pl_css_ganrao" style="position:fixed;left:-9000px;top:-9000px">'
    "感谢您访问我们的网站，您可能还对以下资源感兴趣：<a href='http://{host}/'>{name}</a></div>"
)
PLAIN = article("机关党建")
ONE = article("机关党建", WHEEL.format(host="x.example", name="博彩平台"))
TWO = article("机关党建", WHEEL.format(host="y.example", name="彩票投注"))
OTHER_FORM = (
    "<html><head><meta charset='utf-8'><title>机关党建</title></head><body><main><h1>机关党建</h1>"
    "<p class='info'>来源：红星网 2020年03月20日 16:56</p><article id='content'>"
    f"<p>{TEXT}</p>\n<p> {TEXT} </p></article></main></body></html>"
).encode()
GONE = ok(b"<h1>404</h1>", status=b"404 Not Found")

# By address: what the server says in each of four runs, and what the looks have to be.
PAGES = {
    "/a/edit": (
        [PLAIN, PLAIN, article("机关党建", text=TEXT.replace("会议指出", "会议强调")), PLAIN],
        ["first", "same", "editorial", "editorial"],
    ),
    "/a/title": ([PLAIN, article("机关党建述评")] * 2, ["first", *["editorial"] * 3]),
    "/a/spam": ([PLAIN, ONE, TWO, PLAIN], ["first", "spam", "spam", "spam"]),
    "/a/form": ([PLAIN, OTHER_FORM, OTHER_FORM, PLAIN], ["first", "template", "same", "template"]),
    "/a/comment": (
        [PLAIN, PLAIN + b"<!-- 1 -->", PLAIN + b"<!-- 2 -->", PLAIN],
        ["first", "none", "none", "none"],
    ),
    "/a/gone": ([PLAIN, None, None, PLAIN], ["first", "gone", "gone", "returned"]),
    CHINESE: ([PLAIN, PLAIN, PLAIN, article("红星新闻")], ["first", "same", "same", "editorial"]),
}


def _sent(body):
    return GONE if body is None else ok(body)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Four runs of a site whose pages change."""
    answers = {path: [_sent(body) for body in bodies] for path, (bodies, _) in PAGES.items()}
    folder = tmp_path_factory.mktemp("history") / "home"
    with WireSite(answers) as site:
        for _ in range(4):
            assert crawl(site.profile(), folder).code == 0
        folder.with_name("site").write_text(site.netloc)
    return Home(folder)


def _url(home, path):
    return f"http://{home.root.with_name('site').read_text()}{path}"


@pytest.mark.parametrize("path", PAGES)
def test_each_look_is_told_by_its_kind(home, path):
    history = read_history(home, _url(home, path), utc_now)

    assert [look.kind for look in history.looks] == PAGES[path][1]


def test_spam_is_told_with_the_rules_that_know_it(home):
    looks = read_history(home, _url(home, "/a/spam"), utc_now).looks

    assert all(rule.startswith("spam.") for rule in looks[1].rules_came)
    assert looks[1].rules_came
    assert looks[2].rules_came.keys() == looks[2].rules_went.keys() != set()
    assert looks[3].rules_went == looks[2].rules_came
    assert [look.row for look in looks] == ["new", "", "", ""]


def test_an_editorial_change_is_told_with_its_words(home):
    history = read_history(home, _url(home, "/a/edit"), utc_now)
    look = history.looks[2]

    assert "article_body" in look.fields
    assert {(edit.removed, edit.inserted) for edit in look.text_edits} == {("指出", "强调")}
    assert (look.row, look.revision, history.revision) == ("changed", 2, 3)


def test_a_title_is_shown_before_and_after(home):
    look = read_history(home, _url(home, "/a/title"), utc_now).looks[1]

    assert look.changes["headline"] == ("机关党建", "机关党建述评")


def test_rows_say_what_changed(home):
    told = {}
    for row in rows(home.export / "articles/v1/delta"):
        told.setdefault("/" + row["url"].split("/", 3)[3], []).append(row["change"])
    kinds = {path: [change["kind"] for change in changes] for path, changes in told.items()}

    assert kinds["/a/edit"] == ["first", "editorial", "editorial"]
    assert kinds["/a/spam"] == ["first"]
    assert kinds["/a/comment"] == ["first"]
    assert kinds["/a/gone"][:2] == ["first", "removed"]
    assert kinds["/a/gone"][-1] == "returned"
    assert "headline" in told["/a/title"][1]["fields"]
    assert told["/a/gone"][1]["fields"] == ["deleted_at"]


def test_the_changes_are_made_again_byte_for_byte(home, tmp_path):
    done = reprocess(home.root, tmp_path / "again")

    assert b"byte for byte" in done.stdout, done.stdout + done.stderr


def _run(home, *arguments, folder=None):
    return subprocess.run(
        [sys.executable, "-m", "hongxing_crawler", *map(str, arguments), "--home", home.root],
        capture_output=True,
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        check=False,
    )


@pytest.mark.parametrize("path", PAGES)
def test_the_command_shows_it_in_80_columns(home, path):
    done = _run(home, "history", _url(home, path))
    lines = done.stdout.decode().splitlines()

    assert done.returncode == 0, done.stderr.decode()
    assert max(len(line) + sum(ord(c) > 0x2E7F for c in line) for line in lines) <= 100
    assert any("first time" in line for line in lines)


def test_the_command_for_machines(home):
    name = json.loads(_run(home, "history", _url(home, "/a/edit"), "--json").stdout)["id"]
    history = json.loads(_run(home, "history", name, "--json").stdout)

    assert [look["kind"] for look in history["looks"]] == PAGES["/a/edit"][1]
    assert history["looks"][2]["text_edits"][0]["removed"] == "指出"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("http://nowhere.example/1", "has never looked at http://nowhere.example/1"),
        ("nonsense", "neither an address nor an article's id"),
        ("art_zz", "neither an address nor an article's id"),
        ("art_" + "0" * 32, "has never looked at"),
    ],
)
def test_a_page_that_is_not_known_is_named(home, name, words):
    done = _run(home, "history", name)

    assert done.returncode == 4
    assert words in done.stderr.decode()


def test_a_capture_that_is_lost_is_said_and_the_rest_is_shown(home, tmp_path):

    copy = Home(tmp_path / "copy")
    shutil.copytree(home.root, copy.root)
    sorted(copy.warc.glob("*.gz"))[2].unlink()

    looks = read_history(copy, _url(home, "/a/edit"), utc_now).looks

    assert [look.kind for look in looks] == ["first", "same", "unreadable", "same"]
