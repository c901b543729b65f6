"""Connections: used again, replaced when they are gone, and never mixed up."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import MakeHost

import tarp
from tarp._address import parse_address
from tarp._message import Request
from tarp._transport import Transport

DEADLINE = 60.0

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def listener(*answers: bytes) -> Iterator[tuple[str, list[int]]]:
    """A server that reads a request and gives the next answer, then closes; one at a time.

    An empty answer is silence.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()
        requests: list[int] = []

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    requests.append(len(connection.recv(1 << 16)))
                    connection.sendall(answer)
                    if not answer:
                        over.wait(DEADLINE)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", requests
        over.set()
        thread.join(DEADLINE)


def test_one_connection_serves_many_calls(url: str) -> None:
    transport = Transport(parse_address(url), 10.0)
    connections = set()
    for _ in range(5):
        transport.send(Request("GET", "/-/procedures"))
        (connection,) = transport._idle
        connections.add(connection)
    assert len(connections) == 1
    transport.close()


def test_a_connection_that_the_host_has_closed_is_not_used_again() -> None:
    with listener(OK, OK, OK) as (url, requests):
        transport = Transport(parse_address(url), 10.0)
        for count in range(1, 4):
            assert transport.send(Request("GET", "/")).status == 200
            for connection in transport._idle:
                while connection.is_fresh():
                    pass
            assert len(requests) == count
        transport.close()


def test_a_reply_that_breaks_off_is_a_connection_that_failed() -> None:
    with listener(b"") as (url, _):
        transport = Transport(parse_address(url), 10.0)
        with pytest.raises(tarp.TimedOut, match=r"kept silent for 0\.1 s"):
            transport.send(Request("GET", "/", timeout=0.1))
    with listener(OK[:20], OK[:-1], b"no http\r\n") as (url, _):
        transport = Transport(parse_address(url), 10.0)
        for _ in range(2):
            with pytest.raises(tarp.ConnectionFailed, match="closed the connection"):
                transport.send(Request("GET", "/"))
        with pytest.raises(tarp.InvalidReply):
            transport.send(Request("GET", "/"))
        assert not transport._idle


def test_a_call_on_a_lost_connection_is_not_repeated() -> None:
    listing = (
        b'{"version":"1","complete":true,"procedures":[{"name":"f","parameters":[],'
        b'"result":null}],"problems":[]}'
    )
    catalog = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + listing
    done = OK.replace(b"Content-", b"X-Tarp-Catalog: 1\r\nContent-")
    with listener(catalog, b"HTTP/1.1", done) as (url, requests), tarp.connect(url) as host:
        with pytest.raises(tarp.ConnectionFailed):
            host.f()
        assert len(requests) == 2
        assert host.f.options(idempotency_key="k")() == b"ok"


def test_a_host_that_refuses_a_long_body_is_heard(make_server: MakeHost) -> None:
    server = make_server("math")
    with tarp.connect(server.url) as host, pytest.raises(tarp.TooLarge):
        host.sum([0.5] * (1 << 25))


def test_a_host_that_keeps_silent(host: tarp.Host) -> None:
    with pytest.raises(tarp.TimedOut, match=r"kept silent for 0\.1 s"):
        host.sleep_for.options(timeout=0.1)(60_000)
    assert host.add(1, 2) == 3


def test_the_host_comes_back(make_server: MakeHost) -> None:
    server = make_server("math")
    with tarp.connect(server.url, retry_for=60) as host:
        add = host.add
        assert add(1, 2) == 3
        server.kill()
        with pytest.raises(tarp.ConnectionFailed):
            add(1, 2)
        server.start()
        assert add(1, 2) == 3
        assert host.statistics.mean([1, 2]) == 1.5


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_has_connections_of_its_own(host: tarp.Host) -> None:
    assert host.add(1, 2) == 3
    child = os.fork()
    if child == 0:
        right = all(host.add(n, 1) == n + 1 for n in range(100))
        os._exit(0 if right else 1)
    assert all(host.add(n, 2) == n + 2 for n in range(100))
    assert os.waitpid(child, 0)[1] == 0
