"""Probes: is it there, is the clock right, what are these credentials allowed."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hongxing_crawler.core.checkup import Check, Grade
from hongxing_crawler.store.s3.errors import FAILURES, code_of, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.store.s3.probes.probe import Probe

_SKEW_WARN_S, _SKEW_FAIL_S = 60, 900  # S3 refuses what is signed 15 minutes off
_NAMES = ("a/1", "a/2", "a/b/3", "红/星", "红/星 +&=", "z")


def reach(probe: Probe) -> Iterator[Check]:
    """List once: server, bucket, credentials and the right to list."""
    answer = probe.client.list_objects_v2(
        Bucket=probe.name, Prefix=probe.bucket.place.prefix, MaxKeys=1
    )
    yield Check(
        "server and bucket", Grade.OK, f"{probe.bucket}, profile {probe.bucket.profile.name}"
    )
    yield _clock(answer)
    yield _encryption(probe)


def _clock(answer: dict[str, Any]) -> Check:
    stamp = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    if not stamp:
        return Check("clock", Grade.WARN, "the server tells no time")
    skew_s = (datetime.now(UTC) - parsedate_to_datetime(stamp)).total_seconds()
    found = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} the server"
    if abs(skew_s) < _SKEW_WARN_S:
        return Check("clock", Grade.OK, found)
    grade = Grade.FAIL if abs(skew_s) > _SKEW_FAIL_S else Grade.WARN
    return Check("clock", grade, found, "set this machine's clock right: timedatectl set-ntp true")


def _encryption(probe: Probe) -> Check:
    parts = urlsplit(probe.bucket.endpoint or "https://aws")
    if parts.scheme == "https":
        return Check("encryption on the way", Grade.OK, "https")
    if _is_local(parts.hostname or ""):
        return Check("encryption on the way", Grade.OK, "http, on this machine")
    advice = "write s3.endpoint with https, and s3.ca_bundle for an authority of your own"
    return Check("encryption on the way", Grade.WARN, "http: everyone on the way can read", advice)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def put(probe: Probe) -> Iterator[Check]:
    """Put an object as an upload would."""
    probe.put("probe", b"probe")
    yield Check("right to put", Grade.OK, "yes")


def get(probe: Probe) -> Iterator[Check]:
    """Read it back, with our digest in its metadata."""
    head = probe.bucket.head(probe.prefix + "probe")
    same = probe.read("probe") == b"probe"
    if head is None or not same:
        yield Check(
            "right to get",
            Grade.FAIL,
            "an object that was just put is not there, or has other bytes",
            "this server cannot be trusted with an archive",
        )
    elif not head.sha256:
        yield Check(
            "right to get",
            Grade.FAIL,
            "the server forgets the metadata of objects",
            "uploads are proved by x-amz-meta-sha256: choose another server",
        )
    else:
        yield Check("right to get", Grade.OK, "yes; the digest in the metadata comes back")


def listing(probe: Probe) -> Iterator[Check]:
    """List odd names in pages: all are there at once, each once, in order."""
    for name in _NAMES:
        probe.put(f"list/{name}", b"")
    pages = probe.client.get_paginator("list_objects_v2").paginate(
        Bucket=probe.name, Prefix=f"{probe.prefix}list/", PaginationConfig={"PageSize": 2}
    )
    start = len(f"{probe.prefix}list/")
    found = [item["Key"][start:] for page in pages for item in page.get("Contents", ())]
    expected = sorted(_NAMES, key=str.encode)
    if found == expected:
        yield Check("listing", Grade.OK, "at once, in pages, Chinese names, empty objects")
    elif sorted(found) == sorted(expected):
        yield Check("listing", Grade.WARN, "complete, but not in the order of bytes")
    else:
        yield Check(
            "listing",
            Grade.FAIL,
            f"{len(set(found))} of {len(expected)} objects that were just put are listed",
            "hongxing verify --s3 and restore-home need a complete listing: choose another server",
        )


def public(probe: Probe) -> Iterator[Check]:
    """Ask without credentials."""
    from botocore import UNSIGNED  # noqa: PLC0415 - boto3 is heavy

    anyone = probe.client_as(replace(probe.bucket.profile, signature=UNSIGNED))
    try:
        anyone.get_object(Bucket=probe.name, Key=f"{probe.prefix}probe")
    except FAILURES as error:
        if status_of(error) not in {401, 403}:
            raise
        yield Check("public access", Grade.OK, "none: strangers are refused")
    else:
        advice = "take the public policy off the bucket, unless you mean to publish"
        yield Check("public access", Grade.WARN, "everybody can read this bucket", advice)


def delete(probe: Probe) -> Iterator[Check]:
    """Delete what was put."""
    try:
        probe.client.delete_object(Bucket=probe.name, Key=f"{probe.prefix}probe")
    except FAILURES as error:
        if status_of(error) != 403:
            raise
        yield Check(
            "right to delete",
            Grade.OK,
            f"no ({code_of(error)}); uploads never delete, so an archive is safer without",
        )
    else:
        yield Check("right to delete", Grade.OK, "yes; uploads do not need it")
