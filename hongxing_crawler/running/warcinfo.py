"""What stands at the head of a run's WARC files, so that they can be read again as it read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hongxing_crawler import __version__

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

    from hongxing_crawler.core.profile import SiteProfile


def describe_run(settings: BaseSettings, profile: SiteProfile, run_id: str) -> dict[str, str]:
    """Return the fields of the warcinfo record: software, operator, profile and limits."""
    fields = {
        "software": f"hongxing_crawler/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "robots": "obey" if settings.getbool("ROBOTSTXT_OBEY") else "ignore",
        "operator": settings["HONGXING_RUN_OPERATOR"] or "unknown",
        "http-header-user-agent": settings["USER_AGENT"],
        "isPartOf": run_id,
        "hongxing-run": run_id,
        "hongxing-site": profile.name,
        "hongxing-profile": msgspec.json.encode(profile).decode(),  # for reprocess
        "hongxing-page-max-bytes": str(settings.getint("DOWNLOAD_MAXSIZE")),
        "hongxing-media-max-bytes": str(settings.getint("HONGXING_MEDIA_MAX_BYTES")),
    }
    if settings.getbool("HONGXING_VIDEOS_ENABLED"):
        for limit in ("max_bytes", "max_pieces"):
            value = settings.getint(f"HONGXING_VIDEOS_{limit.upper()}")
            fields[f"hongxing-video-{limit.replace('_', '-')}"] = str(value)
    return fields
