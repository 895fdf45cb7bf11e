import json
from pathlib import Path

import pytest

from hongxing_crawler.store.s3.place import hide_user, parse_endpoint, parse_place
from hongxing_crawler.store.s3.profiles import PROFILES, choose_profile

CASES = json.loads((Path(__file__).parent / "cases" / "s3_places.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_an_address_of_a_bucket(case):
    if "error" in case:
        with pytest.raises(ValueError, match=case["error"]) as caught:
            parse_place(case["url"])
        assert "secret" not in str(caught.value)
    else:
        place = parse_place(case["url"])
        assert (place.bucket, place.prefix) == (case["bucket"], case["prefix"])


@pytest.mark.parametrize(
    "url",
    ["ftp://host", "host:9000", "http://", "http://host/path", "http://u:p@host", "http://h:x"],
)
def test_what_is_no_address_of_a_server_is_refused(url):
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        parse_endpoint(url)


def test_user_and_password_are_never_shown():
    assert hide_user("'https://AKIA:secret@host/x' is wrong") == "'https://…@host/x' is wrong"


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_only_aws_gets_checksums_that_others_refuse(profile):
    is_aws = profile.name == "aws"

    assert (profile.checksums == "when_supported") is is_aws
    assert bool(profile.algorithm) is is_aws


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("", "aws"),
        ("https://s3.eu-west-1.amazonaws.com", "aws"),
        ("https://s3.oss-cn-hangzhou.aliyuncs.com", "oss"),
        ("https://cos.ap-guangzhou.myqcloud.com", "cos"),
        ("http://127.0.0.1:9000", "generic"),
        ("https://amazonaws.com.example.org", "generic"),
    ],
)
def test_the_endpoint_tells_the_profile(endpoint, name):
    assert choose_profile("auto", endpoint).name == name
    assert choose_profile("ceph", endpoint).name == "ceph"
