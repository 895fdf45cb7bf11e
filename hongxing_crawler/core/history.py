"""The history of an article: what a new look at it means, and how two looks differ."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hongxing_crawler.core.edits import Edit
from hongxing_crawler.core.row import Article, ChangeRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.core.row import AttachmentRow, ImageRow, VideoRow

# Fields that say when, where and how a page was looked at, not what it says.
_UNSTABLE = frozenset(
    {
        "revision", "op", "run_id", "url", "requested_url", "list_url", "first_seen_at",
        "last_seen_at", "deleted_at", "change", "provenance", "cleaning", "restoration", "quality",
    }
)  # fmt: skip
_STABLE = tuple(item.name for item in fields(Article) if item.name not in _UNSTABLE)
# Fields that follow from others, or repeat them as printed: form, not content.
_FORM_FIELDS = frozenset(
    {
        "schema_version", "canonical_url", "site", "source_raw", "date_published_raw",
        "date_precision", "published_day", "article_body_html", "char_count", "page_count",
        "content_sha256",
    }
)  # fmt: skip
_FILE_FIELDS = frozenset({"images", "attachments", "main_image", "videos", "video_files"})
_LATE_FIELDS = frozenset({"videos", "video_files"})  # rows of earlier versions have none
_MAX_DIFF_CHARS = 20_000  # SequenceMatcher is quadratic


Kind = Literal["editorial", "template", "files", "cleaning", "spam", "none"]


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

    kind: Kind
    fields: tuple[str, ...] = ()
    text_edits: tuple[Edit, ...] = ()


def fingerprint(article: Article) -> str:
    """Digest every field that the page decides; equal means that nothing changed for a reader.

    Where it was found and what cleaning took away are left out: spam that comes and goes, a new
    list that links it, or another rule name make no new article.
    """
    values = [
        value
        for name in _STABLE
        if (value := getattr(article, name)) or name not in _LATE_FIELDS  # digests are kept
    ]
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


def tell_change(before: Article | None, after: Article) -> ChangeRow:
    """Say what a stored state of an article changed, for its row.

    Args:
        before: The last state of an earlier run; None when there was none.
        after: The row that is stored: ``new``, ``changed`` or ``deleted``.
    """
    if after.op == "deleted":
        return ChangeRow(kind="removed", fields=("deleted_at",), reason="")
    if before is None:
        return ChangeRow(kind="first", fields=(), reason="")
    if before.op == "deleted":
        fields = (*changed_fields(before, after), "deleted_at")
        return ChangeRow(kind="returned", fields=fields, reason="")
    found = compare(before, after)
    return ChangeRow(kind=found.kind, fields=found.fields, reason="")


def compare(before: Article, after: Article) -> Difference:
    """Tell how two looks at an article differ, and what kind of change that is.

    ``editorial``: a text or a field says something else. ``template``: the page changed its
    form (markup, white space, how a date is printed), and no word of what it says; under another
    template a field that one of the two does not give counts as form as well. ``files``: the same
    files, of which one could be stored at last, or not again. ``cleaning``: the bytes are the
    same, and were read or cleaned in another way. ``spam``: only what cleaning takes away changed.
    ``none``.
    """
    names = changed_fields(before, after)
    edits = find_text_changes(before.article_body, after.article_body)
    return Difference(_kind(before, after, names), names, edits)


def _kind(before: Article, after: Article, names: tuple[str, ...]) -> Kind:
    if set(names) - _FILE_FIELDS and _same_bytes(before, after):
        return "cleaning"
    new_template = before.provenance.template != after.provenance.template
    if any(_says_else(name, before, after, new_template=new_template) for name in names):
        return "editorial"
    if new_template or set(names) - _FILE_FIELDS:
        return "template"
    if names:
        return "files"
    return "spam" if list(removals(before)) != list(removals(after)) else "none"


def _same_bytes(before: Article, after: Article) -> bool:
    """Tell whether one and the same page was read; the digest is that of an article's first."""
    digests = before.provenance.raw_sha256, after.provenance.raw_sha256
    return digests[0] == digests[1] != "" and before.page_count == after.page_count == 1


def _says_else(name: str, before: Article, after: Article, *, new_template: bool) -> bool:
    """Tell whether a field that differs also means something else."""
    if name in _FORM_FIELDS:
        return False
    old, new = getattr(before, name), getattr(after, name)
    if name == "videos":
        return bool(old != new)
    if name in _FILE_FIELDS:
        if name == "video_files":
            return _other_films(old, new)
        return _other_files(old, new) if name != "main_image" else False
    if new_template and name not in {"headline", "article_body"} and not (old and new):
        return False
    return _words(old) != _words(new)


def _words(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return "".join(text.split())


def _other_films(old: tuple[VideoRow, ...], new: tuple[VideoRow, ...]) -> bool:
    """Tell whether a film that is kept has other bytes; one that is asked for at last has not."""
    before = {film.url: film.sha256 for film in old}
    return any(before.get(film.url, "") not in {"", film.sha256} for film in new if film.sha256)


def _other_files(
    old: tuple[ImageRow | AttachmentRow, ...], new: tuple[ImageRow | AttachmentRow, ...]
) -> bool:
    """Tell whether a page shows other files, or the same ones under other words."""
    if len(old) != len(new):
        return True
    return any(
        _words(_label(a)) != _words(_label(b))
        or (a.sha256 != b.sha256 and bool(a.sha256 and b.sha256))
        or (not (a.sha256 and b.sha256) and a.url != b.url)
        for a, b in zip(old, new, strict=True)
    )


def _label(file: ImageRow | AttachmentRow) -> str:
    return str(getattr(file, "caption", "") or getattr(file, "name", ""))


def removals(article: Article) -> Iterator[tuple[str, str]]:
    """Yield what cleaning took away: the rule, and the text it was."""
    for step in article.cleaning.steps:
        yield from ((block.rule, block.text) for block in step.removed_blocks)
        yield from ((edit.rule, edit.removed) for edit in step.edits)


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
