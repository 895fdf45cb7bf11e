"""What went wrong between us and a bucket, and who has to act.

Four classes: ``retry`` (the same call may succeed in a moment), ``operator`` (a person has to
change something: stop at once), ``away`` (retried long enough, everything waits in the outbox),
``conflict`` (another object lies under the key: never overwritten).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import urllib3
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from hongxing_crawler.exceptions import ConflictError, StorageError, UploadError

RIGHTS: Final = (
    "s3:ListBucket, s3:GetObject, s3:PutObject, s3:AbortMultipartUpload,"
    " s3:ListMultipartUploadParts"
)
_CHECKSUM_ADVICE = "the server does not take boto3's checksums: set s3.profile to generic"
_REGION_ADVICE = "the bucket lies in another region: set s3.region to its region"
_CLOCK_ADVICE = "the clocks of this machine and of the server differ: set ours right (timedatectl)"
_KEY_ADVICE = (
    "the credentials are not accepted: look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and"
    " ~/.aws, or at the variables that s3.credentials names"
)
_RIGHTS_ADVICE = (
    f"the server refuses: give these credentials the rights {RIGHTS} on the bucket, and look at"
    " its policy"
)

# Error codes that a person has to act on, with what to do.
_REMEDIES: Final[dict[str, str]] = {
    "NoSuchBucket": "there is no such bucket: make it, or correct --s3",
    "InvalidBucketName": "no bucket can have that name: correct --s3",
    "404": "what answers there is no S3 server, or knows no such bucket: correct s3.endpoint",
    "AccessDenied": _RIGHTS_ADVICE,
    "AllAccessDisabled": _RIGHTS_ADVICE,
    "Forbidden": _RIGHTS_ADVICE,
    "403": f"{_RIGHTS_ADVICE}; is the clock right?",
    "401": _KEY_ADVICE,
    "InvalidAccessKeyId": _KEY_ADVICE,
    "SignatureDoesNotMatch": _KEY_ADVICE,
    "InvalidSecurity": _KEY_ADVICE,
    "InvalidToken": _KEY_ADVICE,
    "ExpiredToken": "the credentials have expired: get new ones",
    "TokenRefreshRequired": "the credentials have expired: get new ones",
    "AccountProblem": "there is a problem with the account: ask the provider",
    "RequestTimeTooSkewed": _CLOCK_ADVICE,
    "RequestExpired": _CLOCK_ADVICE,
    "PermanentRedirect": _REGION_ADVICE,
    "AuthorizationHeaderMalformed": _REGION_ADVICE,
    "IllegalLocationConstraintException": _REGION_ADVICE,
    "301": _REGION_ADVICE,
    "307": _REGION_ADVICE,
    "QuotaExceeded": "the bucket's quota is used up: raise it",
    "EntityTooLarge": "the server takes no object of this size: set upload.part_size higher",
    "InvalidStorageClass": "the bucket has no such storage class",
    "InvalidObjectState": "the object lies in cold storage: restore it first",
    "MissingContentLength": _CHECKSUM_ADVICE,
    "XAmzContentChecksumMismatch": _CHECKSUM_ADVICE,
    "MissingContentMD5": "the server asks for Content-MD5: set s3.profile to generic",
    "NotImplemented": "the server cannot do this: run hongxing doctor --s3",
    "MethodNotAllowed": "the server cannot do this: run hongxing doctor --s3",
    "KeyTooLongError": "the prefix is too long for this server: shorten --s3",
}
_RETRY_CODES: Final = frozenset({
    "RequestTimeout", "RequestTimeoutException", "IncompleteBody", "BadDigest", "SlowDown",
    "SlowDownRead", "SlowDownWrite", "Throttling", "ThrottlingException", "RequestLimitExceeded",
    "TooManyRequests", "TooManyRequestsException", "InternalError", "ServiceUnavailable",
    "OperationAborted", "ConditionalRequestConflict", "ConcurrentModification",
    "XAmzContentSHA256Mismatch", "PriorRequestNotComplete", "BandwidthLimitExceeded",
})  # fmt: skip
# 412 too: who sends a condition looks at the answer itself, others cannot have failed one.
_RETRY_STATUS: Final = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})
_CERTIFICATE_RE = re.compile(r"certificate|CERTIFICATE", re.ASCII)
_NO_TLS_RE = re.compile(
    r"WRONG_VERSION_NUMBER|wrong version number|record layer failure|UNKNOWN_PROTOCOL"
)
_NO_NAME_RE = re.compile(
    r"Name or service not known|nodename nor servname|NameResolution|No address"
)
_MAX_MESSAGE = 200

# All that a call may end with; an OSError of a local file is not among them.
FAILURES: Final = (
    boto.ClientError,
    boto.BotoCoreError,
    boto.HTTPClientError,
    ResponseParserError,
    urllib3.exceptions.HTTPError,  # from the body of an answer, where botocore lets it through
    ConnectionError,
    TimeoutError,
)


class TroubleKind(StrEnum):
    """Who has to act."""

    RETRY = "retry"
    OPERATOR = "operator"
    AWAY = "away"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failed call: its class, the server's code, and what happened in words."""

    kind: TroubleKind
    code: str
    sentence: str

    def error(self, where: str) -> UploadError:
        """Make the exception that ends the work: exit 4, 5 or 10 by its class."""
        text = f"{where}: {self.sentence}"
        if self.kind is TroubleKind.OPERATOR:
            return StorageError(text)
        if self.kind is TroubleKind.CONFLICT:
            return ConflictError(text)
        return UploadError(f"{text}; everything waits in the outbox, hongxing upload goes on")


def explain(error: Exception) -> Trouble:
    """Class an error of boto3 or of ours.

    Texts of the server come in only for codes that nobody knows, short and on one line, and texts
    of boto3 never do: they may repeat what was sent.

    Raises:
        Exception: The error itself, when it is none of ``FAILURES``.
    """
    if isinstance(error, boto.ClientError):
        return _explain_answer(error.response)
    if isinstance(error, boto.SSLError):
        return _explain_tls(str(error))
    if isinstance(error, _NO_CREDENTIALS):
        return _operator(type(error).__name__, "there are no usable credentials: " + _KEY_ADVICE)
    if isinstance(error, _WRONG_SETTINGS):
        return _operator(type(error).__name__, _explain_settings(error))
    if isinstance(error, boto.EndpointConnectionError) and _NO_NAME_RE.search(str(error)):
        advice = "no machine of that name: correct s3.endpoint, or wait for the network"
        return Trouble(TroubleKind.RETRY, "NoSuchHost", advice)
    if isinstance(error, FAILURES):
        name = type(error).__name__
        return Trouble(TroubleKind.RETRY, name, _NETWORK.get(name, f"the call broke off ({name})"))
    raise error


_NO_ADDRESS = "the server's address is none: correct s3.endpoint, or AWS_ENDPOINT_URL and its kin"
_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.UnauthorizedSSOTokenError,
    boto.ProfileNotFound,
)
_WRONG_SETTINGS = (
    boto.ParamValidationError,
    boto.NoRegionError,
    boto.InvalidRegionError,
    boto.ConfigParseError,
    boto.ConfigNotFound,
    boto.UnknownEndpointError,
    boto.InvalidS3AddressingStyleError,
    boto.EndpointResolutionError,
)
_NETWORK = {
    "EndpointConnectionError": "the server does not answer: is it up, is s3.endpoint right?",
    "ConnectTimeoutError": "the server does not answer in time",
    "ReadTimeoutError": "the server stopped answering",
    "ConnectionClosedError": "the server closed the connection",
    "ProxyConnectionError": "the proxy does not answer: look at HTTPS_PROXY",
    "ReadBackError": "what was just stored cannot be read back",
    "ResponseParserError": "the answer is cut short or is not S3",
}


def _explain_settings(error: Exception) -> str:
    if isinstance(error, boto.EndpointResolutionError):  # its text repeats the address
        return _NO_ADDRESS
    return f"boto3 refuses the settings: {_short(str(error))}"


def code_of(error: Exception) -> str:
    """Return the server's error code, or its status as text; empty when it gave no answer."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    code = str(response.get("Error", {}).get("Code") or "")
    return code or str(_status(response) or "")


def status_of(error: Exception) -> int:
    """Return the status of the server's answer; 0 when it gave none."""
    return _status(getattr(error, "response", None) or {})


def _status(response: dict[str, Any]) -> int:
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def _explain_answer(response: dict[str, Any]) -> Trouble:
    answer, status = response.get("Error", {}), _status(response)
    code = str(answer.get("Code") or status)
    if code in _REMEDIES:
        return _operator(code, f"{_REMEDIES[code]} ({_named(code, status)})")
    if code in _RETRY_CODES or status in _RETRY_STATUS or status >= 500:
        return Trouble(TroubleKind.RETRY, code, f"the server says {_named(code, status)}")
    if "aws-chunked" in str(answer.get("Message", "")):
        return _operator(code, f"{_CHECKSUM_ADVICE} ({_named(code, status)})")
    for known in (str(status), "Forbidden" if status == 403 else ""):
        if known in _REMEDIES:
            return _operator(code, f"{_REMEDIES[known]} ({_named(code, status)})")
    message = _short(str(answer.get("Message") or ""))
    return _operator(code, f"the server refuses: {_named(code, status)} {message}".strip())


def _named(code: str, status: int) -> str:
    return code if code == str(status) or not status else f"{code}, {status}"


def _explain_tls(text: str) -> Trouble:
    if _NO_TLS_RE.search(text):
        sentence = "the server speaks no https there: correct s3.endpoint"
        return _operator("NoTls", sentence)
    if _CERTIFICATE_RE.search(text):
        sentence = (
            "its certificate is not trusted: set s3.ca_bundle to the PEM file of the authority"
            " that signed it; certificates are never left unchecked"
        )
        return _operator("UnknownCertificate", sentence)
    return Trouble(TroubleKind.RETRY, "SSLError", "the encrypted connection broke off")


def _operator(code: str, sentence: str) -> Trouble:
    return Trouble(TroubleKind.OPERATOR, code, sentence)


def _short(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:_MAX_MESSAGE].strip()
