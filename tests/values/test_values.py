"""Values as Python pickles them, in and out: the table of values in all protocols, and what
Python and numpy have that a procedure accepts in place of its own types."""

from __future__ import annotations

import array
import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest

from equality import is_same
from host import Host
from value_table import ECHOES, INTEGERS, SAMPLE, single

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Echo(NamedTuple):
    """What is sent to a procedure that gives back its argument, and what comes back."""

    procedure: str
    sent: Any
    back: Any

    def __str__(self) -> str:
        # The order of a set is another in each process, and the test's name is to be the same.
        is_set = isinstance(self.sent, (set, frozenset))
        sent = sorted(self.sent, key=repr) if is_set else self.sent
        return f"{self.procedure}({type(self.sent).__name__} {sent!r})"[:70]


def becomes(procedure: str, *pairs: tuple[Any, Any]) -> list[Echo]:
    return [Echo(procedure, sent, back) for sent, back in pairs]


NUMPY = {name: getattr(np, f"{'uint' if name[0] == 'u' else 'int'}{name[1:]}") for name in INTEGERS}

ROWS: list[Echo] = [
    *(Echo(name, value, value) for name, values in ECHOES.items() for value in values),
    # Longer than what a pickle writes in one piece.
    *(Echo(f"echo_list_{name}", [1] * 3000, [1] * 3000) for name in INTEGERS if name != "u8"),
    Echo("echo_list_f64", [0.1] * 5000, [0.1] * 5000),
    Echo("echo_list_string", ["x"] * 2500, ["x"] * 2500),
    Echo("echo_list_string", ["", "b" * 300], ["", "b" * 300]),
    Echo("echo_bytes", b"x" * 100_000, b"x" * 100_000),
    # What is accepted in place of a type's own values.
    *becomes("echo_bool", (np.bool_(True), True), (np.bool_(False), False)),
    # Integers.
    *(
        row
        for name, (low, high) in INTEGERS.items()
        for row in becomes(f"echo_{name}", *((NUMPY[name](one), one) for one in (low, high)))
    ),
    *becomes("echo_s64", (np.uint8(200), 200), (np.int16(-3), -3)),
    # Floating-point numbers.
    *becomes("echo_f64", (3, 3.0), (2**53, 2.0**53), (2**70, 2.0**70), (-1, -1.0)),
    *becomes("echo_f64", (np.float64(0.1), 0.1), (np.float32(0.5), 0.5), (np.int32(7), 7.0)),
    *becomes("echo_f32", (0.1, single(0.1)), (3, 3.0), (np.float32(0.1), single(0.1))),
    # Text and bytes.
    *becomes(
        "echo_bytes",
        (bytearray(b"\0\xff"), b"\0\xff"),
        (bytes(memoryview(b"abcdef")[1:3]), b"bc"),
        (array.array("B", b"\0\xff"), b"\0\xff"),
        (np.array([0, 255], np.uint8), b"\0\xff"),
        (np.arange(6, dtype=np.uint8)[::2], b"\0\2\4"),
    ),
    # Lists of numbers.
    *becomes(
        "echo_list_f64",
        ([1, 2], [1.0, 2.0]),
        ([1, 2.5, 2**70], [1.0, 2.5, 2.0**70]),
        ((1.0, 2), [1.0, 2.0]),
        (range(3), [0.0, 1.0, 2.0]),
        (array.array("d", [1.5, 2.5]), [1.5, 2.5]),
        (array.array("f", [1.5]), [1.5]),
        (array.array("i", [1, -1]), [1.0, -1.0]),
    ),
    *becomes("echo_list_f32", ([0.1, 1], [single(0.1), 1.0]), (array.array("f", [0.5]), [0.5])),
    *becomes(
        "echo_list_s32",
        ((1, 2), [1, 2]),
        (range(10, 0, -3), [10, 7, 4, 1]),
        (array.array("i", [-1, 1]), [-1, 1]),
        (array.array("q", [-1, 1]), [-1, 1]),
    ),
    *becomes("echo_list_s8", (array.array("b", [-128, 127]), [-128, 127])),
    *becomes("echo_list_s16", (array.array("h", [-(2**15)]), [-(2**15)])),
    *becomes("echo_list_u16", (array.array("H", [2**16 - 1]), [2**16 - 1])),
    *becomes("echo_list_u32", (array.array("I", [2**32 - 1]), [2**32 - 1])),
    *becomes("echo_list_s64", (array.array("q", [-(2**63)]), [-(2**63)])),
    *becomes("echo_list_u64", (array.array("Q", [2**64 - 1]), [2**64 - 1])),
    # Lists of lists.
    *becomes("echo_matrix", (((1, 2), [3]), [[1.0, 2.0], [3.0]]), ([range(2)], [[0.0, 1.0]])),
    *becomes("echo_chunks", ((bytearray(b"ab"), b"c"), [b"ab", b"c"])),
    # Other lists.
    *becomes("echo_list_bool", ((True,), [True])),
    # Pairs.
    *becomes(
        "echo_pairs",
        ({"a": 1, "b": 2.5}, [("a", 1.0), ("b", 2.5)]),
        ({}, []),
        ([["a", 1.0]], [("a", 1.0)]),
        ((("a", 1.0),), [("a", 1.0)]),
    ),
    *becomes("echo_pairs_of_lists", ({"a": range(2)}, [("a", [0, 1])])),
    # Tuples, records.
    *becomes("echo_tuple", ([-1, "x", True], (-1, "x", True))),
    *becomes("echo_point", ({"y": 1, "x": 2}, {"x": 2.0, "y": 1.0})),
    *becomes(
        "echo_sample",
        ({key: SAMPLE[key] for key in SAMPLE if key != "unit"}, SAMPLE | {"unit": None}),
        (SAMPLE | {"marks": []}, SAMPLE | {"marks": set()}),
        (SAMPLE | {"values": range(2)}, SAMPLE | {"values": [0.0, 1.0]}),
    ),
    # Choices.
    *becomes("echo_measurement", ({"count": 3, }, {"count": 3}), ({"ratio": 1}, {"ratio": 1.0})),
    *becomes(
        "echo_marks",
        (frozenset({"noisy"}), {"noisy"}),
        (["noisy", "saturated", "noisy"], {"noisy", "saturated"}),
        (("saturated",), {"saturated"}),
    ),
    # Results that are values.
    *becomes("echo_list_bare_result", (["ok", "err"], [{"ok": None}, {"err": None}])),
]  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_value_comes_back(host: Host, row: Echo, protocol: int) -> None:
    back = host.rpc(row.procedure, row.sent, protocol=protocol)
    assert is_same(back, row.back), f"{back!r}, expected {row.back!r}"


def test_a_buffer_of_protocol_5_is_bytes(host: Host) -> None:
    for buffer in (b"abc", bytearray(b"abc")):
        sent = pickle.PickleBuffer(memoryview(buffer))
        assert host.rpc("echo_bytes", sent, protocol=5) == b"abc"
