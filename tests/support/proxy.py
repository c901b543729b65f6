"""A proxy before a host: passes requests on, and answers some of them itself."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """What the proxy says in the host's place."""

    status: int
    body: bytes
    media: str = "text/html"


BAD_GATEWAY = Answer(502, b"<html><title>502 Bad Gateway</title></html>")
GATEWAY_TIMEOUT = Answer(504, b"upstream request timeout", "text/plain")
PORTAL = Answer(200, b"<html><title>Log in to the network</title></html>")
NOT_FOUND = Answer(404, b"<html><h1>404</h1></html>")
CUT_OFF = Answer(200, b'{"id": "7e0c", "proced', "application/json")
NOT_YET = Answer(
    503,
    b'{"status":"error","type":"OperationInProgress","message":"the job is running"}',
    "application/json",
)


class Proxy:
    """Where it is, what was asked of it, and what it answers by itself."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[tuple[str, str]] = []
        self.rule: Callable[[str], Answer | None] = lambda _asked: None
        #: Replies to a POST that are thrown away after the host has done its work.
        self.losses = 0

    def answer_once(self, part: str, *answers: Answer) -> None:
        """Gives these answers to the next requests whose method and target have that part."""
        left = list(answers)
        self.rule = lambda asked: left.pop(0) if left and part in asked else None


@contextlib.contextmanager
def proxy_before(host_address: str, path: str = "") -> Iterator[Proxy]:
    """Runs a proxy before the host, which it has under a path of its own."""
    upstream = urlsplit(host_address)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            proxy.asked.append((self.command, self.path))
            answer = proxy.rule(f"{self.command} {self.path}")
            if not self.path.startswith(path):
                answer = NOT_FOUND
            if answer is None:
                self.pass_on(body)
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def pass_on(self, body: bytes) -> None:
            connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port)
            with contextlib.closing(connection):
                target = self.path.removeprefix(path)
                connection.request(self.command, target, body, dict(self.headers))
                reply = connection.getresponse()
                if self.command == "POST" and proxy.losses:
                    reply.read()
                    proxy.losses -= 1
                    return
                self.send_response(reply.status)
                for name, value in reply.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "date"):
                        self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    while piece := reply.read1(1 << 16):
                        self.wfile.write(piece)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
