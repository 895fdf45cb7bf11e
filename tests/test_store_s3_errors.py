import json
import ssl
from pathlib import Path

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import ProtocolError

from hongxing_crawler.cli.verdict import judge
from hongxing_crawler.exceptions import ConflictError, StorageError, UploadError
from hongxing_crawler.exit_codes import ExitCode
from hongxing_crawler.store.s3.errors import Trouble, TroubleKind, explain
from hongxing_crawler.store.s3.retry import GivenUpError, Patience, persist

CASES = json.loads((Path(__file__).parent / "cases" / "s3_errors.json").read_text("utf-8"))
QUICK = {"base_s": 0.001, "max_s": 0.002}


def answer(status, code, message=""):
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return boto.ClientError(response, "PutObject")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_an_answer_is_classed_by_who_has_to_act(case):
    trouble = explain(answer(case["status"], case["code"], case.get("message", "")))

    assert trouble.kind == case["kind"]
    assert case.get("says", "") in trouble.sentence


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (boto.EndpointConnectionError(endpoint_url="http://x"), "retry", "is it up"),
        (
            boto.EndpointConnectionError(endpoint_url="http://x", error="Name resolution"),
            "retry",
            "",
        ),
        (boto.ReadTimeoutError(endpoint_url="http://x"), "retry", "stopped answering"),
        (boto.ConnectionClosedError(endpoint_url="http://x"), "retry", "closed"),
        (ResponseParserError("<html>"), "retry", "cut short"),
        (ProtocolError("Connection broken"), "retry", ""),
        (ConnectionResetError(104, "reset"), "retry", ""),
        (boto.NoCredentialsError(), "operator", "AWS_ACCESS_KEY_ID"),
        (boto.ProfileNotFound(profile="x"), "operator", "credentials"),
        (boto.NoRegionError(), "operator", "settings"),
        (boto.EndpointResolutionError(msg="http://x:99999"), "operator", "AWS_ENDPOINT_URL"),
        (
            boto.SSLError(endpoint_url="https://x", error="[SSL: CERTIFICATE_VERIFY_FAILED]"),
            "operator",
            "s3.ca_bundle",
        ),
        (
            boto.SSLError(endpoint_url="https://x", error="[SSL: WRONG_VERSION_NUMBER]"),
            "operator",
            "no https",
        ),
        (boto.SSLError(endpoint_url="https://x", error=ssl.SSLEOFError()), "retry", "broke off"),
    ],
)  # fmt: skip
def test_an_error_of_the_network_is_classed(error, kind, says):
    trouble = explain(error)

    assert trouble.kind == kind
    assert says in trouble.sentence


def test_an_error_of_the_disk_is_none_of_ours():
    with pytest.raises(FileNotFoundError):
        explain(FileNotFoundError("x"))


def test_what_may_pass_is_tried_again_until_it_does():
    answers = [answer(503, "SlowDown"), ConnectionResetError(), "done"]

    def call():
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    assert persist(call, "x", Patience(tries=3, **QUICK)) == "done"


def test_what_never_passes_ends_as_away_and_keeps_the_outbox():
    calls = []

    def call():
        calls.append(1)
        raise answer(503, "SlowDown")

    with pytest.raises(UploadError, match="waits in the outbox") as caught:
        persist(call, "s3://b/k", Patience(tries=4, **QUICK))

    assert len(calls) == 4
    assert judge(caught.value).code == ExitCode.TEMPORARY


def test_a_refusal_is_not_tried_again():
    calls = []

    def call():
        calls.append(1)
        raise answer(403, "AccessDenied")

    with pytest.raises(StorageError, match="s3://b/k: the server refuses") as caught:
        persist(call, "s3://b/k", Patience(tries=4, **QUICK))

    assert len(calls) == 1
    assert judge(caught.value).code == ExitCode.CONFIG


def test_a_worker_stops_when_another_gave_up():
    patience = Patience(**QUICK)
    patience.stop.set()

    with pytest.raises(GivenUpError):
        persist(lambda: 1, "x", patience)


def test_a_conflict_has_the_code_of_damage():
    trouble = Trouble(TroubleKind.CONFLICT, "", "another object")

    assert judge(trouble.error("x")).code == ExitCode.DAMAGED
    assert isinstance(trouble.error("x"), ConflictError)


def test_texts_of_boto_are_not_repeated():
    error = answer(403, "SignatureDoesNotMatch", "StringToSign: AWS4-HMAC-SHA256 AKIAKEY/2026")

    assert "AKIAKEY" not in explain(error).sentence
