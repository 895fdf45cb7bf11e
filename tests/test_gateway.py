"""The S3 server of the tests itself: without it the contract tests prove nothing."""

import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from gateway import Gateway, GatewayError

ANONYMOUS_LIST = b"ListAllMyBucketsResult"


def _get(address, context=None):
    with urllib.request.urlopen(address, timeout=5, context=context) as answer:
        return answer.read()


def test_it_answers_over_http(gateway):
    assert ANONYMOUS_LIST in _get(gateway.endpoint)


def test_it_answers_over_https_to_those_who_know_its_authority(gateway):
    context = ssl.create_default_context(cafile=gateway.ca_file)

    assert ANONYMOUS_LIST in _get(gateway.tls_endpoint, context)


def test_its_certificate_is_unknown_to_the_world(gateway):
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        _get(gateway.tls_endpoint)


def test_its_authority_makes_keys_users_and_limits(gateway):
    assert gateway.access_key in gateway.admin("user", "info", "--uid=archive")


def test_a_killed_one_starts_again_with_the_same_ports_and_data(own_gateway):
    address = own_gateway.endpoint
    own_gateway.kill()
    with pytest.raises(urllib.error.URLError):
        _get(address)
    own_gateway.start()

    assert ANONYMOUS_LIST in _get(address)
    assert "archive" in own_gateway.admin("user", "list")


def test_a_missing_program_is_named_with_the_package_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(GatewayError, match=r"radosgw, .*: apt-get install"):
        Gateway(tmp_path).start()


def test_nothing_of_it_outlives_the_program_that_started_it(gateway, tmp_path):
    """A program that is killed leaves no daemon behind."""
    command = [sys.executable, sys.modules["gateway"].__file__, str(tmp_path / "g")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        shown = [process.stdout.readline() for _ in range(5)]
        address = shown[4].strip().partition("=")[2]
        assert ANONYMOUS_LIST in _get(address)
        process.kill()
    host, port = address.removeprefix("http://").split(":")

    assert _falls_silent(host, int(port))


def _falls_silent(host, port):
    for _ in range(100):
        try:
            socket.create_connection((host, port), timeout=5).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.1)
    return False
