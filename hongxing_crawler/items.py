"""The values that travel through the house: exchanges, captures, articles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations of Capture
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was sent and what came back.

    Bytes are as on the wire, with two honest limits: the transfer coding (chunked) is undone,
    and the request head is rebuilt from what the client was told to send.

    ``body`` is the entity body before content decoding (gzip stays gzip); for a large response
    it is the path of a temporary file that holds it.
    """

    url: str
    fetched_at: datetime  # aware, UTC: when the request was sent
    request_head: bytes  # request line, header lines, CRLF CRLF
    response_head: bytes  # status line, header lines, CRLF CRLF, as received
    body: bytes | Path
    ip_address: str = ""
    protocols: tuple[str, ...] = ("http/1.1",)  # WARC-Protocol values
    request_body: bytes = b""
    truncated: str = ""  # "", "length", "time", "disconnect": WARC-Truncated


@dataclass(frozen=True, slots=True)
class Original:
    """The capture that a revisit record refers to."""

    url: str
    fetched_at: datetime
    record_id: str  # urn:uuid:…
    payload_digest: str  # sha256:…


@dataclass(frozen=True, slots=True)
class Capture:
    """One archived exchange: where its main record lies, what a row cites, what an index needs."""

    warc_filename: str
    offset: int  # bytes
    length: int  # bytes of the gzip member
    record_id: str  # urn:uuid:…
    record_type: str  # response | revisit | metadata
    payload_digest: str  # as in WARC-Payload-Digest, empty for metadata
    url: str
    fetched_at: datetime
    status: int = 0
    mime: str = ""
    extra: dict[str, str] = field(default_factory=dict)  # truncated: why it was cut short
