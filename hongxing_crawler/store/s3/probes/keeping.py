"""Probes: what a bucket keeps, for how long, and what lies in it half uploaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hongxing_crawler.core.checkup import Check, Grade
from hongxing_crawler.store.s3.errors import FAILURES, code_of, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hongxing_crawler.store.s3.probes.probe import Probe

_STALE = timedelta(days=7)
_LOCK_TIME = timedelta(minutes=1)
_CANNOT = frozenset({400, 403, 404, 405, 501})
_RULE = (
    "let the bucket abort them: a lifecycle rule with AbortIncompleteMultipartUpload, 7 days;"
    " a resumed upload is never older"
)


def stale_uploads(probe: Probe) -> Iterator[Check]:
    """Count uploads below the prefix that were begun long ago and never ended."""
    name = "abandoned uploads"
    limit = datetime.now(UTC) - _STALE
    pages = probe.client.get_paginator("list_multipart_uploads").paginate(
        Bucket=probe.name, Prefix=probe.bucket.place.prefix
    )
    begun = [
        item["Initiated"]
        for page in pages
        for item in page.get("Uploads", ())
        if not item["Key"].startswith(probe.prefix)
    ]
    stale = [moment for moment in begun if moment < limit]
    has_rule = _aborts_by_itself(probe)
    if stale:
        found = f"{len(stale)} uploads are older than 7 days, the oldest of {min(stale):%Y-%m-%d}"
        yield Check(name, Grade.WARN, f"{found}; they cost room and are not seen", _RULE)
    else:
        rule = "a rule aborts them" if has_rule else "no rule aborts them"
        grade = Grade.OK if has_rule else Grade.WARN
        yield Check(name, grade, f"none; {len(begun)} under way; {rule}", "" if has_rule else _RULE)


def _aborts_by_itself(probe: Probe) -> bool:
    rules = _ask(probe, "get_bucket_lifecycle_configuration").get("Rules", ())
    return any(
        "AbortIncompleteMultipartUpload" in rule and rule.get("Status") == "Enabled"
        for rule in rules
    )


def versioning(probe: Probe) -> Iterator[Check]:
    """Tell whether what is overwritten or deleted is kept."""
    status = _ask(probe, "get_bucket_versioning").get("Status", "")
    if status == "Enabled":
        yield Check("versioning", Grade.OK, "on: what is deleted can be had back")
    else:
        advice = "switch it on: then no mistake and no thief deletes the archive at once"
        yield Check("versioning", Grade.WARN, "off", advice)


def lock(probe: Probe) -> Iterator[Check]:
    """Lock an object for a minute and try to delete it."""
    name = "object lock"
    answer = _ask(probe, "get_object_lock_configuration").get("ObjectLockConfiguration", {})
    if answer.get("ObjectLockEnabled") != "Enabled":
        if probe.retention:
            advice = "make a bucket with object lock, or take s3.retention out"
            yield Check(name, Grade.FAIL, f"off, but s3.retention is {probe.retention}", advice)
        else:
            yield Check(name, Grade.OK, "off; s3.retention does not ask for it")
        return
    default = answer.get("Rule", {}).get("DefaultRetention", {})
    rule = f"; by default {default.get('Mode', '').lower()}" if default else ""
    yield _try_lock(probe, rule)


def _try_lock(probe: Probe, rule: str) -> Check:
    version = probe.put_raw(
        "locked",
        b"locked",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=datetime.now(UTC) + _LOCK_TIME,
        **_with_checksum(probe, b"locked"),
    ).get("VersionId", "")
    place = {"Bucket": probe.name, "Key": f"{probe.prefix}locked", "VersionId": version}
    try:
        probe.client.delete_object(**place)
    except FAILURES as error:
        if status_of(error) not in _CANNOT:
            raise
        _lift(probe, place)
        return Check(
            "object lock", Grade.OK, f"on and real: a locked object cannot be deleted{rule}"
        )
    advice = "this server does not keep what it promises: do not rely on its object lock"
    return Check("object lock", Grade.FAIL, "a locked object could be deleted", advice)


def _with_checksum(probe: Probe, body: bytes) -> dict[str, str]:
    """A put with a lock needs a checksum or Content-MD5 on AWS."""
    return probe.bucket.checks(body)


def _lift(probe: Probe, place: dict[str, str]) -> None:
    try:
        probe.client.delete_object(**place, BypassGovernanceRetention=True)
    except FAILURES as error:
        if status_of(error) not in _CANNOT:
            raise  # else it goes after a minute, by hand


def _ask(probe: Probe, call: str) -> dict[str, Any]:
    """Ask for a configuration; nothing when there is none, or it may not be seen."""
    try:
        answer: dict[str, Any] = getattr(probe.client, call)(Bucket=probe.name)
    except FAILURES as error:
        if status_of(error) not in _CANNOT and not code_of(error).startswith("NoSuch"):
            raise
        return {}
    return answer
