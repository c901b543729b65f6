"""A stand-in for a host: gives answers that the examples do not give, and keeps what was asked."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    """A request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What is answered."""

    content: Any
    media: str = "application/json"
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012

    @property
    def body(self) -> bytes:
        return (
            self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        )


def envelope(result: Any, mimetype: str = "application/json") -> Answer:
    """The host's envelope of success."""
    return Answer({"status": "success", "mimetype": mimetype, "result": result})


def raw(content: bytes, media: str, status: int = 200) -> Answer:
    """What a web procedure answers as it is."""
    return Answer(content, media, status, {"x-tarp-fuel": "7"})


def procedure(name: str, **described: Any) -> dict[str, Any]:
    """A procedure as `/-/procedures` describes it."""
    unsaid = {"signature": "()", "parameters": [], "result": None, "mode": "sync", "web": None}
    return {"name": name} | unsaid | described


class StandIn:
    """Answers by path, and remembers what came."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.answers: dict[str, Answer] = {}
        self.received: list[Received] = []

    def serve(self, *procedures: dict[str, Any], **answers: Answer) -> None:
        """Serves these procedures, each with the answer of its name."""
        catalog = {"version": "1", "complete": True, "procedures": procedures, "problems": []}
        self.answers["/-/procedures"] = Answer(catalog)
        self.answers |= {f"/{name}": answer for name, answer in answers.items()}


@contextlib.contextmanager
def standing_in() -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            stand_in.received.append(Received(self.command, self.path, headers, body))
            path = self.path.split("?")[0]
            answer = stand_in.answers.get(path, Answer(b"<h1>?</h1>", "text/html", 404))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stand_in = StandIn(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()
