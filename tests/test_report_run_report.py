import base64
import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from report_browser import BROWSER, open_page

from hongxing_crawler.core.document import DamagedPlace
from hongxing_crawler.core.edits import RemovedBlock
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.monitors.checks import names
from hongxing_crawler.monitors.spam_log import SpamLog
from hongxing_crawler.report.diffs import diff_texts
from hongxing_crawler.report.run_data import (
    ArticleEntry,
    Coverage,
    InjectedPage,
    Listing,
    PageEntry,
    PastRun,
    RestoredEntry,
    RunInfo,
    RunReport,
)
from hongxing_crawler.report.run_report import (
    CODE_LABELS,
    COUNT_LABELS,
    FINDING_LABELS,
    join_wheels,
    render_run_report,
    write_run_report,
)
from hongxing_crawler.report.weave import Span

HOSTILE = (
    '</title></style><script>document.title="owned"</script>'
    "\"' onload=alert(1)><img src=x onerror=alert(1)><svg onload=alert(1)>{{ 7*7 }}\x1b[2J\u202e"
)
STARTED_AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def _thumbnail():
    file = io.BytesIO()
    Image.new("RGB", (160, 120), "firebrick").save(file, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _listing(*entries, total=None):
    return Listing(entries, len(entries) if total is None else total)


def make_report(hostile=""):
    old = "全省组织工作会议于3月20日召开。\n\n" + "会议强调了基层组织建设。" * 20
    article = ArticleEntry(
        url="https://www.hxw.gov.cn/content/2026/11/23/1.html" + hostile,
        headline="全省组织工作会议召开" + hostile,
        date="2026-11-23 16:56" + hostile,
        channel="要闻" + hostile,
        source="红星网" + hostile,
        excerpt="会议强调，要坚持以新时代党的建设总要求为统领。" + hostile,
        images=2,
        attachments=1,
        thumbnail=_thumbnail(),
    )
    changed = ArticleEntry(
        url="javascript:alert(1)//" + hostile,
        headline="会议召开",
        headline_diff=tuple(diff_texts("会议召开", "会议闭幕" + hostile)),
        diff=tuple(diff_texts(old, old.replace("20日", "21日") + hostile)),
    )
    spam = SpamLog()
    wheel = "湘西|凉山|兰坪|桓仁|中超|" + hostile
    links = ("http://spam.example/a" + hostile, "http://spam.example/b", "http://casino.example/")
    block = RemovedBlock("spam.link_wheel", "div>ul" + hostile, wheel, links)
    spam.add("https://www.hxw.gov.cn/content/2026/11/22/2.html", "2026-11-23T18:00:05Z", [block])
    hosts = spam.hosts({"spam.example": "2026-10-01T00:00:00Z"})
    place = DamagedPlace("article_body", 3, 5, "?jiǎn)栴}" + hostile, "问题", "proved")
    history = tuple(
        PastRun(
            run_id=f"run_202611{day:02d}T180000Z",
            started_at=STARTED_AT - timedelta(days=23 - day),
            exit_code=3 if day == 9 else 0,
            reason="finished" + hostile,
            counts={
                "pages": 60 + day * 7 % 40,
                "articles": 20,
                "articles_new": day * 5 % 17,
                "spam_blocks": 30 if 8 < day < 15 else 0,
                "pages_generic": day % 4,
                "pages_failed": int(day == 9),
            },
        )
        for day in range(1, 24)
    )
    return RunReport(
        run=RunInfo(
            run_id="run_20261123T180000Z",
            site="hongxing" + hostile,
            started_at=STARTED_AT,
            ended_at=STARTED_AT + timedelta(seconds=93.4),
            exit_code=3,
            reason="finished",
            sentence="2 pages failed and are tried again by the next run" + hostile,
            crawler="hongxing_crawler/0.1.0",
            findings=(("spam", "9 of 9 articles carry injected spam" + hostile, False),),
            warnings=("run run_20261122T180000Z was killed; its work is taken over" + hostile,),
        ),
        counts={**dict.fromkeys(COUNT_LABELS, 1234), "oddly_named" + hostile: 7},
        new=_listing(article, article, total=300),
        changed=_listing(changed),
        gone=_listing(
            ArticleEntry(url="https://www.hxw.gov.cn/x", headline="撤下的文章" + hostile)
        ),
        spam_hosts=Listing(tuple(hosts), len(hosts)),
        injected=_listing(
            InjectedPage(
                url="https://www.hxw.gov.cn/2" + hostile,
                headline="被注入的文章" + hostile,
                blocks=(("spam.link_wheel", "body: div>ul" + hostile, wheel),),
                body=(Span("会议召开。"), Span("开户送彩" + hostile, removed_by="spam.x")),
            )
        ),
        restored=_listing(
            RestoredEntry(
                url="https://www.hxw.gov.cn/3",
                headline="远程教育" + hostile,
                verdict="proved",
                glosses=23,
                places=(place,),
            )
        ),
        rejects=_listing(PageEntry(url="https://www.hxw.gov.cn/4", reason="soft_404" + hostile)),
        reject_reasons={"soft_404" + hostile: 1},
        failures=_listing(PageEntry(url="https://www.hxw.gov.cn/5", reason="timeout")),
        coverage=(Coverage(name="要闻" + hostile, known=120, done=100, pending=18, failed=2),),
        status_codes={200: 96, 301: 2, 304: 40, 404: 3, 500: 1, 0: 2},
        response_times=(("<50 ms", 12), ("<100 ms", 60), ("<1 s", 8), ("≥1 s" + hostile, 1)),
        templates={"a" + hostile: 18, "generic": 2},
        history=history,
    )


def test_every_part_of_a_run_is_on_the_page():
    page = render_run_report(make_report())

    for text in ("全省组织工作会议召开", "撤下的文章", "casino.example", "?jiǎn)栴}", "soft_404"):
        assert text in page
    assert "另有 298 项" in page
    assert page.count("<svg") == 6


def test_a_change_is_shown_within_its_surroundings():
    page = render_run_report(make_report())

    assert re.search(r'3月2<del class="c0">0</del><ins class="c1">1</ins>日召开', page)
    assert " … " in page


def test_what_monitors_found_stands_before_everything_else():
    page = render_run_report(make_report())

    assert page.index("网站被注入 · Injected spam") < page.index('class="cards"')
    assert page.index("9 of 9 articles") < page.index("was killed")


def test_every_monitor_and_every_end_of_a_crawl_has_a_name_in_both_languages():
    assert set(FINDING_LABELS) == set(names())
    assert set(CODE_LABELS) == set(ExitCode) - {
        ExitCode.USAGE,
        ExitCode.LOCKED,
        ExitCode.DAMAGED,
    }


def test_injected_passages_are_shown_where_they_stood():
    page = render_run_report(make_report())

    assert '会议召开。<del class="c0">开户送彩</del>' in page
    assert "<code>body: div&gt;ul</code>" in page


def test_hosts_of_spam_are_no_links():
    page = render_run_report(make_report())
    links = re.findall(r'href="([^"]*)"', page)

    allowed = ("data:,", "#", "https://www.hxw.gov.cn/")
    assert all(link.startswith(allowed) for link in links)


def test_hosts_that_come_together_share_a_line():
    spam = SpamLog()
    wheel = RemovedBlock("spam.x", "ul", "甲|乙", tuple(f"http://{n}.example/" for n in range(20)))
    spam.add("https://www.hxw.gov.cn/1", "2026-11-23T18:00:00Z", [wheel])
    spam.add("https://www.hxw.gov.cn/2", "2026-11-23T18:00:00Z", [replace(wheel, links=())])
    alone, together = join_wheels(spam.hosts({("3.example", ""): "2026-10-01T00:00:00Z"}))

    assert (len(together.hosts), together.new_count, together.link_count) == (20, 19, 20)
    assert together.first_seen_on == "2026-10-01"
    assert alone.hosts == ("",)


def test_foreign_markup_is_text():
    page = render_run_report(make_report(HOSTILE))
    plain = render_run_report(make_report())

    for mark in ("<script", "<img", "<svg", "</style", "</title"):
        assert page.count(mark) == plain.count(mark)
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert 'href="javascript' not in page
    assert "{{ 7*7 }}" in page


def test_an_empty_run_has_a_page(tmp_path):
    path = tmp_path / "report.html"
    write_run_report(path, RunReport(run=RunInfo(run_id="run_1", started_at=STARTED_AT)))

    assert path.read_text("utf-8").count("无 · none") == 7
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.skipif(BROWSER is None, reason="needs Debian's chromium")
@pytest.mark.parametrize("hostile", ["", HOSTILE], ids=["plain", "hostile"])
def test_a_browser_runs_nothing_and_has_no_complaint(tmp_path, hostile):
    path = tmp_path / "report.html"
    write_run_report(path, make_report(hostile))
    dom, console = open_page(path, tmp_path)

    assert console == []
    assert "<title>hongxing" in dom
    assert "run_20261123T180000Z</title>" in dom
