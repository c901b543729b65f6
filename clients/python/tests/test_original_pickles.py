"""Replies of the original's own servers: pickles that Python and numpy themselves have made."""

from __future__ import annotations

import argparse
import base64
import collections
import datetime
import decimal
import fractions
import json
import pickle
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest

import tarp
from tarp._unpickling import unpickle
from tarp.client import client

ARRAYS = [
    np.linspace(0, 1, 5),
    np.arange(6).reshape(2, 3),
    np.arange(6, dtype="f4").reshape(2, 3).T,
    np.array(3.0),
    np.zeros((0, 3)),
    np.array([True, False]),
    np.array([1 + 2j]),
    np.array([1.5], dtype="f2"),
    np.array(["ab", "c"]),
    np.array([b"ab"]),
    np.array([1, "x", None], dtype=object),
]

VALUES = [
    *(None, True, 1, -(2**70), 1.5, "ü", b"x", bytearray(b"ab"), 1j),
    *([1, [2]], (1, (2, 3, 4, 5)), {"a": {(1, 2): 3}}, {1, 2}, frozenset({3})),
    *(range(1, 9, 2), slice(1, None)),
    datetime.date(2026, 11, 28),
    datetime.datetime(2026, 11, 28, 12, 30, 1, 5),
    datetime.datetime(2026, 11, 28, tzinfo=datetime.timezone.utc),
    datetime.time(12, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=1), "MEZ")),
    datetime.timedelta(1, 2, 3),
    decimal.Decimal("1.50"),
    fractions.Fraction(1, 3),
    uuid.UUID(int=7),
    collections.OrderedDict(a=1, b=2),
    collections.Counter("aab"),
    collections.deque([1, 2], 3),
    collections.deque(),
    *(np.float64(2.5), np.int32(7), np.bool_(True), np.complex128(1j)),
]


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_of_python(value: Any, protocol: int) -> None:
    result = unpickle(pickle.dumps(value, protocol))
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_arrays_of_numpy(array: Any, protocol: int) -> None:
    first, second = unpickle(pickle.dumps([array, array], protocol))
    assert first is second, "what is one stays one"
    assert (first.dtype, first.shape) == (array.dtype, array.shape)
    assert np.array_equal(first, array)
    assert first.flags.writeable
    assert first.flags.f_contiguous == array.flags.f_contiguous


def test_numpy_of_either_major_version_is_read() -> None:
    """Both names of `_reconstruct`, whichever version is here."""
    new = pickle.dumps(np.arange(3.0), 4)
    module = b"numpy._core.multiarray" if b"numpy._core" in new else b"numpy.core.multiarray"
    for other in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
        # Without its frame, which has a length.
        old = new[:2] + new[11:].replace(
            bytes([len(module)]) + module, bytes([len(other)]) + other, 1
        )
        assert unpickle(old).tolist() == [0.0, 1.0, 2.0]


def without_frame(data: bytes) -> bytes:
    return data[:2] + data[11:]


ARRAY = without_frame(pickle.dumps(np.array([1.0, 2.0]), 4))
TEXT = b"\x8c\x05numpy\x8c\x05dtype\x93"

HOSTILE = {
    "an array of fewer bytes than its shape": ARRAY.replace(b"K\x02\x85", b"K\x03\x85"),
    "an array with a negative extent": ARRAY.replace(b"K\x02\x85", b"J\xff\xff\xff\xff\x85"),
    "numbers that are objects": ARRAY.replace(b"\x8c\x02f8", b"\x8c\x02O8"),
    "a dtype with fields": ARRAY.replace(b"\x8c\x02f8", b"\x8c\x05f8,f8"),
    "a dtype as the result": b"\x80\x04" + TEXT + b".",
    "a class as the result": b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93.",
    "a class in a list": b"\x80\x04]\x8c\x05numpy\x8c\x07ndarray\x93a.",
    "a class in a tuple": b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93\x85.",
    "a class by way of the memo": b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93\x94\x85\x94"
    b"\x8c\x08builtins\x8c\x09bytearray\x93C\x01a\x85R]h\x01a.",
    "a memo that is empty": b"\x80\x04h\x07.",
    "filling a list": b"\x80\x04]}b.",
    "an object of an unknown class": pickle.dumps(argparse.Namespace(a=1)),
    "a UUID of too many bits": b"\x80\x04\x8c\x04uuid\x8c\x04UUID\x93)\x81}\x8c\x03int\x8a\x11"
    + b"\xff" * 16
    + b"\x7fsb.",
    "Decimal of a list": b"\x80\x04\x8c\x07decimal\x8c\x07Decimal\x93]\x85R.",
    # 40 tuples of two, each of the one before, would be hashed 2**40 times.
    "a key that shares its parts": b"\x80\x04})"
    + b"\x94h\x00\x86"
    + b"".join(b"\x94h" + bytes([n]) + b"\x86" for n in range(1, 40))
    + b"Ns.",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_value_is_refused(data: bytes) -> None:
    with pytest.raises(tarp.InvalidReply):
        unpickle(data)


def test_an_index_into_the_memo_takes_no_memory() -> None:
    assert unpickle(b"\x80\x04Nr\xff\xff\xff\xff.") is None


class OriginalServer(BaseHTTPRequestHandler):
    """Answers as an original server does: HTTP/1.0, no length, default pickles."""

    def reply(self, result: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        envelope = {"status": "success", "mimetype": "application/json", "result": result}
        self.wfile.write(json.dumps(envelope).encode())

    def do_GET(self) -> None:
        entry = {"name": "echo", "description": "Gives back what it is given."}
        self.reply({"GET": [], "POST": [], "RPC": [entry], "ASYNCRPC": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        (value,) = pickle.loads(base64.b64decode(body["args"]))
        self.reply({"payload": base64.b64encode(pickle.dumps(value)).decode()})

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def original() -> Iterator[Any]:
    """A client of such a server."""
    with HTTPServer(("127.0.0.1", 0), OriginalServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield client(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


def test_a_server_of_the_original_answers(original: Any) -> None:
    array = np.linspace(0, 1, 7)
    result = original.echo({"x": array, "when": datetime.date(2026, 11, 28)})
    assert np.array_equal(result["x"], array)
    assert result["when"] == datetime.date(2026, 11, 28)


def test_a_server_of_the_original_gets_what_the_program_has(original: Any) -> None:
    """Not what a host would take in its place, such as a dict for a mapping."""
    sent = collections.OrderedDict(a=1)
    assert type(original.echo(sent)) is collections.OrderedDict
    with pytest.raises(tarp.InvalidReply, match=r"names \S*test_original_pickles\.Unknown"):
        original.echo(Unknown())


class Unknown:
    """A class that is not known to the client."""
