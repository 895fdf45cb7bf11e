"""hongxing upload: bring the home to its bucket; and the same after a crawl."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hongxing_crawler.cli.alerting import told
from hongxing_crawler.cli.shell import Command, Shell, common_options, now
from hongxing_crawler.exit_codes import ExitCode

if TYPE_CHECKING:
    from hongxing_crawler.config import Config
    from hongxing_crawler.store.home import Home
    from hongxing_crawler.store.s3.client import S3Options
    from hongxing_crawler.store.s3.upload import UploadOptions, UploadReport

_NO_BUCKET = (
    "no bucket is named: write --s3 s3://bucket/prefix, set HONGXING_S3_URL, or url in the table"
    " [s3] of hongxing.toml"
)


@click.command(cls=Command)
@click.option("--deep", is_flag=True, help="Also read every object back and compare it.")
@common_options
@click.pass_obj
@told("upload")
def upload(shell: Shell, *, deep: bool) -> int:
    """Upload what waits, and publish the rows.

    What lies in the bucket already is not sent again; what is missing there, is. Exit 5 when the
    bucket is away, 4 when it refuses, 10 when another object lies under a key; nothing is lost,
    type it again.
    """
    from hongxing_crawler.upkeep.upload import upload_home

    config, home = shell.load_config(), shell.home()
    s3, options = s3_options(config), upload_options(config, deep=deep)
    with shell.hold(home, "upload"):
        report = upload_home(home, s3, options, now=now)
    shell.result(asdict(report), show_upload(report))
    return ExitCode.OK


def s3_options(config: Config) -> S3Options:
    """Return how to reach the bucket of the settings.

    Raises:
        ConfigError: They name none.
    """
    from hongxing_crawler.exceptions import ConfigError
    from hongxing_crawler.store.s3.client import S3Options
    from hongxing_crawler.store.s3.place import parse_place
    from hongxing_crawler.store.s3.retention import parse_retention

    if not config.s3_url:
        raise ConfigError(_NO_BUCKET)
    return S3Options(
        place=parse_place(config.s3_url),
        endpoint=config.s3_endpoint,
        region=config.s3_region,
        profile=config.s3_profile,
        ca_bundle=config.s3_ca_bundle,
        credentials=config.s3_credentials,
        retention=parse_retention(config.s3_retention),
        timeout_s=config.upload_timeout,
        threads=config.upload_threads,
    )


def upload_options(config: Config, *, deep: bool = False) -> UploadOptions:
    """Return how to upload by the settings."""
    from hongxing_crawler.store.s3.upload import UploadOptions

    return UploadOptions(
        threads=config.upload_threads,
        part_bytes=config.upload_part_size_mb << 20,
        max_bytes_per_s=config.upload_max_bandwidth,
        deep_share=config.upload_deep_share,
        tries=config.upload_tries,
        is_deep=deep,
    )


def show_upload(report: UploadReport) -> str:
    """Show what an upload did."""
    from hongxing_crawler.cli.tables import align, show_size

    rows = [
        ("sent", f"{report.sent_count:,}", show_size(report.sent_bytes)),
        ("there already", f"{report.same_count:,}", ""),
        ("compared byte by byte", f"{report.compared_count:,}", ""),
    ]
    if report.lost_count:
        rows.append(("not there any more", f"{report.lost_count:,}", "sent again"))
    latest = f"\nlatest.json names {report.latest_run}" if report.latest_run else ""
    return f"{report.target}\n{align(rows, right=(1,))}{latest}"


def while_crawling(config: Config, home: Home, *, is_wanted: bool) -> AbstractContextManager[None]:
    """Upload finished files in a thread beside a crawl, when the settings ask for it."""
    if not (is_wanted and config.s3_url and config.upload_during_crawl):
        return nullcontext()
    from hongxing_crawler.upkeep.upload import uploading

    return uploading(home, s3_options(config), upload_options(config), now=now)
