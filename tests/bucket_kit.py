"""Buckets on the test server: made, looked into, filled."""

import itertools
import json
import os

import boto3
from botocore.config import Config

from hongxing_crawler.store.s3.client import Bucket, S3Options
from hongxing_crawler.store.s3.place import Place

_numbers = itertools.count()


def client_of(gateway):
    """A plain client, to look at what ours did."""
    return boto3.client(
        "s3",
        endpoint_url=gateway.endpoint,
        aws_access_key_id=gateway.access_key,
        aws_secret_access_key=gateway.secret_key,
        region_name="us-east-1",
        config=Config(request_checksum_calculation="when_required"),
    )


def make_bucket(gateway, *, locked=False):
    name = f"bucket-{next(_numbers)}-{os.getpid()}"
    client_of(gateway).create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
    return name


def open_bucket(gateway, name, prefix="", *, tls=False, **more):
    """Our own client, by http or https; its options too."""
    place = {"endpoint": gateway.endpoint}
    if tls:
        place = {"endpoint": gateway.tls_endpoint, "ca_bundle": str(gateway.ca_file)}
    options = S3Options(Place(name, prefix), **place, credentials="AWS", **more)
    return Bucket.open(options, gateway.environment), options


def environment_of(gateway, *, tls=False):
    """What a command needs to reach the server."""
    place = {"HONGXING_S3_ENDPOINT": gateway.endpoint}
    if tls:
        place = {
            "HONGXING_S3_ENDPOINT": gateway.tls_endpoint,
            "HONGXING_S3_CA_BUNDLE": str(gateway.ca_file),
        }
    return gateway.environment | place


def objects_in(gateway, name, prefix=""):
    """Every object, its key and size; of versions the latest."""
    pages = client_of(gateway).get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix)
    return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", ())}


def versions_in(gateway, name):
    answer = client_of(gateway).list_object_versions(Bucket=name)
    return [item["Key"] for kind in ("Versions", "DeleteMarkers") for item in answer.get(kind, ())]


def set_policy(gateway, name, *statements):
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    client_of(gateway).put_bucket_policy(Bucket=name, Policy=json.dumps(policy))


def statement(name, effect, action):
    return {
        "Effect": effect,
        "Principal": "*",
        "Action": action,
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
    }
