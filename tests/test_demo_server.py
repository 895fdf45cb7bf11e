"""The demo server is a real HTTP server, and its faults are real faults."""

from __future__ import annotations

import gzip
import http.client
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from hongxing_crawler.demo import DemoSite, Fault, serve_folder, serve_pages
from hongxing_crawler.demo.message import Reply
from hongxing_crawler.demo.server import Server

SEED = "/content/2020/03/20/7000320.html"


def fetch(base, path, headers=None, method="GET"):
    with closing(http.client.HTTPConnection(urlsplit(base).netloc, timeout=20)) as connection:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()


def exchange(base, request):
    """Send raw bytes, read until the server closes."""
    host, port = urlsplit(base).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def shared():
    with DemoSite() as demo:
        yield demo


@pytest.fixture
def demo(shared):
    shared.faults.clear()
    shared.log.clear()
    yield shared
    shared.faults.clear()


def test_pipelined_requests_are_answered_in_order(demo):
    requests = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
    requests += b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    answers = exchange(demo.www, requests)

    assert answers.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answers.index(b"User-agent: *") < answers.index(b"HTTP/1.1 404 Not Found")


def test_head_has_the_length_but_no_body(demo):
    response, body = fetch(demo.www, "/robots.txt", method="HEAD")

    assert (int(response.headers["Content-Length"]) > 0, body) == (True, b"")


def test_a_post_body_is_swallowed(demo):
    request = b"POST /content/visit/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
    request += b"GET /nope HTTP/1.1\r\nConnection: close\r\n\r\n"

    answers = exchange(demo.www, request)

    assert answers.count(b"HTTP/1.1 ") == 2


def test_the_log_keeps_method_target_headers_and_time(demo):
    fetch(demo.www, "/robots.txt?a=b", {"User-Agent": "tester"})

    entry = demo.log[-1]
    assert (entry.site, entry.method, entry.target) == ("www", "GET", "/robots.txt?a=b")
    assert entry.get_header("user-agent") == "tester"
    assert abs(entry.at - time.time()) < 60


def test_many_clients_at_once_all_get_their_page(demo):
    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda _: fetch(demo.www, SEED)[1], range(64)))

    assert len({bytes(body) for body in bodies}) == 1


def test_a_fault_of_the_handler_reaches_the_test():
    def fail(request):
        raise RuntimeError(request.path)

    server = Server(fail).start()
    response, _ = fetch(server.bases["www"], "/x")

    assert response.status == 500
    with pytest.raises(RuntimeError, match="/x"):
        server.stop()


def test_a_port_in_use_is_an_error():
    with (
        Server(lambda _: Reply()) as first,
        pytest.raises(OSError, match=r"in use|did not start"),
    ):
        Server(lambda _: Reply(), ports={"www": int(first.bases["www"].rsplit(":", 1)[1])}).start()


def test_stop_leaves_no_thread_and_closes_the_port():
    server = serve_pages({"/a": b"x"}).start()
    base = server.bases["www"]
    fetch(base, "/a")
    server.stop()

    assert server._thread is None
    with pytest.raises(ConnectionRefusedError):
        fetch(base, "/a")


def test_an_endless_head_is_cut_off(demo):
    host, port = urlsplit(demo.www).netloc.split(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as connection,
        pytest.raises(OSError, match=r"reset|Broken pipe"),
    ):
        connection.sendall(b"x" * 50_000_000)


def test_slow_pauses_before_the_answer(demo):
    demo.faults.add(Fault("slow", "robots", delay_s=0.3))
    started = time.monotonic()
    response, _ = fetch(demo.www, "/robots.txt")

    assert response.status == 200
    assert time.monotonic() - started >= 0.3


def test_a_slow_page_does_not_hold_up_others(demo):
    demo.faults.add(Fault("slow", "robots", delay_s=1))
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(fetch, demo.www, "/robots.txt")
        started = time.monotonic()
        fetch(demo.www, SEED)
        took_s = time.monotonic() - started
        demo.faults.clear()
        pending.result()

    assert took_s < 0.9


def test_reset_is_a_reset(demo):
    demo.faults.add(Fault("reset", after_bytes=20))

    with pytest.raises(ConnectionResetError):
        fetch(demo.www, SEED)


def test_truncate_ends_the_connection_within_the_body(demo):
    demo.faults.add(Fault("truncate"))

    with pytest.raises(http.client.IncompleteRead):
        fetch(demo.www, SEED)


def test_truncate_breaks_chunked_bodies_too(demo):
    chunked = next(path for path in _paths(demo) if _is_chunked(demo, path))
    demo.faults.add(Fault("truncate"))

    with pytest.raises(http.client.IncompleteRead):
        fetch(demo.www, chunked)


def _paths(demo):
    return [article.path for article in demo._site.articles]


def _is_chunked(demo, path):
    return fetch(demo.www, path)[0].headers["Transfer-Encoding"] == "chunked"


def test_wrong_length_announces_less_than_it_sends(demo):
    whole = fetch(demo.www, SEED)[1]
    demo.faults.add(Fault("wrong_length"))

    answer = exchange(demo.www, f"GET {SEED} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == whole
    assert f"Content-Length: {len(whole) - 100}".encode() in head


def test_status_with_retry_after_some_times_then_well(demo):
    demo.faults.add(Fault("status", "robots", times=2, status=429, retry_after="1"))

    answers = [fetch(demo.www, "/robots.txt")[0] for _ in range(3)]

    assert [answer.status for answer in answers] == [429, 429, 200]
    assert [answer.headers["Retry-After"] for answer in answers] == ["1", "1", None]


def test_times_may_count_for_each_address_by_itself(demo):
    demo.faults.add(Fault("status", times=1, each=True))
    paths = ["/robots.txt", "/", "/robots.txt", "/"]

    assert [fetch(demo.www, path)[0].status for path in paths] == [500, 500, 200, 200]


def test_a_fault_leaves_other_addresses_alone(demo):
    demo.faults.add(Fault("status", r"^/robots\.txt$"))

    assert [fetch(demo.www, path)[0].status for path in ("/robots.txt", "/")] == [500, 200]


def test_redirect_loop_has_no_end(demo):
    demo.faults.add(Fault("redirect_loop", "/loop"))

    first = fetch(demo.www, "/loop")[0].headers["Location"]
    second = fetch(demo.www, "/loop" + first)[0].headers["Location"]

    assert (first, second) == ("?again", "/loop")


def test_endless_pager_always_offers_the_next_page(demo):
    demo.faults.add(Fault("endless_pager", "/channel/"))

    assert b'href="/channel/1001_2.html"' in fetch(demo.www, "/channel/1001.html")[1]
    assert b'href="/channel/1001_913.html"' in fetch(demo.www, "/channel/1001_912.html")[1]


def test_gzip_bomb_is_small_on_the_wire_and_large_inside(demo):
    demo.faults.add(Fault("gzip_bomb"))
    response, body = fetch(demo.www, "/")

    assert response.headers["Content-Encoding"] == "gzip"
    assert len(body) < 1_000_000
    assert len(gzip.decompress(body)) > 100_000_000


def test_huge_is_50_megabytes(demo):
    demo.faults.add(Fault("huge"))

    assert len(fetch(demo.www, "/")[1]) > 50_000_000


def test_deep_has_100000_nested_tags(demo):
    demo.faults.add(Fault("deep"))

    assert fetch(demo.www, "/")[1].count(b"<div>") == 100_000


def test_nul_puts_nul_bytes_into_the_text(demo):
    demo.faults.add(Fault("nul"))
    body = fetch(demo.www, SEED)[1]

    assert body.startswith(b"\0")
    assert "\0。\0".encode() in body


@pytest.mark.parametrize(
    "link", ["file:///etc", "169.254.169.254", "user@", "127.0.0.1:9", "[::1]"]
)
def test_hostile_links_are_on_the_page(demo, link):
    demo.faults.add(Fault("hostile_links"))

    assert link.encode() in fetch(demo.www, "/")[1]


def test_empty_is_200_without_a_body(demo):
    demo.faults.add(Fault("empty"))
    response, body = fetch(demo.www, "/")

    assert (response.status, body) == (200, b"")


def test_an_unknown_fault_names_the_known_ones():
    with pytest.raises(ValueError, match="unknown fault 'fire'; known: slow, reset"):
        DemoSite(faults=[Fault("fire")])


def test_given_pages_are_served_with_an_index():
    pages = {"/a.html": "红星".encode("gbk"), "/b.xlsx": b"PK"}
    with serve_pages(pages, headers={"X-Test": "1"}) as server:
        base = server.bases["www"]
        index = fetch(base, "/")[1]
        answers = {path: fetch(base, path) for path in (*pages, "/none")}

    assert all(f'href="{path}"'.encode() in index for path in pages)
    assert {path: answers[path][1] for path in pages} == pages
    assert answers["/a.html"][0].headers["Content-Type"] == "text/html"
    assert answers["/a.html"][0].headers["X-Test"] == "1"
    assert answers["/none"][0].status == 404


def test_a_folder_is_served_by_its_relative_paths(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.html").write_bytes(b"<p>x")
    with serve_folder(tmp_path) as server:
        body = fetch(server.bases["www"], "/sub/a.html")[1]

    assert body == b"<p>x"


def test_a_folder_is_served_by_a_process_until_its_input_closes(tmp_path):
    (tmp_path / "a.html").write_bytes(b"<p>x")
    command = [sys.executable, "-W", "error", "-m", "hongxing_crawler.demo", str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        base = process.stdout.readline().strip()
        body = fetch(base, "/a.html")[1]
        process.stdin.close()
        code = process.wait(10)

    assert (body, code) == (b"<p>x", 0)
