"""Rows from end to end: made, written as a line, read back, checked by replaying their edits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from hongxing_crawler.core.build import Origin, build_article
from hongxing_crawler.core.edits import Edit, replay
from hongxing_crawler.core.files import MediaFile
from hongxing_crawler.core.identity import article_id, content_sha256, media_key, utc_text
from hongxing_crawler.core.row import SCHEMA_VERSION, Article, Operation
from hongxing_crawler.core.schema import json_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "SCHEMA_VERSION",
    "Article",
    "MediaFile",
    "Origin",
    "article_id",
    "build_article",
    "content_sha256",
    "decode",
    "encode",
    "json_schema",
    "media_key",
    "received_body",
    "relabel",
    "replay_row",
    "undo_edits",
    "utc_text",
]

_OP_RE = re.compile(rb'(?<=,"op":)"[a-z]+"')
_LAST_SEEN_RE = re.compile(rb'(?<=,"last_seen_at":)(?:null|"[^"]*")')

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Article)


def encode(article: Article) -> bytes:
    """Write a row as one JSON line in UTF-8, without the line feed; keys in the order of `Article`.

    Raises:
        ValueError: A text holds a lone surrogate, which has no UTF-8.
    """
    return _encoder.encode(article)


def decode(line: bytes) -> Article:
    """Read a row back, checking types, patterns and that every key is there.

    Raises:
        ValueError: Not a row of this version.
    """
    return _decoder.decode(line)


def relabel(line: bytes, op: Operation, last_seen_at: str | None = "") -> bytes:
    r"""Change what a row says of its place in the history, without reading the row.

    A quote inside a text is written with a backslash, so only a key can look like a key.

    >>> relabel(rb'{"revision":1,"op":"new","x":",\"op\":\"new\"","last_seen_at":null}', "changed")
    b'{"revision":1,"op":"changed","x":",\\"op\\":\\"new\\"","last_seen_at":null}'

    Args:
        line: What `encode` made.
        op: The new ``op``.
        last_seen_at: The new ``last_seen_at``, a moment or None; empty: it stays.
    """
    line = _OP_RE.sub(b'"%b"' % op.encode(), line, count=1)
    if last_seen_at == "":
        return line
    value = b"null" if last_seen_at is None else b'"%b"' % last_seen_at.encode()
    return _LAST_SEEN_RE.sub(value, line, count=1)


def undo_edits(text: str, edits: Sequence[Edit]) -> str:
    """Take the edits of one step back: the text that the step received.

    >>> undo_edits("会议", [Edit(0, 6, "會(huì)", "会", "restore.gloss")])
    '會(huì)议'

    Raises:
        ValueError: An edit's ``inserted`` text is not where it should be.
    """
    parts: list[str] = []
    done = moved = 0
    for edit in edits:
        start = edit.start + moved
        end = start + len(edit.inserted)
        if start < done or text[start:end] != edit.inserted or end > len(text):
            raise ValueError(f"edit {edit.rule} at {edit.start} does not fit the text")
        parts += (text[done:start], edit.removed)
        done, moved = end, moved + len(edit.inserted) - len(edit.removed)
    parts.append(text[done:])
    return "".join(parts)


def received_body(article: Article) -> str:
    """Undo the cleaning of the body: the text as it was taken from the page.

    Raises:
        ValueError: The edits do not fit the body.
    """
    text = article.article_body
    for edits in reversed(_body_edits(article)):
        text = undo_edits(text, edits)
    return text


def _body_edits(article: Article) -> list[tuple[Edit, ...]]:
    return [step.edits for step in article.cleaning.steps if step.field == "article_body"]


def replay_row(article: Article) -> bool:
    """Prove a row by itself: undone and done again, its edits give its body.

    The counts of characters must agree as well, and the digest must be that of the content.
    """
    try:
        received = received_body(article)
        body = replay(received, _body_edits(article))
    except ValueError:
        return False
    cleaning = article.cleaning
    return (
        body == article.article_body
        and (len(received), len(body)) == (cleaning.chars_raw, cleaning.chars_clean)
        and article.content_sha256 == content_sha256(article.headline, body)
    )
