"""Every row of the table of values, in and out, as Python pickles them: all protocols, and all the
types of Python and numpy that a row accepts."""

from __future__ import annotations

import array
import math
import pickle
import struct
from typing import Any, NamedTuple

import numpy as np
import pytest

from equality import is_same
from host import Host

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
NAN = float("nan")


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


def same(value: str, *values: Any) -> list[Echo]:
    """Values that come back as they are."""
    return [Echo(value, sent, sent) for sent in values]


def becomes(procedure: str, *pairs: tuple[Any, Any]) -> list[Echo]:
    return [Echo(procedure, sent, back) for sent, back in pairs]


def single(value: float) -> float:
    """What is left of a number in single precision."""
    return struct.unpack("f", struct.pack("f", value))[0]


INTEGERS = {
    "s8": (-(2**7), 2**7 - 1, np.int8),
    "s16": (-(2**15), 2**15 - 1, np.int16),
    "s32": (-(2**31), 2**31 - 1, np.int32),
    "s64": (-(2**63), 2**63 - 1, np.int64),
    "u8": (0, 2**8 - 1, np.uint8),
    "u16": (0, 2**16 - 1, np.uint16),
    "u32": (0, 2**32 - 1, np.uint32),
    "u64": (0, 2**64 - 1, np.uint64),
}

POINT = {"x": 1.5, "y": -2.0}
SAMPLE = {
    "label": "run 7",
    "values": [1.0, 2.5, NAN],
    "unit": "mV",
    "taken_at": POINT,
    "color": "light_blue",
    "marks": {"noisy", "checked_by_hand"},
    "calibration": {"err": "the lamp was off"},
}
MEASUREMENTS = [
    "missing",
    {"count": -(2**63)},
    {"ratio": 0.5},
    {"note": "none"},
    {"position": POINT},
    {"series": [1.0, 2.0]},
    {"series": []},
    {"guess": None},
    {"guess": 255},
]
MONTHS = {
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
}
BITS = {f"bit{n}" for n in range(32)}

ROWS: list[Echo] = [
    *same("echo_bool", True, False),
    *becomes("echo_bool", (np.bool_(True), True), (np.bool_(False), False)),
    # Integers.
    *(
        row
        for name, (low, high, _) in INTEGERS.items()
        for row in same(f"echo_{name}", low, high, 1)
    ),
    *(
        row
        for name, (low, high, numpy) in INTEGERS.items()
        for row in becomes(f"echo_{name}", (numpy(low), low), (numpy(high), high))
    ),
    *becomes("echo_s64", (np.uint8(200), 200), (np.int16(-3), -3)),
    # Floating-point numbers.
    *same("echo_f64", 0.1, 0.0, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, NAN),
    *becomes("echo_f64", (3, 3.0), (2**53, 2.0**53), (2**70, 2.0**70), (-1, -1.0)),
    *becomes("echo_f64", (np.float64(0.1), 0.1), (np.float32(0.5), 0.5), (np.int32(7), 7.0)),
    *same("echo_f32", 0.5, -0.0, math.inf, -math.inf, NAN, single(0.1)),
    *becomes("echo_f32", (0.1, single(0.1)), (3, 3.0), (np.float32(0.1), single(0.1))),
    # Text and bytes.
    *same("echo_char", "a", "é", "\N{MUSICAL SYMBOL G CLEF}", "\0", "\n", "'"),
    *same("echo_string", "", "text", "two\nlines\0 and \\n", "größer \N{SNOWMAN} 𝄞", "x" * 100_000),
    *same("echo_bytes", b"", bytes(range(256)), b"x" * 100_000),
    *becomes(
        "echo_bytes",
        (bytearray(b"\0\xff"), b"\0\xff"),
        (bytes(memoryview(b"abcdef")[1:3]), b"bc"),
        (array.array("B", b"\0\xff"), b"\0\xff"),
        (np.array([0, 255], np.uint8), b"\0\xff"),
        (np.arange(6, dtype=np.uint8)[::2], b"\0\2\4"),
    ),
    # Lists of numbers.
    *same("echo_list_f64", [], [1.0, -0.0, NAN, math.inf], [0.1] * 5000),
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
    *(
        row
        for name, (low, high, _) in INTEGERS.items()
        if name != "u8"
        for row in same(f"echo_list_{name}", [], [low, high, 0], [1] * 3000)
    ),
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
    *same("echo_matrix", [], [[]], [[1.0, 2.0], [3.0, 4.0]], [[1.0], [], [2.0, NAN]]),
    *becomes("echo_matrix", (((1, 2), [3]), [[1.0, 2.0], [3.0]]), ([range(2)], [[0.0, 1.0]])),
    *same("echo_matrix_s32", [[1, -1], [2**31 - 1]]),
    *same("echo_chunks", [], [b"", b"ab"]),
    *becomes("echo_chunks", ((bytearray(b"ab"), b"c"), [b"ab", b"c"])),
    *same("echo_cube", [[[0.5], []], []]),
    # Other lists.
    *same("echo_list_bool", [], [True, False]),
    *becomes("echo_list_bool", ((True,), [True])),
    *same("echo_list_char", ["a", "é"]),
    *same("echo_list_string", [], ["", "a", "b" * 300], ["x"] * 2500),
    *same("echo_list_point", [POINT, POINT]),
    *same("echo_list_option", [None, 1, None], []),
    *same("echo_list_measurement", MEASUREMENTS),
    # Pairs.
    *same("echo_pairs", [], [("a", 1.0), ("a", 2.0)]),
    *becomes(
        "echo_pairs",
        ({"a": 1, "b": 2.5}, [("a", 1.0), ("b", 2.5)]),
        ({}, []),
        ([["a", 1.0]], [("a", 1.0)]),
        ((("a", 1.0),), [("a", 1.0)]),
    ),
    *same("echo_pairs_of_lists", [("a", [1, 2]), ("b", [])]),
    *becomes("echo_pairs_of_lists", ({"a": range(2)}, [("a", [0, 1])])),
    # Tuples, records.
    *same("echo_tuple", (-1, "x", True)),
    *becomes("echo_tuple", ([-1, "x", True], (-1, "x", True))),
    *same("echo_point", POINT),
    *becomes("echo_point", ({"y": 1, "x": 2}, {"x": 2.0, "y": 1.0})),
    *same("echo_sample", SAMPLE, SAMPLE | {"unit": None, "calibration": {"ok": 0.5}}),
    *becomes(
        "echo_sample",
        ({key: SAMPLE[key] for key in SAMPLE if key != "unit"}, SAMPLE | {"unit": None}),
        (SAMPLE | {"marks": []}, SAMPLE | {"marks": set()}),
        (SAMPLE | {"values": range(2)}, SAMPLE | {"values": [0.0, 1.0]}),
    ),
    # Options.
    *same("echo_option", None, 0, -5),
    *same("echo_option_point", None, POINT),
    *same("echo_option_list", None, [], [1.0]),
    *same("echo_nested_option", None, {"some": None}, {"some": 5}),
    # Choices.
    *same("echo_color", "red", "green", "light_blue"),
    *same("echo_measurement", *MEASUREMENTS),
    *becomes("echo_measurement", ({"count": 3, }, {"count": 3}), ({"ratio": 1}, {"ratio": 1.0})),
    *same("echo_marks", set(), {"noisy"}, {"noisy", "saturated", "checked_by_hand"}),
    *becomes(
        "echo_marks",
        (frozenset({"noisy"}), {"noisy"}),
        (["noisy", "saturated", "noisy"], {"noisy", "saturated"}),
        (("saturated",), {"saturated"}),
    ),
    *same("echo_months", MONTHS, {"september"}, {"january", "december"}),
    *same("echo_bits", BITS, {"bit31"}, {"bit0"}, set()),
    # Results that are values.
    *same("echo_list_result", [], [{"ok": 1}, {"err": "no"}, {"err": ""}]),
    *same("echo_list_bare_result", [{"ok": None}, {"err": None}]),
    *becomes("echo_list_bare_result", (["ok", "err"], [{"ok": None}, {"err": None}])),
]  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_value_comes_back(host: Host, row: Echo, protocol: int) -> None:
    back = host.rpc(row.procedure, row.sent, protocol=protocol)
    assert is_same(back, row.back), f"{back!r}, expected {row.back!r}"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_value_goes_in_by_name_as_well(host: Host, row: Echo) -> None:
    back = host.rpc(row.procedure, value=row.sent)
    assert is_same(back, row.back), f"{back!r}, expected {row.back!r}"


def test_a_buffer_of_protocol_5_is_bytes(host: Host) -> None:
    for buffer in (b"abc", bytearray(b"abc")):
        sent = pickle.PickleBuffer(memoryview(buffer))
        assert host.rpc("echo_bytes", sent, protocol=5) == b"abc"
