"""Write the page of a run: one self-contained file that opens from disk and prints well."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import TYPE_CHECKING

from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.report.charts import Chart, bar_chart
from hongxing_crawler.report.html import render
from hongxing_crawler.report.rule_notes import describe_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date
    from pathlib import Path

    from hongxing_crawler.monitors.spam_log import SpamHost
    from hongxing_crawler.report.run_data import PastRun, RunReport

_NO_CARD = frozenset({"articles", "pages_gone", "archived_bytes", "exported_bytes"})
_ALWAYS = frozenset(
    {"pages", "articles_new", "articles_changed", "articles_deleted", "pages_failed"}
)
_RUNS_MAX = 60  # of the history, in charts
_SITE_ZONE = timezone(timedelta(hours=8))  # the site's day
_GOOD = {ExitCode.OK}
_BAD = {ExitCode.UNEXPECTED, ExitCode.CONFIG, ExitCode.ARCHIVE, ExitCode.DAMAGED}

# The counts of a run in the order of interest; others follow under their own names.
COUNT_LABELS = {
    "pages": "页面 · Pages",
    "articles_new": "新文章 · New",
    "articles_changed": "改动 · Changed",
    "articles_deleted": "消失 · Gone",
    "pages_unchanged": "未变 · Unchanged",
    "images": "图片 · Images",
    "attachments": "附件 · Attachments",
    "media_failed": "媒体失败 · Media failed",
    "spam_blocks": "注入块 · Spam blocks",
    "pages_rendered": "浏览器渲染 · Rendered",
    "pages_injected": "被注入页面 · Pages injected",
    "spam_hosts_new": "新注入域名 · New spam hosts",
    "pages_generic": "无模板文章 · By shape",
    "texts_restored": "修复 · Texts restored",
    "pages_rejected": "退回 · Rejected",
    "pages_failed": "失败 · Failed",
    "pending": "待取 · Pending",
    "requests": "请求 · Requests",
    "retries": "重试 · Retries",
    "pages_blocked": "拦截页 · Block pages",
    "media": "媒体请求 · Media asked",
    "articles_guessed": "未证实修复 · Not proved",
    "articles_short": "短文 · Short",
    "articles_undated": "无日期 · Undated",
    "articles_read": "已读文章 · Articles read",
    "articles_known": "已知文章 · Known articles",
}
FINDING_LABELS = {
    "quiet": "久无新文章 · No new articles",
    "low": "新文章过少 · Few new articles",
    "high": "新文章过多 · Many new articles",
    "generic": "模板可能已改 · New template?",
    "short": "正文过短 · Short texts",
    "undated": "缺少日期 · No dates",
    "rejects": "退回页面多 · Many rejects",
    "spam": "网站被注入 · Injected spam",
    "spam_hosts": "注入新域名 · New spam hosts",
    "guesses": "修复未证实 · Repairs not proved",
    "errors": "失败页面多 · Many failures",
    "retries": "重试过多 · Many retries",
    "blocked": "遭到拦截 · Blocked",
    "media": "媒体失败多 · Media failed",
    "growth": "数据量突增 · Sudden growth",
    "disk": "磁盘将满 · Disk fills up",
    "outbox": "上传积压 · Uploads wait",
    "clock": "时钟不准 · Clock is off",
    "removed": "文章大量消失 · Many removed",
    "killed": "运行曾被中止 · A run was killed",
}
CODE_LABELS = {
    ExitCode.OK: "一切正常",
    ExitCode.UNEXPECTED: "程序出错",
    ExitCode.PARTIAL: "部分页面失败，下次再取",
    ExitCode.CONFIG: "设置或数据目录不可用",
    ExitCode.TEMPORARY: "网站或存储暂时不可用，数据无损",
    ExitCode.QUALITY: "质量检查未通过，未发布",
    ExitCode.BLOCKED: "被网站拒绝",
    ExitCode.STOPPED: "到达限额或磁盘已满，可继续",
    ExitCode.ARCHIVE: "无法写入归档",
    ExitCode.INTERRUPTED: "被人停止，状态已保存",
    ExitCode.TERMINATED: "被系统停止，状态已保存",
}


@dataclass(frozen=True, slots=True)
class Wheel:
    """Hosts that were advertised together: on the same pages, found by the same rules."""

    hosts: tuple[str, ...]
    new_count: int
    page_count: int
    link_count: int
    first_seen_on: str
    anchors: tuple[str, ...]
    rules: tuple[str, ...]


def join_wheels(hosts: Iterable[SpamHost]) -> list[Wheel]:
    """Put hosts that always come together into one line of the report."""
    wheels: dict[tuple[tuple[str, ...], tuple[str, ...]], list[SpamHost]] = {}
    for host in hosts:
        wheels.setdefault((host.pages, host.rules), []).append(host)
    return [
        Wheel(
            hosts=tuple(host.host for host in members),
            new_count=sum(host.is_new for host in members),
            page_count=members[0].page_count,
            link_count=sum(host.link_count for host in members),
            first_seen_on=min(host.first_seen_at for host in members)[:10],
            anchors=tuple(anchor.text for anchor in members[0].anchors),
            rules=rules,
        )
        for (_, rules), members in wheels.items()
    ]


def tone_of_code(exit_code: int) -> str:
    """The class of style.css that colours an exit code."""
    return "good" if exit_code in _GOOD else "bad" if exit_code in _BAD else "warn"


def _tone_of_status(status: int) -> str:
    return {2: "c1", 3: "c4", 4: "c3", 5: "c0"}.get(status // 100, "bar")


def _over_runs(
    title: str, report: RunReport, value: Callable[[PastRun], float], unit: str = ""
) -> Chart:
    runs = report.history[-_RUNS_MAX:]
    points = [(f"{run.started_at:%m-%d}", value(run)) for run in runs]
    return bar_chart(title, points, unit=unit)


def _share(run: PastRun, part: str, whole: str) -> float:
    total = run.counts.get(whole, 0)
    return round(100 * run.counts.get(part, 0) / total, 1) if total else 0.0


def _new_by_day(report: RunReport) -> list[tuple[str, float]]:
    """New articles of each day on which a run began, at the site's place."""
    days: Counter[date] = Counter()
    for run in report.history:
        days[run.started_at.astimezone(_SITE_ZONE).date()] += run.counts.get("articles_new", 0)
    return [(f"{day:%m-%d}", days[day]) for day in sorted(days)[-_RUNS_MAX:]]


def _charts(report: RunReport) -> list[Chart]:
    codes = sorted(report.status_codes.items())
    return [
        bar_chart("每天新文章 · New articles by day", _new_by_day(report)),
        _over_runs("每次页面 · Pages by run", report, lambda r: r.counts.get("pages", 0)),
        bar_chart(
            "状态码 · Status codes",
            [(str(code) if code else "—", count) for code, count in codes],
            tones=[_tone_of_status(code) for code, _ in codes],
        ),
        bar_chart("响应时间 · Response times", report.response_times),
        _over_runs(
            "被注入的文章 · Articles with injected spam",
            report,
            lambda r: _share(r, "pages_injected", "articles_read"),
            "%",
        ),
        _over_runs(
            "无模板文章 · Articles that fit no template",
            report,
            lambda r: _share(r, "pages_generic", "articles_read"),
            "%",
        ),
    ]


def _cards(report: RunReport) -> list[tuple[str, str]]:
    """The counts to begin with; of the lesser ones only those that are not zero."""
    counts = report.counts
    order = [*COUNT_LABELS, *(name for name in counts if name not in COUNT_LABELS)]
    return [
        (COUNT_LABELS.get(name, name.replace("_", " ")), f"{counts[name]:,}")
        for name in order
        if name in counts and name not in _NO_CARD and (counts[name] or name in _ALWAYS)
    ]


def render_run_report(report: RunReport) -> str:
    """Draw the page; every text in it is escaped, nothing in it can run or fetch anything."""
    return render(
        "run_report.html",
        report=report,
        cards=_cards(report),
        charts=_charts(report),
        wheels=join_wheels(report.spam_hosts.entries),
        tone_of_code=tone_of_code,
        finding_labels=FINDING_LABELS,
        code_labels=CODE_LABELS,
        describe_rule=describe_rule,
    )


def write_run_report(path: Path, report: RunReport) -> None:
    """Write the page under its final name when it is complete."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(render_run_report(report))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
