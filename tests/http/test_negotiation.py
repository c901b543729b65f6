"""The forms of a result that a caller can ask for with `Accept`."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
import time
from typing import Any

import pytest
import requests

from host import CallFailed, Host, Receipt, result_of

VALUE = "application/vnd.tarp.value+json"
BYTES = "application/octet-stream"
CSV = "text/csv"
PICKLE = "application/vnd.tarp.pickle"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def asked(host: Host, name: str, arguments: Any, accept: str, **headers: str) -> requests.Response:
    return host.request("POST", f"/{name}", json=arguments, headers={"Accept": accept} | headers)


def rows(reply: requests.Response) -> list[list[str]]:
    """A table, as a program that knows RFC 4180 reads it."""
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"].startswith("text/csv; charset=utf-8"), reply.headers
    assert reply.content.count(b"\n") == 0 or b"\r\n" in reply.content
    return list(csv.reader(io.StringIO(reply.content.decode(), newline=""), strict=True))


@pytest.mark.parametrize(
    "accept",
    ["*/*", "application/json", "text/html", BROWSER, "application/json, text/plain, */*", "a, b"],
)
def test_the_envelope_is_the_default(host: Host, accept: str) -> None:
    assert result_of(asked(host, "reverse", ["ab"], accept)) == "ba"
    assert result_of(host.request("GET", "/add?x=1&y=2", headers={"Accept": accept})) == 3


def test_a_value_without_its_envelope(host: Host) -> None:
    for name, arguments, value in (
        ("add", [1, 2], 3),
        ("reverse", ["ab"], "ba"),
        ("echo_u64", [2**64 - 1], 2**64 - 1),
        ("echo_bytes", ["aGk="], "aGk="),
        ("echo_f64", ["NaN"], "NaN"),
        ("nothing", [], None),
    ):
        reply = asked(host, name, arguments, VALUE)
        assert reply.headers["Content-Type"] == VALUE
        assert reply.headers["Vary"] == "accept"
        assert reply.json() == value
        assert Receipt.of(reply).fuel > 0


def test_bytes_and_text_as_they_are(host: Host) -> None:
    reply = host.request("POST", "/compress", data=b"aab", headers={"Accept": BYTES})
    assert (reply.headers["Content-Type"], reply.content) == (BYTES, b"\x02a\x01b")
    reply = asked(host, "decompress", ["AmE="], BYTES)
    assert reply.content == b"aa", "the ok value of a result"
    reply = asked(host, "reverse", ["über"], "text/plain")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.content.decode() == "rebü"


def test_tables_of_records_have_names(host: Host) -> None:
    points = [{"x": 1.5, "y": -2}, {"x": "NaN", "y": 1e300}]
    reply = asked(host, "echo_list_point", [points], CSV)
    assert reply.headers["Content-Type"].endswith("; header=present")
    assert rows(reply) == [["x", "y"], ["1.5", "-2.0"], ["NaN", "1e+300"]]
    assert rows(asked(host, "echo_list_point", [[]], CSV)) == [["x", "y"]], "known from the type"


def test_tables_of_lists_tuples_and_single_values(host: Host) -> None:
    words = ["a,b", 'say "x"', "two\r\nlines", "", "ü"]
    for name, argument, table in (
        ("echo_list_f64", [1.5, 2.0], [["1.5"], ["2.0"]]),
        ("echo_list_u64", [2**64 - 1], [[str(2**64 - 1)]]),
        ("echo_list_bool", [True, False], [["true"], ["false"]]),
        ("echo_list_string", words, [[word] for word in words]),
        ("echo_list_option", [1, None], [["1"], [""]]),
        ("echo_matrix", [[1.0, 2.0], [3.0]], [["1.0", "2.0"], ["3.0"]]),
        ("echo_pairs", [["a", 1.0], ["b", 2.0]], [["a", "1.0"], ["b", "2.0"]]),
        ("echo_pairs_of_lists", [["a", [1, 2]]], [["a", "[1,2]"]]),
        ("echo_chunks", ["aGk="], [["aGk="]]),
    ):
        reply = asked(host, name, [argument], CSV)
        assert reply.headers["Content-Type"].endswith("; header=absent")
        assert rows(reply) == table, name
    reply = host.request("GET", "/linspace?start=0&stop=1&count=3", headers={"Accept": CSV})
    assert rows(reply) == [["0.0"], ["0.5"], ["1.0"]]


def test_a_long_table(host: Host) -> None:
    reply = host.request("GET", "/linspace?start=0&stop=1&count=200000", headers={"Accept": CSV})
    numbers = [float(row[0]) for row in rows(reply)]
    assert len(numbers) == 200_000
    assert math.isclose(numbers[1], 1 / 199_999)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (f"{CSV};q=0.5, {VALUE};q=0.9", VALUE),
        (f"{VALUE}, {CSV}", VALUE),
        (f"{CSV}, {VALUE}", "text/csv; charset=utf-8; header=absent"),
        (f"*/*;q=0.1, {CSV}", "text/csv; charset=utf-8; header=absent"),
        (f"image/png, {VALUE}", VALUE),
        (f"application/*, {CSV};q=0.1", "application/json"),
        (f"{BYTES}, */*;q=0.1", "application/json"),
        (f"{PICKLE};arrays=list", PICKLE),
        ("application/json;q=0, text/html;q=0, */*", VALUE),
    ],
)
def test_the_best_that_fits_is_taken(host: Host, accept: str, content_type: str) -> None:
    reply = asked(host, "echo_list_f64", [[1, 2]], accept)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, content_type)


@pytest.mark.parametrize(
    ("name", "accept", "fits"),
    [
        ("add", CSV, VALUE),
        ("add", BYTES, VALUE),
        ("reverse", BYTES, "text/plain"),
        ("echo_bytes", CSV, BYTES),
        ("echo_list_f64", "image/png", CSV),
        ("echo_list_measurement", CSV, VALUE),
        ("echo_point", "application/json;q=0, text/html;q=0, text/csv", VALUE),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(
    host: Host, name: str, accept: str, fits: str
) -> None:
    with pytest.raises(CallFailed) as caught:
        result_of(asked(host, name, [], accept))
    assert (caught.value.status, caught.value.kind) == (406, "NotAcceptable")
    assert fits in caught.value.message


def test_nothing_runs_for_a_form_that_does_not_fit(host: Host) -> None:
    """Neither the endless loop nor a job of it."""
    before = time.monotonic()
    for headers in ({}, {"Prefer": "respond-async"}):
        with pytest.raises(CallFailed, match="Accept"):
            result_of(asked(host, "spin", [], CSV, **headers))
    assert time.monotonic() - before < 5


def test_a_failure_is_an_object_whatever_was_asked_for(host: Host) -> None:
    with pytest.raises(CallFailed, match="count is 0") as caught:
        result_of(asked(host, "linspace", [0, 1, 0], CSV))
    assert (caught.value.status, caught.value.kind) == (500, "ProcedureError")


def test_the_result_of_a_job_in_every_form(host: Host) -> None:
    handle = host.submit("echo_list_point", [{"x": 1, "y": 2}])["id"]
    host.ended(handle)

    def result(accept: str) -> requests.Response:
        path = f"/-/jobs/{handle}/result"
        return host.request("GET", path, headers={"Accept": accept})

    assert rows(result(CSV)) == [["x", "y"], ["1.0", "2.0"]]
    assert json.loads(result(VALUE).content) == [{"x": 1.0, "y": 2.0}]
    assert pickle.loads(result(PICKLE).content) == [{"x": 1.0, "y": 2.0}]
    assert result_of(result("*/*")) == [{"x": 1.0, "y": 2.0}]
    with pytest.raises(CallFailed) as caught:
        result_of(result(BYTES))
    assert (caught.value.status, caught.value.kind) == (406, "NotAcceptable")
    data = host.submit("echo_bytes", "aGk=")["id"]
    host.ended(data)
    path = f"/-/jobs/{data}/result"
    assert host.request("GET", path, headers={"Accept": BYTES}).content == b"hi"
