"""hongxing upload and crawl --s3 on a real S3 server: the contract, and every bad input."""

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from bucket_kit import client_of, environment_of, make_bucket, objects_in
from fault_proxy import FaultProxy
from upload_kit import TREE, SmallHome

from hongxing_crawler.exit_codes import ExitCode

QUICK = {"HONGXING_UPLOAD_TRIES": "2", "HONGXING_UPLOAD_TIMEOUT": "5s"}


@pytest.fixture
def small(tmp_path):
    home = SmallHome(tmp_path / "home")
    home.crawl()
    home.close()
    return home


@pytest.fixture
def upload(hongxing, gateway, small):
    """Start `hongxing upload`; what it says must never hold a key."""

    def start(place, *more, **environment):
        known = environment_of(gateway) | QUICK | environment
        done = hongxing(
            "upload", "--home", small.home.root, "--s3", place, *more, environment=known
        )
        said = (done.stdout + done.stderr).decode()
        assert gateway.secret_key not in said
        assert "Traceback" not in said
        return done.returncode, said

    return start


def rest(gateway, bucket, prefix="红星/"):
    return set(objects_in(gateway, bucket, prefix))


def expected(small, prefix="红星/"):
    return {f"{prefix}{path}" for path in small.files()}


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_everything_arrives_under_a_chinese_prefix(upload, gateway, small, tls):
    bucket = make_bucket(gateway)

    code, said = upload(f"s3://{bucket}/红星", **environment_of(gateway, tls=tls))

    assert (code, "latest.json names" in said) == (ExitCode.OK, True)
    assert rest(gateway, bucket) == expected(small)
    again = upload(f"s3://{bucket}/红星", "--deep", "--json", **environment_of(gateway, tls=tls))
    report = json.loads(again[1])
    assert report["sent_count"] == 0
    assert report["compared_count"] == len(expected(small))


def test_a_package_arrives_with_its_digest_and_type(hongxing, gateway, demo_home, tmp_path):
    """A WACZ is made whenever somebody asks, and goes to the bucket as every finished file."""
    bucket, home = make_bucket(gateway), tmp_path / "a home"
    shutil.copytree(demo_home, home)

    assert hongxing("pack", "--home", home).returncode == ExitCode.OK
    sent = hongxing(
        "upload", "--home", home, "--s3", f"s3://{bucket}", environment=environment_of(gateway)
    )

    assert sent.returncode == ExitCode.OK, sent.stderr
    (package,) = home.rglob("*.wacz")
    key = package.relative_to(home).as_posix()
    found = client_of(gateway).get_object(Bucket=bucket, Key=key)
    content = found["Body"].read()
    assert content == package.read_bytes()
    assert found["Metadata"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["ContentType"] == "application/wacz"


@pytest.mark.parametrize("profile", ["ceph", "minio", "generic"])
def test_each_profile_of_own_servers_works(upload, gateway, small, profile):
    bucket = make_bucket(gateway)

    code, _ = upload(f"s3://{bucket}/红星", HONGXING_S3_PROFILE=profile)

    assert code == ExitCode.OK
    assert rest(gateway, bucket) == expected(small)


def test_a_large_file_in_parts(upload, gateway, small):
    bucket = make_bucket(gateway)
    content = b"".join(n.to_bytes(4, "big") * 262_144 for n in range(11))
    (small.home.warc / "hongxing-run_0-00000.warc.gz").write_bytes(content)

    code, _ = upload(f"s3://{bucket}/红星", HONGXING_UPLOAD_PART_SIZE_MB="5")

    key = "红星/warc/hongxing-run_0-00000.warc.gz"
    answer = client_of(gateway).get_object(Bucket=bucket, Key=key)
    assert code == ExitCode.OK
    assert answer["Body"].read() == content


def test_no_bucket_of_that_name(upload, gateway, small):
    code, said = upload("s3://no-such-bucket-here/x")

    assert code == ExitCode.CONFIG
    assert "s3://no-such-bucket-here/x" in said
    assert "make it, or correct --s3" in said


def test_no_bucket_named(hongxing, small):
    done = hongxing("upload", "--home", small.home.root)

    assert done.returncode == ExitCode.CONFIG
    assert b"--s3 s3://bucket/prefix" in done.stderr


@pytest.mark.parametrize("place", ["s3://archive/../x", "s3://AKIA:secret@archive/x", "archive"])
def test_a_wrong_address_is_named_without_what_is_secret(hongxing, small, place):
    done = hongxing("upload", "--home", small.home.root, "--s3", place)

    assert done.returncode == ExitCode.USAGE
    assert b"s3://bucket/prefix" in done.stderr
    assert b"secret" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "credentials are not accepted"),
        ({"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"}, "credentials are not accepted"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nonexistent"},
            "no usable credentials",
        ),
    ],
)
def test_wrong_keys(upload, gateway, changes, says):
    bucket = make_bucket(gateway)

    code, said = upload(f"s3://{bucket}/x", **changes)

    assert code == ExitCode.CONFIG
    assert says in said
    assert objects_in(gateway, bucket) == {}


def test_an_endpoint_where_nobody_listens(upload, gateway, small):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bucket = make_bucket(gateway)

    code, said = upload(f"s3://{bucket}/红星", HONGXING_S3_ENDPOINT=f"http://127.0.0.1:{port}")

    assert code == ExitCode.TEMPORARY
    assert f"http://127.0.0.1:{port}" in said
    assert "s3.endpoint" in said
    assert "waits in the outbox" in said
    assert upload(f"s3://{bucket}/红星")[0] == ExitCode.OK
    assert rest(gateway, bucket) == expected(small)


def test_an_endpoint_with_an_unknown_name(upload):
    code, said = upload("s3://archive/x", HONGXING_S3_ENDPOINT="http://no-such-host.invalid")

    assert code == ExitCode.TEMPORARY
    assert "no-such-host.invalid" in said


def test_an_endpoint_that_is_another_web_server(upload, small):
    import http.server

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code, said = upload(
        "s3://archive/x", HONGXING_S3_ENDPOINT=f"http://127.0.0.1:{server.server_port}"
    )
    server.shutdown()
    server.server_close()

    assert code == ExitCode.CONFIG
    assert "no S3 server" in said


def test_https_with_an_unknown_certificate(upload, gateway):
    bucket = make_bucket(gateway)

    code, said = upload(f"s3://{bucket}/x", HONGXING_S3_ENDPOINT=gateway.tls_endpoint)

    assert code == ExitCode.CONFIG
    assert "certificate is not trusted: set s3.ca_bundle" in said


def test_https_where_http_is_spoken(upload, gateway):
    code, said = upload(
        "s3://archive/x", HONGXING_S3_ENDPOINT=gateway.endpoint.replace("http", "https")
    )

    assert code == ExitCode.CONFIG
    assert "speaks no https" in said


def test_a_ca_bundle_that_is_not_there(upload, gateway):
    code, said = upload(
        "s3://archive/x",
        HONGXING_S3_ENDPOINT=gateway.tls_endpoint,
        HONGXING_S3_CA_BUNDLE="/no/such.pem",
    )

    assert code == ExitCode.CONFIG
    assert "/no/such.pem" in said


def test_another_object_under_a_key(upload, gateway, small):
    bucket = make_bucket(gateway)
    path = next(path for path in small.files() if path.startswith("warc/"))
    client_of(gateway).put_object(Bucket=bucket, Key=f"红星/{path}", Body=b"not ours")

    code, said = upload(f"s3://{bucket}/红星")

    answer = client_of(gateway).get_object(Bucket=bucket, Key=f"红星/{path}")
    assert code == ExitCode.DAMAGED
    assert "another object lies there (8 bytes" in said
    assert answer["Body"].read() == b"not ours"
    assert f"红星/{TREE}/latest.json" not in rest(gateway, bucket)


def test_403_in_the_middle_stops_and_the_next_upload_completes(upload, gateway, small):
    bucket, count = make_bucket(gateway), [0]

    def forbid(_method, _path):
        count[0] += 1
        return "forbidden" if count[0] > 8 else None

    with FaultProxy(("127.0.0.1", gateway.port), forbid) as proxy:
        code, said = upload(f"s3://{bucket}/红星", HONGXING_S3_ENDPOINT=proxy.endpoint)
        assert code == ExitCode.CONFIG
        assert "s3:PutObject" in said
        assert f"红星/{TREE}/latest.json" not in rest(gateway, bucket)

    assert upload(f"s3://{bucket}/红星")[0] == ExitCode.OK
    assert rest(gateway, bucket) == expected(small)


def test_an_empty_file(upload, gateway, small):
    bucket = make_bucket(gateway)
    (small.home.media / "empty.txt").touch()

    assert upload(f"s3://{bucket}/红星")[0] == ExitCode.OK
    assert objects_in(gateway, bucket)["红星/media/empty.txt"] == 0


def test_a_finished_file_that_changed(upload, gateway, small):
    bucket = make_bucket(gateway)
    path, file = next(item for item in small.files().items() if item[0].startswith("warc/"))
    file.write_bytes(b"X" * file.stat().st_size)

    code, said = upload(f"s3://{bucket}/红星")

    assert code == ExitCode.DAMAGED
    assert f"{path} is not what it was when it was finished" in said
    assert "hongxing verify --deep" in said


def test_a_home_that_was_moved(upload, hongxing, gateway, small, tmp_path):
    bucket = make_bucket(gateway)
    assert upload(f"s3://{bucket}/红星")[0] == ExitCode.OK
    old, new = small.home.root, tmp_path / "moved"
    old.rename(new)

    gone = upload(f"s3://{bucket}/红星")
    environment = environment_of(gateway)
    done = hongxing(
        "upload", "--home", new, "--s3", f"s3://{bucket}/红星", "--json", environment=environment
    )

    assert gone[0] == ExitCode.CONFIG
    assert f"{old} is no home of an archive" in gone[1]
    assert done.returncode == ExitCode.OK
    assert json.loads(done.stdout)["sent_count"] == 0


def test_status_tells_what_waits_and_why(upload, hongxing, gateway, small):
    bucket = make_bucket(gateway)
    path = next(path for path in small.files() if path.startswith("warc/"))
    client_of(gateway).put_object(Bucket=bucket, Key=f"红星/{path}", Body=b"not ours")
    upload(f"s3://{bucket}/红星")

    text = hongxing("status", "--home", small.home.root).stdout.decode()

    assert "waiting since" in text
    assert "1 failed" in text


@pytest.mark.parametrize("more", [[], ["--no-upload"]], ids=["upload", "no upload"])
def test_a_crawl_uploads_at_its_end(hongxing, gateway, tmp_path, more):
    bucket = make_bucket(gateway)

    done = hongxing(
        "demo", "--home", tmp_path / "home", "--s3", f"s3://{bucket}/红星", "--json", *more,
        environment=environment_of(gateway) | {"HONGXING_UPLOAD_DURING_CRAWL": "true"},
    )  # fmt: skip

    result, there = json.loads(done.stdout), rest(gateway, bucket)
    assert done.returncode == ExitCode.OK
    if more:
        assert there == set()
    else:
        assert result["paths"]["s3"] == f"s3://{bucket}/红星/".rstrip("/")
        assert f"红星/{TREE}/latest.json" in there
        files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
        assert len(there) >= len(files) - 4  # state, its log, lock


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"HONGXING_S3_ENDPOINT": "http://127.0.0.1:9"}, ExitCode.TEMPORARY),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, ExitCode.CONFIG),
    ],
)
def test_a_crawl_takes_the_code_of_its_upload(hongxing, gateway, tmp_path, changes, code):
    bucket = make_bucket(gateway)

    done = hongxing(
        "demo", "--home", tmp_path / "home", "--s3", f"s3://{bucket}/x", "--json",
        environment=environment_of(gateway) | QUICK | changes,
    )  # fmt: skip

    result = json.loads(done.stdout)
    assert (done.returncode, result["exit_code"]) == (code, code)
    assert result["reason"] == "upload_failed"
    assert (tmp_path / "home" / TREE / "latest.json").is_file()


def test_faults_of_every_kind_lose_nothing(gateway):
    """The short form of `make s3-faults`: one upload under each of some kinds of fault."""
    script = Path(__file__).with_name("s3_campaign.py")

    done = subprocess.run(
        [sys.executable, script, "--runs", "4", "--offset", "11", "--seed", "1"],
        capture_output=True,
        timeout=400,
        check=False,
    )

    assert b"4 runs" in done.stdout
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
