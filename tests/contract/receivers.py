"""Receivers of messages on the loopback: a web server that keeps what it is sent, and a mail server."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from simulator.tls import server_context


@dataclass
class WebReceiver:
    """`status` and `answer` are what it says to every POST; None hangs up without an answer."""

    port: int = 0
    status: int | None = 200
    answer: bytes = b"ok"
    requests: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.requests]


@contextmanager
def web_receiver(tls: Path | None = None) -> Iterator[WebReceiver]:
    """On a free port; with `tls` a directory for certificates, whose `ca.pem` clients must trust."""
    receiver = WebReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.requests.append((self.path, body))
            if receiver.status is None:
                self.close_connection = True
                return
            self.send_response(receiver.status)
            if receiver.status in (301, 302, 307):
                self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
            self.send_header("Content-Length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def do_GET(self) -> None:
            receiver.requests.append((f"GET {self.path}", b"null"))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = server_context(tls).wrap_socket(server.socket, server_side=True)
        receiver.port = server.server_address[1]
        with _running(server):
            yield receiver


@dataclass
class MailReceiver:
    """Takes mail for everyone, or for nobody."""

    port: int = 0
    takes_mail: bool = True
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)


@contextmanager
def mail_receiver() -> Iterator[MailReceiver]:
    """As much SMTP as a client needs to hand over a mail (RFC 5321)."""
    receiver = MailReceiver()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 localhost")
            recipients: list[str] = []
            for line in iter(self.rfile.readline, b""):
                verb, _, rest = line.decode().strip().partition(" ")
                if verb.upper() == "RCPT" and not receiver.takes_mail:
                    self._say("550 no such mailbox")
                elif verb.upper() == "RCPT":
                    recipients.append(rest.partition(":")[2].strip("<>"))
                    self._say("250 ok")
                elif verb.upper() == "DATA":
                    self._say("354 go on")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    mail = message_from_bytes(b"".join(lines), policy=policy.default)
                    assert isinstance(mail, EmailMessage)
                    receiver.mails.append((recipients, mail))
                    self._say("250 ok")
                else:
                    self._say("221 bye" if verb.upper() == "QUIT" else "250 ok")

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        with _running(server):
            yield receiver


@contextmanager
def _running(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
