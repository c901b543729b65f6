"""Floods of frames of HTTP/2: rapid reset, CONTINUATION, settings, pings, empty data."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from host import DEADLINE, Host, MakeHost
from watch import MIB, Watch, connect

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def text(value: bytes) -> bytes:
    return bytes([len(value)]) + value


#: GET http://localhost/sleep_for?milliseconds=50, by the static table of HPACK.
GET = b"\x82\x86\x01" + text(b"localhost") + b"\x04" + text(b"/sleep_for?milliseconds=50")
POST = b"\x83\x86\x01" + text(b"localhost") + b"\x04" + text(b"/add")


def rapid_reset() -> Iterator[bytes]:
    for n in range(20_000):
        stream = 2 * n + 1
        yield frame(HEADERS, END_HEADERS | END_STREAM, stream, GET) + frame(
            RST_STREAM, 0, stream, struct.pack(">I", 8)
        )


def continuations() -> Iterator[bytes]:
    yield frame(HEADERS, END_STREAM, 1, GET)
    for n in range(5_000):
        name = b"x-%d" % n
        yield frame(CONTINUATION, 0, 1, (b"\x00" + text(name) + text(b"y" * 100)) * 100)


def empty_continuations() -> Iterator[bytes]:
    yield frame(HEADERS, END_STREAM, 1, GET)
    for _ in range(50_000):
        yield frame(CONTINUATION, 0, 1, b"")


def settings() -> Iterator[bytes]:
    for _ in range(50_000):
        yield frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535))


def pings() -> Iterator[bytes]:
    for _ in range(50_000):
        yield frame(PING, 0, 0, b"12345678")


def empty_data() -> Iterator[bytes]:
    yield frame(HEADERS, END_HEADERS, 1, POST)
    for _ in range(50_000):
        yield frame(DATA, 0, 1, b"")


FLOODS = [rapid_reset, continuations, empty_continuations, settings, pings, empty_data]


@pytest.fixture(scope="module")
def target(make_module_host: MakeHost) -> Host:
    return make_module_host("math", "misbehave", config="[server]\nbody_timeout = '5 s'\n")


@pytest.mark.attack(
    "HTTP/2: rapid resets, floods of CONTINUATION, settings, pings and empty data",
    "the connection is ended or slowed; memory stays, others are answered",
)
@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("reads", [True, False])
def test_floods_hurt_nobody(target: Host, flood, reads: bool) -> None:
    with Watch(target) as watch, connect(target) as connection:
        connection.settimeout(DEADLINE if reads else 2)
        try:
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0, b""))
            for batch in batched(flood()):
                connection.sendall(batch)
                if reads:
                    drain(connection)
        except (ConnectionError, TimeoutError):
            pass  # Refused, or nobody reads what it sends.
    watch.check(growth=64 * MIB)
    assert target.is_running


def batched(frames: Iterator[bytes]) -> Iterator[bytes]:
    batch = bytearray()
    for one in frames:
        batch += one
        if len(batch) > 32_768:
            yield bytes(batch)
            batch.clear()
    yield bytes(batch)


def drain(connection: socket.socket) -> None:
    connection.setblocking(False)
    try:
        while connection.recv(1 << 20):
            pass
    except BlockingIOError:
        pass
    finally:
        connection.settimeout(DEADLINE)
