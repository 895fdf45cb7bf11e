"""What the S3 servers that we know can do, and how they want to be spoken to.

Evidence: AWS and Ceph 16 to 20 were tried; MinIO, OSS and COS follow their documents and the
reports of others. ``hongxing doctor --s3`` tells what a server really does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class StorageProfile:
    """One kind of server.

    Conditions are always sent where ``conditional`` says so, and never relied on alone: an
    upload asks first and reads back afterwards.
    """

    name: str
    addressing: str  # auto | path | virtual: where the name of the bucket stands
    checksums: str  # when_supported | when_required: boto3's own; only AWS takes them everywhere
    algorithm: str = ""  # explicit checksum of each put and part, "" where it breaks uploads
    content_md5: bool = True  # of puts with object lock, where no other checksum is sent
    conditional_put: bool = True  # If-None-Match on a put
    conditional_complete: bool = False  # the same on the end of a multipart upload
    swap: bool = True  # If-Match on a put
    sign_payload: bool = True  # over https too, as over http: the server checks a sha256
    signature: str = "s3v4"


AWS: Final = StorageProfile(
    "aws",
    "auto",
    "when_supported",
    algorithm="SHA256",
    content_md5=False,
    sign_payload=False,
    conditional_complete=True,
)
PROFILES: Final = {
    profile.name: profile
    for profile in (
        AWS,
        StorageProfile("ceph", "path", "when_required"),
        StorageProfile("minio", "path", "when_required"),
        StorageProfile("oss", "virtual", "when_required", conditional_put=False, swap=False),
        StorageProfile("cos", "virtual", "when_required", conditional_put=False, swap=False),
        StorageProfile("generic", "auto", "when_required"),
    )
}
AUTO: Final = "auto"
_HOSTS: Final = {
    ".amazonaws.com": "aws",
    ".amazonaws.com.cn": "aws",
    ".aliyuncs.com": "oss",
    ".myqcloud.com": "cos",
}


def choose_profile(name: str, endpoint: str) -> StorageProfile:
    """Return the profile of a name; ``auto`` goes by the endpoint.

    >>> choose_profile("auto", "https://s3.oss-cn-hangzhou.aliyuncs.com").name
    'oss'
    >>> choose_profile("auto", "http://127.0.0.1:9000").name, choose_profile("auto", "").name
    ('generic', 'aws')
    """
    if name != AUTO:
        return PROFILES[name]
    if not endpoint:
        return AWS
    host = f".{urlsplit(endpoint).hostname or ''}"
    known = (kind for ending, kind in _HOSTS.items() if host.endswith(ending))
    return PROFILES[next(known, "generic")]
