"""Real receivers on loopback: a mail server, and an HTTP server that does as it is told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class MailServer:
    """What came by mail. Who is among those that it `refuses` hears why not."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address not in self.refuses:
            envelope.rcpt_tos.append(address)
        return self.refuses.get(address, "250 OK")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(BytesParser().parsebytes(envelope.content))
        return "250 OK"

    @property
    def url(self) -> str:
        """How Apprise reaches it."""
        return f"mailto://127.0.0.1:{self.port}?from=tick@a.example&to=ops@b.example"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    def body(self, number: int = -1) -> str:
        """The text of a mail."""
        for part in self.mails[number].walk():
            if part.get_content_type() == "text/plain":
                payload = part.get_payload(decode=True)
                assert isinstance(payload, bytes)
                return payload.decode().replace("\r\n", "\n")
        raise AssertionError("a mail without text")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server on a port of its own."""
    server = MailServer()
    controller = Controller(server, hostname="127.0.0.1", port=_free_port())
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class Request:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpReceiver:
    """What came by HTTP; `status` is what it answers, `while_asked` what it does first."""

    url: str = ""
    status: int = 200
    requests: list[Request] = field(default_factory=list)
    while_asked: Callable[[], None] = lambda: None

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    """A server on a port of its own."""
    receiver = HttpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(Request(self.path, headers, body))
            receiver.while_asked()
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
