"""The history of a page as text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from dataclasses import fields, is_dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hongxing_crawler.cli.tables import align
from hongxing_crawler.report.diffs import diff_texts
from hongxing_crawler.report.visible import show_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.upkeep.history import Look, PageHistory

_WIDTH_CHARS = 34  # two cells each
_VALUE_CHARS = 3 * _WIDTH_CHARS
_PART_CHARS = 24
_CHANGES_SHOWN = 8
_QUIET = frozenset({"same", "not_modified", "failed"})  # alike in a row: told once
_WORDS = {
    "first": "seen for the first time",
    "editorial": "editorial change",
    "template": "another form, the same words",
    "files": "files stored at last, or not again",
    "cleaning": "the same page, cleaned in another way",
    "spam": "spam around it, the same text",
    "none": "the same article",
    "same": "unchanged, byte for byte",
    "not_modified": "unchanged, says the server (304)",
    "returned": "there again",
    "gone": "not there",
    "redirect": "only redirects",
    "rejected": "no article on it",
    "failed": "no answer that counts",
    "unreadable": "cannot be read",
}


def show_history(history: PageHistory) -> str:
    """Show all looks at a page, what changed between them, and by whose doing."""
    if history.taken_down is not None:
        event = history.taken_down
        return (
            f"{history.url}\ntaken down on {event.at} by {event.by}\n"
            f"{_wrapped(event.reason, '  ')}\nnothing of it is kept"
        )
    state = f"gone since {history.deleted_at}" if history.deleted_at else "there"
    facts = [("page", history.url)]
    if history.id:
        facts += [
            ("article", history.id),
            ("headline", _one_line(history.headline)),
            ("revision", f"{history.revision}, {state}"),
        ]
    blocks = [align(facts)]
    pairs = list(zip(history.looks, history.bodies, strict=True))
    for key, group in groupby(pairs, key=lambda pair: _alike(pair[0])):
        looks = list(group)
        if key and len(looks) > 1:
            last = looks[-1][0]
            blocks.append(
                f"{_head(looks[0][0])}\n  and {len(looks) - 1} times more until {last.at}"
            )
        else:
            blocks += [_show_look(look, bodies) for look, bodies in looks]
    return "\n\n".join(blocks)


def _alike(look: Look) -> str:
    return f"{look.kind} {look.status}" if look.kind in _QUIET and not look.row else ""


def _head(look: Look) -> str:
    words = _WORDS.get(look.kind, look.kind)
    if look.kind in {"gone", "failed", "redirect"} and look.status:
        words += f" ({look.status})"
    row = {"new": "new", "changed": "changed", "deleted": "tombstone"}.get(look.row, "")
    tail = f"  [{row}, revision {look.revision}]" if row else ""
    return f"{look.at}  {words}{tail}"


def _show_look(look: Look, bodies: tuple[str, str]) -> str:
    lines = [_head(look), f"  {look.warc_filename}:{look.warc_offset}"]
    if look.note:
        lines.append(_wrapped(look.note, "  "))
    lines += [f"  {line}" for line in _rule_lines(look)]
    for name, (old, new) in list(look.changes.items())[:_CHANGES_SHOWN]:
        lines += [f"  {name}", *_field_lines(old, new)]
    more = len(look.changes) - _CHANGES_SHOWN
    lines += [f"  and {more} more fields"] if more > 0 else []
    if bodies != ("", ""):
        lines += ["  article_body", *_text_lines(*bodies)]
    return "\n".join(lines)


def _field_lines(old: Any, new: Any) -> Iterator[str]:
    """Show a field before and after; of lists alike, what differs within them."""
    if isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from (f"    [{number}] {line}" for line in _parts_that_differ(*pair))
        return
    yield f"    - {_value(old)}"
    yield f"    + {_value(new)}"


def _parts_that_differ(old: Any, new: Any) -> Iterator[str]:
    if not is_dataclass(old) or not is_dataclass(new):
        if old != new:
            yield f"{_one_line(str(old))} → {_one_line(str(new))}"
        return
    for item in fields(old):
        before, after = (str(getattr(value, item.name)) for value in (old, new))
        if before != after:
            yield f"{item.name}: {_cut(before)} → {_cut(after)}"


def _cut(text: str) -> str:
    shown = show_invisible(text) or "(nothing)"
    return shown if len(shown) <= _PART_CHARS else f"…{shown[1 - _PART_CHARS :]}"


def _rule_lines(look: Look) -> Iterator[str]:
    for title, rules in (("came", look.rules_came), ("went", look.rules_went)):
        if rules:
            yield f"{title}: " + ", ".join(f"{rule} ({count})" for rule, count in rules.items())


def _value(value: Any) -> str:
    if value in (None, "", ()):
        return "(nothing)"
    if isinstance(value, tuple):
        names = [getattr(v, "name", "") or getattr(v, "caption", "") or _short(v) for v in value]
        return _one_line(f"{len(value)}: " + "; ".join(names))
    return _one_line(str(value))


def _short(value: Any) -> str:
    return str(getattr(value, "url", value)).rpartition("/")[2]


def _one_line(text: str) -> str:
    """Show a text in the width of a terminal, invisible characters as signs."""
    shown = show_invisible(" ".join(text.split()))
    return shown if len(shown) <= _WIDTH_CHARS else f"{shown[: _WIDTH_CHARS - 1]}…"


def _text_lines(old: str, new: str) -> Iterator[str]:
    """Show what went and what came, each with a little of what stands around it."""
    for span in diff_texts(old, new):
        text = show_invisible(" ".join(span.text.split()))
        if not text:
            continue
        sign = "-" if span.removed_by else "+" if span.inserted_by else " "
        if sign == " ":
            text = text if len(text) <= _WIDTH_CHARS else f"{text[:14]} … {text[-14:]}"
        elif len(text) > _VALUE_CHARS:
            text = f"{text[: _VALUE_CHARS - 1]}…"
        for line in textwrap.wrap(text, _WIDTH_CHARS):
            yield f"    {sign} {line}"


def _wrapped(text: str, indent: str) -> str:
    return "\n".join(
        indent + line for line in textwrap.wrap(show_invisible(text), _WIDTH_CHARS * 2)
    )
