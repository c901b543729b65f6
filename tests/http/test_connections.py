"""Connections that are slow, silent, many or broken, and the times that the host gives them."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from certificate import make_certificate
from host import DEADLINE, Host, MakeHost, eventually, in_background, result_of


def connect(host: Host) -> socket.socket:
    return socket.create_connection(("127.0.0.1", host.port), DEADLINE)


def rest(connection: socket.socket) -> bytes:
    """Everything until the host closes the connection."""
    received = bytearray()
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return bytes(received)


def was_refused(answer: bytes) -> bool:
    """Whether a connection was closed without a reply, or with one that says why."""
    return not answer or answer.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400"))


# Times.


@pytest.mark.attack(
    "headers that never end, silent or with a line now and then",
    "refused and closed after `header_timeout`",
)
def test_slow_headers_are_cut(make_host: MakeHost) -> None:
    host = make_host("math", config="[server]\nheader_timeout = '500 ms'\n")
    with connect(host) as connection:
        connection.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n")
        assert was_refused(rest(connection))
    # A byte now and then does not buy more time.
    with connect(host) as connection:
        closed = threading.Event()

        def drip(over: threading.Event) -> None:
            while not closed.wait(0.1) and not over.is_set():
                try:
                    connection.sendall(b"X-More: yes\r\n")
                except OSError:
                    return

        with in_background(drip):
            connection.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n")
            assert was_refused(rest(connection))
            closed.set()
    assert host.rpc("add", 1, 2) == 3


def test_slow_headers_after_a_good_request_are_cut_too(make_host: MakeHost) -> None:
    host = make_host("math", config="[server]\nheader_timeout = '500 ms'\n")
    with connect(host) as connection:
        connection.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHo")
        assert was_refused(rest(connection))


@pytest.mark.attack(
    "a body that stops",
    "408 after `body_timeout`",
)
def test_slow_bodies_are_cut(make_host: MakeHost) -> None:
    host = make_host("math", config="[server]\nbody_timeout = '500 ms'\n")
    with connect(host) as connection:
        connection.sendall(
            b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b'Content-Length: 16\r\n\r\n{"x": 1'
        )
        answer = connection.recv(65536)
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 408")
    failure = json.loads(body)
    assert failure["type"] == "RequestTimeout"
    assert "500ms" in failure["message"]


def test_idle_connections_are_closed_and_busy_ones_are_not(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave", config="[server]\nidle_timeout = '400 ms'\n")
    with connect(host) as silent, connect(host) as idle, connect(host) as busy:
        idle.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        busy.sendall(b"GET /sleep_for?milliseconds=1500 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert rest(silent) == b""
        assert rest(idle).startswith(b"HTTP/1.1 200")
        answer = rest(busy)
        assert answer.startswith(b"HTTP/1.1 200")
        assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["result"] == 1500


def test_an_idle_connection_is_kept_for_its_time(make_host: MakeHost) -> None:
    host = make_host("math", config="[server]\nheader_timeout = '300 ms'\n")
    with connect(host) as connection, connect(host) as clock:
        connection.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        # Meanwhile a slow one runs into the shorter time for headers.
        clock.sendall(b"GET ")
        assert was_refused(rest(clock))
        connection.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


# Numbers.


def test_a_flood_of_connections_passes(make_host: MakeHost) -> None:
    config = "[server]\nmax_connections = 8\nheader_timeout = '400 ms'\nidle_timeout = '400 ms'\n"
    host = make_host("math", config=config)
    with ExitStack() as flood:
        for _ in range(64):
            flood.enter_context(connect(host)).sendall(b"GET / HTTP/1.1\r\n")
        # While they last, and after the host has thrown each of them out in turn.
        assert result_of(requests.get(f"{host.address}/add?x=1&y=2", timeout=DEADLINE)) == 3
    assert host.is_running
    for _ in range(20):
        assert result_of(requests.get(f"{host.address}/add?x=1&y=2", timeout=DEADLINE)) == 3


def test_the_connection_that_was_idle_for_longest_makes_room(make_host: MakeHost) -> None:
    host = make_host("math", config="[server]\nmax_connections = 2\n")
    with connect(host) as one, connect(host) as two:
        request = b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for connection in (one, two):
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        three = connect(host)
        three.sendall(request)
        assert three.recv(65536).startswith(b"HTTP/1.1 200")
        assert rest(one) == b""
        two.sendall(request)
        assert two.recv(65536).startswith(b"HTTP/1.1 200")
        three.close()


# Breakage.


@pytest.mark.attack(
    "TLS handshakes that say nothing",
    "nobody waits for them",
)
def test_a_silent_tls_handshake_keeps_nobody_waiting(make_host: MakeHost, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    host = make_host("math", flags=["--tls-cert", made.cert, "--tls-key", made.key])
    host.verify = str(made.cert)
    with connect(host), connect(host) as half:
        half.sendall(b"\x16\x03\x01")
        assert host.rpc("add", 1, 2) == 3


def test_a_silent_tls_handshake_is_cut(make_host: MakeHost, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    config = "[server]\nheader_timeout = '400 ms'\n"
    host = make_host("math", config=config, flags=["--tls-cert", made.cert, "--tls-key", made.key])
    with connect(host) as connection:
        assert rest(connection) == b""


@pytest.mark.attack(
    "a caller who leaves",
    "the guest is ended",
)
def test_a_caller_who_leaves_ends_the_call(make_host: MakeHost) -> None:
    """Its place is free again long before the guest would have ended by itself."""
    host = make_host("misbehave", "math", config="[server]\nmax_calls = 1\n")
    with connect(host) as connection:
        connection.sendall(b"GET /sleep_for?milliseconds=55000 HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def is_taken() -> bool:
            return host.outcome("add", 1, 2) == "Overloaded"

        eventually(is_taken)
    assert eventually(lambda: host.outcome("add", 1, 2) == "success")


def test_a_body_that_breaks_off_hurts_nobody(make_host: MakeHost) -> None:
    host = make_host("math", config="[server]\nmax_connections = 1\n")
    for _ in range(3):
        with connect(host) as connection:
            connection.sendall(
                b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"
            )
    assert requests.get(f"{host.address}/add?x=1&y=2", timeout=DEADLINE).json()["result"] == 3


@pytest.mark.attack(
    "a header of 4 MB",
    "refused, or the connection is closed",
)
def test_headers_without_end_are_refused(make_host: MakeHost) -> None:
    host = make_host("math")
    with connect(host) as connection:
        answer = b""
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 4_000_000)
            answer = rest(connection)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Closed while we were still sending.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert host.rpc("add", 1, 2) == 3
