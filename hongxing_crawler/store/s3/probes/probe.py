"""The calls that probes make."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hongxing_crawler.store.s3.client import make_client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hongxing_crawler.store.s3.client import Bucket, S3Options
    from hongxing_crawler.store.s3.profiles import StorageProfile


@dataclass(slots=True)
class Probe:
    """A bucket under examination, and a prefix in it that is ours alone."""

    bucket: Bucket
    options: S3Options
    prefix: str
    retention: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    has_put: bool = False

    @property
    def client(self) -> Any:
        return self.bucket.client

    @property
    def name(self) -> str:
        return self.bucket.place.bucket

    def client_as(self, profile: StorageProfile) -> Any:
        """Make another client, which speaks as another profile does."""
        return make_client(self.options, profile, self.environment)

    def put(self, name: str, body: bytes, **more: Any) -> str:
        """Store an object as an upload would; its ETag."""
        sha256 = hashlib.sha256(body).hexdigest()
        self.has_put = True
        return self.bucket.put(
            self.prefix + name, body, sha256=sha256, content_type="text/plain", **more
        )

    def put_raw(self, name: str, body: bytes, **more: Any) -> dict[str, Any]:
        """Store an object with exactly these arguments; the answer."""
        self.has_put = True
        answer: dict[str, Any] = self.client.put_object(
            Bucket=self.name, Key=self.prefix + name, Body=body, **more
        )
        return answer

    def read(self, name: str) -> bytes:
        with self.bucket.get(self.prefix + name) as body:
            return body.read()

    def list_all(self) -> list[dict[str, str]]:
        """List every version and every mark of deletion below the prefix."""
        pages = self.client.get_paginator("list_object_versions").paginate(
            Bucket=self.name, Prefix=self.prefix
        )
        return [
            {"Key": item["Key"], "VersionId": item.get("VersionId") or "null"}
            for page in pages
            for kind in ("Versions", "DeleteMarkers")
            for item in page.get(kind, ())
        ]

    def _objects(self) -> Iterator[dict[str, str]]:
        """List the same where the server knows no versions."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=self.prefix
        )
        yield from ({"Key": item["Key"]} for page in pages for item in page.get("Contents", ()))

    def delete_all(self) -> None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - boto3 is heavy

        try:
            found = self.list_all()
        except ClientError:
            found = list(self._objects())
        for item in found:
            place = item if item.get("VersionId") != "null" else {"Key": item["Key"]}
            self.client.delete_object(Bucket=self.name, **place)

    def abort_uploads(self) -> None:
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.name, Prefix=self.prefix
        )
        for upload in (item for page in pages for item in page.get("Uploads", ())):
            self.client.abort_multipart_upload(
                Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"]
            )
