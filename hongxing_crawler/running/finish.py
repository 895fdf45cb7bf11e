"""End a run: give files their final names, project the rows, write the run record, judge."""

from __future__ import annotations

import logging
import os
import platform
import sqlite3
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hongxing_crawler import __version__
from hongxing_crawler.archive.cdxj import captures_in, write_index
from hongxing_crawler.archive.fixity import note_files
from hongxing_crawler.exceptions import HongxingError
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.running.run import RunResult
from hongxing_crawler.running.spam_hosts import count_new_hosts
from hongxing_crawler.running.watching import watch_run
from hongxing_crawler.store.home_files import describe
from hongxing_crawler.store.rows import export_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hongxing_crawler.items import Capture
    from hongxing_crawler.monitors.checks import Finding
    from hongxing_crawler.running.run import Run

logger = logging.getLogger(__name__)

_MAX_SKIPS = 100
_TOLD_SETTINGS = (
    "AUTOTHROTTLE_ENABLED",
    "CLOSESPIDER_TIMEOUT",
    "CONCURRENT_REQUESTS",
    "DOWNLOAD_DELAY",
    "DOWNLOAD_MAXSIZE",
    "MEMUSAGE_LIMIT_MB",
    "ROBOTSTXT_OBEY",
    "USER_AGENT",
)

# Scrapy's and our own finish reasons, with the code and what an operator is told to do.
_PUBLISHES = frozenset({ExitCode.OK, ExitCode.PARTIAL, ExitCode.STOPPED})
_UNCERTAIN = frozenset({"disk_full", "archive_error", "state_error"})
_SEE_LOG = "what was archived is safe; the log in the run's folder says why"
_VERDICTS: dict[str, tuple[ExitCode, str]] = {
    "max_pages": (ExitCode.STOPPED, "the page limit is reached; the same command goes on"),
    "closespider_timeout": (
        ExitCode.STOPPED,
        "the time limit is reached; the same command goes on",
    ),
    "memusage_exceeded": (
        ExitCode.STOPPED,
        "the memory limit is reached; the same command goes on",
    ),
    "disk_full": (ExitCode.STOPPED, "free some space; the same command goes on where it stopped"),
    "archive_error": (
        ExitCode.ARCHIVE,
        "look at the disk; the same command goes on, nothing archived is lost",
    ),
    "state_error": (
        ExitCode.CONFIG,
        "what was archived is safe; hongxing doctor looks at the state",
    ),
    "blocked": (ExitCode.BLOCKED, "try again tomorrow, or ask the site's operator"),
    "site_down": (ExitCode.TEMPORARY, "nothing is lost; try again later"),
    "shutdown": (ExitCode.INTERRUPTED, "the state is saved; the same command goes on"),
    "start_error": (ExitCode.UNEXPECTED, _SEE_LOG),
    "cancelled": (ExitCode.UNEXPECTED, _SEE_LOG),
}


def finish_run(run: Run, reason: str, stats: Mapping[str, Any]) -> RunResult:
    """Turn a crawled state into files, and say how the run ended.

    Rows are exported whatever the reason: they are a projection of a state that is whole at any
    instant. The run record comes last.
    """
    crawled_at = run.now()
    run.close_archive()
    root = run.home.root
    run.state.finish_warcs(describe(root, path) for path in (*run.repaired, *run.warcs))
    run.state.judge_repeats()
    reason = run.stop_reason or (run.limit_reached if reason == "finished" else "") or reason
    counts = count_run(run, stats)
    code, sentence = judge_run(reason, run.stop_detail, counts)
    findings = watch_run(run, counts, int(code), stats)
    code, sentence = judge_findings(code, sentence, findings)
    is_refused = any(finding.is_gate for finding in findings)
    paths = _write_files(run, is_refused=is_refused)
    counts["exported_bytes"] = _count_exported_bytes(run, paths)
    _note_fixity(run)
    ended_at = run.now()
    result = RunResult(
        run_id=run.run_id,
        exit_code=int(code),
        reason=reason,
        sentence=sentence,
        seconds=round((ended_at - run.started_at).total_seconds(), 3),
        counts=counts,
        paths=paths,
        warnings=_warnings(run),
        findings=findings,
    )
    run.state.end_run(run.run_id, ended_at, int(code), reason, counts)
    durations = {
        "crawl_s": round((crawled_at - run.started_at).total_seconds(), 3),
        "finish_s": round((ended_at - crawled_at).total_seconds(), 3),
    }
    _write_record(run, result, stats, durations)
    if not run.is_in_command:
        run.note("end", exit_code=int(code), reason=reason, sentence=sentence)
    return result


def judge_run(reason: str, detail: str, counts: Mapping[str, int]) -> tuple[ExitCode, str]:
    """Give a finish reason its exit code and its sentence."""
    if reason in _VERDICTS:
        code, advice = _VERDICTS[reason]
        return code, f"{reason.replace('_', ' ')}: {detail + '; ' if detail else ''}{advice}"
    failed = counts.get("pages_failed", 0)
    if failed and failed == counts.get("pages", 0):
        return ExitCode.UNEXPECTED, (
            f"every page failed, {failed} in all; what was archived is safe, the log in the run's"
            " folder says why, the same command asks for them again"
        )
    if failed:
        return ExitCode.PARTIAL, f"{failed} pages failed and are tried again by the next run"
    return ExitCode.OK, "all is well"


def judge_findings(
    code: ExitCode, sentence: str, findings: Sequence[Finding]
) -> tuple[ExitCode, str]:
    """Let a failed quality gate decide the exit code, unless a worse end has."""
    gates = [finding for finding in findings if finding.is_gate]
    if not gates:
        return code, sentence
    why = "; ".join(finding.sentence for finding in gates)
    refusal = (
        f"the rows are not published, latest.json stays as it was: {why};"
        " hongxing export publishes them all the same"
    )
    if code in _PUBLISHES:
        return ExitCode.QUALITY, refusal
    return code, f"{sentence}; {refusal}"


def count_run(run: Run, stats: Mapping[str, Any]) -> dict[str, int]:
    """Count what the run brought, from the state and from Scrapy's stats."""
    ops = run.state.op_counts(run.run_id)
    return {
        "pages": _sum(stats, "hongxing/visit/outcome_count/"),
        "articles": sum(ops.get(op, 0) for op in ("new", "changed")),
        "articles_new": ops.get("new", 0),
        "articles_changed": ops.get("changed", 0),
        "articles_deleted": ops.get("deleted", 0),
        "pages_unchanged": int(stats.get("hongxing/visit/outcome_count/unchanged", 0)),
        "pages_rejected": int(stats.get("hongxing/visit/outcome_count/rejected", 0)),
        "pages_gone": int(stats.get("hongxing/visit/outcome_count/gone", 0)),
        "pages_failed": int(stats.get("hongxing/visit/outcome_count/failed", 0)),
        "pages_rendered": int(stats.get("hongxing/browser/page_count", 0)),
        "pages_not_rendered": _sum(stats, "hongxing/browser/failed_count/"),
        "images": int(stats.get("hongxing/store/image_count", 0)),
        "attachments": int(stats.get("hongxing/store/attachment_count", 0)),
        "media_failed": int(stats.get("hongxing/media/failed_count", 0)),
        "spam_blocks": _sum(stats, "hongxing/clean/block_count/spam.")
        + _sum(stats, "hongxing/clean/edit_count/spam."),
        "pages_injected": int(stats.get("hongxing/clean/injected_count", 0)),
        "spam_hosts_new": count_new_hosts(run.home, run.state, run.run_id),
        "pages_generic": int(stats.get("hongxing/clean/generic_count", 0)),
        "articles_read": _sum(stats, "hongxing/restore/verdict_count/"),
        **{
            f"articles_{flag}": int(stats.get(f"hongxing/store/flag_count/{flag}", 0))
            for flag in ("generic", "short", "undated", "guessed", "injected")
        },
        "articles_known": run.state.articles.count(),
        "pages_blocked": int(stats.get("hongxing/visit/reason_count/block_page", 0)),
        "media": sum(
            int(stats.get(f"hongxing/media/{status}_count", 0)) for status in ("stored", "failed")
        ),
        "retries": _sum(stats, "hongxing/backoff/retry_count/"),
        "texts_restored": sum(
            int(stats.get(f"hongxing/restore/verdict_count/{verdict}", 0))
            for verdict in ("proved", "guessed", "lossy")
        ),
        "requests": int(stats.get("downloader/request_count", 0)),
        "archived_bytes": int(stats.get("hongxing/archive/byte_count", 0)),
        "pending": run.state.counts().get("pending", 0),
    }


def _sum(stats: Mapping[str, Any], prefix: str) -> int:
    return sum(int(value) for name, value in stats.items() if name.startswith(prefix))


def _write_files(run: Run, *, is_refused: bool) -> dict[str, str]:
    paths = {"home": str(run.home.root)}
    indexes = _write_indexes(run)
    if run.warcs:
        paths["warc"] = " ".join(str(path) for path in run.warcs)
        paths["cdxj"] = " ".join(str(indexes[path]) for path in run.warcs)
    with_parquet = run.settings.getbool("HONGXING_EXPORT_PARQUET")
    paths |= export_run(
        run.state,
        run.home.export,
        run.run_id,
        with_parquet=with_parquet,
        is_refused=is_refused,
    )
    paths["media"] = str(run.home.media)
    return paths


def _count_exported_bytes(run: Run, paths: Mapping[str, str]) -> int:
    """Count the bytes of the rows that this run wrote; a snapshot that was kept costs nothing."""
    total = 0
    for folder in (Path(paths[name]).parent for name in ("rows", "delta") if name in paths):
        manifest = msgspec.json.decode((folder / "_manifest.json").read_bytes())
        if manifest["run_id"] == run.run_id:
            total += sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return total


def _note_fixity(run: Run) -> None:
    """Take the digests of new WARC files, so that any later change is noticed and dated."""
    home = run.home
    names = [f"warc/{path.name}" for path in sorted(home.warc.glob("*.warc.gz"))]
    try:
        note_files(home.root, names, home.fixity_log, now=run.now())
    except (HongxingError, OSError) as error:  # the files are safe; the next run notes them
        run.notes.append(f"digests of new WARC files were not noted: {error}")


def _write_indexes(run: Run) -> dict[Path, Path]:
    """Index every WARC file that has no index yet: the run's own, and what a killed run left.

    The state knows the captures of a run that ended in order; other files are read.
    """
    indexes = {}
    for path in sorted(run.home.warc.glob("*.warc.gz")):
        index = run.home.cdxj / f"{path.name.removesuffix('.warc.gz')}.cdxj"
        if index.exists():
            continue
        known = path in run.warcs and run.stop_reason not in _UNCERTAIN
        write_index(_captures_of(run, path) if known else captures_in([path], []), index)
        indexes[path] = index
    run.state.queue(describe(run.home.root, index) for index in indexes.values())
    return indexes


def _captures_of(run: Run, path: Path) -> Iterator[Capture]:
    return (item for item in run.state.captures(run.run_id) if item.warc_filename == path.name)


def _warnings(run: Run) -> list[str]:
    warnings = [f"run {name} was killed; its work is taken over" for name in run.killed_runs]
    if run.skips:
        last = run.skips[-1]
        warnings.append(
            f"{len(run.skips)} runs before this one found the home in use and did nothing, the"
            f" last at {last.at}: {last.sentence.partition(';')[0]}"
        )
    return [*warnings, *run.notes, *run.rendering.advice()]


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("scrapy", "twisted", "turbohtml", "msgspec")}
    return {
        "hongxing_crawler": __version__,
        "python": platform.python_version(),
        **packages,
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(),
    }


def _settings(run: Run) -> dict[str, Any]:
    """What the run was told to do. Credentials and alerts are no settings of Scrapy's."""
    names = [name for name in run.settings if name.startswith("HONGXING_")]
    values = {name: run.settings[name] for name in sorted([*names, *_TOLD_SETTINGS])}
    return {
        name: value.copy_to_dict() if hasattr(value, "copy_to_dict") else value
        for name, value in (values | {"HONGXING_SITE": run.profile.name}).items()
    }


def _write_record(
    run: Run, result: RunResult, stats: Mapping[str, Any], durations: Mapping[str, float]
) -> None:
    record = asdict(result) | {
        "site": run.profile.name,
        "started_at": run.started_at,
        "crawler": f"hongxing_crawler/{__version__}",
        "python": platform.python_version(),
        "scrapy": version("scrapy"),
        "ended_at": run.now(),
        "durations": durations,
        "host": platform.node(),
        "versions": _versions(),
        "settings": _settings(run),
        "killed_runs": run.killed_runs,
        "skipped": run.skips[-_MAX_SKIPS:],
        "upload": None,  # how it ended, once it has
        "stats": dict(sorted(stats.items())),
    }
    folder = run.home.run(run.run_id)
    folder.mkdir(parents=True, exist_ok=True)
    data = msgspec.json.format(msgspec.json.encode(record, enc_hook=str), indent=1)
    write_atomically(folder / "run.json", data)
    rejects = (msgspec.json.encode(row) for row in run.state.rejects(run.run_id))
    write_atomically(folder / "rejects.jsonl", b"".join(line + b"\n" for line in rejects))
    # The record says how the upload ended: the command that uploads sends it last.
    names = ("rejects.jsonl",) if run.is_in_command else ("run.json", "rejects.jsonl")
    run.state.queue(describe(run.home.root, folder / name) for name in names)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that its name never stands for half of it."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
