"""Real servers on loopback that are told of runs: a web server and a mail server, with faults."""

import contextlib
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Told:
    """What a server got, and how it answers."""

    requests: list = field(default_factory=list)  # (path, content type, body)
    statuses: list = field(default_factory=list)  # answers still to give, then 200
    hangs: bool = False
    drips: bool = False  # a byte now and then, for ever
    port: int = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def web_server():
    told, ended = Told(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((self.path, self.headers["Content-Type"], body.decode()))
            if told.hangs:
                ended.wait()
            elif told.drips:
                self._drip()
            else:
                status = told.statuses.pop(0) if told.statuses else 200
                self.send_response(status)
                self.send_header("Location", "file:///etc/passwd")
                self.end_headers()

        def _drip(self):
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 50000\r\n\r\n")
                while not ended.wait(0.05):
                    self.wfile.write(b".")
                    self.wfile.flush()

        def log_message(self, *arguments):
            pass

    with _served(ThreadingHTTPServer(("127.0.0.1", 0), Handler), ended) as port:
        told.port = port
        yield told


@dataclass
class Mailbox:
    """What a mail server got, and whom it refuses."""

    mails: list = field(default_factory=list)  # (sender, recipients, text)
    refused: set = field(default_factory=set)
    hangs: bool = False
    says: list = field(default_factory=list)  # what clients said
    port: int = 0


class _MailHandler(socketserver.StreamRequestHandler):
    def handle(self):
        self.sender, self.recipients = "", []
        if self.server.box.hangs:
            self.server.ended.wait()
            return
        self.say("220 ready")
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            self.server.box.says.append(line)
            verb = line.split(":")[0].split(" ")[0].lower()
            getattr(self, f"do_{verb}", lambda _: self.say("250 ok"))(line)

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())

    def do_ehlo(self, _):
        self.say("250-here\r\n250 AUTH PLAIN LOGIN")

    def do_mail(self, line):
        self.sender = line.partition("<")[2].partition(">")[0]
        self.say("250 ok")

    def do_rcpt(self, line):
        recipient = line.partition("<")[2].partition(">")[0]
        if recipient in self.server.box.refused:
            self.say("550 no such user here")
        else:
            self.recipients.append(recipient)
            self.say("250 ok")

    def do_data(self, _):
        self.say("354 go on")
        text = b"".join(iter(self.rfile.readline, b".\r\n"))
        self.server.box.mails.append((self.sender, self.recipients, text))
        self.say("250 taken")

    def do_quit(self, _):
        self.say("221 bye")


@contextlib.contextmanager
def mail_server():
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _MailHandler)
    server.box, server.ended = Mailbox(), threading.Event()
    with _served(server, server.ended) as port:
        server.box.port = port
        yield server.box


@contextlib.contextmanager
def _served(server, ended):
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
