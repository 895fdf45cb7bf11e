"""What a bucket really does: small objects are put under a prefix of their own and taken away.

Nothing else in the bucket is touched. Each probe gives checks; a probe whose calls fail is a
failed check with the remedy, and the next one goes on.
"""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from hongxing_crawler.core.checkup import Check, Grade
from hongxing_crawler.store.s3.errors import FAILURES, TroubleKind, explain
from hongxing_crawler.store.s3.probes import access, keeping, writes
from hongxing_crawler.store.s3.probes.probe import Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hongxing_crawler.store.s3.client import Bucket, S3Options

    Examine = Callable[[Probe], Iterator[Check]]

# Without these nothing else can be said; in this order.
_NEEDED: tuple[tuple[str, Examine], ...] = (
    ("server and bucket", access.reach),
    ("right to put", access.put),
)
_OTHERS: tuple[tuple[str, Examine], ...] = (
    ("right to get", access.get),
    ("listing", access.listing),
    ("public access", access.public),
    ("put only what is new", writes.put_if_absent),
    ("compare and swap", writes.swap),
    ("checksums", writes.checksums),
    ("boto3's own checksums", writes.default_checksums),
    ("multipart", writes.multipart),
    ("abandoned uploads", keeping.stale_uploads),
    ("versioning", keeping.versioning),
    ("object lock", keeping.lock),
    ("right to delete", access.delete),
)


def examine(
    bucket: Bucket,
    options: S3Options,
    *,
    retention: str = "",
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Check]:
    """Try everything that an upload relies on.

    Args:
        bucket: Where to.
        options: What the bucket was opened with.
        environment: Where named credentials stand.
        retention: What uploads ask for (``governance`` …); empty for nothing.

    Yields:
        Checks, as they are done.
    """
    prefix = bucket.place.key(f".hongxing-doctor-{uuid.uuid4().hex[:12]}/")
    probe = Probe(bucket, options, prefix, retention, environment)
    try:
        for name, function in _NEEDED:
            checks = list(_attempt(name, function, probe))
            yield from checks
            if any(check.grade is Grade.FAIL for check in checks):
                return
        for name, function in _OTHERS:
            yield from _attempt(name, function, probe)
    finally:
        _clean(probe)
    yield from _left_over(probe)


def _attempt(name: str, function: Examine, probe: Probe) -> Iterator[Check]:
    try:
        yield from function(probe)
    except FAILURES as error:
        trouble = explain(error)
        may_pass = trouble.kind is TroubleKind.RETRY
        yield Check(name, Grade.FAIL, trouble.sentence, may_pass=may_pass)


def _clean(probe: Probe) -> None:
    """Take away what the probes put, in all its versions, and uploads that they began."""
    if not probe.has_put:
        return
    with suppress(*FAILURES):
        probe.abort_uploads()
    with suppress(*FAILURES):
        probe.delete_all()


def _left_over(probe: Probe) -> Iterator[Check]:
    with suppress(*FAILURES):
        if count := len(probe.list_all()):
            yield Check(
                "clean up",
                Grade.WARN,
                f"{count} small objects are left under {probe.prefix}",
                "delete them by hand, or leave them: nothing reads them",
            )
