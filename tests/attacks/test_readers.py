"""Callers who ask for much and do not read it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from contextlib import ExitStack

import h2.config
import h2.connection
import h2.events
import pytest

from host import Host, MakeHost, eventually, in_background
from watch import MIB, Watch, charged, connect, settles_below

LIMITS = "[limits]\nmemory = '300 MiB'\n"


@pytest.mark.attack(
    "40 callers who ask for 40 MiB each and do not read",
    "replies share the budget; who finds no room gets 503",
)
def test_replies_that_nobody_reads_share_a_budget(make_host: MakeHost) -> None:
    """60 clients that did not read held 3.4 GB."""
    host = make_host("math", "misbehave", config=f"[server]\nmemory = '512 MiB'\n{LIMITS}")
    request = b"GET /flood_result?bytes=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % (40 * MIB)
    with ExitStack() as stack, Watch(host) as watch:
        unread = [stack.enter_context(connect(host)) for _ in range(40)]
        for connection in unread:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request)
        # Each has a reply, or was told that there is no room.
        for connection in unread:
            assert connection.recv(15).startswith((b"HTTP/1.1 200", b"HTTP/1.1 503"))
    watch.check(growth=1100 * MIB)
    settles_below(host, watch.before + 200 * MIB)


@pytest.mark.attack(
    "a reader who takes a byte now and then",
    "the connection is closed after `idle_timeout`",
)
def test_a_reader_who_takes_a_byte_now_and_then_is_given_up(make_host: MakeHost) -> None:
    config = f"[server]\nidle_timeout = '1 s'\n{LIMITS}"
    host = make_host("math", "misbehave", config=config)
    with connect(host) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(
            b"GET /flood_result?bytes=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % (40 * MIB)
        )
        assert connection.recv(15) == b"HTTP/1.1 200 OK"

        def drip(over: threading.Event) -> None:
            with contextlib.suppress(OSError):
                while not over.wait(0.05):
                    connection.recv(1)

        # The kernel still delivers what it has taken, so that only the host can tell.
        with in_background(drip):
            eventually(lambda: "tarp_connections 1.0\n" in figures(host))


def figures(host: Host) -> str:
    return host.request("GET", "/-/metrics").text


class Streams:
    """A client of HTTP/2 that opens streams, and gives each no more than its first window."""

    def __init__(self, host: Host) -> None:
        self.socket = connect(host)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.http.initiate_connection()
        self.authority = f"localhost:{host.port}"
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.http.data_to_send())

    def ask(self, path: str) -> int:
        stream = self.http.get_next_available_stream_id()
        self.http.send_headers(
            stream,
            [
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", self.authority),
                (":path", path),
            ],
            end_stream=True,
        )
        self.flush()
        return stream

    def events(self, wait: float) -> list[h2.events.Event]:
        """What comes within so many seconds, without giving anything back for it."""
        self.socket.settimeout(wait)
        try:
            data = self.socket.recv(1 << 20)
        except TimeoutError:
            return []
        assert data, "the host closed the connection"
        events = self.http.receive_data(data)
        self.flush()
        return events


@pytest.mark.attack(
    "streams of HTTP/2 that are not read, on a connection that is otherwise alive",
    "the streams are reset and their memory is given back",
)
@pytest.mark.parametrize("is_alive", [True, False])
def test_streams_that_nobody_reads_are_reset(make_host: MakeHost, is_alive: bool) -> None:
    """A connection that lives on, by other requests, held the replies of its streams for ever."""
    config = f"[server]\nmemory = '1 GiB'\nidle_timeout = '2 s'\n{LIMITS}"
    host = make_host("math", "misbehave", config=config)
    with Watch(host) as watch:
        client = Streams(host)
        streams = {client.ask(f"/flood_result?bytes={20 * MIB}") for _ in range(16)}
        begun: set[int] = set()

        def all_begun() -> bool:
            events = client.events(0.2)
            begun.update(e.stream_id for e in events if isinstance(e, h2.events.ResponseReceived))
            return begun >= streams

        eventually(all_begun)
        if is_alive:
            end = time.monotonic() + 4
            while time.monotonic() < end:
                client.http.ping(b"12345678")
                stream = client.ask("/-/health")
                client.flush()
                answered = False
                while not answered and time.monotonic() < end:
                    events = client.events(0.2)
                    answered = any(
                        isinstance(e, h2.events.ResponseReceived) and e.stream_id == stream
                        for e in events
                    )
                time.sleep(0.1)
        # The allocator may keep some of it for a while.
        eventually(lambda: charged(host) < 20 * MIB)
        client.socket.close()
    # The budget, and what the allocator keeps beside it.
    watch.check(growth=1536 * MIB)
