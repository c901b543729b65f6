"""More connections than there is room for, all of them idle, silent or slow."""

from __future__ import annotations

import re
import shlex
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import requests

import host as host_module
from host import BINARY, DEADLINE, Host, MakeHost, eventually, result_of
from watch import MIB, PROMPT, Watch, connect

GET = b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: localhost\r\n\r\n"


def silent(_: socket.socket) -> None:
    """Connects, and says nothing."""


def idle(connection: socket.socket) -> None:
    """Has made a call, and keeps the connection."""
    connection.sendall(GET)
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def slow_headers(connection: socket.socket) -> None:
    connection.sendall(b"GET /add?x=1&y=2 HTTP/1.1\r\nHost: local")


def slow_body(connection: socket.socket) -> None:
    connection.sendall(
        b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )


ATTACKS = [silent, idle, slow_headers, slow_body]


def called(host: Host) -> float:
    """How long a new caller waits."""
    begun = time.monotonic()
    with requests.Session() as session:
        session.trust_env = False
        reply = session.get(f"{host.address}/add?x=1&y=2", timeout=DEADLINE)
    assert result_of(reply) == 3
    return time.monotonic() - begun


@pytest.mark.attack(
    "more connections than there is room for: silent, idle, with slow headers, with slow bodies",
    "the longest idle or slowest one makes room; a new caller is served within a second",
)
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_new_caller_is_served(
    make_host: MakeHost, attack: Callable[[socket.socket], None]
) -> None:
    """1,024 such connections made a new caller wait for 72 s."""
    host = make_host("math", config="[server]\nmax_connections = 128\n")
    with ExitStack() as stack:
        with Watch(host) as watch:
            for _ in range(200):
                attack(stack.enter_context(connect(host)))
                # Who needs longer for a request than 128 others for a connection is the oldest.
                time.sleep(0.005)
        watch.check(growth=64 * MIB)
        waits = sorted(called(host) for _ in range(9))
        assert waits[4] < PROMPT, waits


@pytest.mark.attack(
    "the same with `ulimit -n 256`",
    "descriptors are kept back; a new caller is served within a second",
)
@pytest.mark.parametrize("attack", [silent, slow_body])
def test_a_new_caller_is_served_where_few_files_may_be_open(
    make_host: MakeHost,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    attack: Callable[[socket.socket], None],
) -> None:
    """With `ulimit -n 256` a new caller waited for ever."""
    script = tmp_path_factory.mktemp("limited") / "tarp"
    script.write_text(f'#!/bin/sh\nulimit -n 256\nexec {shlex.quote(str(BINARY))} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(host_module, "BINARY", script)
    host = make_host("math")
    assert "ulimit -n" in host.log
    with ExitStack() as stack:
        for _ in range(300):
            attack(stack.enter_context(connect(host)))
        waits = sorted(called(host) for _ in range(9))
        assert waits[4] < PROMPT, waits
    assert "Too many open files" not in host.log


@pytest.mark.attack(
    "the same beside a call that runs",
    "the call is answered",
)
def test_a_call_that_runs_is_never_ended_for_a_new_caller(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave", config="[server]\nmax_connections = 4\n")
    with ExitStack() as stack:
        busy = stack.enter_context(connect(host))
        busy.sendall(b"GET /sleep_for?milliseconds=5000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        running = re.compile(r'tarp_calls_running\{[^}]*"sleep_for"[^}]*\} 1')
        eventually(lambda: running.search(host.request("GET", "/-/metrics").text))
        for _ in range(20):
            stack.enter_context(connect(host))
        called(host)
        assert b'"result":5000' in busy.recv(65536)
