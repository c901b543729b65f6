"""The table of values: calls of the component `shapes`, and what comes back, as Python has it.

It has every procedure of the component, so every type, with the values at which a way of sending
them may go wrong. `notation` writes them in other forms; `ways` sends them.
"""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple

NAN = float("nan")


class Failed(Exception):
    """How a call ends that fails: the type of the failure, where it is known, and its message."""

    def __init__(self, kind: str | None, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


class Row(NamedTuple):
    """A call: arguments by name in their order, and what comes back, or how it fails."""

    procedure: str
    arguments: dict[str, Any]
    back: Any

    def __str__(self) -> str:
        return f"{self.procedure}({', '.join(map(_shown, self.arguments.values()))})"[:60]


def _shown(value: Any) -> str:
    # The order of a set is another in each process, and a test's name is to be the same.
    return repr(sorted(value)) if isinstance(value, set) else repr(value)


def single(value: float) -> float:
    """What is left of a number in single precision."""
    return struct.unpack("f", struct.pack("f", value))[0]


INTEGERS = {
    **{f"s{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}

POINT = {"x": 1.5, "y": -0.0}
SAMPLE = {
    "label": "run 7",
    "values": [1.0, 2.5, NAN],
    "unit": "mV",
    "taken_at": POINT,
    "color": "light_blue",
    "marks": {"noisy", "checked_by_hand"},
    "calibration": {"err": "the lamp was off"},
}
MEASUREMENTS: list[Any] = [
    "missing",
    {"count": -(2**63)},
    {"ratio": single(0.1)},
    {"note": "none"},
    {"note": ""},
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
ALL_BYTES = bytes(range(256))
FLOATS = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, NAN]
SINGLES = [single(0.1), -0.0, single(1e-45), single(3.4028235e38), math.inf, -math.inf, NAN]
TEXTS = [
    *("", " ", "text", "größer ☃ 𝄞", "two\nlines", "1", "null", "true", "[1, 2]", '"quoted"'),
    *("a=b", "@home", "-1", "--help", "a&b=c#d +%é%25", "back\\slash", "</script>", " a ", "'"),
    *("two\r\nlines\r", "\0", "tab\tand \x1b[1m", "mark\ufeff", "x" * 5000, "é" * 100_000),
]

#: Values that their procedure gives back.
ECHOES: dict[str, list[Any]] = {
    "echo_bool": [True, False],
    **{f"echo_{name}": [low, high] for name, (low, high) in INTEGERS.items()},
    "echo_s64": [-(2**63), 2**63 - 1, 2**53 + 1],
    "echo_u64": [0, 2**64 - 1, 2**63],
    "echo_f32": [*SINGLES, 3.0],
    "echo_f64": [*FLOATS, 0.0, 2.0**53, 1e23, 3.0],
    "echo_char": ["a", "é", "𝄞", "\U0010ffff", " ", "'", '"', "5", "\0", "\n"],
    "echo_string": TEXTS,
    "echo_bytes": [
        b"",
        b"hi",
        ALL_BYTES,
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbfmark",
        b"x\r\n" * 40_000,
    ],
    **{
        f"echo_list_{name}": [[], [low, high, 0]]
        for name, (low, high) in INTEGERS.items()
        if name != "u8"
    },
    "echo_list_f32": [[], SINGLES],
    "echo_list_f64": [[], FLOATS, [NAN], [n / 7 for n in range(1500)]],
    "echo_list_bool": [[], [True, False], [False]],
    "echo_list_char": [[], ["a", "é", "𝄞"], [","]],
    "echo_list_string": [[], [""], ["", "a", "b,c", "[", "𝄞"], ["null"]],
    "echo_list_point": [[], [POINT], [POINT, {"x": NAN, "y": math.inf}]],
    "echo_list_option": [[], [None], [None, 1, None, -(2**31)]],
    "echo_list_measurement": [[], ["missing"], MEASUREMENTS],
    "echo_list_result": [[], [{"ok": 1}, {"err": "no"}, {"err": ""}]],
    "echo_list_bare_result": [[], [{"ok": None}, {"err": None}]],
    "echo_matrix": [[], [[]], [[1.0, 2.0], [3.0, 4.0]], [[1.0], [], [-0.0, NAN]]],
    "echo_matrix_s32": [[], [[1, -1], [2**31 - 1]]],
    "echo_chunks": [[], [b""], [b"", b"ab", ALL_BYTES]],
    "echo_cube": [[], [[]], [[[0.5], []], []], [[[1.0, 2.0], [3.0, single(0.1)]]]],
    "echo_pairs": [[], [("a", 1.0), ("a", 2.5), ("", NAN)]],
    "echo_pairs_of_lists": [[], [("a", [2**63 - 1, -(2**63)]), ("b", [])]],
    "echo_tuple": [(-1, "x", True), (2**31 - 1, "", False)],
    "echo_point": [POINT, {"x": math.inf, "y": 5e-324}],
    "echo_sample": [
        SAMPLE,
        SAMPLE | {"unit": None, "calibration": {"ok": 0.5}, "marks": set(), "values": []},
    ],
    "echo_option": [None, 0, -5],
    "echo_option_point": [None, POINT],
    "echo_option_list": [None, [], [1.0], [1.0, NAN]],
    "echo_nested_option": [None, {"some": None}, {"some": 5}],
    "echo_color": ["red", "green", "light_blue"],
    "echo_measurement": MEASUREMENTS,
    "echo_marks": [set(), {"noisy"}, {"noisy", "saturated", "checked_by_hand"}],
    "echo_months": [MONTHS, {"september"}, {"january", "december"}],
    "echo_bits": [{f"bit{n}" for n in range(32)}, {"bit31"}, {"bit0"}, set()],
}

CIRCLE = {"circle": {"center": {"x": 1.0, "y": 2.0}, "radius": 0.5}}
RECTANGLE = {"corner": {"x": 0.0, "y": 0.0}, "width": 3.0, "height": 5.0}
CORNERS = [{"x": 0.0, "y": 0.0}, {"x": 3.0, "y": 4.0}, {"x": 3.0, "y": 5.0}]
TOLD = Failed("ProcedureError", "it was told to fail")

#: More than 16 arguments, of all kinds.
MANY = {
    "a": 1, "b": -2, "c": 3, "d": -4, "e": 0.5, "f": 0.25, "g": True, "h": "ü", "i": "text",
    "j": [1.0, 2.0], "k": {"x": 1.5, "y": -2.0}, "l": "light_blue", "m": {"count": 7},
    "n": {"noisy"}, "o": None, "p": (-1, 2), "q": "end",
}  # fmt: skip

ROWS: list[Row] = [
    *(Row(name, {"value": value}, value) for name, values in ECHOES.items() for value in values),
    Row("answer", {}, 42),
    Row("nothing", {}, None),
    Row("ignore", {"value": "x"}, None),
    # Results whose error is a failure.
    Row("attempt", {"succeed": True}, None),
    Row(
        "attempt",
        {"succeed": False},
        Failed("ProcedureError", "`attempt` failed without saying why"),
    ),
    Row("attempt_or_explain", {"succeed": True}, None),
    Row("attempt_or_explain", {"succeed": False}, TOLD),
    Row("attempt_number", {"succeed": True}, 42),
    Row(
        "attempt_number",
        {"succeed": False},
        Failed("ProcedureError", "`attempt_number` failed without saying why"),
    ),
    Row("attempt_option", {"value": 7, "succeed": True}, 7),
    Row("attempt_option", {"value": None, "succeed": True}, None),
    Row("attempt_option", {"value": 7, "succeed": False}, TOLD),
    # Several arguments.
    Row("sum_many", dict.fromkeys("abcdefghijklmnopq", 2**31 - 1), 17 * (2**31 - 1)),
    Row(
        "join_many",
        MANY,
        "1 -2 3 -4 0.5 0.25 true ü text [1.0, 2.0] (1.5, -2) Color::LightBlue "
        "Measurement::Count(7) Marks(NOISY) None (-1, 2) end",
    ),
    # Named types of an interface.
    Row("geometry/area", {"figure": "empty"}, 0.0),
    Row("geometry/area", {"figure": {"polygon": CORNERS}}, 1.5),
    Row(
        "geometry/translate",
        {"figure": CIRCLE, "by": {"x": 1.0, "y": -2.0}},
        {"circle": {"center": {"x": 2.0, "y": 0.0}, "radius": 0.5}},
    ),
    Row(
        "geometry/translate",
        {"figure": {"rectangle": RECTANGLE}, "by": CORNERS[0]},
        {"rectangle": RECTANGLE},
    ),
    Row(
        "geometry/translate",
        {"figure": {"polygon": CORNERS}, "by": {"x": -0.5, "y": 0.0}},
        {"polygon": [{"x": x, "y": y} for x, y in ((-0.5, 0.0), (2.5, 4.0), (2.5, 5.0))]},
    ),
    Row("geometry/bounding_box", {"points": CORNERS}, RECTANGLE),
    Row(
        "geometry/bounding_box",
        {"points": []},
        Failed("ProcedureError", "a bounding box needs one point or more; got 0"),
    ),
    Row("geometry/nearest", {"points": CORNERS}, (CORNERS[1], CORNERS[2])),
    Row("geometry/nearest", {"points": CORNERS[:1]}, None),
]
