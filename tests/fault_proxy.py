"""A proxy between an uploader and an S3 server that breaks what it is told to break.

It speaks just enough HTTP/1.1 to see single requests; bytes are passed on as they are, so that
signatures stay valid. A plan is asked about every request and answers with the name of a fault,
or with nothing.
"""

import contextlib
import socket
import struct
import threading
import time

FAULTS = {
    "reset": "the connection is reset before anything is passed on",
    "reset_mid_body": "half of the request reaches the server, then both sides are reset",
    "lost_answer": "the server does what it was asked, its answer is lost",
    "cut_answer": "half of the answer arrives",
    "stall": "nothing is answered until the client gives up",
    "stall_after": "the server does what it was asked, then there is silence",
    "error_500": "InternalError without the server",
    "error_500_after": "the server does what it was asked, the client is told InternalError",
    "slow_down": "503 SlowDown",
    "precondition": "412 without the server",
    "forbidden": "403 AccessDenied without the server",
}
_STATUS = {
    "error_500": (500, "InternalError"),
    "error_500_after": (500, "InternalError"),
    "slow_down": (503, "SlowDown"),
    "precondition": (412, "PreconditionFailed"),
    "forbidden": (403, "AccessDenied"),
}
_STALL_S = 30.0
_CHUNK = 1 << 16


class FaultProxy:
    """Listens on loopback and passes requests on to the server of ``target``."""

    def __init__(self, target, plan=None):
        self.target = target  # (host, port)
        self.plan = plan or (lambda _method, _path: None)
        self.seen = []  # method, path, fault
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener = None
        self.port = 0

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Listen, on the same port as before when there was one."""
        self._closing.clear()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self):
        """Refuse connections from now on."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _accept(self, listener):
        while not self._closing.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError, ValueError), client:
            client.settimeout(_STALL_S)
            while not self._closing.is_set() and self._exchange(client):
                pass

    def _exchange(self, client):
        """Pass one request and its answer; whether the connection goes on."""
        head, rest = _read_head(client)
        if not head:
            return False
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        length = int(_field(head, b"content-length") or 0)
        with self._lock:
            fault = self.plan(method, path)
            self.seen.append((method, path, fault))
        return self._break(client, head, rest, length, method, fault)

    def _break(self, client, head, rest, length, method, fault):
        if fault == "reset":
            return _reset(client)
        if fault == "stall":
            return self._stall(client)
        if fault in _STATUS and fault != "error_500_after":
            _drain(client, head, rest, length)
            return self._refuse(client, method, fault)
        with socket.create_connection(self.target, timeout=_STALL_S) as server:
            if fault == "reset_mid_body":
                server.sendall(head)
                _pass_body(client, server, head, rest, length, length // 2)
                _reset(server)
                return _reset(client)
            server.sendall(head)
            _pass_body(client, server, head, rest, length, length)
            answer_head, answer_rest = _read_final_head(server)
            if not answer_head:
                return _reset(client)
            size = 0 if method == "HEAD" else int(_field(answer_head, b"content-length") or 0)
            is_chunked = b"chunked" in (_field(answer_head, b"transfer-encoding") or b"")
            body = _read_all(server, answer_rest, size, chunked=is_chunked and method != "HEAD")
        return self._answer(client, answer_head, body, method, fault)

    def _answer(self, client, head, body, method, fault):
        if fault == "lost_answer":
            return _reset(client)
        if fault == "stall_after":
            return self._stall(client)
        if fault == "error_500_after":
            return self._refuse(client, method, fault)
        if fault == "cut_answer":
            whole = head + body
            client.sendall(
                whole[: max(1, len(head) // 2 if not body else len(head) + len(body) // 2)]
            )
            return _reset(client)
        client.sendall(head + body)
        return (_field(head, b"connection") or b"").lower() != b"close"

    def _stall(self, client):
        end = time.monotonic() + _STALL_S
        client.settimeout(0.2)
        while time.monotonic() < end and not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                if not client.recv(_CHUNK):
                    break
        return False

    def _refuse(self, client, method, fault):
        status, code = _STATUS[fault]
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>made up</Message></Error>"
        data = b"" if method == "HEAD" else body.encode()
        client.sendall(
            f"HTTP/1.1 {status} Fault\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
            + data
        )
        return False


def _read_head(source):
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = source.recv(_CHUNK)
        if not chunk:
            return b"", b""
        data += chunk
    head, rest = data.split(b"\r\n\r\n", 1)
    return head + b"\r\n\r\n", rest


def _read_final_head(server):
    """Read the head of the answer; a 100 Continue that comes late is skipped."""
    head, rest = _read_head(server)
    while head.startswith(b"HTTP/1.1 100"):
        if b"\r\n\r\n" in rest:
            head, rest = rest.split(b"\r\n\r\n", 1)
            head += b"\r\n\r\n"
        else:
            more, after = _read_head(_Joined(rest, server))
            head, rest = more, after
    return head, rest


class _Joined:
    """Bytes that were read already, then a socket."""

    def __init__(self, first, source):
        self._first, self._source = first, source

    def recv(self, size):
        if self._first:
            data, self._first = self._first, b""
            return data
        return self._source.recv(size)


def _field(head, name):
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def _continue(client, head):
    if (_field(head, b"expect") or b"").lower() == b"100-continue":
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def _drain(client, head, rest, length):
    _continue(client, head)
    left = length - len(rest)
    while left > 0 and (chunk := client.recv(_CHUNK)):
        left -= len(chunk)


def _pass_body(client, server, head, rest, length, limit):
    """Pass up to ``limit`` bytes of a request's body; 100 Continue comes from us."""
    _continue(client, head)
    passed = min(len(rest), limit)
    server.sendall(rest[:passed])
    while passed < limit:
        chunk = client.recv(min(_CHUNK, limit - passed))
        if not chunk:
            raise ConnectionError("the client went away")
        server.sendall(chunk)
        passed += len(chunk)


def _read_all(server, rest, size, *, chunked):
    data = rest
    while (not data.endswith(b"0\r\n\r\n")) if chunked else len(data) < size:
        chunk = server.recv(_CHUNK)
        if not chunk:
            break
        data += chunk
    return data


def _reset(connection):
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False
