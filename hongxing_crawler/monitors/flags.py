"""What is odd about an article that a run stored, for monitors to count."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.core.record import Article

_SHORT_CHARS = 30  # a sentence
_DOUBTFUL = frozenset({"guessed", "lossy"})


def flags_of(article: Article) -> Iterator[str]:
    """Yield what is odd: generic, short, undated, guessed, injected.

    An article that was injected before and changed for another reason is no news.
    """
    if article.provenance.template == "generic":
        yield "generic"
    if article.char_count < _SHORT_CHARS and not (article.images or article.attachments):
        yield "short"
    if not article.date_published:
        yield "undated"
    if article.restoration.verdict in _DOUBTFUL:
        yield "guessed"
    if (article.op == "new" or article.change.kind == "spam") and _is_injected(article):
        yield "injected"


def _is_injected(article: Article) -> bool:
    rules = (
        found.rule
        for step in article.cleaning.steps
        for founds in (step.edits, step.removed_blocks)
        for found in founds
    )
    return any(rule.startswith("spam.") for rule in rules)
