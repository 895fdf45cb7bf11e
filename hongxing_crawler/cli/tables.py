"""Results as aligned text: for terminals, mails of cron and log files alike."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hongxing_crawler.run import RunResult

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


def show_run(result: RunResult) -> str:
    """Show what a run brought, and where it lies."""
    counts = result.counts
    rows = [
        (title, f"{counts.get(key, 0):,}", _explain(counts, parts))
        for title, key, parts in _RUN_LINES
        if counts
    ]
    rows.append(("time", f"{result.seconds:.1f} s", ""))
    paths = [(name, path) for name, path in result.paths.items() if path]
    head = f"run {result.run_id}: {result.sentence}"
    blocks = [head, align(rows, right=(1,)), align(paths), "\n".join(result.warnings)]
    return "\n\n".join(block for block in blocks if block)


def _explain(counts: Mapping[str, int], parts: Mapping[str, str]) -> str:
    return ", ".join(f"{counts.get(key, 0):,} {name}" for name, key in parts.items())


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
