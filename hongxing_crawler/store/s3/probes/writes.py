"""Probes: conditions, checksums and multipart uploads as the server really honours them."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hongxing_crawler.core.checkup import Check, Grade
from hongxing_crawler.store.s3.errors import FAILURES, code_of, explain, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hongxing_crawler.store.s3.probes.probe import Probe

_WRITERS = 6
_PART_BYTES = 5 << 20
_REFUSED = frozenset({409, 412})
_ALONE_ADVICE = (
    "let one machine alone write under this prefix: an upload looks first and reads back,"
    " but two at once could overwrite each other"
)


def put_if_absent(probe: Probe) -> Iterator[Check]:
    """Put under a key that is taken, then from many sides at once."""
    name = "put only what is new"
    probe.put("absent", b"1")
    if _status(lambda: probe.put("absent", b"2", IfNoneMatch="*")) not in _REFUSED:
        kept = probe.read("absent") == b"1"
        found = "If-None-Match is refused" if kept else "If-None-Match is ignored"
        yield Check(name, Grade.WARN, found, _ALONE_ADVICE)
        return
    with ThreadPoolExecutor(_WRITERS) as pool:
        jobs = [
            pool.submit(_status, partial(probe.put, "race", b"%d" % n, IfNoneMatch="*"))
            for n in range(_WRITERS)
        ]
        winners = sum(job.result() == 0 for job in jobs)
    if winners == 1:
        found = f"If-None-Match is honoured; of {_WRITERS} writers at once, one wins"
        yield Check(name, Grade.OK, found)
    else:
        found = f"If-None-Match is honoured, but of {_WRITERS} writers at once {winners} win"
        yield Check(name, Grade.WARN, found, _ALONE_ADVICE)


def swap(probe: Probe) -> Iterator[Check]:
    """Replace an object if it is the one that was read."""
    name = "compare and swap"
    etag = probe.put("swap", b"1")
    right = _status(lambda: probe.put("swap", b"2", IfMatch=etag))
    wrong = _status(lambda: probe.put("swap", b"3", IfMatch='"00000000000000000000000000000000"'))
    now = probe.read("swap")
    if right == 0 and wrong in _REFUSED and now == b"2":
        yield Check(name, Grade.OK, "If-Match is honoured")
        return
    if right in _REFUSED:
        plain = _status(lambda: probe.put("swap", b"4", IfMatch=etag.strip('"')))
        found = "If-Match is refused for the ETag as sent" + (
            "" if plain else ", but not without quotes"
        )
    else:
        found = "If-Match is ignored" if wrong == 0 else f"If-Match is refused ({right})"
    yield Check(name, Grade.WARN, found, _ALONE_ADVICE)


def checksums(probe: Probe) -> Iterator[Check]:
    """Send right and wrong digests."""
    right = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    wrong_md5 = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
    takes = _status(lambda: probe.put_raw("sum", b"body", ChecksumSHA256=right)) == 0
    checks = takes and _status(lambda: probe.put_raw("sum2", b"body", ChecksumSHA256=wrong)) != 0
    tells = takes and _tells_checksum(probe, right)
    md5 = _status(lambda: probe.put_raw("sum3", b"body", ContentMD5=wrong_md5)) != 0
    words = [
        "SHA-256: " + ("refused" if not takes else "checked" if checks else "not checked"),
        "given back" if tells else "not given back",
        "Content-MD5: " + ("checked" if md5 else "not checked"),
    ]
    profile, found = probe.bucket.profile, ", ".join(words)
    if profile.algorithm and not takes:
        advice = f"profile {profile.name} sends SHA-256: set s3.profile to generic"
        yield Check("checksums", Grade.FAIL, found, advice)
    elif not (checks or md5):
        advice = "keep upload.deep_share above 0: only reading back shows damage on the way"
        yield Check("checksums", Grade.WARN, found, advice)
    else:
        yield Check("checksums", Grade.OK, found)


def _tells_checksum(probe: Probe, expected: str) -> bool:
    try:
        answer = probe.client.head_object(
            Bucket=probe.name, Key=f"{probe.prefix}sum", ChecksumMode="ENABLED"
        )
    except FAILURES:
        return False
    return bool(answer.get("ChecksumSHA256") == expected)


def default_checksums(probe: Probe) -> Iterator[Check]:
    """Put as boto3 does by itself: other programs that read its defaults will do so."""
    name, profile = "boto3's own checksums", probe.bucket.profile
    own = replace(profile, checksums="when_supported", algorithm="", content_md5=False)
    client = probe.client_as(own)
    key = f"{probe.prefix}default"
    try:
        client.put_object(Bucket=probe.name, Key=key, Body=b"body")
        encoding = client.head_object(Bucket=probe.name, Key=key).get("ContentEncoding", "")
    except FAILURES as error:
        found = f"refused ({code_of(error) or explain(error).code})"
        needed = profile.checksums == "when_supported"
        grade = Grade.FAIL if needed else Grade.OK
        advice = "set s3.profile to generic" if needed else ""
        others = "other programs need AWS_REQUEST_CHECKSUM_CALCULATION=when_required"
        yield Check(name, grade, found, advice or others)
        return
    if "aws-chunked" in encoding:
        advice = "set s3.profile to generic, and when_required in other programs"
        grade = Grade.FAIL if profile.checksums == "when_supported" else Grade.OK
        yield Check(
            name, grade, "kept as Content-Encoding aws-chunked, which readers stumble over", advice
        )
    else:
        yield Check(name, Grade.OK, "taken")


def multipart(probe: Probe) -> Iterator[Check]:
    """Upload in parts as a broken upload goes on: by what the server lists."""
    key = f"{probe.prefix}multipart"
    place = {"Bucket": probe.name, "Key": key}
    bodies = [b"1" * _PART_BYTES, b"2"]
    upload_id = probe.client.create_multipart_upload(**place, Metadata={"sha256": "x"})["UploadId"]
    part: dict[str, Any] = {**place, "UploadId": upload_id}
    for number, body in enumerate(bodies, 1):
        probe.client.upload_part(**part, PartNumber=number, Body=body, **probe.bucket.checks(body))
    listed = probe.client.list_parts(**part).get("Parts", [])
    parts = [{"PartNumber": item["PartNumber"], "ETag": item["ETag"]} for item in listed]
    if [item["Size"] for item in listed] != [len(body) for body in bodies]:
        found = f"{len(listed)} of {len(bodies)} parts are listed"
        advice = "large files that break off are begun anew on this server"
        yield Check("multipart", Grade.WARN, found, advice)
        return
    probe.client.complete_multipart_upload(**part, MultipartUpload={"Parts": parts})
    head = probe.bucket.head(key)
    if head is None or head.size != sum(map(len, bodies)) or head.sha256 != "x":
        yield Check(
            "multipart",
            Grade.FAIL,
            "the completed object has another size or lost its metadata",
            "set upload.part_size above the largest file",
        )
        return
    found = "parts are listed, so a broken upload goes on; metadata are kept"
    yield Check("multipart", Grade.OK, f"{found}; {_complete_twice(probe, place, bodies[1])}")


def _complete_twice(probe: Probe, place: dict[str, str], body: bytes) -> str:
    """Complete a second upload under the same key, on the condition that it is free."""
    upload_id = probe.client.create_multipart_upload(**place)["UploadId"]
    part: dict[str, Any] = {**place, "UploadId": upload_id}
    etag = probe.client.upload_part(**part, PartNumber=1, Body=body, **probe.bucket.checks(body))
    parts = [{"PartNumber": 1, "ETag": etag["ETag"]}]
    status = _status(
        lambda: probe.client.complete_multipart_upload(
            **part, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )
    )
    if status == 0:
        return "If-None-Match at the end is ignored"
    return "If-None-Match at the end is " + ("honoured" if status in _REFUSED else "refused")


def _status(call: Callable[[], Any]) -> int:
    """Make a call; 0 when it succeeded, else the status of the server's refusal."""
    try:
        call()
    except FAILURES as error:
        if not status_of(error):
            raise
        return status_of(error)
    return 0
