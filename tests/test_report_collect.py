import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image
from store_kit import LIST, ONE, SITE, TWO, Archive, run_id

from hongxing_crawler.core.document import DamagedPlace
from hongxing_crawler.core.edits import Edit, RemovedBlock
from hongxing_crawler.core.row import ImageRow, RestorationRow, StepRow
from hongxing_crawler.exceptions import StateError
from hongxing_crawler.monitors.spam_log import decode_spam
from hongxing_crawler.report.collect import collect, report_run
from hongxing_crawler.report.gather import Gatherer
from hongxing_crawler.report.newest import Newest
from hongxing_crawler.report.run_data import Listing, RunInfo, RunReport
from hongxing_crawler.report.run_report import render_run_report
from hongxing_crawler.store.home import Home

WHEEL = RemovedBlock("spam.name_wheel", "div>ul", "湘西|凉山|", ("http://spam.example/a",))
THREE = f"{SITE}/content/2020/03/20/3.html"


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    archive.begin()
    archive.add(ONE, TWO, THREE)
    yield archive
    archive.state.close()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def _spammed(archive, url, *blocks, edits=()):
    """Visit a page whose article was injected with these blocks and passages."""
    ticket_article = archive.article(url, "正文。", archive.capture(url))
    step = StepRow(step="spam", field="article_body", edits=edits, removed_blocks=blocks)
    cleaning = replace(ticket_article.cleaning, steps=(step,))
    return archive.visit(url, articles=[replace(ticket_article, cleaning=cleaning)])


def _collect(archive, home):
    return collect(home, archive.state, archive.run_id)[0]


def test_what_a_run_brought_is_gathered(archive, home):
    archive.visit(ONE, body="第一段。\n\n第二段。")
    archive.visit(TWO, "rejected", reason="no_body")
    archive.visit(THREE, "gone", status=404, reason="http_404")
    archive.end()
    report = _collect(archive, home)

    assert [entry.excerpt for entry in report.new.entries] == ["第一段。 第二段。"]
    assert [(page.url, page.reason) for page in report.rejects.entries] == [
        (TWO, "no_body"),
        (THREE, "http_404"),
    ]
    assert report.reject_reasons == {"no_body": 1, "http_404": 1}
    assert report.history[-1].run_id == report.run.run_id == run_id(0)


def test_a_changed_article_is_compared_with_the_one_before(archive, home):
    archive.visit(ONE, body="会议召开。")
    archive.end()
    archive.begin()
    archive.visit(ONE, body="会议闭幕。")
    archive.end()
    (entry,) = _collect(archive, home).changed.entries

    assert [span.text for span in entry.diff] == ["会议", "召开", "闭幕", "。"]
    assert entry.headline_diff == ()


def test_an_article_that_is_gone_is_named(archive, home):
    archive.visit(ONE)
    archive.end()
    for _ in range(2):
        archive.begin(full=True)
        archive.visit(ONE, "gone", status=404)
        archive.end()
    report = _collect(archive, home)

    assert [entry.headline for entry in report.gone.entries] == ["标题"]
    assert report.new.total == 0


def test_spam_is_logged_with_its_first_day(archive, home):
    _spammed(archive, ONE, WHEEL)
    archive.end()
    report_run(home, archive.state, archive.run_id)
    archive.begin()
    passage = Edit(0, 4, "开户送彩", "", "spam.advertising")
    footer = RemovedBlock("footer.owner", "div", "主办单位", ("http://www.gov.cn/",))
    _spammed(archive, TWO, WHEEL, footer, edits=(passage,))
    archive.end()
    paths = report_run(home, archive.state, archive.run_id)
    hosts = {host.host: host for host in decode_spam(_bytes(paths["spam"]))}

    assert set(hosts) == {"", "spam.example"}
    assert hosts["spam.example"].first_seen_at == "2026-11-23T08:00:00Z"
    assert not hosts["spam.example"].is_new
    assert [anchor.text for anchor in hosts[""].anchors] == ["开户送彩"]
    assert hosts["spam.example"].pages == (TWO,)


def test_the_first_day_is_known_to_the_state_when_an_earlier_log_is_gone(archive, home):
    _spammed(archive, ONE, WHEEL)
    archive.end()
    report_run(home, archive.state, archive.run_id)
    (home.run(archive.run_id) / "spam.jsonl").unlink()
    archive.begin()
    _spammed(archive, TWO, WHEEL)
    archive.end()
    paths = report_run(home, archive.state, archive.run_id)
    (host,) = decode_spam(_bytes(paths["spam"]))

    assert (host.first_seen_at, host.is_new) == ("2026-11-23T08:00:00Z", False)
    assert {anchor.first_seen_at for anchor in host.anchors} == {"2026-11-23T08:00:00Z"}


def _bytes(path):
    with open(path, "rb") as file:  # noqa: PTH123 - a path as the run record has it
        return file.read()


def test_restored_texts_are_listed(archive, home):
    article = archive.article(ONE, "正文。", archive.capture(ONE))
    verdict = RestorationRow(verdict="lossy", table=(), places=(), noise_count=0)
    archive.visit(ONE, articles=[replace(article, restoration=verdict)])
    archive.end()

    assert [entry.verdict for entry in _collect(archive, home).restored.entries] == ["lossy"]


def test_coverage_adds_up_the_pages_of_a_list(archive, home):
    second = LIST.replace("1.html", "1_2.html")
    archive.add(LIST, second, kind="list")
    for number, origin in enumerate((LIST, second, second)):
        archive.state.add_found([_article(number)], origin)
    archive.state.add_found([_article(9)], ONE)
    archive.end()
    rows = {row.name: row for row in _collect(archive, home).coverage}

    assert (rows[LIST].known, rows[LIST].pending) == (3, 3)
    assert rows["list"].known == 2
    assert rows["文中链接 · linked by articles"].known == 1


def _article(number):
    from hongxing_crawler.store.visit import Found

    return Found(f"{SITE}/content/2021/01/01/{number}.html", "article")


def test_the_run_record_gives_codes_and_times(archive, home):
    archive.end()
    stats = {
        "downloader/response_status_count/200": 7,
        "downloader/response_status_count/404": 1,
        "hongxing/archive/latency_count/0.5": 6,
        "hongxing/archive/latency_count/10": 2,
    }
    folder = home.run(archive.run_id)
    folder.mkdir(parents=True)
    record = {"sentence": "all is well", "warnings": ["repaired"], "stats": stats}
    (folder / "run.json").write_text(json.dumps(record))
    report = _collect(archive, home)

    assert report.status_codes == {200: 7, 404: 1}
    assert report.response_times == (("≤ 0.5 s", 6), ("≤ 10 s", 2))
    assert (report.run.sentence, report.run.warnings) == ("all is well", ("repaired",))


@pytest.mark.parametrize("record", [None, b"{torn", b"[]"])
def test_a_killed_run_has_a_report(archive, home, record):
    archive.visit(ONE)
    if record is not None:
        home.run(archive.run_id).mkdir(parents=True)
        (home.run(archive.run_id) / "run.json").write_bytes(record)
    archive.state.end_killed_runs()
    paths = report_run(home, archive.state, archive.run_id)

    assert "killed" in _bytes(paths["report"]).decode()


def test_an_unknown_run_is_named(archive, home):
    with pytest.raises(StateError, match="run_20200101T000000Z"):
        collect(home, archive.state, "run_20200101T000000Z")


def test_only_the_newest_are_kept_and_all_are_counted():
    newest = Newest(2)
    for key in "bdac":
        newest.add(key, lambda key=key: key.upper())

    assert newest.listing().entries == ("D", "C")
    assert newest.listing().total == 4


def test_the_page_of_a_run_with_thousands_of_articles_is_bounded(archive, home):
    """Every part at its worst: long texts, much injected, much damaged, large pictures."""
    picture = home.media / "sha256" / "ab" / "picture.jpg"
    picture.parent.mkdir(parents=True)
    Image.effect_noise((400, 300), 200).save(picture, "JPEG")
    wheel = replace(
        WHEEL,
        text="湘西县开户送彩" * 100,
        links=tuple(f"http://{number}.example/" for number in range(20)),
    )
    edits = (Edit(0, 2_000, "开户送彩<" * 400, "", "spam.advertising"),)
    step = StepRow(step="spam", field="article_body", edits=edits, removed_blocks=(wheel,) * 9)
    place = DamagedPlace("article_body", 0, 3, "收到" * 20, "修复" * 20, "guessed")
    verdict = RestorationRow(verdict="guessed", table=(), places=(place,) * 200, noise_count=0)
    row = archive.article(ONE, "正文。" * 1_000, archive.capture(ONE))
    image = ImageRow(
        url=f"{SITE}/picture.jpg",
        sha256="ab" * 32,
        key=picture.relative_to(home.root).as_posix(),
        mime="image/jpeg",
        bytes=1,
        width=400,
        height=300,
        caption="",
        position=-1,
        status="stored",
    )
    row = replace(
        row,
        cleaning=replace(row.cleaning, steps=(step,)),
        restoration=verdict,
        images=(image,),
    )
    before = replace(row, article_body="原文<。" * 1_000)
    gathered = Gatherer(home.root, lambda _: before)
    for number in range(1_000):
        op = ("new", "changed", "deleted")[number % 3]
        gathered.add(replace(row, op=op, url=f"{SITE}/content/2020/03/20/{number}.html"))
    hosts = gathered.spam.hosts()
    page = render_run_report(
        RunReport(
            run=RunInfo(run_id="run_1", started_at=datetime(2026, 11, 23, tzinfo=UTC)),
            new=gathered.new.listing(),
            changed=gathered.changed.listing(),
            gone=gathered.gone.listing(),
            spam_hosts=Listing(tuple(hosts[:200]), len(hosts)),
            injected=gathered.injected.listing(),
            restored=gathered.restored.listing(),
        )
    )

    assert 'src="data:image/jpeg' in page
    assert 200_000 < len(page.encode()) < 2_000_000


def test_injected_passages_of_a_body_are_gathered_with_what_surrounds_them(archive, home):
    edit = Edit(5, 9, "开户送彩", "", "spam.advertising")
    article = archive.article(ONE, "会议召开。会议闭幕。", archive.capture(ONE))
    step = StepRow(step="spam", field="article_body", edits=(edit,), removed_blocks=(WHEEL,))
    archive.visit(
        ONE, articles=[replace(article, cleaning=replace(article.cleaning, steps=(step,)))]
    )
    archive.end()
    (page,) = _collect(archive, home).injected.entries

    assert [(span.text, span.removed_by) for span in page.body] == [
        ("会议召开。", ""),
        ("开户送彩", "spam.advertising"),
        ("会议闭幕。", ""),
    ]
    assert page.blocks == (("spam.name_wheel", "article_body: div>ul", "湘西|凉山|"),)
