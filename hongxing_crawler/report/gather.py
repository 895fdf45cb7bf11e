"""Go once through the rows of a run and gather what its report shows of them."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from hongxing_crawler.core.record import received_body
from hongxing_crawler.monitors.spam_log import SpamLog, injected_blocks, is_injected
from hongxing_crawler.report.diffs import diff_texts, shorten
from hongxing_crawler.report.newest import Newest
from hongxing_crawler.report.run_data import ArticleEntry, InjectedPage, RestoredEntry
from hongxing_crawler.report.thumbnails import make_thumbnail
from hongxing_crawler.report.weave import Span, weave

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hongxing_crawler.core.record import Article

_NEW_MAX, _CHANGED_MAX, _GONE_MAX = 300, 100, 200
_INJECTED_MAX, _RESTORED_MAX, _PLACES_MAX = 50, 100, 8
_BLOCKS_MAX, _BLOCK_LENGTH = 5, 200  # of one injected page
_EXCERPT_LENGTH = 110
_THUMBNAILS_MAX_BYTES = 500_000


class Gatherer:
    """What a report shows of the rows of one run.

    Args:
        home: Where the media keys of rows lead.
        find_previous: Finds the version of an article before this run's.
    """

    def __init__(self, home: Path, find_previous: Callable[[Article], Article | None]) -> None:
        self._home = home
        self._find_previous = find_previous
        self._thumbnail_bytes = 0
        self.new: Newest[ArticleEntry] = Newest(_NEW_MAX)
        self.changed: Newest[ArticleEntry] = Newest(_CHANGED_MAX)
        self.gone: Newest[ArticleEntry] = Newest(_GONE_MAX)
        self.injected: Newest[InjectedPage] = Newest(_INJECTED_MAX)
        self.restored: Newest[RestoredEntry] = Newest(_RESTORED_MAX)
        self.spam = SpamLog()
        self.templates: Counter[str] = Counter()
        self.channels: dict[str, str] = {}  # list page -> name of its channel

    def add(self, article: Article) -> None:
        """Take in one row of the run's delta."""
        day = article.date_published or ""
        if article.op == "deleted":
            self.gone.add(day, lambda: _describe(article))
            return
        if article.op == "new":
            self.new.add(day, lambda: _describe(article, self._thumbnail(article)))
        else:
            self.changed.add(day, lambda: self._compare(article))
        self.templates[article.provenance.template] += 1
        if article.channel and article.list_url:
            self.channels.setdefault(article.list_url, article.channel)
        self._add_spam(article)
        if article.restoration.verdict != "clean":
            self.restored.add(day, lambda: _describe_restoration(article))

    def _add_spam(self, article: Article) -> None:
        blocks = list(injected_blocks(article))
        if not blocks:
            return
        self.spam.add(article.url, article.provenance.fetched_at or "", blocks)
        self.injected.add(article.date_published or "", lambda: _describe_injected(article))

    def _compare(self, article: Article) -> ArticleEntry:
        before = self._find_previous(article)
        if before is None:
            return _describe(article)
        return _describe(article, "", before)

    def _thumbnail(self, article: Article) -> str:
        if self._thumbnail_bytes > _THUMBNAILS_MAX_BYTES:
            return ""
        for image in article.images[:3]:
            if image.key and (uri := make_thumbnail(self._home / image.key)):
                self._thumbnail_bytes += len(uri)
                return uri
        return ""


def _excerpt(body: str) -> str:
    text = " ".join(body[: 2 * _EXCERPT_LENGTH].split())
    return text if len(text) <= _EXCERPT_LENGTH else f"{text[:_EXCERPT_LENGTH]}…"


def _describe(article: Article, thumbnail: str = "", before: Article | None = None) -> ArticleEntry:
    return ArticleEntry(
        url=article.url,
        headline=article.headline,
        date=(article.date_published or "")[:16].replace("T", " "),
        channel=article.channel,
        source=article.source_name,
        excerpt="" if before else _excerpt(article.article_body),
        images=len(article.images),
        attachments=len(article.attachments),
        thumbnail=thumbnail,
        headline_diff=tuple(diff_texts(before.headline, article.headline)) if before else (),
        diff=tuple(diff_texts(before.article_body, article.article_body)) if before else (),
        other_changes=tuple(_other_changes(before, article)) if before else (),
    )


def _other_changes(before: Article, after: Article) -> Iterator[str]:
    """Name the fields besides headline and body that differ."""
    for name in ("date_published", "source_name", "editor", "channel", "subheadline", "kicker"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{name}: {old or '—'} → {new or '—'}"
    for name in ("images", "attachments", "video_files"):
        files = [
            {file.url: (file.sha256, file.status) for file in getattr(row, name)}
            for row in (before, after)
        ]
        if files[0] != files[1]:
            yield f"{name}: {len(files[0])} → {len(files[1])}"


def _describe_injected(article: Article) -> InjectedPage:
    blocks = [
        (block.rule, f"{step.field}: {block.path}", block.text.strip()[:_BLOCK_LENGTH])
        for step in article.cleaning.steps
        for block in step.removed_blocks
        if is_injected(block.rule)
    ]
    return InjectedPage(
        url=article.url,
        headline=article.headline,
        blocks=tuple(blocks[:_BLOCKS_MAX]),
        body=tuple(shorten(_body_with_injected(article))),
    )


def _body_with_injected(article: Article) -> list[Span]:
    """The cleaned body, with the injected passages where they stood."""
    steps = [step.edits for step in article.cleaning.steps if step.field == "article_body"]
    if not any(is_injected(edit.rule) for edits in steps for edit in edits):
        return []
    try:
        woven = weave(received_body(article), steps)
    except ValueError:  # a row of an older form
        return []
    shown = [
        span if is_injected(span.removed_by) else Span(span.text)
        for span in woven
        if not span.removed_by or is_injected(span.removed_by)
    ]
    return [
        Span("".join(span.text for span in group), removed_by=rule)
        for rule, group in groupby(shown, key=lambda span: span.removed_by)
    ]


def _describe_restoration(article: Article) -> RestoredEntry:
    restoration = article.restoration
    return RestoredEntry(
        url=article.url,
        headline=article.headline,
        verdict=restoration.verdict,
        glosses=len(restoration.table),
        places=restoration.places[:_PLACES_MAX],
    )
