"""HTTP as bytes: what is written, and replies in pieces of any size."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import pytest

import tarp
from tarp import _http
from tarp._address import parse_address
from tarp._http import ReplyReader, RequestWriter
from tarp._message import Request

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-Tarp-Fuel: 7\r\n\r\nhello world"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"
)
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\n\r\nhello world"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def read(data: bytes, size: int) -> ReplyReader:
    """Feeds a reader as a transport does, with pieces of this size."""
    reader = ReplyReader()
    while data and not reader.done:
        place = reader.vacancy()
        if place is None:
            reader.feed(data[:size])
            data = data[size:]
            continue
        with place:
            count = min(size, len(place), len(data))
            place[:count] = data[:count]
        reader.fill(count)
        data = data[count:]
    return reader


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("whole", [PLAIN, CHUNKED, CONTINUED, UNTIL_CLOSED], ids=range(4))
def test_a_reply_in_pieces(whole: bytes, size: int) -> None:
    reader = read(whole, size)
    if whole is UNTIL_CLOSED:
        assert not reader.done
        reader.end()
    assert reader.done
    reply = reader.reply()
    assert reply.status == 200
    assert bytes(reply.body) == b"hello world"
    assert reader.reusable == (whole is not UNTIL_CLOSED)
    if whole is PLAIN:
        assert reply.headers["x-tarp-fuel"] == "7"


@pytest.mark.parametrize("size", [1, 1000])
def test_no_body_at_all(size: int) -> None:
    reader = read(EMPTY, size)
    assert reader.done
    assert reader.reply().body == b""


@pytest.mark.parametrize("whole", [PLAIN, CHUNKED], ids=["length", "chunked"])
def test_a_reply_that_breaks_off_is_not_complete(whole: bytes) -> None:
    for end in range(len(whole)):
        reader = read(whole[:end], 1000)
        reader.end()
        assert not reader.done


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000 + b"\r\n",
        EMPTY + EMPTY,
    ],
)
def test_what_is_not_a_reply(data: bytes) -> None:
    with pytest.raises(tarp.InvalidReply):
        ReplyReader().feed(data)


def test_a_promise_of_much_takes_no_memory() -> None:
    reader = ReplyReader()
    reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
    place = reader.vacancy()
    assert place is not None
    assert len(place) <= 1 << 28


def test_a_body_of_more_than_a_step_is_not_held_twice_while_it_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_http, "_STEP", 4 << 20)
    monkeypatch.setattr(_http, "_NEXT_STEP", 1 << 20)
    length = (16 << 20) + 5
    reader = ReplyReader()
    reader.feed(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
    lengths = []
    tracemalloc.start()
    try:
        while place := reader.vacancy():
            with place:
                place[:] = bytes([len(lengths)]) * len(place)
                lengths.append(len(place))
            reader.fill(lengths[-1])
        assert tracemalloc.get_traced_memory()[1] < 1.35 * length
    finally:
        tracemalloc.stop()
    assert reader.done
    assert reader.reply().body == b"".join(bytes([n]) * size for n, size in enumerate(lengths))


def test_a_request() -> None:
    writer = RequestWriter(parse_address("http://localhost:8080/lab", token="t"))
    large = bytes(1 << 17)
    pieces = list(writer.write(Request("POST", "/add", {"Accept": "x"}, [b"ab", large, b"c"])))
    head, _, rest = bytes(pieces[0]).partition(b"\r\n\r\n")
    assert rest == b"ab"
    assert pieces[1] is large
    assert bytes(pieces[2]) == b"c"
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /lab/add HTTP/1.1"
    assert "Host: localhost:8080" in lines
    assert "Authorization: Bearer t" in lines
    assert f"Content-Length: {len(large) + 3}" in lines
    assert next(iter(writer.write(Request("GET", "/")))).endswith(b"\r\n\r\n")  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nb", "ü\u2603"])
def test_headers_are_not_for_smuggling(value: str) -> None:
    writer = RequestWriter(parse_address("http://localhost:8080"))
    with pytest.raises(ValueError, match="header"):
        list(writer.write(Request("GET", "/", {"Idempotency-Key": value})))


def test_a_reply_is_freed_without_the_collector_of_cycles() -> None:
    gc.disable()
    try:
        reader = read(PLAIN, 1000)
        reply = reader.reply()
        reference = weakref.ref(reader)
        del reader
        assert reference() is None
        assert bytes(reply.body) == b"hello world"
    finally:
        gc.enable()
