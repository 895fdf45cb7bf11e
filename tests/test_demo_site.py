"""The demo site holds every trap of the real one, in two states."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from contextlib import closing
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from PIL import Image

from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.demo import DemoSite, demo_profile
from hongxing_crawler.demo.content import DATA_FOLDER, load_site
from hongxing_crawler.demo.make_files import make_file
from hongxing_crawler.exceptions import ConfigError

FIRST, SECOND = load_site(1), load_site(2)
MAGIC = {
    "jpg": b"\xff\xd8\xff",
    "png": b"\x89PNG",
    "gif": b"GIF8",
    "pdf": b"%PDF-",
    "xls": b"\xd0\xcf\x11\xe0",
    "doc": b"\xd0\xcf\x11\xe0",
    "xlsx": b"PK\3\4",
    "docx": b"PK\3\4",
    "zip": b"PK\3\4",
}


def fetch(base, path, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection(urlsplit(base).netloc, timeout=20)) as connection:
        connection.request("GET", path, headers=named)
        response = connection.getresponse()
        return response, response.read()


@pytest.fixture(scope="module")
def demo():
    with DemoSite() as site:
        yield site


@pytest.fixture(scope="module")
def answers(demo):
    """Every article's first page, as answered."""
    return {article.path: fetch(demo.www, article.path) for article in FIRST.articles}


def find_article(site=FIRST, **wanted):
    return next(a for a in site.articles if all(getattr(a, k) == v for k, v in wanted.items()))


def test_it_has_sixty_articles_of_all_template_generations():
    assert len(FIRST.articles) >= 60
    assert {a.template for a in FIRST.articles} == {
        *("2012", "2017", "a", "app", "b", "c", "video", "plain"),
    }


def test_ids_and_paths_are_unique():
    for site in (FIRST, SECOND):
        assert len({a.id for a in site.articles}) == len(site.articles)
        assert len({a.path for a in site.articles}) == len(site.articles)


def test_every_article_answers_in_its_charset(answers):
    for article in FIRST.articles:
        response, body = answers[article.path]
        assert response.status == 200
        title = article.headline if not article.damage and not article.verbatim else "html"
        assert title in body.decode(article.charset)


def test_every_article_is_in_the_sitemap_or_behind_a_script(demo):
    hidden = {c.key for c in FIRST.channels if c.is_hidden}
    listed = {a.path for a in FIRST.articles if a.channel not in hidden}
    scripted = {a.path for a in FIRST.articles} - listed
    sitemap = fetch(demo.www, "/sitemap.xml")[1].decode()

    assert all(a.listed for a in FIRST.articles)
    assert all(f"{demo.www}{path}</loc>" in sitemap for path in listed)
    assert len(scripted) == 10
    assert not any(f"{path}<" in sitemap for path in scripted)


def test_no_page_leads_to_an_article_behind_a_script(demo, answers):
    hidden = {c.key for c in FIRST.channels if c.is_hidden}
    scripted = [a.path for a in FIRST.articles if a.channel in hidden]
    lists = [fetch(demo.www, f"/channel/{c.id}.html")[1] for c in FIRST.channels]
    pages = [fetch(demo.www, "/")[1], fetch(demo.www, "/rss.xml")[1], *lists]
    pages += [body for _, body in answers.values()]

    for path in scripted:
        linking = f'href="{path}"'.encode()
        assert not any(linking in page for page in pages), path


@pytest.mark.parametrize("style", ["fetch", "scroll", "more"])
def test_a_hidden_list_gives_its_articles_page_by_page(demo, style):
    channel = next(c for c in FIRST.channels if c.style == style)
    found, number = [], 1
    while rows := json.loads(
        fetch(demo.www, f"/data/list?channel={channel.id}&size=2&page={number}")[1]
    ):
        found += [row["url"] for row in rows]
        number += 1

    assert found == [a.path for a in FIRST.list_articles(channel.key)]


def test_the_text_of_an_article_made_by_script_is_in_its_json_alone(demo, answers):
    for article in (a for a in FIRST.articles if a.template == "app"):
        page = answers[article.path][1].decode()
        item = json.loads(fetch(demo.www, f"/data/article/{article.id}.json")[1])
        text = article.blocks[0].read_text()

        assert text not in page
        assert text in item["html"]
        assert item["title"] == article.headline


def test_channels_page_through_all_their_articles(demo):
    for channel in FIRST.channels:
        if channel.style == "script" or channel.is_hidden:
            continue
        found, number = [], 1
        while True:
            suffix = f"_{number}" if number > 1 else ""
            response, body = fetch(demo.www, f"/channel/{channel.id}{suffix}.html")
            if response.status == 404:
                break
            box = body.decode().split('class="crumbs"')[1]
            found += re.findall(r'<a href="(/c[^"]+\.html?)" (?:target|title)', box)
            number += 1
        assert found == [a.path for a in FIRST.list_articles(channel.key)]


def test_a_list_filled_by_script_is_empty_without_it(demo):
    channel = next(c for c in FIRST.channels if c.style == "script")
    html = fetch(demo.www, f"/channel/{channel.id}.html")[1].decode()
    rows = json.loads(fetch(demo.www, f"/content/list/channel?channelId={channel.id}")[1])

    assert '<ul class="news_list"></ul>' in html
    assert [urlsplit(row["contentUrl"]).path for row in rows] == [
        a.path for a in FIRST.list_articles(channel.key)
    ]


def test_day_archive_holds_that_day_alone(demo):
    html = fetch(demo.www, "/channel/2020/0320/1001.html")[1].decode()

    assert re.findall(r"/content/\d{4}/\d\d/\d\d/\d+\.html", html.split("crumbs")[1]) == [
        "/content/2020/03/20/7000320.html"
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/index.html", 200),
        ("/topic/294/index.html", 200),
        ("/topic/999/index.html", 404),
        ("/channel/1001_99.html", 404),
        ("/channel/9.html", 404),
        ("/content/2015/05/01/999405.html", 404),
        ("/content/2014/07/01/7140.html", 301),
        ("/topic/294", 301),
        ("/content/2016/05/01/999404.html", 200),
        ("/m/content/2020/05/12/7000512.html", 200),
        ("/css/site.css", 200),
        ("/admin/login.html", 200),
        ("/robots.txt", 200),
        ("/rss.xml", 200),
        ("/js/lists.js", 200),
        ("/js/nothing.js", 404),
        ("/data/list?channel=1007&size=10&page=1", 200),
        ("/data/list?channel=1001&size=10&page=1", 404),
        ("/data/list?channel=x", 404),
        ("/data/article/7270102.json", 200),
        ("/data/article/7270101.json", 404),
        ("/hostile/", 200),
        ("/hostile/turn-7.html", 200),
        ("/hostile/nothing.html", 404),
    ],
)
def test_addresses_answer_with_their_status(demo, path, status):
    assert fetch(demo.www, path)[0].status == status


def test_the_soft_404_is_the_home_page(demo):
    assert fetch(demo.www, "/content/2016/05/01/999404.html")[1] == fetch(demo.www, "/")[1]


def test_a_redirect_leads_to_its_article(demo):
    location = fetch(demo.www, "/content/2014/07/01/7140.html")[0].headers["Location"]

    assert fetch(demo.www, location)[0].status == 200


def test_files_are_what_their_bytes_say(demo):
    for stored in FIRST.files:
        base = demo.img if stored.site == "img" else demo.www
        response, body = fetch(base, stored.path)
        kind = stored.file.rpartition(".")[2]
        assert (response.status, body[: len(MAGIC[kind])]) == (200, MAGIC[kind]), stored.path


def test_pictures_open():
    for stored in FIRST.files:
        if stored.file.endswith((".jpg", ".png", ".gif")):
            with Image.open(DATA_FOLDER / "demo_site" / "files" / stored.file) as image:
                image.load()
                assert min(image.size) >= 100


def test_zip_kinds_are_whole():
    for stored in FIRST.files:
        if stored.file.endswith((".xlsx", ".docx", ".zip")):
            data = (DATA_FOLDER / "demo_site" / "files" / stored.file).read_bytes()
            assert zipfile.ZipFile(BytesIO(data)).testzip() is None


@pytest.mark.parametrize("name", ["form.doc", "guide.pdf", "posts-2026.xlsx", "score-lines.xls"])
def test_office_files_are_made_with_the_same_bytes_again(name):
    assert make_file(name) == (DATA_FOLDER / "demo_site" / "files" / name).read_bytes()


def test_all_attachment_kinds_are_offered():
    kinds = {link.url.rpartition(".")[2] for a in FIRST.articles for link in a.files}

    assert kinds == {"xlsx", "xls", "doc", "docx", "pdf", "zip"}


def test_pictures_and_files_of_articles_exist():
    stored = {f"{f.site}:{f.path}" for f in (*FIRST.files, *SECOND.files)}
    for article in (*FIRST.articles, *SECOND.articles):
        if article.verbatim:
            continue
        for url in [b.url for b in article.pictures] + [link.url for link in article.files]:
            asked = re.sub(r"^old:", "www:", url) if ":" in url else f"img:{url}"
            assert asked in stored, (article.path, url)


def test_a_root_relative_file_lives_on_the_image_host_only(demo):
    path = next(link.url for a in FIRST.articles for link in a.files if link.url.startswith("/"))

    assert fetch(demo.www, path)[0].status == 404
    assert fetch(demo.img, path)[0].status == 200


def test_a_content_type_disagrees_with_the_name(demo):
    stored = next(f for f in FIRST.files if f.content_type == "text/html")

    assert stored.path.endswith(".xls")
    assert fetch(demo.img, stored.path)[0].headers["Content-Type"] == "text/html"


def test_a_file_name_comes_in_gbk(demo):
    stored = next(f for f in FIRST.files if f.disposition)
    value = fetch(demo.img, stored.path)[0].headers["Content-Disposition"]

    assert value.encode("latin-1").decode("gbk") == 'attachment; filename="报名表.doc"'


def test_a_picture_has_no_extension(demo):
    stored = next(f for f in FIRST.files if "." not in f.path)

    assert fetch(demo.img, stored.path)[1].startswith(MAGIC["jpg"])


def test_gzip_is_given_to_those_who_ask(demo, answers):
    packed = 0
    for path, (_, plain) in answers.items():
        response, body = fetch(demo.www, path, Accept_Encoding="gzip")
        is_packed = response.headers["Content-Encoding"] == "gzip"
        packed += is_packed
        assert (gzip.decompress(body) if is_packed else body) == plain

    assert 10 < packed < len(answers)


def test_some_bodies_are_chunked_and_some_headers_repeated(answers):
    headers = [response.headers for response, _ in answers.values()]

    assert any(h["Transfer-Encoding"] == "chunked" for h in headers)
    assert any(h["Content-Length"] for h in headers)
    assert any(h.get_all("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"] for h in headers)


def test_charsets_are_declared_in_every_way(answers):
    kinds = {a.charset: answers[a.path] for a in FIRST.articles}
    undeclared = answers[find_article(charset="gb18030").path]
    wrong = answers[find_article(declared="wrong").path]

    assert set(kinds) == {"utf-8", "gbk", "gb18030"}
    assert b"charset" not in undeclared[1][:500]
    assert b"charset" not in undeclared[0].headers["Content-Type"].encode()
    assert "𠮷".encode("gb18030") in undeclared[1]
    assert b'charset="gb2312"' in wrong[1]


@pytest.mark.parametrize("name", ["If_None_Match", "If_Modified_Since"])
def test_matching_validators_get_304_without_a_body(demo, name):
    path = find_article(template="c").path
    header = {"If_None_Match": "ETag", "If_Modified_Since": "Last-Modified"}[name]
    value = fetch(demo.www, path)[0].headers[header]

    response, body = fetch(demo.www, path, **{name: value})

    assert (response.status, body) == (304, b"")
    assert response.headers["ETag"]


def test_other_validators_get_the_page(demo):
    path = find_article(template="c").path

    assert fetch(demo.www, path, If_None_Match='"other"')[0].status == 200
    assert fetch(demo.www, path, If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT")[0].status == 200


def test_counters_are_on_the_pages_and_their_calls_are_counted(answers):
    with DemoSite() as site:
        fetch(site.www, "/")
        assert site.counter_calls == []
        for path in ("/content/visit/", "/content/clicks/1/7000512", "/content/star/7000512"):
            fetch(site.www, path)
        assert len(site.counter_calls) == 3

    html = answers[find_article(id=7000512).path][1].decode()
    assert '"/content/clicks/1/7000512"' in html
    assert 'href="/content/star/7000512"' in html


def test_robots_has_a_rule_and_a_small_delay(demo):
    robots = fetch(demo.www, "/robots.txt")[1].decode()

    assert "Disallow: /admin/" in robots
    assert float(re.search(r"Crawl-delay: (\S+)", robots)[1]) <= 0.05
    assert fetch(demo.img, "/robots.txt")[0].status == 404


def test_sitemap_and_feed_are_xml_with_absolute_links(demo):
    for path in ("/sitemap.xml", "/rss.xml"):
        texts = [e.text for e in ET.fromstring(fetch(demo.www, path)[1]).iter()]
        links = [text for text in texts if text and text.startswith("http")]
        assert len(links) >= 20
        assert all(link.startswith(demo.www) for link in links)


def test_the_parts_of_an_article_link_to_each_other(demo):
    article = next(a for a in FIRST.articles if len(a.parts) > 1)
    paths = [article.part_path(n) for n in range(1, len(article.parts) + 1)]
    pages = [fetch(demo.www, path)[1].decode() for path in paths]

    assert len(paths) >= 3
    for index, page in enumerate(pages):
        others = paths[:index] + paths[index + 1 :]
        assert all(f'href="{path}"' in page for path in others)


def test_the_second_state_changes_removes_and_adds():
    first = {a.path: a for a in FIRST.articles}
    second = {a.path: a for a in SECOND.articles}

    changed = [p for p in first.keys() & second.keys() if first[p] != second[p]]
    assert (len(changed), len(first.keys() - second.keys()), len(second.keys() - first.keys())) == (
        *(3, 2, 3),
    )


def test_the_state_can_be_switched_while_it_runs():
    removed = [a for a in FIRST.articles if a.states == (1,)]
    lying = find_article(lying_etag=True)
    honest = next(a for a in FIRST.articles if a.second and not a.lying_etag)
    with DemoSite() as site:
        tags = {a.id: fetch(site.www, a.path)[0].headers["ETag"] for a in (lying, honest)}
        site.switch_to(2)
        gone = [fetch(site.www, a.path) for a in removed]
        lie = fetch(site.www, lying.path, If_None_Match=tags[lying.id])[0]
        truth = fetch(site.www, honest.path, If_None_Match=tags[honest.id])[0]
        changed = fetch(site.www, lying.path)[1]
        home = fetch(site.www, "/")[1]

    assert sorted(response.status for response, _ in gone) == [200, 404]
    assert home in [body for _, body in gone]
    assert (lie.status, truth.status) == (304, 200)
    assert "补充了最后一段" in changed.decode()


def test_the_profile_is_the_real_one_pointed_here(demo):
    profile = demo.profile

    assert isinstance(profile, SiteProfile)
    assert profile == demo_profile(demo.www, demo.img)
    assert profile.media_hosts == (urlsplit(demo.img).netloc,)


def test_a_missing_data_folder_is_explained(tmp_path):
    with pytest.raises(ConfigError, match="run from a clone of the project"):
        DemoSite(folder=tmp_path)


def test_data_files_have_the_sums_in_the_list():
    folder = DATA_FOLDER / "demo_site"
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = {line[66:]: line[:64] for line in lines}
    files = [
        p for p in folder.rglob("*") if p.is_file() and p.name not in {"SHA256SUMS", "README.md"}
    ]

    found = {p.relative_to(folder).as_posix(): p for p in files}
    assert sorted(found) == sorted(listed)
    for name, path in found.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[name], name
