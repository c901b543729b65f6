"""Maps: dicts of Python and objects of JSON, whatever the type of their keys."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
import tarp

from binary import STRING, U8, Builder, map_of
from command_line import CommandLine
from host import CallFailed, Host, MakeHost, eventually, place

STATION = {"name": "roof", "readings": {"t": 21.5, "rh": 0.4}}

#: A procedure that gives back its argument, the argument, and its JSON.
VALUES: list[tuple[str, Any, str]] = [
    ("echo_map_bool", {False: "no", True: "yes"}, '{"false":"no","true":"yes"}'),
    ("echo_map_s8", {-128: "a", 127: "b"}, '{"-128":"a","127":"b"}'),
    ("echo_map_u8", {255: "a", 0: "b"}, '{"255":"a","0":"b"}'),
    ("echo_map_s16", {-(2**15): "a"}, '{"-32768":"a"}'),
    ("echo_map_u16", {2**16 - 1: "a"}, '{"65535":"a"}'),
    ("echo_map_s32", {-(2**31): "a", 3: "", 1: ""}, '{"-2147483648":"a","3":"","1":""}'),
    ("echo_map_u32", {2**32 - 1: "a"}, '{"4294967295":"a"}'),
    ("echo_map_s64", {-(2**63): "a"}, '{"-9223372036854775808":"a"}'),
    ("echo_map_u64", {2**64 - 1: "a", 0: "b"}, '{"18446744073709551615":"a","0":"b"}'),
    ("echo_map_char", {"é": "a", "\N{MUSICAL SYMBOL G CLEF}": "b"}, '{"é":"a","𝄞":"b"}'),
    ("echo_map_string", {"b": "1", "": "2", "a b": "3"}, '{"b":"1","":"2","a b":"3"}'),
    ("echo_map_string", {}, "{}"),
    ("echo_map_flags", {1: True, 2: False}, '{"1":true,"2":false}'),
    ("echo_map_floats", {7: 0.1}, '{"7":0.1}'),
    ("echo_map_bytes", {"x": b"hi"}, '{"x":"aGk="}'),
    (
        "echo_map_nested",
        {"a": {1: [1.0, 2.5], 2: []}, "b": {}},
        '{"a":{"1":[1.0,2.5],"2":[]},"b":{}}',
    ),
    ("echo_map_optional", None, "null"),
    ("echo_map_optional", {"a": 2**64 - 1}, '{"a":18446744073709551615}'),
    ("echo_map_list", [{"a": True, "b": None}, {}], '[{"a":true,"b":null},{}]'),
    ("echo_map_station", STATION, json.dumps(STATION, separators=(",", ":"))),
    ("echo_map_stations", {7: STATION}, json.dumps({"7": STATION}, separators=(",", ":"))),
]


@pytest.fixture(scope="module")
def host(make_module_host: MakeHost) -> Host:
    return make_module_host("maps", "math")


@pytest.fixture(scope="module")
def client(host: Host) -> Any:
    with tarp.connect(host.address) as client:
        yield client


def same(back: Any, sent: Any) -> bool:
    """Also the order of the entries, and the types of the keys."""
    return repr(back) == repr(sent)


@pytest.mark.parametrize(("name", "value", "text"), VALUES)
def test_a_map_comes_back_as_it_was_sent(
    host: Host, client: Any, name: str, value: Any, text: str
) -> None:
    assert same(host.rpc(name, value), value)
    assert same(client[name](value), value)
    assert same(client[name].submit(value).result(), value)
    headers = {"Content-Type": "application/json", "Accept": "application/vnd.tarp.value+json"}
    body = f'{{"value": {text}}}'.encode()
    reply = host.request("POST", f"/{name}", data=body, headers=headers)
    assert json.loads(reply.content) == json.loads(text)
    result = json.loads(reply.content)
    assert json.dumps(result) == json.dumps(json.loads(text)), "the order of the entries"
    # In a query it is JSON.
    assert host.get(name, {"value": text}) == json.loads(text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, _, text in VALUES])
def test_a_map_on_the_command_line(host: Host, name: str, text: str) -> None:
    ran = CommandLine(host.address)("call", name, f"value={text}", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["result"] == json.loads(text)


def test_pairs_stand_for_a_map(host: Host) -> None:
    for value in ([[1, "a"], [2, "b"]], {"1": "a", "2": "b"}):
        assert host.post("echo_map_u8", [value]) == {"1": "a", "2": "b"}
    assert host.post("echo_map_u8", [[]]) == {}
    assert host.post("echo_map_bool", [[[True, "a"]]]) == {"true": "a"}
    assert host.post("echo_map_flags", [[[1, True]]]) == {"1": True}
    assert host.rpc("echo_map_floats", np.array([[1, 2], [3, 4]])) == {1: 2.0, 3: 4.0}
    assert host.rpc("echo_map_s8", ((-1, "a"),)) == {-1: "a"}


class Key(Enum):
    ONE = 1


def test_keys_of_libraries_are_taken_exactly(host: Host, client: Any) -> None:
    assert same(host.rpc("echo_map_u64", {np.uint64(2**64 - 1): "a"}), {2**64 - 1: "a"})
    assert same(host.rpc("echo_map_bool", {np.bool_(True): "a"}), {True: "a"})
    assert same(host.rpc("echo_map_s8", {np.int8(-1): "a"}), {-1: "a"})
    assert same(client.echo_map_u8({Key.ONE: "a"}), {1: "a"})
    assert same(client.echo_map_floats(pd.Series([0.5, 1.5], index=[3, 1])), {3: 0.5, 1: 1.5})
    assert same(client.echo_map_u8({1: "a"}.items()), {1: "a"})
    with pytest.raises(tarp.BadArguments, match=r"`?value`?.*two of its keys are 3"):
        client.echo_map_floats(pd.Series([0.5, 1.5], index=[3, 3]))


WRONG: list[tuple[str, Any, list[str]]] = [
    ("echo_map_u8", {"x": "a"}, ["`value`", "a key of map<u8, string>", "expected u8", '"x"']),
    ("echo_map_u8", {"256": "a"}, ["`value`", "256 is out of the range of u8"]),
    ("echo_map_bool", {"yes": "a"}, ["`value`", "expected bool"]),
    ("echo_map_char", {"ab": "a"}, ["`value`", "exactly one character"]),
    ("echo_map_u8", {"1": 5}, ["`value[1]`", "expected string, got an integer (5)"]),
    ("echo_map_nested", {"a": {"1": ["x"]}}, ['`value["a"][1][0]`', "expected f64"]),
    ("echo_map_u8", {"1": "a", "01": "b"}, ["`value`", "the key 1 comes twice"]),
    ("echo_map_u8", [[1, "a"], [1, "b"]], ["`value`", "the key 1 comes twice"]),
    ("echo_map_string", [["a", "a"], ["b"]], ["`value[1]`", "a pair", "a list of 1"]),
    ("echo_map_string", ["a"], ["`value[0]`", "a pair", "got a string"]),
    ("echo_map_string", "a", ["`value`", "expected map<string, string>"]),
    ("echo_map_string", None, ["`value`", "expected map<string, string>"]),
]


@pytest.mark.parametrize(("name", "value", "parts"), WRONG)
def test_what_is_no_map_is_refused_with_the_culprit(
    host: Host, name: str, value: Any, parts: list[str]
) -> None:
    with pytest.raises(CallFailed) as failure:
        host.post(name, {"value": value})
    assert failure.value.kind == "BadArguments"
    for part in parts:
        assert part in failure.value.message


@pytest.mark.parametrize("key", [1.0, None, (1, 2), b"a", True])
def test_keys_of_other_types_are_refused(client: Any, key: Any) -> None:
    with pytest.raises(tarp.BadArguments, match="a key of map<u8, string>"):
        client.echo_map_u8({key: "a"})


def test_a_key_that_is_written_twice_is_refused(host: Host) -> None:
    body = b'{"value": {"a": "1", "a": "2"}}'
    reply = host.request(
        "POST", "/echo_map_string", data=body, headers={"Content-Type": "application/json"}
    )
    assert reply.status_code == 400
    assert 'the key "a" comes twice' in reply.json()["message"]
    ran = CommandLine(host.address)("call", "echo_map_string", '{"a": "1", "a": "2"}')
    assert ran.code != 0
    assert 'the key "a" comes twice' in ran.err


@pytest.mark.parametrize(
    ("name", "key"), [("repeated_text", '"b"'), ("repeated_number", "-9223372036854775808")]
)
def test_a_guest_that_writes_a_key_twice_fails(host: Host, name: str, key: str) -> None:
    with pytest.raises(CallFailed) as failure:
        host.post(name, {})
    assert failure.value.kind == "Trap"
    assert f"the key {key} twice" in failure.value.message
    job = host.ended(host.submit(name)["id"])
    assert job["state"] == "failed"
    assert f"the key {key} twice" in job["error"]["message"]


def test_maps_as_a_failure_and_of_several_arguments(client: Any) -> None:
    assert client.total({"a": 2, "b": 1}, prices={"a": 0.5, "b": 10}) == 11.0
    with pytest.raises(tarp.ProcedureError) as failure:
        client.total({"c": 1}, {})
    assert failure.value.value == {"c": "has no price"}
    assert client.total.info.signature.parameters["amounts"].annotation.text == "dict[str, int]"


def test_large_maps_are_within_the_limits_or_refused(make_host: MakeHost) -> None:
    host = make_host("maps", config="[limits]\nresult = '16 MiB'\n")
    count = 100_000
    assert host.rpc("squares", count) == {n: n * n for n in range(count)}
    sent = {str(n): "v" for n in range(count)}
    assert host.rpc("echo_map_string", sent) == sent
    with pytest.raises(CallFailed) as failure:
        host.post("squares", [1_000_000])
    assert failure.value.kind == "TooLarge"


def test_the_document_has_the_names_of_keys(host: Host) -> None:
    document = requests.get(f"{host.address}/-/openapi.json", timeout=10).json()
    body = document["paths"]["/echo_map_s8"]["post"]["requestBody"]["content"]["application/json"]
    text = json.dumps(body)
    pattern = re.search(r'"propertyNames": {"pattern": "([^"]+)"}', text)
    assert pattern, text
    key = re.compile(json.loads(f'"{pattern[1]}"'))
    taken = [text for text in ("-128", "-129", "0", "127", "128", "a") if key.search(text)]
    assert taken == ["-128", "0", "127"]
    assert '"additionalProperties": {"type": "string"}' in text


def test_the_listing_has_the_types(host: Host) -> None:
    procedures = host.request("GET", "/-/procedures").json()["procedures"]
    squares = next(one for one in procedures if one["name"] == "squares")
    assert squares["result"] == {"map": {"key": "u32", "value": "u64"}}
    assert squares["signature"].endswith("-> map<u32, u64>")


def test_keys_that_wit_has_not_are_refused_when_loaded(make_host: MakeHost) -> None:
    """WIT has no such maps, and the binary format has."""
    builder = Builder()
    pairs = builder.type(map_of(builder.type(b"\x70" + U8), STRING))
    host = make_host("math")
    place(builder.export(["odd"], pairs).binary, host.folder / "odd.wasm")
    eventually(lambda: "odd.wasm" in host.problems())
    (problem,) = host.problems()["odd.wasm"]
    assert "a map whose keys are list<u8>" in json.dumps(problem)
    assert host.post("add", [1, 2]) == 3
