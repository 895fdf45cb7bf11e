"""What a request that brought nothing is called, in the crawl and in reprocessing alike."""

from __future__ import annotations

REASONS = {
    "DownloadTimeoutError": "timeout",
    "DownloadCancelledError": "too_large",
    "ResponseDataLossError": "broken_off",
    "CannotResolveHostError": "no_such_host",
    "DownloadConnectionRefusedError": "connection_refused",
    "DownloadFailedError": "connection_failed",
    "PrivateAddressError": "private_address",
    "UnsupportedURLSchemeError": "unsupported_url",
    "ArchiveStoppedError": "archive_error",
    "HostDownError": "host_down",
    "RobotsUnreachableError": "robots_unreachable",
    "RobotsDeniedError": "robots_denied",
}
FINAL_REASONS = frozenset({"too_large", "private_address", "unsupported_url"})


def failure_reason(error: BaseException) -> str:
    """Name a download error in our own words; ``reprocess`` finds the same name in the WARC."""
    name = type(error).__name__
    if name == "IgnoreRequest" and "decompress" in str(error):
        return "too_large"
    if name == "RefusedError":
        return str(error)
    return REASONS.get(name, name)
