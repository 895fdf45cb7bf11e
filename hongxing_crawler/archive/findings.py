"""What can be wrong with an archive, by name: verify prints these, repair acts on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of damage; the values are an interface, ``docs/archive.md`` explains each."""

    TORN_TAIL = "torn-tail"  # the file ends inside a record
    ZERO_TAIL = "zero-tail"  # the file ends in zero bytes, as after a power loss
    DAMAGED = "damaged"  # bytes that are no whole record, with records after them
    SHARED_MEMBER = "shared-member"  # several records in one gzip member: nobody can seek
    BAD_HEADER = "bad-header"  # the record header breaks the grammar of WARC
    BAD_LENGTH = "bad-length"  # Content-Length is not the length of the block
    BLOCK_DIGEST = "block-digest"  # the block is not what was written
    PAYLOAD_DIGEST = "payload-digest"  # the body is not what was written
    NO_DIGEST = "no-digest"  # nothing to check the block against
    REVISIT_FIELDS = "revisit-fields"  # a revisit record does not name its original in full
    REVISIT_TARGET = "revisit-target"  # the original of a revisit record is not there
    KNOWN_LOSS = "known-loss"  # bytes that a repair has recorded as lost
    LOST_ORIGINAL = "lost-original"  # the original of a revisit record is recorded as lost
    RELATION = "relation"  # a record belongs to another one that is not there
    NO_WARCINFO = "no-warcinfo"  # the file does not begin with the record that describes it
    DOUBLE_ID = "double-id"  # two records carry one id
    UNFINISHED = "unfinished"  # still named .open
    EMPTY = "empty"  # a file without a record
    MISSING = "missing"  # a file that should be there is not
    FIXITY = "fixity"  # a file is not what the manifest says
    UNLISTED = "unlisted"  # a file that no manifest knows
    INDEX_ORDER = "index-order"  # index lines are not in byte order
    INDEX_LINE = "index-line"  # an index line cannot be read
    INDEX_TARGET = "index-target"  # an index line does not land on its record
    INDEX_GAP = "index-gap"  # a record that the index does not list
    LOG_CHAIN = "log-chain"  # the log of fixity checks was changed after it was written
    PACKAGE = "package"  # a WACZ breaks its specification


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what, where, and what it means."""

    kind: Kind
    file: str  # name or path, as the caller gave it
    offset: int  # bytes; for an index the number of the line
    length: int  # bytes concerned, 0 when the whole rest or unknown
    message: str
    url: str = ""  # of the record, when it can still be read

    def __str__(self) -> str:
        """Say it in one line, as ``verify`` prints it."""
        about = f" ({self.url})" if self.url else ""
        return f"{self.file}:{self.offset}: {self.kind}: {self.message}{about}"
