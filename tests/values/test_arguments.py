"""Arguments by position and by name, results and their absence; and wrong arguments, whose failure
says which, what was expected and what came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equality import is_same
from host import CallFailed, Host, result_of
from value_table import MANY


def test_optional_arguments_may_be_left_out(host: Host) -> None:
    assert host.rpc("echo_option") is None
    assert host.rpc("echo_nested_option") is None
    assert host.rpc("greet", "Ada") == "Hello, Ada!"
    assert host.rpc("greet", "Ada", None) == "Hello, Ada!"
    assert host.rpc("greet", "Ada", "Good day") == "Good day, Ada!"
    assert host.rpc("greet", who="Ada", greeting="Hi") == "Hi, Ada!"
    assert host.rpc("attempt_option", succeed=True) is None
    assert host.rpc("attempt_option", 5, True) == 5


def test_many_arguments_arrive_in_their_order(host: Host) -> None:
    by_name = host.rpc("join_many", **dict(reversed(MANY.items())))
    by_position = host.rpc("join_many", *MANY.values())
    assert by_name == by_position
    assert by_name.startswith("1 -2 3 -4 0.5 0.25 true ü text [1.0, 2.0] (1.5, -2) ")
    assert by_name.endswith(" None (-1, 2) end")
    assert host.rpc("sum_many", *range(17)) == sum(range(17))


def test_an_error_of_a_procedure_is_a_failure(host: Host) -> None:
    for procedure in ("attempt", "attempt_or_explain", "attempt_number"):
        with pytest.raises(CallFailed) as caught:
            host.rpc(procedure, False)
        assert (caught.value.status, caught.value.kind) == (500, "ProcedureError")


def test_named_types_of_an_interface(host: Host) -> None:
    points = [{"x": 0, "y": 0}, {"x": 3, "y": 4}, {"x": 3, "y": 5}]
    box = host.rpc("geometry/bounding_box", points)
    assert is_same(box, {"corner": {"x": 0.0, "y": 0.0}, "width": 3.0, "height": 5.0})
    near = host.rpc("geometry/nearest", points)
    assert is_same(near, ({"x": 3.0, "y": 4.0}, {"x": 3.0, "y": 5.0}))
    assert host.rpc("geometry/nearest", points[:1]) is None
    assert host.rpc("geometry/area", {"polygon": [*points[:2], {"x": 3, "y": 0}]}) == 6.0
    assert host.rpc("geometry/area", "empty") == 0.0
    overview = host.rpc("statistics/summary", [1.0])
    assert overview["count"] == 1
    assert overview["standard_deviation"] is None


def test_procedures_declared_async_are_called_like_any_other(host: Host) -> None:
    assert host.post("step_aside", {"turns": 3}) == 3
    assert host.get("patient_mean", {"values": "1,2,6"}) == 3.0


# Wrong arguments.

#: The procedure, its arguments, and what the message must say.
WRONG: list[tuple[str, tuple, dict[str, Any], list[str]]] = [
    # Too many, too few, unknown, doubled.
    ("add", (1,), {}, ["`y`", "s64", "missing"]),
    ("add", (), {"y": 1}, ["`x`", "missing"]),
    ("add", (1, 2, 3), {}, ["`add`", "2", "3"]),
    ("answer", (1,), {}, ["`answer`", "0", "1"]),
    ("add", (1, 2), {"z": 3}, ["`z`", "`add`"]),
    ("add", (1, 2), {"x": 3}, ["`x`", "twice"]),
    # Integers.
    ("add", ("one", 2), {}, ["`x`", "s64", "string", "one"]),
    ("add", (1.0, 2), {}, ["`x`", "s64", "float"]),
    ("add", (1, None), {}, ["`y`", "s64", "None"]),
    ("add", (1, [2]), {}, ["`y`", "s64", "list"]),
    ("add", (1, True), {}, ["`y`", "s64", "bool"]),
    ("add", (2**63, 0), {}, ["`x`", "s64", "range", str(2**63)]),
    ("echo_u8", (-1,), {}, ["`value`", "u8", "range", "-1"]),
    ("echo_u8", (256,), {}, ["`value`", "u8", "range", "256"]),
    ("echo_s8", (128,), {}, ["`value`", "s8", "128"]),
    ("echo_u64", (-1,), {}, ["`value`", "u64", "-1"]),
    ("echo_u64", (2**64,), {}, ["`value`", "u64", str(2**64)]),
    ("echo_s32", (np.int64(2**31),), {}, ["`value`", "s32", str(2**31)]),
    # Floating-point numbers.
    ("echo_f64", ("one",), {}, ["`value`", "f64", "string"]),
    ("echo_f64", (None,), {}, ["`value`", "f64", "None"]),
    ("echo_f64", ((1.0, 2.0),), {}, ["`value`", "f64", "tuple"]),
    ("echo_f32", (1e39,), {}, ["`value`", "f32", "range"]),
    # Truth values, characters, text, bytes.
    ("echo_bool", (1,), {}, ["`value`", "bool", "integer"]),
    ("echo_bool", ("true",), {}, ["`value`", "bool", "string"]),
    ("echo_char", ("ab",), {}, ["`value`", "char", "ab"]),
    ("echo_char", ("",), {}, ["`value`", "char"]),
    ("echo_string", (b"bytes",), {}, ["`value`", "string", "bytes"]),
    ("echo_string", (5,), {}, ["`value`", "string", "integer", "5"]),
    ("echo_bytes", (5,), {}, ["`value`", "list<u8>", "integer"]),
    # Lists say where.
    ("echo_list_f64", ([1.0, "x"],), {}, ["`value[1]`", "f64", "string"]),
    ("echo_list_f64", (5.0,), {}, ["`value`", "list<f64>", "float"]),
    ("echo_list_s8", ([1, 2, 300],), {}, ["`value[2]`", "s8", "300"]),
    ("echo_list_f64", (np.ones((2, 2)),), {}, ["`value`", "list<f64>", "2"]),
    ("echo_matrix", (np.ones(2),), {}, ["`value", "list<f64>"]),
    ("echo_matrix", ([[1.0], [2.0, None]],), {}, ["`value[1][1]`", "f64", "None"]),
    ("echo_pairs", ({1: 2.0},), {}, ["`value[0][0]`", "string", "integer"]),
    ("echo_pairs", ([("a", 1.0, 2.0)],), {}, ["`value[0]`", "tuple<string, f64>", "3"]),
    ("echo_tuple", ((1, "x"),), {}, ["`value`", "tuple<s32, string, bool>", "2"]),
    # Records.
    ("echo_point", ({"x": 1.0},), {}, ["`value`", "`y`", "missing"]),
    ("echo_point", ({"x": 1.0, "y": 2.0, "z": 3.0},), {}, ["`value`", "`z`", "`x`", "`y`"]),
    ("echo_point", ({"x": 1.0, "y": "up"},), {}, ["`value.y`", "f64", "string"]),
    ("echo_point", ([1.0, 2.0],), {}, ["`value`", "record", "list"]),
    ("echo_list_point", ([{"x": 1, "y": 2}, {"x": 1}],), {}, ["`value[1]`", "`y`"]),
    # Options, choices.
    ("echo_option", ("x",), {}, ["`value`", "s32", "string"]),
    ("echo_nested_option", (5,), {}, ["`value`", "some", "5"]),
    ("echo_nested_option", ({"some": "x"},), {}, ["`value.some`", "s32"]),
    ("echo_color", ("blue",), {}, ["`value`", "blue", "`red`", "`light_blue`"]),
    ("echo_color", (1,), {}, ["`value`", "enum", "integer"]),
    ("echo_measurement", ("lost",), {}, ["`value`", "lost", "`missing`", "`count`"]),
    ("echo_measurement", ("count",), {}, ["`value`", "`count`", "s64"]),
    ("echo_measurement", ({"missing": 1},), {}, ["`value`", "`missing`"]),
    ("echo_measurement", ({"ratio": "x"},), {}, ["`value.ratio`", "f32"]),
    ("echo_measurement", ({"count": 1, "ratio": 1.0},), {}, ["`value`", "variant"]),
    ("echo_marks", ({"loud"},), {}, ["`value`", "loud", "`noisy`"]),
    ("echo_marks", ("noisy",), {}, ["`value`", "flags", "string"]),
    ("echo_list_result", ([{"ok": "x"}],), {}, ["`value[0].ok`", "s32"]),
    ("echo_list_result", ([5],), {}, ["`value[0]`", "result", "integer"]),
]  # fmt: skip


@pytest.mark.parametrize(("procedure", "args", "kwargs", "words"), WRONG)
def test_a_wrong_argument_is_named(
    host: Host, procedure: str, args: tuple, kwargs: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(CallFailed) as caught:
        host.rpc(procedure, *args, **kwargs)
    assert (caught.value.status, caught.value.kind) == (400, "BadArguments")
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize(
    ("procedure", "arguments", "words"),
    [
        ("add", {"x": 1}, ["`y`", "missing"]),
        ("add", [1, 2, 3], ["`add`", "2", "3"]),
        ("add", {"x": 1, "Y": 2}, ["`Y`"]),
        ("add", {"x": "1.5", "y": 2}, ["`x`", "s64", "1.5"]),
        ("add", {"x": "9223372036854775808", "y": 2}, ["`x`", "s64", "range"]),
        ("echo_s64", {"value": 2**64}, ["`value`", "s64"]),
        ("echo_u64", {"value": 1.5}, ["`value`", "u64"]),
        ("echo_f64", {"value": "nan"}, ["`value`", "f64"]),
        ("echo_bytes", {"value": "not base64!"}, ["`value`", "base64"]),
        ("echo_bytes", {"value": [1, 256]}, ["`value[1]`", "u8", "256"]),
        ("echo_list_point", {"value": [{"x": 1, "y": "a"}]}, ["`value[0].y`", "f64"]),
        ("nothing", {"value": None}, ["`value`"]),
    ],
)
def test_a_wrong_argument_in_json_is_named(
    host: Host, procedure: str, arguments: Any, words: list[str]
) -> None:
    with pytest.raises(CallFailed) as caught:
        host.post(procedure, arguments)
    assert (caught.value.status, caught.value.kind) == (400, "BadArguments")
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize(
    ("procedure", "query", "words"),
    [
        ("add", {"x": "1"}, ["`y`", "missing"]),
        ("add", {"x": "1", "y": "two"}, ["`y`", "s64", "two"]),
        ("add", {"x": "1", "y": ["2", "3"]}, ["`y`", "s64"]),
        ("add", {"x": "1", "y": "2", "z": "3"}, ["`z`"]),
        ("echo_u8", {"value": "256"}, ["`value`", "u8", "256"]),
        ("echo_bool", {"value": "yes"}, ["`value`", "bool", "yes"]),
        ("echo_color", {"value": "blue"}, ["`value`", "`red`"]),
        ("echo_list_s32", {"value": "1,x"}, ["`value[1]`", "s32"]),
        ("echo_point", {"value": "nowhere"}, ["`value`", "record"]),
    ],
)
def test_a_wrong_argument_in_a_query_or_a_form_is_named(
    host: Host, procedure: str, query: dict[str, Any], words: list[str]
) -> None:
    for method, place in (("GET", "params"), ("POST", "data")):
        with pytest.raises(CallFailed) as caught:
            result_of(host.request(method, f"/{procedure}", **{place: query}))
        assert (caught.value.status, caught.value.kind) == (400, "BadArguments")
        for word in words:
            assert word in caught.value.message
