"""A server of the lab, to which guests send requests."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "s3cret-of-the-lab"


class Server(BaseHTTPRequestHandler):
    """Says what it was asked, redirects, is slow, and sends more than is good."""

    protocol_version = "HTTP/1.1"

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        if self.path == "/headers":
            headers = [f"{name}: {value}" for name, value in self.headers.items()]
            server.headers = headers
            shown = [header.replace(SECRET, "***") for header in headers]
            self.answer(json.dumps(shown).encode())
        elif self.path.startswith("/to/"):
            self.answer(b"", 302, Location="http://" + self.path.removeprefix("/to/"))
        elif self.path == "/moved":
            self.answer(b"", 302, Location="there/../here?n=1")
        elif self.path == "/lost":
            self.answer(b"nobody knows it", 404, x_lab="south")
        elif self.path.startswith("/bytes/"):
            self.answer(bytes(int(self.path.removeprefix("/bytes/"))))
        elif self.path == "/head":
            self.answer(b"", **{f"x-{number}": "y" * 1000 for number in range(99)})
        elif self.path == "/slow":
            server.over.wait(20)
            self.answer(b"late")
        else:
            self.answer(f"{self.command} {self.path} {sent.decode()}".encode(), x_lab="north")

    do_POST = do_PUT = do_GET

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    server.asked, server.headers, server.over = [], [], threading.Event()
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.at = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
