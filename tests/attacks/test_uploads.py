"""Uploads that announce much and send little, or send much and never end."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack

import pytest

from host import DEADLINE, Host, MakeHost, eventually
from watch import MIB, Watch, charged, connect, settles_below

BUDGET = "[server]\nmemory = '256 MiB'\nmax_body = '64 MiB'\nbody_timeout = '20 s'\n"


def begin(host: Host, announced: int) -> socket.socket:
    connection = connect(host)
    connection.sendall(
        b"POST /checksum HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/octet-stream\r\n"
        b"Content-Length: %d\r\n\r\n" % announced
    )
    return connection


def upload(connection: socket.socket, size: int) -> None:
    """Sends so much of a body, for as long as the host takes it."""
    connection.settimeout(3)
    try:
        for _ in range(size // MIB):
            connection.sendall(bytes(MIB))
    except OSError:
        pass


@pytest.mark.attack(
    "300 uploads that announce 60 MiB each and send one byte",
    "memory grows as data comes; others are answered",
)
def test_what_is_announced_takes_no_memory(make_host: MakeHost) -> None:
    """Each of 300 connections had as much reserved for it as it said would come."""
    host = make_host("math", "text", config=BUDGET)
    with ExitStack() as stack, Watch(host) as watch:
        for _ in range(300):
            connection = stack.enter_context(begin(host, 60 * MIB))
            connection.sendall(b"x")
        eventually(lambda: len(watch.waits) > 10)
    watch.check(growth=64 * MIB)


@pytest.mark.attack(
    "30 uploads of 40 MiB that stall half way",
    "they share the budget; the rest get 503 with `Retry-After`, and all is given back",
)
def test_uploads_that_stall_share_a_budget(make_host: MakeHost) -> None:
    host = make_host("math", "text", config=BUDGET)
    with ExitStack() as stack:
        with Watch(host) as watch:
            stalled = [stack.enter_context(begin(host, 40 * MIB)) for _ in range(30)]
            for connection in stalled:
                upload(connection, 20 * MIB)
            answers = []
            for connection in stalled:
                connection.settimeout(0.1)
                try:
                    answers.append(connection.recv(65536))
                except OSError:
                    answers.append(b"")
        watch.check(growth=400 * MIB)
        refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503")]
        assert refused, "some found no room"
        for answer in refused:
            head, body = answer.split(b"\r\n\r\n", 1)
            assert b"retry-after: " in head.lower()
            failure = json.loads(body)
            assert failure["type"] == "Overloaded"
            assert "`memory`" in failure["message"]
    # All of it is given back when they are gone.
    body = bytes(32 * MIB)

    def is_served() -> bool:
        reply = host.request("POST", "/checksum", data=body)
        return reply.status_code == 200

    eventually(is_served)
    eventually(lambda: charged(host) < 20 * MIB)
    settles_below(host, watch.before + 300 * MIB)


@pytest.mark.attack(
    "a body larger than the whole budget",
    "413 `TooLarge`, not `Overloaded`; it names `memory`",
)
def test_a_body_that_can_never_fit_is_refused_for_good(make_host: MakeHost) -> None:
    config = "[server]\nmemory = '64 MiB'\nmax_body = '64 MiB'\n"
    host = make_host("math", "text", config=config)
    with Watch(host) as watch:
        reply = host.session.post(
            f"{host.address}/checksum", data=bytes(60 * MIB), timeout=DEADLINE
        )
    watch.check(growth=160 * MIB)
    assert (reply.status_code, reply.json()["type"]) == (413, "TooLarge")
    assert "`memory`" in reply.json()["message"]
