"""Every setting: its key, what it takes, and what holds when it is not given."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hongxing_crawler.config.kinds import (
    ADDRESS,
    ADDRESSES,
    BROWSER,
    COMMAND,
    DURATION,
    ENDPOINT,
    FORMATS,
    HTTP_URL,
    LOG_FORMAT,
    OPTIONAL_PATH,
    OPTIONAL_TEXT,
    PATH,
    PROFILE,
    RATE,
    RETENTION,
    S3_URL,
    SMTP_URL,
    TEXT,
    VARIABLE,
    YES_NO,
    Kind,
    number,
    whole,
)
from hongxing_crawler.monitors.limits import Limits
from hongxing_crawler.store.s3.profiles import AUTO

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED_TABLES = {
    "s3",
    "upload",
    "alerts",
    "monitors",
    "log",
    "metrics",
    "retention",
}  # their names stand in their variables: HONGXING_S3_URL


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key in hongxing.toml, its variable, what it takes and when unset."""

    key: str  # dotted when it stands in a table
    kind: Kind
    default: Any
    own_flag: str = ""
    is_secret: bool = False  # who knows the value may use it: never shown

    @property
    def field(self) -> str:
        table, _, name = self.key.rpartition(".")
        return f"{table}_{name}" if table in _NAMED_TABLES else name

    @property
    def variable(self) -> str:
        return f"HONGXING_{self.field.upper()}"

    @property
    def flag(self) -> str:
        return self.own_flag or f"--{self.field.replace('_', '-')}"


_LIMIT_KINDS = {int: whole(0, 1_000_000), float: number(0, 1_000_000)}
_SHARE = number(0, 1)


def _limit_kind(name: str, default: object) -> Kind:
    return _SHARE if name.endswith("_share") else _LIMIT_KINDS[type(default)]


SETTINGS = (
    Setting("home", PATH, Path("var")),
    Setting("site", TEXT, "hongxing"),
    Setting("operator", OPTIONAL_TEXT, ""),
    Setting("wait_lock", DURATION, 0.0),
    Setting("crawl.concurrency", whole(1, 16), 1),
    Setting("crawl.delay_s", number(0, 3_600), 1.0),
    Setting("crawl.browser", BROWSER, "auto"),
    Setting("crawl.videos", YES_NO, default=False),
    Setting("crawl.video_max_mb", whole(1, 1_000_000), 1_024),
    Setting("crawl.max_pages", whole(0, 1_000_000_000), 0),
    Setting("crawl.max_duration", DURATION, 0.0),
    Setting("export.format", FORMATS, "jsonl.gz"),
    Setting("log.format", LOG_FORMAT, "text"),
    Setting("metrics.file", OPTIONAL_PATH, ""),
    Setting("retention.logs", DURATION, 0.0),
    Setting("retention.reports", DURATION, 0.0),
    Setting("retention.rows", DURATION, 0.0),
    Setting("retention.warc", DURATION, 0.0),
    Setting("retention.media", DURATION, 0.0),
    Setting("s3.url", S3_URL, "", "--s3"),
    Setting("s3.endpoint", ENDPOINT, ""),
    Setting("s3.region", OPTIONAL_TEXT, ""),
    Setting("s3.profile", PROFILE, AUTO),
    Setting("s3.ca_bundle", OPTIONAL_PATH, ""),
    Setting("s3.credentials", VARIABLE, ""),
    Setting("s3.retention", RETENTION, ""),
    Setting("upload.during_crawl", YES_NO, default=False),
    Setting("upload.threads", whole(1, 64), 4),
    Setting("upload.part_size_mb", whole(5, 1_024), 8),
    Setting("upload.max_bandwidth", RATE, 0.0),
    Setting("upload.deep_share", number(0, 1), 0.02),
    Setting("upload.tries", whole(1, 100), 6),
    Setting("upload.timeout", DURATION, 60.0),
    Setting("alerts.ping_url", HTTP_URL, "", "--ping-url", is_secret=True),
    Setting("alerts.webhook_url", HTTP_URL, "", is_secret=True),
    Setting("alerts.mail_to", ADDRESSES, ()),
    Setting("alerts.mail_from", ADDRESS, ""),
    Setting("alerts.smtp_url", SMTP_URL, "smtp://localhost"),
    Setting("alerts.on_success", COMMAND, ""),
    Setting("alerts.on_failure", COMMAND, ""),
    Setting("alerts.always", YES_NO, default=False),
    Setting("alerts.timeout", DURATION, 10.0),
    Setting("alerts.tries", whole(1, 10), 3),
    *(
        Setting(f"monitors.{limit.name}", _limit_kind(limit.name, limit.default), limit.default)
        for limit in fields(Limits)
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, read and checked; ``origins`` tells where each value came from."""

    home: Path
    site: str
    operator: str
    wait_lock: float  # seconds
    concurrency: int  # requests at a time
    delay_s: float
    browser: str  # auto, always or off
    videos: bool  # films are fetched, too
    video_max_mb: int  # MiB of one film
    max_pages: int  # 0: no limit
    max_duration: float  # seconds, 0: no limit
    format: str  # of rows: jsonl.gz or jsonl.gz,parquet
    log_format: str  # text or json
    metrics_file: str  # for Prometheus, "" for none
    retention_logs: float  # seconds that each sort of file is kept; 0: for ever
    retention_reports: float
    retention_rows: float
    retention_warc: float  # once the bucket was seen to hold them
    retention_media: float
    s3_url: str  # s3://bucket/prefix, "" for none
    s3_endpoint: str
    s3_region: str
    s3_profile: str
    s3_ca_bundle: str
    s3_credentials: str  # beginning of the names of variables
    s3_retention: str  # object lock of raw archive and manifests, "" for none
    upload_during_crawl: bool
    upload_threads: int
    upload_part_size_mb: int  # MiB
    upload_max_bandwidth: float  # bytes a second, 0: no limit
    upload_deep_share: float  # 0 to 1
    upload_tries: int
    upload_timeout: float  # seconds
    alerts_ping_url: str
    alerts_webhook_url: str
    alerts_mail_to: tuple[str, ...]
    alerts_mail_from: str
    alerts_smtp_url: str
    alerts_on_success: str
    alerts_on_failure: str
    alerts_always: bool
    alerts_timeout: float  # seconds
    alerts_tries: int
    limits: Limits  # of the monitors
    file: Path | None
    origins: Mapping[str, str]  # key -> "--home", "HONGXING_HOME", "hongxing.toml:3" or "default"

    def value(self, setting: Setting) -> object:
        """Return the value of a setting, wherever it is kept."""
        limit = setting.key.removeprefix("monitors.")
        return getattr(self.limits, limit) if limit != setting.key else getattr(self, setting.field)

    @property
    def with_parquet(self) -> bool:
        return "parquet" in self.format
