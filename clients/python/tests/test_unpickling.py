"""Replies are read by a machine that makes values and nothing else, whatever a pickle asks for."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import struct
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tarp
from tarp._unpickling import unpickle


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


def opcodes(text: bytes) -> bytes:
    """A pickle of protocol 4 with these opcodes."""
    return b"\x80\x04" + text + b"."


def text(string: str) -> bytes:
    return b"\x8c" + bytes([len(string)]) + string.encode()


NDARRAY = text("numpy") + text("ndarray") + b"\x93"


def array(shape: bytes, dtype: bytes, data: bytes) -> bytes:
    return opcodes(NDARRAY + shape + dtype + data + b"\x87R")


EIGHT = b"\x96" + struct.pack("<Q", 8) + b"12345678"
ONE = b"K\x01\x85"

MALICIOUS: dict[str, bytes] = {
    "os.system": pickle.dumps(Calls(os.system, "touch made")),
    "os.system of protocol 0": b"cos\nsystem\n(S'touch made'\ntR.",
    "os.system of protocol 2": pickle.dumps(Calls(os.system, "touch made"), 2),
    "os.system by INST": b"(S'touch made'\nios\nsystem\n.",
    "os.system by OBJ": b"(cos\nsystem\nS'touch made'\no.",
    "eval": pickle.dumps(Calls(eval, "open('made', 'w')")),
    "exec": pickle.dumps(Calls(exec, "open('made', 'w')")),
    "getattr": opcodes(
        text("builtins") + text("getattr") + b"\x93" + text("a") + text("b") + b"\x86R"
    ),
    "__import__": pickle.dumps(Calls(builtins.__import__, "antigravity")),
    "a dotted name": opcodes(text("numpy") + text("ndarray.tofile") + b"\x93)R"),
    "numpy.load": pickle.dumps(Calls(np.load, "made", None, True)),
    "numpy.fromfile": opcodes(text("numpy") + text("fromfile") + b"\x93" + text("x") + b"\x85R"),
    "numpy.memmap": opcodes(text("numpy") + text("memmap") + b"\x93" + text("made") + b"\x85R"),
    "numpy's runstring": opcodes(
        text("numpy.testing._private.utils") + text("runstring") + b"\x93" + text("1") + b"}\x86R"
    ),
    "an array of objects": array(ONE, text("O"), EIGHT),
    "an array of a structure": array(ONE, text("i4,i4"), EIGHT),
    "an array of a wrong size": array(b"M\xff\xff\x85", text("<f8"), EIGHT),
    "an array with a negative extent": array(b"J\xff\xff\xff\xff\x85", text("<f8"), EIGHT),
    "an array of a shape that overflows": array(
        b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87", text("<f8"), EIGHT
    ),
    "an array over bytes": array(ONE, text("<f8"), b"C\x0812345678"),
    "an array with strides": opcodes(NDARRAY + b"(" + ONE + text("<f8") + EIGHT + b"K\x00K\x08tR"),
    "a bytearray of a number": opcodes(
        text("builtins") + text("bytearray") + b"\x93J\xff\xff\xff\x7f\x85R"
    ),
    "a name as the value": opcodes(NDARRAY),
    "a name in a list": opcodes(b"](" + NDARRAY + b"e"),
    "a call of a value": opcodes(b"K\x01)R"),
    "the state of an object": opcodes(NDARRAY + b"}b"),
    "an object of a class": opcodes(NDARRAY + b")\x81"),
    "a persistent object": b"\x80\x04Pid\n.",
    "a persistent object in binary": opcodes(b"N\x51"),
    "an extension": opcodes(b"\x82\x01"),
    "an out-of-band buffer": opcodes(b"\x97"),
    "a memo of gigabytes, as text": opcodes(b"Np1073741823\n"),
    "a doubled value": opcodes(b"]2\x86"),
    "a number with no end": opcodes(b"L" + b"9" * 100_000 + b"L\n"),
    "keys that nest": opcodes(b"}K\x01" + b"\x85" * 100_000 + b"K\x01s"),
    "members that nest": opcodes(b"\x8f(K\x01" + b"\x85" * 100_000 + b"\x90"),
    "frozen sets that nest": opcodes(b"(" * 1000 + b"\x91" * 1000),
    "a key that cannot be hashed": opcodes(b"}]K\x01s"),
    "text that is no UTF-8": opcodes(b"\x8c\x02\xff\xfe"),
    "bytes that do not come": opcodes(b"\x8e" + struct.pack("<Q", 1 << 40)),
    "text that does not come": opcodes(b"\x8d" + struct.pack("<Q", 1 << 40)),
    "a bytearray that does not come": opcodes(b"\x96" + struct.pack("<Q", 1 << 62)),
    "a number that does not come": opcodes(b"\x8b\xff\xff\xff\x7f"),
    "a row that breaks off": b"\x80\x04](" + b"G12345678" * 3 + b"G123",
    "no end": b"\x80\x04N",
    "an early end": opcodes(b"N") + b"N",
    "nothing": b"",
    "nothing at all to end": opcodes(b""),
    "more than one value": opcodes(b"NN"),
    "a mark that stays": opcodes(b"(N"),
    "a mark that is not there": opcodes(b"]e"),
    "a tuple across a mark": opcodes(b"N(\x85t"),
    "a tuple of too much": opcodes(b"N\x87"),
    "appending across a mark": opcodes(b"](Na"),
    "appending to a number": opcodes(b"K\x01(Ne"),
    "setting in a list": opcodes(b"](NNu"),
}


@pytest.mark.parametrize("name", MALICIOUS)
def test_what_no_host_would_write_is_refused_and_does_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    imported = set(sys.modules)
    tracemalloc.start()
    try:
        with pytest.raises(tarp.InvalidReply):
            unpickle(MALICIOUS[name])
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert not list(tmp_path.iterdir())
    assert not {module for module in set(sys.modules) - imported if "antigravity" in module}


def written(value: Any, out: io.BytesIO) -> None:
    """Writes a value as a host does: no frames, no memo, lists in batches."""
    if isinstance(value, list):
        out.write(b"]")
        for start in range(0, len(value), 1000):
            out.write(b"(")
            for item in value[start : start + 1000]:
                written(item, out)
            out.write(b"e")
    elif isinstance(value, tuple):
        out.write(b"(")
        for item in value:
            written(item, out)
        out.write(b"t")
    elif isinstance(value, dict):
        out.write(b"}(")
        for key, item in value.items():
            written(key, out)
            written(item, out)
        out.write(b"u")
    else:
        # Python's own, without the protocol's number, the frame, the memo and the end.
        plain = pickle.dumps(value, 4)[2:-1]
        plain = plain[9:] if plain[:1] == b"\x95" else plain
        out.write(plain[:-1] if isinstance(value, (str, bytes)) and plain else plain)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        *(
            sign * 2**power + delta
            for power in (0, 8, 16, 31, 32, 63, 64, 2100)
            for sign in (1, -1)
            for delta in (-1, 0, 1)
        ),
        0.1,
        float("inf"),
        "",
        "ü" * 100,
        "x" * 300,
        b"",
        b"\0" * 300,
        (),
        (1,),
        (1, "a", None, 2.5),
        [],
        [[], [[]]],
        [0.5] * 5,
        [float(n) for n in range(3001)],
        list(range(256)),
        list(range(0, 70_000, 7)),
        [n - 2**31 for n in range(1500)],
        [2**40 + n for n in range(2500)],
        [1, 2.0, 300, 4.0, 70_000, 2**40, 2**40, 2**70, 5],
        [b"G" * 9, 1.0, 1.0, "GGG"],
        {"a": 1, "b": [1.0, 2.0], "c": {"d": None}},
        {(1, "x"): 2},
        [{"x": float(n), "y": n} for n in range(1200)],
    ],
    ids=lambda value: repr(value)[:40],
)
def test_plain_values_come_back(value: Any) -> None:
    out = io.BytesIO()
    written(value, out)
    back = unpickle(opcodes(out.getvalue()))
    assert back == value
    assert repr(back) == repr(value)


def test_every_part_of_a_pickle_is_refused_where_it_breaks_off() -> None:
    out = io.BytesIO()
    written([{"x": 1.5, "text": "abc", "bytes": b"abc", "many": list(range(0, 2**34, 2**31))}], out)
    whole = opcodes(out.getvalue())
    assert unpickle(whole)
    for end in range(len(whole)):
        with pytest.raises(tarp.InvalidReply):
            unpickle(whole[:end])


def test_arrays_are_writable_and_have_memory_of_their_own() -> None:
    body = bytearray(array(b"K\x02K\x02\x86", text("<i2"), EIGHT))
    made = unpickle(body)
    body[-12:] = bytes(12)
    assert made.tolist() == [[0x3231, 0x3433], [0x3635, 0x3837]]
    made[0, 0] = 7
    assert made[0, 0] == 7


@pytest.mark.parametrize("name", ["x" * length for length in range(17)])
def test_a_large_array_stays_where_it_was_received(name: str) -> None:
    numbers = np.random.default_rng(7).random(100_000)
    data = b"\x96" + struct.pack("<Q", numbers.nbytes) + numbers.tobytes() + b"\x87R"
    shape = b"J" + struct.pack("<i", len(numbers)) + b"\x85"
    # The name moves the numbers to every place that there is between two aligned ones.
    before = b"](" + text(name) + NDARRAY + shape + text("<f8")
    body = bytearray(opcodes(before + data + text("after") + b"e"))
    first, made, last = unpickle(body)
    assert (first, last) == (name, "after")
    assert np.array_equal(made, numbers)
    assert np.shares_memory(made, np.frombuffer(body, "u1"))
    assert made.flags.aligned
    assert made.flags.writeable
    assert made.__array_interface__["data"][0] % 16 == 0


@pytest.mark.parametrize("whole", [bytes, bytearray])
def test_large_arrays_that_have_memory_of_their_own(whole: type) -> None:
    data = bytes(range(256)) * 1024
    block = b"\x96" + struct.pack("<Q", len(data)) + data
    shape = b"J" + struct.pack("<i", len(data)) + b"\x85"
    one = NDARRAY + shape + text("|u1") + block + b"\x87R"
    # Bytes cannot be written to, and two arrays would keep all of each other's memory.
    body = whole(opcodes(one if whole is bytes else one + one + b"\x86"))
    made = unpickle(body)
    for array in (made,) if whole is bytes else made:
        assert array.tobytes() == data
        assert array.flags.writeable
        assert not np.shares_memory(array, np.frombuffer(body, "u1"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (text("builtins") + text("bytearray") + b"\x93NN", b"\x87R"),
        (b"NNN" * 8, b"\x87R"),
        (b"N" * 16 + NDARRAY + b"N" + text("|u1"), b"\x87R"),
        (NDARRAY + ONE + text("|u1"), b"\x87R"),
        (NDARRAY + ONE + text("|c8"), b"\x87R"),
        (b"N" * 20, b"\x87R\x87R"),
    ],
)
def test_large_blocks_of_which_no_array_can_be_made(before: bytes, after: bytes) -> None:
    block = b"\x96" + struct.pack("<Q", 1 << 17) + bytes(1 << 17)
    with pytest.raises(tarp.InvalidReply):
        unpickle(bytearray(opcodes(before + block + after)))


def test_a_large_bytearray() -> None:
    block = b"\x96" + struct.pack("<Q", 1 << 17) + bytes(1 << 17)
    (made,) = unpickle(bytearray(opcodes(block + b"\x85")))
    assert type(made) is bytearray
    assert made == bytes(1 << 17)


def test_sets_and_bytearrays() -> None:
    assert unpickle(opcodes(b"\x8f(" + text("a") + text("b") + b"\x90")) == {"a", "b"}
    assert unpickle(opcodes(b"(K\x01K\x02\x91")) == frozenset({1, 2})
    made = unpickle(opcodes(text("builtins") + text("bytearray") + b"\x93C\x02hi\x85R"))
    assert made == bytearray(b"hi")
