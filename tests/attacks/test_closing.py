"""A connection that the host is going to close says so; where it need not, it lives on."""

from __future__ import annotations

import http.client
import json

import pytest

from host import DEADLINE, Host, MakeHost
from watch import MIB, Watch, connect


@pytest.fixture(scope="module")
def target(make_module_host: MakeHost) -> Host:
    return make_module_host("math", "text", config="[server]\nmax_body = '1 MiB'\n")


@pytest.mark.attack(
    "bodies for paths and methods that there are not",
    "they are refused; the next request succeeds, or the client was told of the end",
)
@pytest.mark.parametrize("size", [2, 100_000, 3 * MIB])
@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nothing", "POST", 404),
        ("/-/nothing", "POST", 404),
        ("/-/health", "POST", 405),
        ("/add", "PUT", 405),
        ("/add", "GET", 400),
    ],
)
def test_a_plain_client_can_go_on(
    target: Host, size: int, path: str, method: str, status: int
) -> None:
    """After a 404 to a POST, 13 of 20 next requests failed: the host had closed without a word."""
    client = http.client.HTTPConnection("127.0.0.1", target.port, timeout=DEADLINE)
    if method == "GET" and size > MIB:
        status = 413  # A body is read before it is said that nobody wants it.
    for _ in range(20 if size < MIB else 3):
        client.request(method, path, body=b"x" * size)
        reply = client.getresponse()
        assert reply.status == status, reply.read()
        reply.read()
        # What `http.client` does by itself if it is told that the connection ends.
        client.request("GET", "/add?x=1&y=2")
        reply = client.getresponse()
        assert json.loads(reply.read())["result"] == 3
    client.close()


@pytest.mark.attack(
    "`Expect: 100-continue` for a path that there is not",
    "404 with `Connection: close`, and no body is asked for",
)
def test_who_waits_to_be_asked_for_the_body_is_told_of_the_end(target: Host) -> None:
    with connect(target) as connection:
        connection.sendall(
            b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 404")
        assert b"connection: close" in answer.split(b"\r\n\r\n")[0].lower()
        assert connection.recv(65536) == b""


@pytest.mark.attack(
    "an announced body that never comes, for a path that there is not",
    "404 at once",
)
def test_a_body_that_never_comes_does_not_hold_up_the_reply(target: Host) -> None:
    with Watch(target) as watch, connect(target) as connection:
        connection.sendall(
            b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nx"
        )
        connection.settimeout(10)
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 404")
        assert b"connection: close" in answer.split(b"\r\n\r\n")[0].lower()
    watch.check(growth=64 * MIB)
