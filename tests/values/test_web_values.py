"""Values through JSON, query strings and forms, in other notations than their own."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

import pytest
import requests

from host import Host, result_of
from notation import parse

SAMPLE = {
    "label": "run 7",
    "values": [1.0, "NaN"],
    "unit": None,
    "taken_at": {"x": 1.5, "y": -2.0},
    "color": "light_blue",
    "marks": ["noisy", "checked_by_hand"],
    "calibration": {"err": "the lamp was off"},
}

#: The procedure, what is sent, and what comes back.
OTHERS: list[tuple[str, Any, Any]] = [
    ("echo_s64", str(2**63 - 1), 2**63 - 1),
    ("echo_s64", str(-(2**63)), -(2**63)),
    ("echo_u64", str(2**64 - 1), 2**64 - 1),
    ("echo_u8", "7", 7),
    ("echo_list_u64", [str(2**64 - 1), 1], [2**64 - 1, 1]),
    ("echo_f64", 3, 3.0),
    ("echo_f32", 3, 3.0),
    ("echo_list_f64", [1, 2], [1.0, 2.0]),
    ("echo_list_f64", [1, 2.5], [1.0, 2.5]),
    ("echo_bytes", [104, 105], "aGk="),
    ("echo_bytes", [], ""),
    ("echo_pairs", {"a": 1, "b": 2.5}, [["a", 1.0], ["b", 2.5]]),
    ("echo_pairs", {}, []),
    ("echo_sample", {key: SAMPLE[key] for key in SAMPLE if key != "unit"}, SAMPLE),
    ("echo_list_bare_result", ["ok", "err"], [{"ok": None}, {"err": None}]),
]
CASES = [pytest.param(*case, id=f"{case[0]} {json.dumps(case[1])}"[:60]) for case in OTHERS]


def strict_result(reply: requests.Response) -> Any:
    result_of(reply)
    return parse(reply.text)["result"]


def is_equal(a: Any, b: Any) -> bool:
    """Equal, and of the same kind: 1 is not true, and not 1.0."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


@pytest.mark.parametrize(("procedure", "sent", "back"), CASES)
def test_json(host: Host, procedure: str, sent: Any, back: Any) -> None:
    for arguments in ({"value": sent}, [sent]):
        reply = host.request("POST", f"/{procedure}", json=arguments)
        assert is_equal(strict_result(reply), back)


@pytest.mark.parametrize(("procedure", "sent", "back"), CASES)
def test_json_in_a_query_or_a_form(host: Host, procedure: str, sent: Any, back: Any) -> None:
    """Text is text; whatever else is written as JSON has it."""
    text = sent if isinstance(sent, str) else json.dumps(sent)
    for method, place in (("GET", "params"), ("POST", "data")):
        reply = host.request(method, f"/{procedure}", **{place: {"value": text}})
        assert is_equal(strict_result(reply), back)


def test_numbers_are_exact_to_64_bits(host: Host) -> None:
    """Compared as text, since a reader may round."""
    for procedure, digits in (
        ("echo_s64", "-9223372036854775808"),
        ("echo_s64", "9223372036854775807"),
        ("echo_u64", "18446744073709551615"),
    ):
        reply = host.request(
            "POST",
            f"/{procedure}",
            data=f'{{"value": {digits}}}',
            headers={"Content-Type": "application/json"},
        )
        assert json.loads(reply.text, parse_int=str)["result"] == digits
        assert host.get(procedure, {"value": digits}) == int(digits)


def test_a_tenth_is_a_tenth_in_single_precision_too(host: Host) -> None:
    reply = host.request("POST", "/echo_f32", json=[0.1])
    assert json.loads(reply.text, parse_float=str)["result"] == "0.1"


def test_floats_are_exact(host: Host) -> None:
    """Many readers of JSON take the nearest double but one."""
    random = Random(1)
    values = [random.uniform(-1e3, 1e3) * 10.0 ** random.randint(-20, 20) for _ in range(10_000)]
    assert host.post("echo_list_f64", [values]) == values


def test_what_json_cannot_say_is_never_a_bare_word(host: Host) -> None:
    for value in ("NaN", "Infinity", "-Infinity"):
        assert strict_result(host.request("GET", "/echo_f64", params={"value": value})) == value
    mean = host.request("POST", "/statistics/mean", json=[["NaN", 1]])
    assert strict_result(mean) == "NaN"
    overflow = host.request("POST", "/scale", json=[[1e308, -1e308], 10])
    assert strict_result(overflow) == ["Infinity", "-Infinity"]


@pytest.mark.parametrize(
    ("procedure", "query", "expected"),
    [
        # A list as people type it, as repeated names, and of one item.
        ("echo_list_f64", [("value", "1,2.5, 3")], [1.0, 2.5, 3.0]),
        ("echo_list_f64", [("value", "1"), ("value", "2.5")], [1.0, 2.5]),
        ("echo_list_s32", [("value", "7")], [7]),
        ("echo_list_u64", [("value", str(2**64 - 1)), ("value", "0")], [2**64 - 1, 0]),
        ("echo_list_string", [("value", "a"), ("value", "b,c")], ["a", "b,c"]),
        ("echo_marks", [("value", "noisy"), ("value", "saturated")], ["noisy", "saturated"]),
        # Truth values.
        ("echo_bool", [("value", "true")], True),
        ("echo_bool", [("value", "False")], False),
        ("echo_bool", [("value", "1")], True),
        # Numbers.
        ("echo_f64", [("value", "1e3")], 1000.0),
        ("echo_f64", [("value", "7")], 7.0),
        ("echo_s64", [("value", "-5")], -5),
        # Optional arguments: left out, empty, absent by name, given.
        ("echo_option", [], None),
        ("echo_option", [("value", "")], None),
        ("echo_option", [("value", "null")], None),
        ("echo_option", [("value", "7")], 7),
        ("greet", [("who", "Ada")], "Hello, Ada!"),
        ("greet", [("greeting", "Hi"), ("who", "Ada")], "Hi, Ada!"),
        # Text is never taken for anything else.
        ("echo_string", [("value", "1")], "1"),
        ("echo_string", [("value", "null")], "null"),
        ("echo_string", [("value", "[1, 2]")], "[1, 2]"),
        ("echo_string", [("value", "")], ""),
        ("echo_string", [("value", "a&b=c#d +%é")], "a&b=c#d +%é"),
    ],
)
def test_queries_and_forms_as_people_write_them(
    host: Host, procedure: str, query: list[tuple[str, str]], expected: Any
) -> None:
    assert is_equal(host.get(procedure, query), expected)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = host.request("POST", f"/{procedure}", data=query, headers=form)
    assert is_equal(result_of(reply), expected)


def test_a_plus_is_a_space_in_a_query(host: Host) -> None:
    reply = host.request("GET", "/reverse?text=one+two%20three%2B")
    assert result_of(reply) == "+eerht owt eno"


def test_a_text_that_is_sent_plainly_is_the_single_parameter(host: Host) -> None:
    def plain(procedure: str, text: str) -> Any:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        reply = host.request("POST", f"/{procedure}", data=text.encode(), headers=headers)
        return result_of(reply)

    assert plain("reverse", "größer") == "reßörg"
    assert plain("echo_s64", "-7") == -7
    assert plain("echo_list_f64", "1, 2.5") == [1.0, 2.5]
    assert plain("echo_point", '{"x": 1, "y": 2}') == {"x": 1.0, "y": 2.0}
    assert math.isclose(plain("sum", "[0.1, 0.2]"), 0.3)


def test_objects_by_name_arrays_by_position_and_anything_left_out(host: Host) -> None:
    assert host.post("add", {"y": 2, "x": 1}) == 3
    assert host.post("add", [1, 2]) == 3
    assert host.post("greet", ["Ada"]) == "Hello, Ada!"
    assert host.post("greet", {"who": "Ada", "greeting": None}) == "Hello, Ada!"
    assert host.post("answer", {}) == 42
    assert host.post("answer", []) == 42
    assert host.post("nothing", {}) is None
