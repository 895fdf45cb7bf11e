"""What doctor --s3 says of a real server, of one that is worse, and of wrong settings."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import boto3
import pytest
from bucket_kit import (
    client_of,
    environment_of,
    make_bucket,
    objects_in,
    open_bucket,
    set_policy,
    statement,
    versions_in,
)
from moto.server import ThreadedMotoServer

from hongxing_crawler.core.checkup import Grade
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.s3.client import Bucket, S3Options
from hongxing_crawler.store.s3.place import Place
from hongxing_crawler.store.s3.probes import access, examine

SHOWN = (  # of Ceph 16: what it does, by http and https
    ("server and bucket", Grade.OK, "profile generic"),
    ("clock", Grade.OK, "s "),
    ("encryption on the way", Grade.OK, "http"),
    ("right to put", Grade.OK, "yes"),
    ("right to get", Grade.OK, "digest in the metadata comes back"),
    ("listing", Grade.OK, "Chinese names"),
    ("public access", Grade.OK, "strangers are refused"),
    ("put only what is new", Grade.OK, "of 6 writers at once, one wins"),
    ("compare and swap", Grade.WARN, "If-Match is refused for the ETag as sent"),
    ("checksums", Grade.OK, "Content-MD5: checked"),
    ("multipart", Grade.OK, "parts are listed"),
    ("abandoned uploads", Grade.WARN, "no rule aborts them"),
    ("versioning", Grade.WARN, "off"),
    ("object lock", Grade.OK, "off"),
    ("right to delete", Grade.OK, "yes"),
)


def _examine(gateway, name, prefix="红/", *, tls=False, **more):
    bucket, options = open_bucket(gateway, name, prefix, tls=tls)
    checks = examine(bucket, options, environment=gateway.environment, **more)
    return {check.name: check for check in checks}


@pytest.fixture(scope="module", params=[False, True], ids=["http", "https"])
def examined(request, gateway):
    name = make_bucket(gateway)
    return name, request.param, _examine(gateway, name, tls=request.param)


@pytest.mark.parametrize(("name", "grade", "found"), SHOWN)
def test_it_says_what_the_server_does(examined, name, grade, found):
    check = examined[2][name]

    assert (check.grade, found in check.found) == (grade, True), check


def test_nothing_is_left_behind(gateway, examined):
    client, name = client_of(gateway), examined[0]

    assert versions_in(gateway, name) == []
    assert "Uploads" not in client.list_multipart_uploads(Bucket=name)
    assert "clean up" not in examined[2]


def test_the_checksums_of_boto3_itself_work_by_http_alone(examined):
    _, tls, checks = examined

    assert checks["boto3's own checksums"].found.startswith("refused" if tls else "taken")


def test_every_warning_says_what_to_do(examined):
    warned = [check for check in examined[2].values() if check.grade is not Grade.OK]

    assert [check.name for check in warned if not check.advice] == []


def test_a_bucket_with_object_lock_is_tried(gateway):
    name = make_bucket(gateway, locked=True)
    checks = _examine(gateway, name, retention="compliance")

    assert checks["object lock"].grade is Grade.OK
    assert "cannot be deleted" in checks["object lock"].found
    assert checks["versioning"].grade is Grade.OK
    assert versions_in(gateway, name) == []


def test_retention_without_object_lock_fails(gateway):
    checks = _examine(gateway, make_bucket(gateway), retention="governance")

    assert checks["object lock"].grade is Grade.FAIL
    assert "s3.retention is governance" in checks["object lock"].found


def test_a_rule_that_aborts_uploads_is_seen(gateway):
    name, client = make_bucket(gateway), client_of(gateway)
    client.create_multipart_upload(Bucket=name, Key="红/x")
    rule = {
        "ID": "x",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    check = _examine(gateway, name)["abandoned uploads"]

    assert check.grade is Grade.OK
    assert "1 under way; a rule aborts them" in check.found


def test_old_uploads_are_counted(gateway, monkeypatch):
    name = make_bucket(gateway)
    client_of(gateway).create_multipart_upload(Bucket=name, Key="红/x")
    client_of(gateway).create_multipart_upload(Bucket=name, Key="elsewhere")
    monkeypatch.setattr("hongxing_crawler.store.s3.probes.keeping._STALE", timedelta(0))
    check = _examine(gateway, name)["abandoned uploads"]

    assert check.grade is Grade.WARN
    assert check.found.startswith("1 uploads are older")


def test_a_bucket_that_everybody_can_read_is_noticed(gateway):
    name = make_bucket(gateway)
    set_policy(gateway, name, statement(name, "Allow", ["s3:GetObject"]))

    assert _examine(gateway, name)["public access"].grade is Grade.WARN


def test_credentials_that_may_not_put_fail_at_once_with_the_rights_they_need(gateway):
    name = make_bucket(gateway)
    set_policy(gateway, name, statement(name, "Deny", ["s3:PutObject"]))
    checks = _examine(gateway, name)

    assert checks["right to put"].grade is Grade.FAIL
    assert "s3:PutObject" in checks["right to put"].found
    assert "multipart" not in checks


def test_credentials_that_may_not_delete_are_fine_and_what_is_left_is_named(gateway):
    name = make_bucket(gateway)
    set_policy(gateway, name, statement(name, "Deny", ["s3:DeleteObject"]))
    checks = _examine(gateway, name)

    assert checks["right to delete"].grade is Grade.OK
    assert checks["right to delete"].found.startswith("no (AccessDenied)")
    assert checks["clean up"].grade is Grade.WARN
    assert {key.rpartition("/")[0] for key in objects_in(gateway, name) if "probe" in key} != set()


SKEWS = [
    (0, Grade.OK, "0 s behind"),
    (-30, Grade.OK, "30 s ahead"),
    (300, Grade.WARN, "300 s behind"),
    (-3_600, Grade.FAIL, "3600 s ahead"),
]


@pytest.mark.parametrize(("skew_s", "grade", "found"), SKEWS)
def test_a_clock_that_is_off_is_measured(skew_s, grade, found):
    stamp = format_datetime(datetime.now(UTC) + timedelta(seconds=skew_s + 0.999), usegmt=True)
    check = access._clock({"ResponseMetadata": {"HTTPHeaders": {"date": stamp}}})

    assert check.grade is grade
    assert found.split()[2 - 1] == check.found.split()[1]
    assert bool(check.advice) is (grade is not Grade.OK)


@pytest.fixture(scope="module")
def weak_server():
    """A server that takes everything: wrong digests, wrong keys."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_server_that_checks_nothing_is_noticed(weak_server):
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    boto3.client(
        "s3",
        endpoint_url=weak_server,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    ).create_bucket(Bucket="weak")
    options = S3Options(Place("weak"), endpoint=weak_server, credentials="AWS")
    bucket = Bucket.open(options, keys)
    checks = {check.name: check for check in examine(bucket, options, environment=keys)}

    assert checks["checksums"].grade is Grade.WARN
    assert "Content-MD5: not checked" in checks["checksums"].found


def test_the_command_prints_a_table_and_ends_well(hongxing, gateway):
    name = make_bucket(gateway)
    done = hongxing("doctor", "--s3", f"s3://{name}/x", environment=environment_of(gateway))

    assert done.returncode == ExitCode.OK, done.stderr
    assert b"ok    right to put" in done.stdout
    assert "→ ".encode() in done.stdout


def test_the_command_takes_the_bucket_of_the_settings(hongxing, gateway):
    name = make_bucket(gateway)
    environment = environment_of(gateway, tls=True) | {"HONGXING_S3_URL": f"s3://{name}"}
    done = hongxing("doctor", "--s3", "--json", environment=environment)
    answer = json.loads(done.stdout)

    assert done.returncode == ExitCode.OK
    assert answer["ok"]
    assert {"name", "grade", "found", "advice", "may_pass"} == set(answer["checks"][0])


def test_without_s3_the_bucket_is_left_alone(hongxing, gateway):
    name = make_bucket(gateway)
    environment = environment_of(gateway) | {"HONGXING_S3_URL": f"s3://{name}"}
    environment["HONGXING_SITE"] = "generic"  # no site to ask
    done = hongxing("doctor", environment=environment)

    assert done.returncode == ExitCode.OK
    assert b"not tried: add --s3" in done.stdout


WRONG = [
    ({}, "s3://there-is-no-such/x", ExitCode.CONFIG, "no such bucket"),
    ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "", ExitCode.CONFIG, "credentials are not accepted"),
    ({"AWS_ACCESS_KEY_ID": "WRONG"}, "", ExitCode.CONFIG, "credentials are not accepted"),
    ({"HONGXING_S3_ENDPOINT": "http://127.0.0.1:9"}, "", ExitCode.TEMPORARY, "does not answer"),
    ({"HONGXING_S3_ENDPOINT": "https-only"}, "", ExitCode.CONFIG, "not trusted"),
]


@pytest.mark.parametrize(("changes", "url", "code", "said"), WRONG, ids=[w[3] for w in WRONG])
def test_what_is_wrong_is_named_with_the_remedy(hongxing, gateway, changes, url, code, said):
    changes = {k: v.replace("https-only", gateway.tls_endpoint) for k, v in changes.items()}
    done = hongxing(
        "doctor",
        "--s3",
        url or f"s3://{make_bucket(gateway)}",
        environment=environment_of(gateway) | changes,
    )

    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stderr.decode()
    assert gateway.secret_key not in (done.stdout + done.stderr).decode()
