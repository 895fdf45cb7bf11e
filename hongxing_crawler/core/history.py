"""The history of an article: what a new look at it means, and how two looks differ."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from difflib import SequenceMatcher
from typing import Literal

import msgspec

from hongxing_crawler.core.edits import Edit
from hongxing_crawler.core.row import Article

# Fields that say when, where and how a page was looked at, not what it says.
_UNSTABLE = frozenset(
    {
        "revision", "op", "run_id", "url", "requested_url", "list_url", "first_seen_at",
        "last_seen_at", "deleted_at", "provenance", "cleaning", "restoration", "quality",
    }
)  # fmt: skip
_STABLE = tuple(item.name for item in fields(Article) if item.name not in _UNSTABLE)
_MAX_DIFF_CHARS = 20_000  # SequenceMatcher is quadratic


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of an article before."""

    revision: int
    content_sha256: str
    fingerprint: str
    first_seen_at: str | None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """How two looks at an article differ; ``text_edits`` lead from the old body to the new."""

    kind: Literal["editorial", "template", "spam", "none"]
    fields: tuple[str, ...] = ()
    text_edits: tuple[Edit, ...] = ()


def fingerprint(article: Article) -> str:
    """Digest every field that the page decides; equal means that nothing changed for a reader.

    Where it was found and what cleaning took away are left out: spam that comes and goes, a new
    list that links it, or another rule name make no new article.
    """
    values = [getattr(article, name) for name in _STABLE]
    return hashlib.sha256(msgspec.json.encode(values)).hexdigest()


def fold(known: Known | None, article: Article, run_id: str) -> Article | None:
    """Continue an article's history with a new look at it.

    Args:
        known: The article before this look; None when it is new.
        article: The row as `build_article` made it.
        run_id: The run that looks.

    Returns:
        The row to store, ``new`` or ``changed``, or None when nothing changed. The revision grows
        with the content; a page that comes back after its tombstone is ``changed``.
    """
    if known is None:
        return replace(article, op="new", revision=1, run_id=run_id, deleted_at="")
    same_content = known.content_sha256 == article.content_sha256
    if same_content and known.fingerprint == fingerprint(article) and not known.is_deleted:
        return None
    return replace(
        article,
        op="changed",
        revision=known.revision + (not same_content),
        run_id=run_id,
        first_seen_at=known.first_seen_at,
        deleted_at="",
    )


def bury(article: Article, run_id: str, deleted_at: str) -> Article:
    """Make the tombstone of an article: its last state, and since when it is gone."""
    return replace(article, op="deleted", run_id=run_id, deleted_at=deleted_at)


def changed_fields(before: Article, after: Article) -> tuple[str, ...]:
    """Name the fields that the page decides and that differ, in the order of the row."""
    return tuple(name for name in _STABLE if getattr(before, name) != getattr(after, name))


def compare(before: Article, after: Article) -> Difference:
    """Tell how two looks at an article differ, and what kind of change that is.

    ``editorial``: the text or a field says something else. ``template``: the site's page changed
    its form, and no word of the text. ``spam``: only what cleaning takes away changed. ``none``.
    """
    names = changed_fields(before, after)
    edits = find_text_changes(before.article_body, after.article_body)
    same_words = _words(before) == _words(after)
    if names and not (same_words and _template_changed(before, after)):
        return Difference("editorial", names, edits)
    if _template_changed(before, after):
        return Difference("template", names, edits)
    spam = _removed(before) != _removed(after)
    return Difference("spam" if spam else "none", names, edits)


def _words(article: Article) -> tuple[str, str]:
    return "".join(article.headline.split()), "".join(article.article_body.split())


def _template_changed(before: Article, after: Article) -> bool:
    return before.provenance.template != after.provenance.template


def _removed(article: Article) -> list[tuple[str, str]]:
    steps = article.cleaning.steps
    blocks = [(block.rule, block.text) for step in steps for block in step.removed_blocks]
    return blocks + [(edit.rule, edit.removed) for step in steps for edit in step.edits]


def find_text_changes(before: str, after: str, rule: str = "history.text") -> tuple[Edit, ...]:
    r"""Describe the way from one text to another as edits.

    Equal paragraphs are matched first, then characters inside the paragraphs that differ; very
    long differences are one edit.

    >>> find_text_changes("五人获奖。\n\n完。", "六人获奖。\n\n完。")
    (Edit(start=0, end=1, removed='五', inserted='六', rule='history.text'),)
    """
    edits: list[Edit] = []
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    position = _offsets(old)
    for tag, start, end, new_start, new_end in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            texts = "".join(old[start:end]), "".join(new[new_start:new_end])
            edits += _compare(*texts, position[start], rule)
    return tuple(edits)


def _offsets(lines: list[str]) -> list[int]:
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    return offsets


def _compare(old: str, new: str, at: int, rule: str) -> list[Edit]:
    if len(old) + len(new) > _MAX_DIFF_CHARS:
        return [Edit(at, at + len(old), old, new, rule)]
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [
        Edit(at + start, at + end, old[start:end], new[new_start:new_end], rule)
        for tag, start, end, new_start, new_end in codes
        if tag != "equal"
    ]
