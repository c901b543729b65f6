"""Every row of the table of values, there and back."""

from __future__ import annotations

import array
import dataclasses
import enum
import math
import struct
from collections import OrderedDict, namedtuple
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import tarp

NAN = float("nan")


def single(value: float) -> float:
    """What is left of a number in single precision."""
    result: float = struct.unpack("f", struct.pack("f", value))[0]
    return result


POINT = {"x": 1.5, "y": -2.0}
SAMPLE = {
    "label": "run 7",
    "values": [1.0, 2.5],
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
    {"guess": None},
    {"guess": 255},
]
BITS = {f"bit{n}" for n in range(32)}

INTEGERS = {
    **{f"s{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}

#: Values that come back as they are.
SAME: dict[str, list[Any]] = {
    "echo_bool": [True, False],
    **{f"echo_{name}": [low, high, 0, 1] for name, (low, high) in INTEGERS.items()},
    **{
        f"echo_list_{name}": [[], [low, high, 0], [1] * 3000]
        for name, (low, high) in INTEGERS.items()
        if name != "u8"
    },
    "echo_f32": [0.5, -0.0, math.inf, NAN, single(0.1)],
    "echo_f64": [0.1, 0.0, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, NAN],
    "echo_char": ["a", "é", "\N{MUSICAL SYMBOL G CLEF}", "\0"],
    "echo_string": ["", "two\nlines\0", "größer \N{SNOWMAN} 𝄞", "x" * 100_000],
    "echo_bytes": [b"", bytes(range(256)), b"x" * 100_000],
    "echo_list_f32": [[], [0.5, single(0.1)]],
    "echo_list_f64": [[], [1.0, -0.0, NAN, math.inf], [0.1] * 5000],
    "echo_matrix": [[], [[]], [[1.0, 2.0], [3.0, 4.0]], [[1.0], [], [2.0]]],
    "echo_matrix_s32": [[[1, -1], [2**31 - 1]]],
    "echo_chunks": [[], [b"", b"ab"]],
    "echo_cube": [[[[0.5], []], []]],
    "echo_list_bool": [[], [True, False]],
    "echo_list_char": [["a", "é"]],
    "echo_list_string": [[], ["", "a", "b" * 300], ["x"] * 2500],
    "echo_list_point": [[POINT, POINT]],
    "echo_list_option": [[None, 1, None]],
    "echo_list_measurement": [MEASUREMENTS],
    "echo_pairs": [[], [("a", 1.0), ("a", 2.0)]],
    "echo_pairs_of_lists": [[("a", [1, 2]), ("b", [])]],
    "echo_tuple": [(-1, "x", True)],
    "echo_point": [POINT],
    "echo_sample": [SAMPLE, {**SAMPLE, "unit": None, "calibration": {"ok": 0.5}}],
    "echo_option": [None, 0, -5],
    "echo_option_point": [None, POINT],
    "echo_option_list": [None, [], [1.0]],
    "echo_nested_option": [None, {"some": None}, {"some": 5}],
    "echo_color": ["red", "green", "light_blue"],
    "echo_measurement": MEASUREMENTS,
    "echo_marks": [set(), {"noisy"}, {"noisy", "saturated", "checked_by_hand"}],
    "echo_months": [{"january", "september", "december"}],
    "echo_bits": [BITS, set()],
    "echo_list_result": [[{"ok": 1}, {"err": "no"}]],
    "echo_list_bare_result": [[{"ok": None}, {"err": None}]],
}


class Color(enum.Enum):
    GREEN = "green"


class Word(str, enum.Enum):
    RED = "red"


Pair = namedtuple("Pair", "x y")


@dataclasses.dataclass
class Place:
    x: float
    y: float


#: Values that are accepted, and as what they come back.
ACCEPTED: list[tuple[str, Any, Any]] = [
    ("echo_f64", 3, 3.0),
    ("echo_f64", 2**70, 2.0**70),
    ("echo_f32", 0.1, single(0.1)),
    ("echo_bytes", bytearray(b"\0\xff"), b"\0\xff"),
    ("echo_bytes", array.array("B", b"\0\xff"), b"\0\xff"),
    ("echo_list_f64", (1.0, 2), [1.0, 2.0]),
    ("echo_list_f64", range(3), [0.0, 1.0, 2.0]),
    ("echo_list_f64", array.array("d", [1.5, 2.5]), [1.5, 2.5]),
    ("echo_list_s32", range(10, 0, -3), [10, 7, 4, 1]),
    ("echo_list_s64", array.array("q", [-(2**63)]), [-(2**63)]),
    ("echo_pairs", {"a": 1, "b": 2.5}, [("a", 1.0), ("b", 2.5)]),
    ("echo_pairs_of_lists", {"a": range(2)}, [("a", [0, 1])]),
    ("echo_pairs", OrderedDict(a=1.0), [("a", 1.0)]),
    ("echo_pairs", MappingProxyType({"a": 1.0}), [("a", 1.0)]),
    ("echo_tuple", [-1, "x", True], (-1, "x", True)),
    ("echo_point", {"y": 1, "x": 2}, {"x": 2.0, "y": 1.0}),
    ("echo_point", Place(1.0, 2.0), {"x": 1.0, "y": 2.0}),
    ("echo_point", Pair(1.0, 2.0), {"x": 1.0, "y": 2.0}),
    ("echo_list_point", [Place(1.0, 2.0), POINT], [{"x": 1.0, "y": 2.0}, POINT]),
    ("echo_sample", {**SAMPLE, "taken_at": Pair(1.5, -2)}, SAMPLE),
    ("echo_color", Color.GREEN, "green"),
    ("echo_color", Word.RED, "red"),
    ("echo_marks", frozenset({"noisy"}), {"noisy"}),
    ("echo_marks", ["noisy", "noisy"], {"noisy"}),
    ("echo_list_bare_result", ["ok", "err"], [{"ok": None}, {"err": None}]),
    ("echo_bool", np.bool_(True), True),
    ("echo_s8", np.int64(-3), -3),
    ("echo_u64", np.uint64(2**64 - 1), 2**64 - 1),
    ("echo_f64", np.float32(0.5), 0.5),
    ("echo_string", np.str_("text"), "text"),
]


def is_same(a: object, b: object) -> bool:
    """Equal in value and type all the way down; NaN is the same as NaN, 0.0 is not -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("d", a) == struct.pack("d", b) or (a != a and b != b)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(is_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(is_same(a[key], b[key]) for key in a)
    return a == b


@pytest.mark.parametrize("procedure", SAME)
def test_a_value_comes_back(host: tarp.Host, procedure: str) -> None:
    for value in SAME[procedure]:
        back = host[procedure](value)
        assert is_same(back, value), f"{back!r}, expected {value!r}"
        assert is_same(host[procedure](value=value), value)


def test_the_table_has_every_echo(host: tarp.Host) -> None:
    assert {name for name in host if name.startswith("echo_")} == set(SAME)


@pytest.mark.parametrize(("procedure", "value", "back"), ACCEPTED, ids=lambda v: repr(v)[:30])
def test_a_value_is_accepted(host: tarp.Host, procedure: str, value: Any, back: Any) -> None:
    assert is_same(host[procedure].options(arrays="list")(value), back)


def test_nothing_and_no_arguments(host: tarp.Host) -> None:
    assert host.nothing() is None
    assert host.ignore("x") is None
    assert host.answer() == 42
    assert host.attempt(True) is None
    assert host.echo_option() is None
    assert host.greet("Ada") == host.greet("Ada", None) == host.greet("Ada", greeting="Hello")


def test_many_arguments_by_position_and_name(host: tarp.Host) -> None:
    names = "abcdefghijklmnopq"
    assert host.sum_many(*range(17)) == 136
    assert host.sum_many(*range(9), **dict(zip(names[9:], range(9, 17)))) == 136
