"""Which run wrote a WARC file, and how: what the first record of each file says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hongxing_crawler.addons import OUR_SETTINGS, SCRAPY_SETTINGS
from hongxing_crawler.archive.fields import read_fields
from hongxing_crawler.archive.reader import read_records
from hongxing_crawler.core.profile import SiteProfile
from hongxing_crawler.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from hongxing_crawler.archive.reader import Record


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The WARC files of one run, in order, and the profile that it crawled by."""

    run_id: str
    site: str
    started_at: datetime
    paths: tuple[Path, ...]
    profile: SiteProfile | None = None  # None: its warcinfo names none
    page_max_bytes: int = SCRAPY_SETTINGS["DOWNLOAD_MAXSIZE"]
    media_max_bytes: int = OUR_SETTINGS["HONGXING_MEDIA_MAX_BYTES"]
    video_max_bytes: int = 0  # 0: films were not asked for
    video_max_pieces: int = 0


def find_runs(paths: Iterable[Path]) -> list[RunFiles]:
    """Group WARC files by the run that their warcinfo record names, oldest run first.

    Raises:
        ConfigError: A file does not begin with a warcinfo record of this program.
    """
    runs: dict[str, list[tuple[Record, Path, dict[str, str]]]] = defaultdict(list)
    for path in sorted(paths):
        record = next(read_records(path, []), None)
        fields = _warcinfo(record) if record is not None else {}
        if record is None or "hongxing-run" not in fields:
            raise ConfigError(
                f"{path} was not written by hongxing_crawler: it does not begin with a warcinfo"
                " record that names a run; name WARC files of a home"
            )
        runs[fields["hongxing-run"]].append((record, path, fields))
    found = [
        RunFiles(
            run_id,
            files[0][2].get("hongxing-site", ""),
            min(record.date for record, _, _ in files),
            tuple(path for _, path, _ in files),
            _recorded_profile(files[0][2]),
            **_recorded_limits(files[0][2]),
        )
        for run_id, files in runs.items()
    ]
    return sorted(found, key=lambda run: (run.started_at, run.run_id))


def _warcinfo(record: Record) -> dict[str, str]:
    if record.type != "warcinfo":
        return {}
    return read_fields(record.payload())


def _recorded_profile(fields: dict[str, str]) -> SiteProfile | None:
    """Read the profile back; one of another version that does not fit counts as none."""
    try:
        return msgspec.json.decode(fields.get("hongxing-profile", ""), type=SiteProfile)
    except msgspec.DecodeError:
        return None


def _recorded_limits(fields: dict[str, str]) -> dict[str, int]:
    """Read how large a page or file might be; archives of the first version do not tell."""
    names = ("page_max_bytes", "media_max_bytes", "video_max_bytes", "video_max_pieces")
    found = {name: fields.get("hongxing-" + name.replace("_", "-"), "") for name in names}
    return {name: int(value) for name, value in found.items() if value.isdecimal()}
