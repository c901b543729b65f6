"""Values arrive exactly or are refused with the cure: in queries, forms, JSON and pickles."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import math
import pickle
import urllib.parse
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import requests

from host import DEADLINE, CallFailed, Host, result_of

JSON = {"Content-Type": "application/json"}


def refused(host: Host, name: str, body: str | bytes, **headers: str) -> CallFailed:
    """The refusal of a body of JSON, to the byte."""
    with pytest.raises(CallFailed) as caught:
        result_of(host.request("POST", f"/{name}", data=body, headers=JSON | headers))
    return caught.value


def query_refused(host: Host, path: str) -> CallFailed:
    """The refusal of a path, which is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("GET", path)
        reply = connection.getresponse()
        body = json.loads(reply.read())
    assert body["status"] == "error", body
    return CallFailed(reply.status, body, requests.Response())


def rpc_refused(host: Host, name: str, *args: Any, protocol: int | None = None) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        host.rpc(name, *args, protocol=protocol)
    assert caught.value.kind == "BadArguments"
    return caught.value


# Queries and forms.


@pytest.mark.parametrize(
    ("procedure", "query", "expected"),
    [
        ("echo_list_string", "value=a", ["a"]),
        ("echo_list_string", "value=a,b", ["a,b"]),
        ("echo_list_string", "value=", [""]),
        ("echo_list_string", "value=null", ["null"]),
        ("echo_list_char", "value=a", ["a"]),
        ("echo_list_bool", "value=true", [True]),
        ("echo_list_f64", "value=1", [1.0]),
        ("echo_marks", "value=noisy", ["noisy"]),
        ("echo_marks", 'value=["noisy"]', ["noisy"]),
        ("echo_matrix", "value=1,2", [[1.0, 2.0]]),
        ("echo_matrix", "value=1,2&value=3,4", [[1.0, 2.0], [3.0, 4.0]]),
        ("echo_matrix", "value=[1,2]", [[1.0, 2.0]]),
        ("echo_matrix", "value=[1,2]&value=[3]", [[1.0, 2.0], [3.0]]),
        ("echo_matrix", "value=[[1,2],[3]]", [[1.0, 2.0], [3.0]]),
        ("echo_matrix", "value=[]", []),
        ("echo_chunks", "value=aGk=", ["aGk="]),
        ("echo_list_point", 'value={"x":1,"y":2}', [{"x": 1.0, "y": 2.0}]),
        ("echo_list_measurement", "value=missing", ["missing"]),
        ("echo_pairs", 'value=["a",1]', [["a", 1.0]]),
        ("echo_pairs", 'value={"a":1}', [["a", 1.0]]),
        ("echo_option_list", "value=1.5", [1.5]),
        ("echo_option_list", "value=null", None),
        ("greet", "who=Ada&greeting=null", "null, Ada!"),
        ("greet", "who=Ada&greeting=None", "None, Ada!"),
        ("greet", "who=Ada&greeting=", ", Ada!"),
        ("greet", "who=null", "Hello, null!"),
        ("echo_string", "value=100%25", "100%"),
        ("echo_u64", "value=18446744073709551615", 2**64 - 1),
    ],
)
def test_one_is_as_good_as_two_and_text_is_text(
    host: Host, procedure: str, query: str, expected: Any
) -> None:
    assert result_of(host.request("GET", f"/{procedure}?{query}")) == expected
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = host.request("POST", f"/{procedure}", data=query.encode(), headers=form)
    assert result_of(reply) == expected


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/echo_string?value=%FC", "BadRequest", ["UTF-8", "value="]),
        ("/echo_string?value=100%", "BadRequest", ["%25"]),
        ("/echo_string?value=%zz", "BadRequest", ["%25"]),
        ("/get_data?frequency=%FC", "BadRequest", ["UTF-8"]),
        ("/echo_list_string?value[]=a", "BadArguments", ["repeat `value`"]),
        ("/echo_list_string?value[0]=a&value[1]=b", "BadArguments", ["repeat `value`"]),
        ("/echo_point?value[x]=1&value[y]=2", "BadArguments", ["`value` as a whole is JSON"]),
        ("/echo_point?value.x=1&value.y=2", "BadArguments", ["`value` as a whole is JSON"]),
        ("/echo_point?x=1&y=2", "BadArguments", ['{"value": {...}}']),
        ("/echo_bytes?value=a+/=", "BadArguments", ["%2B"]),
        ("/echo_bytes?value=a-_=", "BadArguments", ["URL-safe"]),
        ("/echo_list_string?values=a", "BadArguments", ["did you mean `value`"]),
        ("/echo_list_string?value=[a]", "BadArguments", ["JSON"]),
        ("/echo_s64?value=1&value=2", "BadArguments", ["`value`", "s64", "2 times"]),
        ("/echo_bytes?value=aGk=&value=aGk=", "BadArguments", ["2 times"]),
        ("/echo_f64?value=1e400", "BadArguments", ["`value`", "range"]),
        ("/echo_f64?value=9007199254740993", "BadArguments", ["`value`", "exactly"]),
        ("/echo_list_f64?value=", "BadArguments", ["list<f64>", "the empty one is []"]),
        ("/answer/", "NotFound", ["`answer`", "slash"]),
        ("/statistics/mean/?values=1", "NotFound", ["`statistics/mean`", "slash"]),
    ],
)
def test_a_query_is_read_exactly_or_refused_with_the_cure(
    host: Host, path: str, kind: str, words: list[str]
) -> None:
    error = query_refused(host, path)
    assert error.kind == kind
    for word in words:
        assert word in error.message


def test_a_form_that_is_none_gets_the_content_type_to_send(host: Host) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in ('{"x": 1, "y": 2}', "[1, 2]", "hello"):
        with pytest.raises(CallFailed, match="application/json") as caught:
            result_of(host.request("POST", "/add", data=body, headers=form))
        assert caught.value.kind == "BadArguments"
    with pytest.raises(CallFailed, match="UTF-8"):
        result_of(host.request("POST", "/echo_string", data=b"value=%FC", headers=form))


# JSON.


def test_what_other_languages_write_gets_the_cure(host: Host) -> None:
    for literal, cure in (("NaN", '"NaN"'), ("-Infinity", '"-Infinity"'), ("None", "null")):
        error = refused(host, "echo_list_f64", f'{{"value": [1, {literal}]}}')
        assert (error.kind, "JSON" in error.message) == ("BadRequest", True)
        assert cure in error.message
    for name, value in (
        ("echo_bool", [True]),
        ("echo_s64", [1]),
        ("echo_f64", [0.5]),
        ("echo_string", ["a"]),
        ("echo_color", ["red"]),
    ):
        error = refused(host, name, json.dumps({"value": value}))
        assert "auto_unbox" in error.message, error.message
    for name, value, cure in (
        ("echo_list_f64", [1, None], 'a gap is "NaN" in JSON'),
        ("echo_measurement", {"count": 1, "ratio": 2.0}, "2 keys; it has one"),
        ("echo_point", None, "expected"),
    ):
        assert cure in refused(host, name, json.dumps({"value": value})).message


def test_the_sign_of_zero_stays(host: Host) -> None:
    for options in (
        {"method": "GET", "params": {"value": "-0"}},
        {"method": "POST", "data": {"value": "-0"}},
        {"method": "POST", "data": '{"value": -0}', "headers": JSON},
    ):
        assert math.copysign(1, result_of(host.request(path="/echo_f64", **options))) == -1
        assert result_of(host.request(path="/echo_s64", **options)) == 0
    row = result_of(host.request("POST", "/echo_list_f64", data='{"value": [1, -0]}', headers=JSON))
    assert math.copysign(1, row[1]) == -1


def test_a_number_that_is_too_large_is_out_of_range(host: Host) -> None:
    for name, number in (
        ("echo_u64", "18446744073709551616"),
        ("echo_s64", "-9223372036854775809"),
        ("echo_s64", "1" + "0" * 500),
        ("echo_f64", "1e400"),
        ("echo_f64", "-1e400"),
        ("echo_f64", "1" + "0" * 400),
        ("echo_f32", "1e39"),
        ("echo_u8", '"300"'),
        ("echo_s64", '"99999999999999999999"'),
    ):
        error = refused(host, name, f'{{"value": {number}}}')
        assert (error.kind, "range" in error.message) == ("BadArguments", True), error.message
        assert "`value`" in error.message
        assert len(error.message) < 300
    error = refused(host, "echo_list_f64", '{"value": [1.5, 1e400]}')
    assert "`value[1]`" in error.message
    assert refused(host, "echo_string", '{"value": 1e400}').kind == "BadArguments"


def test_a_key_comes_once_at_every_depth(host: Host) -> None:
    for name, body in (
        ("echo_point", '{"value": {"x": 1, "x": 2, "y": 3}}'),
        ("add", '{"x": 1, "x": 2, "y": 3}'),
        ("echo_list_point", '{"value": [{"x": 1, "y": 2, "x": 3}]}'),
        ("echo_pairs", '{"value": {"a": 1, "a": 2}}'),
    ):
        error = refused(host, name, body)
        assert "twice" in error.message, error.message
    value = urllib.parse.quote('[{"x":1,"y":2,"x":3}]')
    error = query_refused(host, f"/echo_list_point?value={value}")
    assert (error.kind, "twice" in error.message) == ("BadArguments", True), error.message


def test_an_error_repeats_little_of_what_came(host: Host) -> None:
    long = "9" * 5_000_000
    for name, body in (
        ("echo_s64", f'{{"value": "{long}"}}'),
        ("echo_s64", f'{{"value": {long}}}'),
        ("echo_color", f'{{"value": "{long}"}}'),
        ("echo_point", f'{{"value": {{"{long}": 1}}}}'),
        ("echo_measurement", f'{{"value": {{"{long}": 1}}}}'),
        ("echo_list_result", f'{{"value": [{{"{long}": 1}}]}}'),
        ("add", f'{{"{long}": 1}}'),
        ("add", f'{{"{long}": 1, "{long}": 2}}'),
        ("echo_marks", f'{{"value": ["{long}"]}}'),
    ):
        assert len(refused(host, name, body).body["message"]) < 1000, name
    assert len(rpc_refused(host, "echo_f64", Decimal("1." + "3" * 100_000)).message) < 500


# Numbers.

INEXACT: list[Any] = [
    2**53 + 1,
    -(2**53) - 1,
    2**63 - 1,
    2**64 + 1,
    Fraction(10**400 + 1, 10**400),
    Fraction(1, 3),
    Decimal("0.3333333333333333333333333333"),
    np.int64(2**53 + 1),
    np.uint64(2**64 - 1),
]
EXACT: list[Any] = [
    2**53,
    2**60,
    -(2**70),
    Fraction(1, 2),
    Fraction(-7, 4),
    Decimal("0.1"),
    Decimal("2.50"),
    Decimal("1E+5"),
    Decimal("NaN"),
    Decimal("-Infinity"),
    np.int64(2**60),
]


@pytest.mark.parametrize("value", INEXACT, ids=repr)
def test_a_number_that_a_float_is_not_is_refused(host: Host, value: Any) -> None:
    error = rpc_refused(host, "echo_f64", value)
    assert "exactly" in error.message
    assert "float()" in error.message
    assert "`value[1]`" in rpc_refused(host, "echo_list_f64", [0.5, value]).message


@pytest.mark.parametrize("value", EXACT, ids=repr)
def test_a_number_that_a_float_is_arrives(host: Host, value: Any) -> None:
    for back in (host.rpc("echo_f64", value), host.rpc("echo_list_f64", [value, 0.5])[0]):
        assert back == float(value) or (math.isnan(back) and math.isnan(float(value)))


def test_a_number_beyond_all_floats_is_out_of_range(host: Host) -> None:
    for value in (Decimal("1E400"), Decimal("-1E400"), Fraction(10**400), 10**400):
        assert "range" in rpc_refused(host, "echo_f64", value).message


def test_rows_of_integers_are_exact_or_refused(host: Host) -> None:
    rows = (
        [1, 2**53 + 1],
        np.array([1, 2**53 + 1]),
        np.array([1, 2**64 - 1], np.uint64),
        [0.5, 2**53 + 1],
    )
    for row in rows:
        assert "`value[1]`" in rpc_refused(host, "echo_list_f64", row).message
    assert "exactly" in refused(host, "echo_list_f64", '{"value": [1, 9007199254740993]}').message
    assert "exactly" in rpc_refused(host, "echo_f32", 2**24 + 1).message
    assert "`value[1]`" in rpc_refused(host, "echo_list_f32", np.array([1, 2**24 + 1])).message
    for body in ("[1, 16777217]", "[0.5, 16777217]", "[16777217.0, 16777217]"):
        message = refused(host, "echo_list_f32", f'{{"value": {body}}}').message
        assert "`value[1]`" in message, body
        assert "exactly" in message, body
    assert "exactly" in refused(host, "echo_f32", '{"value": 16777217}').message
    for number in ("16777217", "2147483647"):
        for options in (
            {"method": "GET", "params": {"value": number}},
            {"method": "POST", "data": {"value": number}},
        ):
            with pytest.raises(CallFailed, match="exactly"):
                result_of(host.request(path="/echo_f32", **options))
    # The first is what the host writes of 2^31, without its point.
    back = host.post("echo_list_f32", {"value": [2147483600, 16777216]})
    assert np.array_equal(np.float32(back), np.float32([2**31, 2**24]))
    exact = host.rpc("echo_list_f64", np.array([2**53, -(2**60)]))
    assert exact.tolist() == [2.0**53, -(2.0**60)]
    # 2^60 as JavaScript writes it.
    assert host.post("echo_f64", {"value": 1152921504606847000}) == 2.0**60
    assert host.post("echo_list_f64", {"value": [1152921504606847000, 1]}) == [2.0**60, 1.0]


# Pickles.


def test_what_follows_a_pickle_is_refused(host: Host) -> None:
    def rpc(args: bytes, kwargs: bytes) -> Any:
        parts = {"args": args, "kwargs": kwargs}
        return {name: base64.b64encode(part).decode() for name, part in parts.items()}

    args, kwargs = pickle.dumps((1, 2)), pickle.dumps({})
    for more in (b"x", b"\n", b".", pickle.dumps((3, 4))):
        for body in (rpc(args + more, kwargs), rpc(args, kwargs + more)):
            with pytest.raises(CallFailed, match="the end of the pickle"):
                host.post("add", body)
        both = pickle.dumps(((1, 2), {})) + more
        headers = {"Content-Type": "application/vnd.tarp.pickle"}
        with pytest.raises(CallFailed, match="one pickle, and nothing else"):
            result_of(host.request("POST", "/add", data=both, headers=headers))


# Bytes and text.


def test_a_str_of_python_2_is_bytes_where_bytes_are_wanted(host: Host) -> None:
    """Whatever is in it: here once what could be base64, once what is no text."""

    def rpc(procedure: str, literal: bytes) -> Any:
        args = base64.b64encode(b"(S'" + literal + b"'\nt.").decode()
        kwargs = base64.b64encode(b"(d.").decode()
        payload = host.post(procedure, {"args": args, "kwargs": kwargs})["payload"]
        return pickle.loads(base64.b64decode(payload))

    assert rpc("echo_bytes", b"aGk=") == b"aGk="
    assert rpc("echo_bytes", b"hello") == b"hello"
    assert rpc("echo_bytes", rb"\xff\x00") == b"\xff\0"
    assert rpc("echo_string", b"hello") == "hello"
    assert rpc("echo_color", b"red") == "red"
    assert rpc("echo_measurement", b"missing") == "missing"


def test_a_str_of_python_is_not_bytes(host: Host) -> None:
    for text in ("aGk=", "hello"):
        error = rpc_refused(host, "echo_bytes", text)
        assert "encode" in error.message
    assert "`value[0]`" in rpc_refused(host, "echo_chunks", ["aGk="]).message


# What is asked for.


def test_any_text_is_text_where_that_fits(host: Host) -> None:
    def asked(path: str) -> Any:
        return host.request("GET", path, headers={"Accept": "text/*"})

    reply = asked("/reverse?text=ab")
    assert (reply.headers["Content-Type"], reply.text) == ("text/plain; charset=utf-8", "ba")
    assert asked("/linspace?start=0&stop=1&count=2").headers["Content-Type"].startswith("text/csv")
    assert asked("/add?x=1&y=2").status_code == 406
