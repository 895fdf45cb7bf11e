"""What a takedown would do and did, as text for a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hongxing_crawler.cli.tables import align, tell_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hongxing_crawler.archive.excise import Proof
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.takedown.plan import TakedownPlan

_SHOWN = 12


def show_plan(plan: TakedownPlan) -> str:
    """Show what would go."""
    return "\n\n".join(block for block in ("to be removed", *_blocks(plan)) if block)


def show_takedown(plan: TakedownPlan, home: Home) -> str:
    """Show what went, and the proof that nothing else did."""
    takedown = plan.takedown
    head = f"taken down: {takedown.id}, by {takedown.by}"
    log = align(
        [
            ("log", str(home.takedown / "log.jsonl")),
            ("published", "copies in S3 and backups still hold it: the log lists their files"),
        ]
    )
    blocks = (head, *_blocks(plan), _show_proofs(plan.proofs), log)
    return "\n\n".join(block for block in blocks if block)


def _blocks(plan: TakedownPlan) -> Iterator[str]:
    takedown = plan.takedown
    rows = sum(len(article.rows) for article in takedown.articles)
    yield align(
        [
            ("articles", f"{len(takedown.articles):,}"),
            ("rows in deltas", f"{rows:,}"),
            ("records", f"{plan.record_count:,} in {tell_count(len(plan.warcs), 'WARC file')}"),
            ("media files", f"{len(plan.media_keys):,}"),
            ("packages", f"{len(plan.packages):,} packed again"),
        ]
    )
    yield _titled("addresses, never asked for again", takedown.urls)
    yield _titled("files that stay, because others show them", plan.kept_media)
    yield _titled("pages that shared its bytes and keep them", plan.redirected)
    yield _titled("other articles that say the same and stay", plan.twins)
    yield "\n".join(f"note: {text}" for text in plan.warnings)


def _titled(title: str, lines: Iterable[str]) -> str:
    found = list(lines)
    if not found:
        return ""
    more = len(found) - _SHOWN
    shown = found[:_SHOWN] + ([f"and {more:,} more"] if more > 0 else [])
    return "\n".join((f"{title}:", *(f"  {line}" for line in shown)))


def _show_proofs(proofs: Iterable[Proof]) -> str:
    """Say of each file that its other bytes are those of before."""
    lines = ["proof that nothing else changed:"]
    for proof in proofs:
        room = sum(end - start for start, end in proof.cuts)
        lines += [
            f"  {proof.filename}",
            f"    {proof.bytes:,} bytes before and after, {room:,} of them replaced in place",
            f"    {proof.record_count:,} other records at their old places, byte for byte:",
            f"    {proof.kept_sha256}",
        ]
    return "\n".join(lines) if len(lines) > 1 else ""
