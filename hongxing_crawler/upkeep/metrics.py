"""What Prometheus is told: a file for node_exporter's textfile collector, always whole.

Names and meanings are an interface, explained in docs/metrics.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hongxing_crawler import __version__
from hongxing_crawler.store.files import write_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from hongxing_crawler.upkeep.look import Look

# Every metric is a gauge: a file that is written anew has no counters.
METRICS = {
    "hongxing_build_info": "Version of the program that wrote this file; always 1.",
    "hongxing_command_end_timestamp_seconds": "When a command ended last.",
    "hongxing_command_duration_seconds": "How long it took.",
    "hongxing_command_exit_code": "Its exit code, see docs/exit-codes.md.",
    "hongxing_last_success_timestamp_seconds": "End of the last run that ended with 0 or 3; or 0.",
    "hongxing_run_end_timestamp_seconds": "When the last run ended.",
    "hongxing_run_duration_seconds": "How long the last run took.",
    "hongxing_run_items": "What the last run counted, by name as in run.json.",
    "hongxing_run_finding": "1 for each monitor that said something of the last run.",
    "hongxing_skipped_starts": "Starts that found the home in use, since a run began last.",
    "hongxing_articles": "Living articles.",
    "hongxing_urls": "Known addresses by state.",
    "hongxing_next_due_timestamp_seconds": "When the next known page is to be asked again.",
    "hongxing_archive_files": "Finished WARC files.",
    "hongxing_archive_bytes": "Size of the finished WARC files.",
    "hongxing_unfinished_files": "WARC files that a killed run left open.",
    "hongxing_disk_free_bytes": "Free space on the disk of the home.",
    "hongxing_outbox_files": "Files that wait for the bucket.",
    "hongxing_outbox_bytes": "Size of the files that wait for the bucket.",
    "hongxing_outbox_failed_files": "Files whose upload failed and is tried again.",
    "hongxing_outbox_oldest_timestamp_seconds": "Since when the oldest of them waits.",
}
_COMMAND = "hongxing_command_"
_COMMAND_LINE_RE = re.compile(r'(hongxing_command_\w+)\{(.*?)command="([^"]+)"\} (\S+)')


class Sample(NamedTuple):
    """One value; a metric has one for each set of labels."""

    name: str
    value: float
    labels: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How a command ended."""

    command: str
    ended_at: datetime
    seconds: float
    exit_code: int


def write_metrics(path: Path, end: CommandEnd, look: Look | None, home: Path) -> None:
    """Write the file; what it says of other commands stays.

    Args:
        path: Where the textfile collector looks; its name ends in ``.prom``.
        end: The command that has just ended.
        look: What the home holds; None when it cannot be read.
        home: The home, for the label of that name.

    Raises:
        OSError: The disk refuses; an older file stays as it was.
    """
    others = _of_other_commands(path, end.command)
    samples = [*_of_command(end), *others, *(_of_home(look) if look else ())]
    write_file(path, render(samples, str(home)).encode())
    path.chmod(0o644)  # node_exporter is another user


def render(samples: Iterable[Sample], home: str) -> str:
    """Render samples in the text format of Prometheus, metric by metric."""
    by_name: dict[str, list[Sample]] = {name: [] for name in METRICS}
    by_name["hongxing_build_info"].append(
        Sample("hongxing_build_info", 1, {"version": __version__})
    )
    for sample in samples:
        by_name[sample.name].append(sample)
    lines = []
    for name, found in by_name.items():
        if found:
            lines += [f"# HELP {name} {METRICS[name]}", f"# TYPE {name} gauge"]
            lines += [_line(sample, home) for sample in found]
    return "\n".join(lines) + "\n"


def _line(sample: Sample, home: str) -> str:
    labels = {"home": home, **sample.labels}
    text = ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())
    return f"{sample.name}{{{text}}} {sample.value:.17g}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _of_command(end: CommandEnd) -> Iterator[Sample]:
    labels = {"command": end.command}
    yield Sample(f"{_COMMAND}end_timestamp_seconds", end.ended_at.timestamp(), labels)
    yield Sample(f"{_COMMAND}duration_seconds", end.seconds, labels)
    yield Sample(f"{_COMMAND}exit_code", end.exit_code, labels)


def _of_other_commands(path: Path, command: str) -> list[Sample]:
    """Read back what an older file says of other commands; a broken one says nothing."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    found = (_COMMAND_LINE_RE.fullmatch(line) for line in text.splitlines())
    return [
        Sample(match[1], float(match[4]), {"command": match[3]})
        for match in found
        if match and match[3] != command and match[1] in METRICS
    ]


def _of_home(look: Look) -> Iterator[Sample]:
    success = look.last_success_at.timestamp() if look.last_success_at else 0
    yield Sample("hongxing_last_success_timestamp_seconds", success)
    yield Sample("hongxing_skipped_starts", len(look.skips))
    yield Sample("hongxing_articles", look.articles)
    for state, count in look.urls.items():
        yield Sample("hongxing_urls", count, {"state": state})
    if look.next_due_at is not None:
        yield Sample("hongxing_next_due_timestamp_seconds", look.next_due_at.timestamp())
    yield Sample("hongxing_archive_files", look.warc_count)
    yield Sample("hongxing_archive_bytes", look.warc_bytes)
    yield Sample("hongxing_unfinished_files", len(look.unfinished))
    yield Sample("hongxing_disk_free_bytes", look.free_bytes)
    yield from _of_last_run(look)
    yield from _of_outbox(look)


def _of_last_run(look: Look) -> Iterator[Sample]:
    ended = [entry for entry in look.last_runs if entry.ended_at and entry.counts]
    if not ended or ended[-1].ended_at is None:
        return
    last, ended_at = ended[-1], ended[-1].ended_at
    seconds = (ended_at - last.started_at).total_seconds()
    yield Sample("hongxing_run_end_timestamp_seconds", ended_at.timestamp())
    yield Sample("hongxing_run_duration_seconds", seconds)
    for name, count in sorted(last.counts.items()):
        yield Sample("hongxing_run_items", count, {"what": name})
    for name in sorted(look.findings):
        yield Sample("hongxing_run_finding", 1, {"monitor": name})


def _of_outbox(look: Look) -> Iterator[Sample]:
    outbox = look.outbox
    if not outbox.target:
        return
    yield Sample("hongxing_outbox_files", outbox.count)
    yield Sample("hongxing_outbox_bytes", outbox.bytes)
    yield Sample("hongxing_outbox_failed_files", outbox.failed_count)
    if outbox.oldest_at is not None:
        yield Sample("hongxing_outbox_oldest_timestamp_seconds", outbox.oldest_at.timestamp())
