"""Results as aligned text: for terminals, mails of cron and log files alike."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hongxing_crawler.running.run import RunResult
    from hongxing_crawler.store.elsewhere import ElsewhereLook
    from hongxing_crawler.store.frontier import Preview
    from hongxing_crawler.store.outbox import OutboxLook
    from hongxing_crawler.upkeep.home import Comparison, Reprocessed
    from hongxing_crawler.upkeep.look import Look

# Lines of a run's table: title, the count it shows, and the counts that explain it.
_RUN_LINES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    (
        "pages",
        "pages",
        {
            "unchanged": "pages_unchanged",
            "rejected": "pages_rejected",
            "gone": "pages_gone",
            "failed": "pages_failed",
            "waiting": "pending",
        },
    ),
    (
        "articles",
        "articles",
        {"new": "articles_new", "changed": "articles_changed", "deleted": "articles_deleted"},
    ),
    ("images", "images", {"files failed": "media_failed"}),
    ("attachments", "attachments", {}),
    ("spam blocks removed", "spam_blocks", {}),
    ("damaged texts restored", "texts_restored", {}),
)


def tell_count(count: int, noun: str, plural: str = "") -> str:
    """Name a number of things.

    >>> tell_count(1, "WARC file"), tell_count(1200, "finding"), tell_count(2, "body", "bodies")
    ('1 WARC file', '1,200 findings', '2 bodies')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def show_run(result: RunResult) -> str:
    """Show what a run brought, and where it lies."""
    counts = result.counts
    rows = [
        (title, f"{counts.get(key, 0):,}", _explain(counts, parts))
        for title, key, parts in _RUN_LINES
        if counts
    ]
    if counts.get("pages_rendered") or counts.get("pages_not_rendered"):
        rows.insert(1, ("shown by a browser", *_rendered(counts)))
    rows.append(("time", f"{result.seconds:.1f} s", ""))
    paths = [(name, path) for name, path in result.paths.items() if path]
    ended = f"{result.reason.replace('_', ' ')}, exit {result.exit_code}"
    head = f"run {result.run_id}: {ended if result.exit_code else result.sentence}"
    blocks = [head, align(rows, right=(1,)), align(paths), "\n".join(result.warnings)]
    return "\n\n".join(block for block in blocks if block)


def _rendered(counts: Mapping[str, int]) -> tuple[str, str]:
    return f"{counts['pages_rendered']:,}", f"{counts['pages_not_rendered']:,} could not be"


def _explain(counts: Mapping[str, int], parts: Mapping[str, str]) -> str:
    return ", ".join(f"{counts.get(key, 0):,} {name}" for name, key in parts.items())


def show_preview(preview: Preview, max_pages: int, delay_s: float) -> str:
    """Show what a run would ask."""
    total = sum(preview.kinds.values())
    if not total:
        return "nothing is due: a run would ask nothing but robots.txt"
    asked = min(total, max_pages or total)
    limit = f", of which this run may ask {max_pages:,}" if asked < total else ""
    head = (
        f"{total:,} URLs are to be asked{limit}; with {delay_s:g} s between two that takes"
        f" {asked * delay_s / 3600:,.1f} h at least, pages found on the way and files not counted"
    )
    kinds = align([(f"{count:,}", kind) for kind, count in preview.kinds.items()], right=(0,))
    first = align(preview.first)
    return f"{head}\n\n{kinds}\n\nthe first {len(preview.first)}:\n{first}"


def show_status(look: Look) -> str:
    """Show what a home holds, on one screen."""
    urls = ", ".join(f"{count:,} {name}" for name, count in look.urls.items()) or "none"
    facts = [
        ("home", str(look.home)),
        ("at work", str(look.holder or "nobody")),
        ("articles", f"{look.articles:,}"),
        ("URLs", urls),
        ("archive", f"{tell_count(look.warc_count, 'WARC file')}, {show_size(look.warc_bytes)}"),
        ("disk", f"{show_size(look.free_bytes)} free"),
        *([("bucket", _tell_outbox(look.outbox))] if look.outbox.target else []),
    ]
    if look.elsewhere.count:
        facts.append(("pruned", tell_elsewhere(look.elsewhere)))
    facts += _tell_last(look)
    runs = [("run", "ended as", "pages", "new", "changed", "deleted")] + [
        (
            entry.run_id,
            entry.reason or "running or killed",
            *(
                f"{entry.counts.get(key, 0):,}"
                for key in ("pages", "articles_new", "articles_changed", "articles_deleted")
            ),
        )
        for entry in look.last_runs
    ]
    notes = [
        f"{name} was left open by a killed run; the next repairs it" for name in look.unfinished
    ]
    notes += [f"monitor {name}: {sentence}" for name, sentence in look.findings.items()]
    table = align(runs, right=(2, 3, 4, 5)) if look.last_runs else "no run yet"
    return "\n\n".join(part for part in (align(facts), table, "\n".join(notes)) if part)


def _tell_last(look: Look) -> list[tuple[str, str]]:
    success = f"{look.last_success_at:%Y-%m-%d %H:%M} UTC" if look.last_success_at else "never"
    facts = [("last success", success)]
    if look.next_due_at is not None:
        facts.append(("next due", f"{look.next_due_at:%Y-%m-%d %H:%M} UTC"))
    if look.skips:
        last = look.skips[-1]
        facts.append(
            (
                "skipped",
                f"{len(look.skips):,} starts since, {last.at}: {last.sentence.partition(';')[0]}",
            )
        )
    return facts


def tell_elsewhere(look: ElsewhereLook) -> str:
    """Say how much the bucket alone keeps, and whether it still does."""
    text = (
        f"{tell_count(look.count, 'file')}, {show_size(look.bytes)}, that {look.target} alone keeps"
    )
    lost = f"; {look.lost_count:,} of them are not there any more" if look.lost_count else ""
    return text + lost


def _tell_outbox(outbox: OutboxLook) -> str:
    if not outbox.count:
        return f"{outbox.target} has all of {tell_count(outbox.proved_count, 'file')}"
    since = f"{outbox.oldest_at:%Y-%m-%d %H:%M} UTC" if outbox.oldest_at else "unknown"
    text = f"{tell_count(outbox.count, 'file')}, {show_size(outbox.bytes)}, waiting since {since}"
    trouble = f"; {outbox.failed_count:,} failed: {outbox.trouble}" if outbox.failed_count else ""
    return f"{text} for {outbox.target}{trouble}"


def show_size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def show_reprocessed(done: Reprocessed) -> str:
    """Show what reprocessing made, and whether it is what the crawl made."""
    result = done.result
    facts = [
        ("runs", f"{len(result.runs):,}"),
        ("pages", f"{result.page_count:,}"),
        ("articles", f"{result.article_count:,}"),
        *result.paths.items(),
    ]
    lines = [align(facts), *result.problems]
    if done.comparison is not None:
        lines += [_tell_comparison(done.comparison), done.advice]
    return "\n".join(line for line in lines if line)


def _tell_comparison(comparison: Comparison) -> str:
    same, others = len(comparison.same), (*comparison.different, *comparison.missing)
    if not others:
        return f"same rows as the crawl's, byte for byte ({same} files)"
    return "\n".join((f"{same} files are the crawl's, byte for byte; not so:", *others))


def align(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Align columns by what a terminal shows: a Chinese character takes two cells.

    >>> print(align([("红星", "1"), ("ab", "10")], right=(1,)))
    红星   1
    ab    10
    """
    table = [list(map(str, row)) for row in rows]
    if not table:
        return ""
    widths = [max(map(_cells, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        padded = [
            _pad(text, width, to_right=number in right)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _cells(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _pad(text: str, width: int, *, to_right: bool) -> str:
    blanks = " " * (width - _cells(text))
    return blanks + text if to_right else text + blanks
