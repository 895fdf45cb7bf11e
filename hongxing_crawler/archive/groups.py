"""Which records stand for an exchange: response or revisit, request, metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hongxing_crawler.archive.draft import Block, Draft
from hongxing_crawler.archive.fields import (
    escape_head,
    fields_body,
    format_date,
    one_line,
    warc_uri,
)
from hongxing_crawler.archive.heads import (
    mask_transfer_coding,
    media_type,
    mime_of,
    redact,
    status_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from hongxing_crawler.items import Exchange, Original

_PROFILES = "http://netpreserve.org/warc/1.1/revisit/"
IDENTICAL_PAYLOAD = _PROFILES + "identical-payload-digest"
NOT_MODIFIED = _PROFILES + "server-not-modified"

# Inside the revisit record readers would serve the head of a 304: no page. With an empty block
# they serve the original's head and body under the date of the revisit. So the head is noted.
HEAD_FIELD = "http-response-head"

# What is known of a revisit stands in its header, each name behind this.
NOTE_PREFIX = "Hongxing-Note-"
_HEADER_NOTES_MAX_CHARS = 4_000

_RESPONSE_TYPE = "application/http; msgtype=response"
_REQUEST_TYPE = "application/http; msgtype=request"
_FIELDS_TYPE = "application/warc-fields"


@dataclass(frozen=True, slots=True)
class Group:
    """Records that are written together; the last one is what rows cite.

    The response comes last, so it is in the file only when its whole group is.
    """

    drafts: tuple[Draft, ...]
    record_type: str
    payload_digest: str
    status: int = 0
    mime: str = ""
    truncated: str = ""


def extra_of(truncated: str) -> dict[str, str]:
    """Say of a capture what few captures have: that its response was cut short, and why."""
    return {"truncated": truncated} if truncated else {}


class GroupBuilder:
    """Make groups for one WARC file."""

    def __init__(self, warcinfo_id: str, new_id: Callable[[], str]) -> None:
        self._warcinfo_id = warcinfo_id
        self._new_id = new_id

    def exchange(
        self,
        exchange: Exchange,
        original: Original | None,
        metadata: Mapping[str, str] | None,
    ) -> Group:
        """Build request and response or revisit, before them a metadata record for a response."""
        head = mask_transfer_coding(redact(exchange.response_head))
        block = Block(head, exchange.body)
        status = status_of(head)
        profile = _profile(exchange, block, status, original)
        fields = dict(metadata or {})
        if profile == NOT_MODIFIED:
            fields[HEAD_FIELD] = escape_head(head)
        if profile and original is not None:
            notes = _header_notes(fields)
            fields = {} if notes else fields
            main = self._revisit(exchange, head, profile, original, notes)
            digest = original.payload_digest
        else:
            main, digest = self._response(exchange, block), block.payload_digest
        drafts = [self._request(exchange, main.record_id), main]
        if fields:
            note = self.metadata(exchange.url, fields, exchange.fetched_at, main.record_id)
            drafts.insert(0, note)
        kind = "revisit" if profile else "response"
        mime = "" if profile == NOT_MODIFIED else mime_of(head)
        return Group(tuple(drafts), kind, digest, status, mime, exchange.truncated)

    def metadata(
        self, url: str, fields: Mapping[str, str], fetched_at: datetime, concurrent_to: str = ""
    ) -> Draft:
        """Build a metadata record of named values."""
        relation = [("WARC-Concurrent-To", f"<{concurrent_to}>")] if concurrent_to else []
        block = Block(fields_body(fields.items()))
        return self._draft("metadata", url, fetched_at, _FIELDS_TYPE, block, relation)

    def made(
        self,
        url: str,
        content_type: str,
        body: bytes | Path,
        made_at: datetime,
        converted_from: str = "",
        *,
        made_with: str = "",
        notes: Mapping[str, str] | None = None,
    ) -> Group:
        """Build a resource record, or a conversion record when it was made from another record."""
        kind = "conversion" if converted_from else "resource"
        block = Block(b"", body)
        extra = [("WARC-Payload-Digest", block.payload_digest)]
        if converted_from:
            extra.append(("WARC-Refers-To", f"<{converted_from}>"))
        if made_with:
            extra.append(("WARC-Concurrent-To", f"<{made_with}>"))
        extra += _header_notes(notes or {})
        draft = self._draft(kind, url, made_at, one_line(content_type), block, extra)
        return Group((draft,), kind, block.payload_digest, mime=media_type(content_type))

    def _response(self, exchange: Exchange, block: Block) -> Draft:
        extra = [*_connection(exchange), ("WARC-Payload-Digest", block.payload_digest)]
        if exchange.truncated:
            extra.append(("WARC-Truncated", exchange.truncated))
        return self._draft(
            "response", exchange.url, exchange.fetched_at, _RESPONSE_TYPE, block, extra
        )

    def _revisit(
        self,
        exchange: Exchange,
        head: bytes,
        profile: str,
        original: Original,
        notes: list[tuple[str, str]],
    ) -> Draft:
        extra = [
            *_connection(exchange),
            ("WARC-Profile", profile),
            ("WARC-Refers-To", f"<{original.record_id}>"),
            ("WARC-Refers-To-Target-URI", warc_uri(original.url)),
            ("WARC-Refers-To-Date", format_date(original.fetched_at)),
            ("WARC-Payload-Digest", original.payload_digest),
            *notes,
        ]
        block = Block(b"" if profile == NOT_MODIFIED else head)
        return self._draft(
            "revisit", exchange.url, exchange.fetched_at, _RESPONSE_TYPE, block, extra
        )

    def _request(self, exchange: Exchange, concurrent_to: str) -> Draft:
        block = Block(redact(exchange.request_head), exchange.request_body)
        extra = [*_connection(exchange), ("WARC-Concurrent-To", f"<{concurrent_to}>")]
        return self._draft(
            "request", exchange.url, exchange.fetched_at, _REQUEST_TYPE, block, extra
        )

    def _draft(
        self,
        kind: str,
        url: str,
        moment: datetime,
        content_type: str,
        block: Block,
        extra: Iterable[tuple[str, str]],
    ) -> Draft:
        record_id = self._new_id()
        fields = (
            ("WARC-Type", kind),
            ("WARC-Record-ID", f"<{record_id}>"),
            ("WARC-Date", format_date(moment)),
            ("WARC-Target-URI", warc_uri(url)),
            ("WARC-Warcinfo-ID", f"<{self._warcinfo_id}>"),
            *extra,
            ("Content-Type", content_type),
        )
        return Draft(record_id, fields, block)


def _header_notes(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    """Put what would be a metadata record into the header of a revisit; nothing if it is long.

    A record of its own costs 400 bytes, which is what the revisit itself takes.
    """
    notes = [(NOTE_PREFIX + name, one_line(value)) for name, value in fields.items()]
    length = sum(len(name) + len(value) for name, value in notes)
    return notes if length <= _HEADER_NOTES_MAX_CHARS else []


def _connection(exchange: Exchange) -> list[tuple[str, str]]:
    address = [("WARC-IP-Address", exchange.ip_address)] if exchange.ip_address else []
    return [*address, *(("WARC-Protocol", protocol) for protocol in exchange.protocols)]


def _profile(exchange: Exchange, block: Block, status: int, original: Original | None) -> str:
    """Choose the revisit profile, "" for a full record.

    A truncated body proves nothing, and an empty one is not worth a reference.
    """
    if original is None or exchange.truncated:
        return ""
    if status == 304:
        return NOT_MODIFIED
    same = block.body_length > 0 and block.payload_digest == original.payload_digest
    return IDENTICAL_PAYLOAD if same else ""


def warcinfo(record_id: str, filename: str, moment: datetime, fields: Mapping[str, str]) -> Draft:
    """Build the record that opens every file and says who wrote it, how and for what."""
    known = {
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
    }
    header = (
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", f"<{record_id}>"),
        ("WARC-Date", format_date(moment)),
        ("WARC-Filename", filename),
        ("Content-Type", _FIELDS_TYPE),
    )
    return Draft(record_id, header, Block(fields_body({**known, **fields}.items())))
