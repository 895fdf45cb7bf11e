"""Explain what cleaning did to one page, for a terminal and as a page of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from hongxing_crawler.report.html import render
from hongxing_crawler.report.rule_notes import describe_rule
from hongxing_crawler.report.visible import show_invisible
from hongxing_crawler.report.weave import Span, weave

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hongxing_crawler.core.document import CleanedPage
    from hongxing_crawler.core.edits import Edit, RemovedBlock

_COLOUR_COUNT = 8  # classes c0 to c7 of style.css
_SHORT = 160  # characters of a removal that a terminal shows


@dataclass(frozen=True, slots=True)
class RuleUse:
    """A rule that was at work on the page."""

    name: str
    count: int
    note: str
    colour: str


def count_rules(cleaned: CleanedPage) -> Counter[str]:
    """How often each rule was at work: edits of the body and the fields, removed blocks."""
    rules = [edit.rule for step in cleaned.steps for edit in step.edits]
    rules += [edit.rule for _, edits in cleaned.field_edits for edit in edits]
    return Counter([*rules, *(block.rule for block in cleaned.removed)])


def _received_fields(cleaned: CleanedPage) -> dict[str, str]:
    page = cleaned.page
    fields = {
        "headline": page.title,
        "kicker": page.kicker,
        "subheadline": page.subheadline,
        "source_name": page.source,
        "authors": page.author,
        "editor": page.editor,
        "channel": page.channel,
        "description": page.description,
    }
    return fields | {f"caption[{i}]": image.caption for i, image in enumerate(page.images)}


def _weave_field(received: str | None, steps: Sequence[Sequence[Edit]], value: str) -> list[Span]:
    """The field with its edits; where it is not known as received, its value and the edits."""
    if received is not None:
        try:
            return weave(received, steps)
        except ValueError:
            pass  # edits of a text that the page joined from several places
    spans = [Span(value), Span(" ←")]
    for edit in chain.from_iterable(steps):
        spans += [Span(" … "), Span(edit.removed, edit.rule)]
        spans += [Span(edit.inserted, "", edit.rule)] * bool(edit.inserted)
    return spans


def _fields(cleaned: CleanedPage) -> Iterator[tuple[str, str | list[Span]]]:
    article = cleaned.article
    received = _received_fields(cleaned)
    edits: dict[str, list[Sequence[Edit]]] = {}
    for name, changes in cleaned.field_edits:
        if changes:
            edits.setdefault(name, []).append(changes)
    plain = {
        "headline": article.headline,
        "date_published": f"{article.date_published or '—'} ({article.date_published_raw or '—'})",
        "source_name": article.source_name,
        "editor": article.editor,
        "channel": article.channel,
    }
    more = {"description": article.description, "subheadline": article.subheadline}
    more |= {f"authors[{i}]": author.name for i, author in enumerate(article.authors)}
    more |= {f"breadcrumbs[{i}]": name for i, name in enumerate(article.breadcrumbs)}
    for name in dict.fromkeys((*plain, *edits)):
        steps = edits.get(name)
        value = plain.get(name) or more.get(name, "")
        yield name, _weave_field(received.get(name), steps, value) if steps else value


def _body(cleaned: CleanedPage) -> list[Span]:
    return weave(cleaned.received, [step.edits for step in cleaned.steps])


def _warnings(cleaned: CleanedPage) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*cleaned.page.warnings, *cleaned.warnings)))


def explain_html(cleaned: CleanedPage) -> str:
    """Write one self-contained page: the received text with every change, and why.

    Safe to open: the page's own markup is shown as text, addresses are no links, no script
    can run and nothing is fetched.
    """
    counts = count_rules(cleaned)
    colours = {rule: f"c{i % _COLOUR_COUNT}" for i, (rule, _) in enumerate(counts.most_common())}
    return render(
        "explain.html",
        cleaned=cleaned,
        body=_body(cleaned),
        fields=list(_fields(cleaned)),
        warnings=_warnings(cleaned),
        colours=colours,
        rules=[
            RuleUse(rule, count, describe_rule(rule), colours[rule])
            for rule, count in counts.most_common()
        ],
    )


def _shorten(text: str) -> str:
    if len(text) <= _SHORT:
        return text
    half = _SHORT // 2
    return f"{text[:half]} […{len(text) - 2 * half}…] {text[-half:]}"


def _mark(spans: Sequence[Span], numbers: Mapping[str, int]) -> str:
    """Write spans as ``[-removed-]{+inserted+}#rule``, the rule as its number in the list."""
    parts: list[str] = []
    for span, following in zip_longest(spans, spans[1:]):
        rule = span.removed_by or span.inserted_by
        if not rule:
            parts.append(span.text)
            continue
        text = _shorten(span.text)
        parts.append(f"[-{text}-]" if span.removed_by else f"{{+{text}+}}")
        if following is None or rule not in {following.inserted_by, following.removed_by}:
            parts.append(f"#{numbers[rule]}")
    return "".join(parts)


def _block_lines(block: RemovedBlock) -> Iterator[str]:
    yield f"  {block.rule}  {block.path}"
    yield f"    {_shorten(' '.join(block.text.split()))}"
    if block.evidence:
        yield f"    evidence: {', '.join(block.evidence)}"
    if block.links:
        yield f"    links ({len(block.links)}): {_shorten(' '.join(block.links))}"


def _lines(cleaned: CleanedPage) -> Iterator[str]:
    page, restoration = cleaned.page, cleaned.restoration
    yield cleaned.article.headline or "(no title)"
    yield page.url
    yield (
        f"template {page.template}, charset {page.charset} ({page.charset_source}), "
        f"restoration {restoration.verdict}"
    )
    yield from (f"warning: {warning}" for warning in _warnings(cleaned))
    yield "\nRules:"
    counts = count_rules(cleaned)
    numbers = {rule: number for number, (rule, _) in enumerate(counts.most_common(), start=1)}
    for rule, number in numbers.items():
        yield f"  #{number:<2} {counts[rule]:4} × {rule}: {describe_rule(rule)}"
    if not counts:
        yield "  none: nothing was removed or changed"
    yield "\nFields:"
    for name, value in _fields(cleaned):
        yield f"  {name}: {value if isinstance(value, str) else _mark(value, numbers)}"
    yield "\nBody, [-removed-] and {+inserted+} by #rule:\n"
    yield _mark(_body(cleaned), numbers)
    yield f"\nRemoved blocks ({len(cleaned.removed)}):"
    for block in cleaned.removed:
        yield from _block_lines(block)
    if restoration.table:
        entries = (f"{entry.char}({entry.reading})×{entry.count}" for entry in restoration.table)
        yield "\nGlosses: " + " ".join(entries)
    for place in restoration.places:
        choices = f", or {' '.join(place.alternatives)}" if place.alternatives else ""
        change = f"{place.received} → {place.repaired}"
        yield f"  {place.field} {place.start}: {change} ({place.verdict}{choices})"


def explain_text(cleaned: CleanedPage) -> str:
    """Write the same for a terminal; control characters of the page are shown, not obeyed."""
    return show_invisible("\n".join(_lines(cleaned))) + "\n"
