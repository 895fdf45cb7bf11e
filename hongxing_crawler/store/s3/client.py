"""A bucket as we use it: one boto3 client, few calls, errors of ours.

boto3's CRT client is never used: it ignores the endpoint and would send the archive to AWS
(boto/boto3 issue 4839). Neither are ACLs: uploads go through ``put_object`` and ``upload_part``
alone, without any. boto3 tries each call once; repeating is ours, see ``store.s3.retry``.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hongxing_crawler import __version__
from hongxing_crawler.exceptions import StorageError
from hongxing_crawler.store.s3.place import hide_user
from hongxing_crawler.store.s3.profiles import AUTO, StorageProfile, choose_profile
from hongxing_crawler.store.s3.retention import NO_RETENTION, Retention

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hongxing_crawler.store.s3.place import Place

SHA256_META = "sha256"  # x-amz-meta-sha256: the one digest that every server gives back

_LOGGERS = ("boto3", "botocore", "s3transfer", "urllib3")  # DEBUG repeats signatures and keys
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


@dataclass(frozen=True, slots=True)
class S3Options:
    """How to reach a bucket; everything but credentials, which come from boto3's own chain.

    ``credentials`` names variables: ``ARCHIVE`` means ``ARCHIVE_ACCESS_KEY_ID``,
    ``ARCHIVE_SECRET_ACCESS_KEY`` and, if set, ``ARCHIVE_SESSION_TOKEN``.
    """

    place: Place
    endpoint: str = ""
    region: str = ""
    profile: str = AUTO
    ca_bundle: str = ""
    credentials: str = ""
    retention: Retention = NO_RETENTION
    timeout_s: float = 60.0
    threads: int = 4


@dataclass(frozen=True, slots=True)
class Head:
    """What a server says of an object."""

    size: int
    etag: str  # as sent, with its quotes; not an MD5
    sha256: str  # from our metadata, "" when it has none
    metadata: Mapping[str, str]


class Bucket:
    """The calls that we make, each tried once; every failure is boto3's own exception."""

    def __init__(
        self,
        client: Any,
        place: Place,
        profile: StorageProfile,
        endpoint: str,
        retention: Retention = NO_RETENTION,
    ) -> None:
        self.client = client
        self.retention = retention
        self.place = place
        self.profile = profile
        self.endpoint = endpoint

    @classmethod
    def open(cls, options: S3Options, environment: Mapping[str, str] = os.environ) -> Bucket:
        """Make the client; nothing is sent yet.

        Raises:
            StorageError: The settings or credentials cannot be used.
        """
        endpoint = options.endpoint or _endpoint_of(environment)
        profile = choose_profile(options.profile, endpoint)
        client = make_client(options, profile, environment)
        return cls(client, options.place, profile, hide_user(endpoint), options.retention)

    def __str__(self) -> str:
        return f"{self.place} at {self.endpoint or 'AWS'}"

    def where(self, key: str) -> str:
        """Name an object for people."""
        return f"s3://{self.place.bucket}/{key} at {self.endpoint or 'AWS'}"

    def list_once(self) -> None:
        """List at most one object: shows that server, bucket, credentials and rights are right."""
        self.client.list_objects_v2(Bucket=self.place.bucket, Prefix=self.place.prefix, MaxKeys=1)

    def head(self, key: str) -> Head | None:
        """Return what lies under a key; None when nothing does."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - boto3 is heavy

        try:
            answer = self.client.head_object(Bucket=self.place.bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        metadata = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
        size, sha256 = int(answer["ContentLength"]), metadata.get(SHA256_META, "")
        return Head(size, str(answer.get("ETag", "")), sha256, metadata)

    def put(self, key: str, body: bytes, *, sha256: str, content_type: str, **more: Any) -> str:
        """Store a small object in one call; its ETag.

        ``more`` is what else the put carries: ``IfNoneMatch``, ``IfMatch``, object lock.
        """
        answer = self.client.put_object(
            Bucket=self.place.bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            Metadata={SHA256_META: sha256},
            **(self.checks(body, sha256) if _is_locked(more) else self.checksum(body, sha256)),
            **more,
        )
        return str(answer["ETag"])

    def checks(self, body: bytes, sha256: str = "") -> dict[str, str]:
        """Return the arguments of a body check, which object lock asks for."""
        if self.profile.algorithm == "SHA256":
            return self.checksum(body, sha256)
        if self.profile.content_md5:
            md5 = hashlib.md5(body, usedforsecurity=False).digest()
            return {"ContentMD5": base64.b64encode(md5).decode()}
        return {}

    def checksum(self, body: bytes, sha256: str = "") -> dict[str, str]:
        """Return the argument of an explicit checksum, where the server takes one.

        The others check the sha256 that the request is signed with.
        """
        if self.profile.algorithm != "SHA256":
            return {}
        digest = bytes.fromhex(sha256) if sha256 else hashlib.sha256(body).digest()
        return {"ChecksumSHA256": base64.b64encode(digest).decode()}

    def lock(self, kind: str) -> dict[str, Any]:
        """Return the arguments that lock a new object of this kind, as the settings ask for."""
        return self.retention.arguments(kind, datetime.now(UTC))

    def lock_stored(self, key: str, kind: str) -> None:
        """Lock an object that lies there without a lock; one that has a lock keeps it."""
        wanted = self.lock(kind)
        place = {"Bucket": self.place.bucket, "Key": key}
        answer = self.client.head_object(**place)
        if "ObjectLockLegalHoldStatus" in wanted:
            if answer.get("ObjectLockLegalHoldStatus") != "ON":
                self.client.put_object_legal_hold(**place, LegalHold={"Status": "ON"})
        elif wanted and not answer.get("ObjectLockMode"):
            until = wanted["ObjectLockRetainUntilDate"]
            retention = {"Mode": wanted["ObjectLockMode"], "RetainUntilDate": until}
            self.client.put_object_retention(**place, Retention=retention)

    @contextmanager
    def get(self, key: str) -> Iterator[IO[bytes]]:
        """Open an object for reading, in bounded memory."""
        answer = self.client.get_object(Bucket=self.place.bucket, Key=key)
        body = answer["Body"]
        try:
            yield body
        finally:
            body.close()


def _is_locked(more: Mapping[str, Any]) -> bool:
    return any(name.startswith("ObjectLock") for name in more)


def make_client(
    options: S3Options, profile: StorageProfile, environment: Mapping[str, str] = os.environ
) -> Any:
    """Make a boto3 client for S3 as a storage profile asks.

    Raises:
        StorageError: The settings or credentials cannot be used.
    """
    import boto3  # noqa: PLC0415 - 0.2 s, only when something is uploaded
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    from hongxing_crawler.store.s3.errors import explain  # noqa: PLC0415

    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    if options.ca_bundle and not Path(options.ca_bundle).exists():
        raise StorageError(f"s3.ca_bundle = {options.ca_bundle!r}: there is no such file")
    try:
        session = boto3.session.Session(**_credentials(options.credentials, environment))
        region = options.region or session.region_name or "us-east-1"
        client = session.client(
            "s3",
            region_name=region,
            endpoint_url=options.endpoint or None,
            verify=options.ca_bundle or None,
            config=_client_config(options, profile),
        )
    except BotoCoreError as error:
        raise explain(error).error(str(options.place)) from None
    except (ValueError, OSError) as error:  # an endpoint that is no address; no such ca_bundle
        raise StorageError(f"{options.place}: boto3 refuses the settings: {error}") from None
    return client


def _client_config(options: S3Options, profile: StorageProfile) -> Any:
    from botocore.config import Config  # noqa: PLC0415

    return Config(
        signature_version=profile.signature,
        s3={
            "addressing_style": profile.addressing,
            "payload_signing_enabled": profile.sign_payload,
            "us_east_1_regional_endpoint": "regional",
        },
        request_checksum_calculation=profile.checksums,
        response_checksum_validation=profile.checksums,
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=min(options.timeout_s, 10.0),
        read_timeout=options.timeout_s,
        max_pool_connections=options.threads + 2,
        tcp_keepalive=True,
        user_agent_extra=f"hongxing_crawler/{__version__}",
    )


def _credentials(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    if not name:
        return {}  # boto3's own chain
    keys = {
        "aws_access_key_id": f"{name}_ACCESS_KEY_ID",
        "aws_secret_access_key": f"{name}_SECRET_ACCESS_KEY",
        "aws_session_token": f"{name}_SESSION_TOKEN",
    }
    missing = [variable for variable in list(keys.values())[:2] if not environment.get(variable)]
    if missing:
        raise StorageError(f"s3.credentials = {name!r}, but {' and '.join(missing)} is not set")
    return {key: environment[item] for key, item in keys.items() if environment.get(item)}


def _endpoint_of(environment: Mapping[str, str]) -> str:
    return next((environment[name] for name in _ENDPOINT_VARIABLES if environment.get(name)), "")
