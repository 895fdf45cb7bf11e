"""Raw archive and manifests under object lock: on the real server, in one piece and in parts."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from bucket_kit import client_of, environment_of, make_bucket, versions_in
from crawl_kit import crawl

from hongxing_crawler.demo.site import DemoSite
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.s3.retention import Retention, parse_retention

COMMAND = [sys.executable, "-m", "hongxing_crawler", "upload"]
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["governance", "governance 0d", "GOVERNANCE 1d", "compliance 1y", "hold 3d", "365d"]
)
def test_what_is_no_retention_is_refused(text):
    with pytest.raises(ValueError, match="write"):
        parse_retention(text)


@pytest.mark.parametrize(
    ("retention", "kind", "expected"),
    [
        ("", "warc", {}),
        ("hold", "warc", {"ObjectLockLegalHoldStatus": "ON"}),
        ("hold", "latest", {}),
        ("governance 2d", "rows", {}),
        ("governance 2d", "manifest", {"ObjectLockMode": "GOVERNANCE"}),
        ("compliance 9d", "warc", {"ObjectLockMode": "COMPLIANCE"}),
    ],
)
def test_only_what_never_changes_is_locked(retention, kind, expected):
    asked = parse_retention(retention).arguments(kind, NOW)

    assert asked.items() >= expected.items()
    assert bool(asked) is bool(expected)


def test_the_end_counts_from_the_upload():
    until = Retention("governance", 30).arguments("warc", NOW)["ObjectLockRetainUntilDate"]

    assert until == NOW + timedelta(days=30)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("locked") / "home"
    with DemoSite() as site:
        assert crawl(site.profile, home).code == ExitCode.OK
    (home / "warc" / "large-00000.warc.gz").write_bytes(os.urandom(6 << 20))  # more than a part
    return home


def _upload(gateway, home, bucket, retention, *, tls=False):
    return subprocess.run(
        [*COMMAND, "--home", home, "--s3", f"s3://{bucket}/x"],
        env=os.environ
        | environment_of(gateway, tls=tls)
        | {"HONGXING_S3_RETENTION": retention, "HONGXING_UPLOAD_PART_SIZE_MB": "5"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module", params=[False, True], ids=["http", "https"])
def locked(request, gateway, home):
    bucket = make_bucket(gateway, locked=True)
    done = _upload(gateway, home, bucket, "governance 1d", tls=request.param)
    assert done.returncode == 0, done.stderr
    return bucket


def _is_locked(key):
    return key.startswith("x/warc/") or key.endswith("/_manifest.json")


def test_the_server_locks_raw_archive_and_manifests_alone(gateway, locked):
    client = client_of(gateway)
    heads = {
        key: client.head_object(Bucket=locked, Key=key) for key in set(versions_in(gateway, locked))
    }
    modes = {key: head.get("ObjectLockMode") for key, head in heads.items()}

    assert {key for key, mode in modes.items() if mode == "GOVERNANCE"} == {
        key for key in heads if _is_locked(key)
    }
    assert sum(map(_is_locked, heads)) >= 4
    assert len(heads) > sum(map(_is_locked, heads))


def test_a_locked_object_cannot_be_deleted(gateway, locked):
    client = client_of(gateway)
    (version,) = client.list_object_versions(Bucket=locked, Prefix="x/warc/large")["Versions"]

    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=locked, Key=version["Key"], VersionId=version["VersionId"])


def test_a_second_upload_sends_nothing(gateway, home, locked):
    before = versions_in(gateway, locked)
    _upload(gateway, home, locked, "governance 1d")

    assert sorted(set(versions_in(gateway, locked))) == sorted(set(before))
    assert [k for k in versions_in(gateway, locked) if _is_locked(k)] == [
        k for k in before if _is_locked(k)
    ]


def test_a_legal_hold_has_no_end(gateway, home):
    bucket = make_bucket(gateway, locked=True)
    assert _upload(gateway, home, bucket, "hold").returncode == 0
    head = client_of(gateway).head_object(Bucket=bucket, Key="x/warc/large-00000.warc.gz")

    assert head["ObjectLockLegalHoldStatus"] == "ON"
    assert "ObjectLockMode" not in head


def test_a_bucket_without_object_lock_is_refused_with_the_remedy(gateway, home):
    bucket = make_bucket(gateway)
    done = _upload(gateway, home, bucket, "compliance 1d")

    assert done.returncode == ExitCode.CONFIG, done.stderr
    assert not done.stdout


def test_a_wrong_setting_is_named(gateway, home):
    done = _upload(gateway, home, "bucket", "forever")

    assert done.returncode == ExitCode.CONFIG
    assert "HONGXING_S3_RETENTION" in done.stderr
    assert "governance 365d" in done.stderr
