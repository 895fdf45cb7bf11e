"""Response heads as they stand in the archive."""

from __future__ import annotations

import re

from scrapy.http import Headers


def read_headers(head: bytes) -> Headers:
    """Parse a response head; a folded line belongs to the one above."""
    lines = re.split(rb"\r?\n", re.sub(rb"\r?\n([ \t])", rb"\1", head))[1:]
    pairs = (line.partition(b":") for line in lines if b":" in line)
    return Headers([(name.strip(), value.strip()) for name, _, value in pairs])
