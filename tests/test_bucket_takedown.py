"""A takedown: from the home to the bucket, to a home that is made again from it."""

import json
import os
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from bucket_kit import client_of, environment_of, make_bucket, objects_in
from crawl_kit import crawl, snapshot

from hongxing_crawler.demo.run import always_due
from hongxing_crawler.demo.site import DemoSite

TREE = "export/articles/v1"
PREFIX = "红星"
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}


@pytest.fixture(scope="module")
def site():
    with DemoSite() as running:
        yield running


@pytest.fixture(scope="module")
def crawled(site, tmp_path_factory):
    home = tmp_path_factory.mktemp("crawled") / "home"
    assert crawl(always_due(site.profile), home, with_parquet=True).code == 0
    return home


def _keys(gateway, bucket):
    return {key.removeprefix(f"{PREFIX}/") for key in objects_in(gateway, bucket)}


def _is_other(path, before):
    return path.name != "latest.json" and path.read_bytes() != before


def _every_version(gateway, bucket):
    """The bytes of every object, older versions included."""
    client = client_of(gateway)
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return [
        client.get_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])[
            "Body"
        ].read()
        for page in pages
        for item in page.get("Versions", ())
    ]


@pytest.mark.parametrize("versioning", [False, True], ids=["plain", "versioned"])
def test_what_was_taken_down_comes_back_from_nowhere(gateway, site, crawled, tmp_path, versioning):
    bucket = make_bucket(gateway)
    if versioning:
        client_of(gateway).put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
        )

    def run(command, home, *arguments):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "hongxing_crawler",
                command,
                *arguments,
                "--home",
                home,
                "--json",
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=ENVIRONMENT
            | environment_of(gateway)
            | {"HONGXING_S3_URL": f"s3://{bucket}/{PREFIX}"},
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return json.loads(done.stdout)

    home, new = tmp_path / "home", tmp_path / "new"
    shutil.copytree(crawled, home)
    run("upload", home)
    row = min(snapshot(home).values(), key=lambda row: (not row["images"], row["url"]))
    published = {key: (home / key).read_bytes() for key in _keys(gateway, bucket)}

    run("takedown", home, row["url"], "--reason", "权利要求", "--yes", "--with-media")
    run("upload", home)

    objects = _keys(gateway, bucket)
    answer = client_of(gateway).get_object(Bucket=bucket, Key=f"{PREFIX}/{TREE}/latest.json")
    latest = json.load(answer["Body"])
    gone = {key for key in published if not (home / key).exists()}
    changed = {key for key in published.keys() - gone if _is_other(home / key, published[key])}
    assert {key.split("/")[0] for key in gone} == {"media"}
    assert {key.split("/")[0] for key in changed} >= {"warc", "cdxj", "export"}
    assert not gone & objects
    assert {f"{TREE}/{latest[name]}/_SUCCESS" for name in ("snapshot", "delta")} <= objects
    kept = set(_every_version(gateway, bucket))
    changed -= {"fixity.jsonl", f"{TREE}/README.md"}  # digests and counts alone
    assert [key for key in gone | changed if published[key] and published[key] in kept] == []
    told = run("verify", home, "--s3", f"s3://{bucket}/{PREFIX}", "--deep")
    assert told["mismatches"] == []

    run("restore-home", new)
    assert urlsplit(row["url"]).path not in snapshot(new)
    assert snapshot(new) == snapshot(home)
    asked = len(site.log)
    assert crawl(always_due(site.profile), new).code == 0
    paths = {request.path for request in site.log[asked:]}
    assert len(paths) > 3
    assert urlsplit(row["url"]).path not in paths
    assert urlsplit(row["url"]).path not in snapshot(new)
