"""The names of authors: what they wrote is what callers see and use, and the snake_case form is
taken too, in every language and in every way of calling."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tarp

import command_line
from command_line import CommandLine
from host import CallFailed, Host, MakeHost, eventually
from original_client import Client

#: Two components are built and compiled, on a machine that has other things to do.
pytestmark = pytest.mark.timeout(900)

FOLDER = Path(__file__).parent / "names_guest"

run = functools.partial(command_line.run, deadline=400)


@pytest.fixture(scope="module")
def python(make_module_host: MakeHost) -> Host:
    return serving(make_module_host, "option.py")


@pytest.fixture(scope="module")
def javascript(make_module_host: MakeHost) -> Host:
    return serving(make_module_host, "ownNames.ts")


def serving(make_host: MakeHost, module: str) -> Host:
    host = make_host()
    built = run("build", FOLDER / module, "--output", host.folder)
    assert built.returncode == 0, built.stderr
    eventually(lambda: "log" in host.descriptions(), deadline=400)
    assert not host.problems()
    return host


@pytest.fixture(scope="module")
def client(python: Host) -> Iterator[tarp.Host]:
    with tarp.connect(python.address) as client:
        yield client


def procedure(host: Host, name: str) -> dict[str, Any]:
    listed = host.request("GET", "/-/procedures").json()["procedures"]
    return next(each for each in listed if each["name"] == name)


SYMBOLS = [
    "log",
    "exp",
    "pow",
    "round",
    "time",
    "index",
    "read",
    "write",
    "open",
    "min",
    "max",
    "sum",
    "abs",
    "hash",
    "free",
    "malloc",
    "main",
    "init",
    "exit",
    "select",
    "connect",
]


@pytest.mark.parametrize("name", SYMBOLS)
def test_a_procedure_may_be_called_as_a_symbol_of_the_c_library(python: Host, name: str) -> None:
    assert python.post(name, [2]) == f"{name} 2.0"


@pytest.mark.parametrize("name", ["log", "init", "free"])
def test_in_javascript_too(javascript: Host, name: str) -> None:
    assert javascript.post(name, [2]) == f"{name} 2"


GAS = [
    ({"n": 1, "V": 2, "T": 3}, [1.0, 2.0, 3.0]),
    ({"n": 1, "v": 2, "t": 3}, [1.0, 2.0, 3.0]),
    ({"n": 1, "V": 2}, [1.0, 2.0, 300.0]),
]


@pytest.mark.parametrize(("named", "result"), GAS)
def test_parameters_have_their_authors_names_in_every_way_of_calling(
    python: Host, client: tarp.Host, named: dict[str, int], result: list[float]
) -> None:
    assert list(client.gas(**named)) == result
    assert python.post("gas", named) == result
    assert python.get("gas", named) == result
    assert python.rpc("gas", protocol=2, **named) == result
    assert Client(python.address).gas(**named) == result
    words = [f"{name}={value}" for name, value in named.items()]
    assert CommandLine(python.address).value("gas", *words) == result


def test_what_is_given_twice_is_refused(python: Host, client: tarp.Host) -> None:
    twice = "the argument `V` of `gas` came twice"
    with pytest.raises(CallFailed, match=twice):
        python.post("gas", {"n": 1, "V": 2, "v": 3})
    with pytest.raises(CallFailed, match=twice):
        python.get("gas", {"n": 1, "v": 2, "V": 3})
    with pytest.raises(tarp.BadArguments, match=twice):
        client.gas(n=1, V=2, v=3)
    assert twice in CommandLine(python.address)("call", "gas", "n=1", "V=2", "v=3").err
    with pytest.raises(CallFailed, match="the field `pKa` came twice"):
        python.post("titrate", {"acid": {"pKa": 1, "p_ka": 2}})


def test_an_exact_name_wins(python: Host) -> None:
    assert python.post("both", {"T": 1, "t": 2}) == [2.0, 1.0]
    with pytest.raises(CallFailed, match="has no argument `P_KA`"):
        python.post("both", {"T": 1, "P_KA": 2})


def test_what_callers_see_is_the_authors(python: Host, client: tarp.Host) -> None:
    assert (
        str(inspect.signature(client.gas))
        == "(n: float, V: float, T: float = 300.0) -> list[float]"
    )
    assert str(inspect.signature(client.fitPeak)) == "(halfWidth: float) -> float"
    assert python.descriptions()["gas"].startswith("gas(n: f64, V: f64, T: f64 = 300.0) ->")
    assert procedure(python, "fitPeak")["aliases"] == ["fit_peak"]
    with pytest.raises(CallFailed, match=r"the argument `V` \(f64\) of `gas` is missing"):
        python.post("gas", {"n": 1})
    document = python.request("GET", "/-/openapi.json").json()
    query = document["paths"]["/gas"]["get"]["parameters"]
    assert [each["name"] for each in query if "name" in each] == ["n", "V", "T"]
    listed = CommandLine(python.address).ok("list", "gas").text
    assert "gas(n: f64, V: f64, T: f64 = 300.0)" in listed


def test_a_procedure_answers_to_the_snake_case_form_of_its_name(
    python: Host, client: tarp.Host
) -> None:
    assert python.post("fitPeak", {"halfWidth": 1}) == python.post("fit_peak", {"half_width": 1})
    assert client.fitPeak(half_width=2) == client.fit_peak(halfWidth=2) == 2.0
    assert Client(python.address).fit_peak(3.0) == 3.0
    assert CommandLine(python.address).value("fit_peak", "half-width=1") == 1.0


def test_parameters_may_have_names_that_wit_and_python_have_none_for(
    python: Host, client: tarp.Host
) -> None:
    values = dict(zip(["lambda_", "type_", "self", "a__b", "größe", "λ"], range(6), strict=True))
    assert client.odd(**values) == list(range(6))
    assert python.post("odd", values) == list(range(6))
    assert python.get("odd", values) == list(range(6))
    plain = {"lambda": 0, "type": 1, "self": 2, "a_b": 3, "größe": 4, "λ": 5}
    assert python.post("odd", plain) == list(range(6))


def test_fields_have_their_authors_names(python: Host, client: tarp.Host) -> None:
    acid = {"pKa": 4.75, "T": 298.0, "t": 0.0}
    assert client.titrate({"pKa": 4.75}) == {"V": 9.5, "acids": [acid]}
    assert python.post("titrate", [{"p_ka": 4.75}]) == {"V": 9.5, "acids": [acid]}
    assert python.rpc("titrate", {"p_ka": 4.75}, protocol=2)["acids"] == [acid]
    assert client.typed({"x_Y": 1}) == client.typed({"x_y": 1}) == {"x_Y": 2}
    with pytest.raises(CallFailed, match="there are `pKa`, `T`, `t`"):
        python.post("titrate", [{"pkA": 1}])


@pytest.mark.parametrize("text", ["m", "M", "2d", "log-log", "größe", "", "two words"])
def test_literals_are_their_texts(python: Host, client: tarp.Host, text: str) -> None:
    assert client.unit(text) == text
    assert python.post("unit", [text]) == text
    assert python.get("unit", {"unit": text}) == text
    assert CommandLine(python.address).value("unit", f"unit={text}") == text


def test_cases_have_their_authors_names(python: Host, client: tarp.Host) -> None:
    assert client.unit() == client.unit("log_log") == "log-log"
    assert client.colour() == client.colour("dark_blue") == "DARK_BLUE"
    assert client.access({"READ", "may_write"}) == {"READ", "mayWrite"}
    assert python.get("colour", {"colour": "red"}) == "RED"
    acid = {"pKa": 1.0, "T": 298.0, "t": 0.0}
    assert (
        client.either({"Acid": {"pKa": 1}})
        == client.either({"acid": {"p_ka": 1}})
        == {"Acid": acid}
    )
    assert python.post("either", [{"Some": {"X": 1}}]) == {"Some": {"X": 1}}
    with pytest.raises(CallFailed, match="is none of `RED`, `DARK_BLUE`"):
        python.post("colour", ["GREEN"])


def test_a_dict_is_a_dict(python: Host, client: tarp.Host) -> None:
    words, by = {"a": 2}, {-1: [{"pKa": 3.0}], 5: [{"p_ka": 4.0}]}
    expected = {"a": {-1: 6.0, 5: 8.0}}
    assert client.counts(words, by) == expected
    assert python.rpc("counts", words, by, protocol=2) == expected
    in_json = {"words": words, "by": {str(key): value for key, value in by.items()}}
    assert python.post("counts", in_json) == {"a": {"-1": 6.0, "5": 8.0}}
    assert python.get("counts", {name: json.dumps(value) for name, value in in_json.items()}) == {
        "a": {"-1": 6.0, "5": 8.0}
    }
    called = CommandLine(python.address).value("counts", *map(json.dumps, in_json.values()))
    assert called == {"a": {"-1": 6.0, "5": 8.0}}
    pairs = [["a", 2], ["a", 3]]
    with pytest.raises(CallFailed, match='the key "a" comes twice'):
        python.post("counts", [pairs, {}])
    assert client.with_default() == {"low": 1.5, "T": 2.0}
    assert "map<string, map<s64, f64>>" in python.descriptions()["counts"]


def test_a_set_is_a_set(python: Host, client: tarp.Host) -> None:
    kinds = ["a", "b", "frozenset", "set", "set"]
    expected = ({1, 2, 7}, {1.5}, kinds)
    points = {(1.5, "m"), (1.5, "M")}
    assert client.distinct({1, 2}, points) == expected
    assert client.distinct([1, 2, 2], [(1.5, "m"), (1.5, "m")]) == expected
    result = python.rpc("distinct", {1, 2}, points, protocol=2)
    assert result == expected
    assert isinstance(result[0], set)
    numbers, halves, _ = python.post("distinct", [[1, 2], [[1.5, "m"]]])
    assert (sorted(numbers), halves) == ([1, 2, 7], [1.5])
    words = ["numbers=1,2", 'points=[[1.5, "2d"]]', "rest=[]"]
    numbers, _, kinds = CommandLine(python.address).value("distinct", *words)
    assert (sorted(numbers), kinds) == ([1, 2, 7], ["frozenset", "set", "set"])
    document = python.request("GET", "/-/openapi.json").json()
    assert '"uniqueItems":true' in json.dumps(document["paths"]["/distinct"], separators=(",", ":"))


def test_javascript_has_its_authors_names(javascript: Host) -> None:
    with tarp.connect(javascript.address) as client:
        assert list(client.peakWidth(1)) == [1.0, 300.0, 1.0]
        assert list(client.peak_width(half_maximum=1, t=2)) == [1.0, 2.0, 1.0]
        named = {"halfMaximum": 1, "T": 2, "$scale": 3}
        assert javascript.post("peakWidth", named) == [1, 2, 3]
        assert list(client.peakWidth(1, _scale=3)) == [1.0, 300.0, 3.0]
        assert list(client.both(T=1, t=2)) == [2.0, 1.0]
        acid = {"pKa": 1.0, "x-y": 2.0, "größe": "g"}
        assert client.acid(acid) == {**acid, "pKa": 2.0}
        assert javascript.post("acid", [{"p_ka": 1, "x_y": 2}]) == {
            "pKa": 2,
            "x-y": 2,
            "größe": None,
        }
        for text in ("m", "M", "2d", "log-log", ""):
            assert client.unit(text) == (text, "VeryFast")
        assert client.unit("log_log", "slow") == ("log-log", "Slow")
        assert client.counts({"a": 1}, {5: "b"}) == {"b": {"a": 1.0, "n5": 5.0}}
        assert javascript.post("counts", [{"a": 1}, {"5": "b"}]) == {"b": {"a": 1, "n5": 5}}
        assert client.distinct({1, 2}) == {"n1", "n2"}
        assert str(inspect.signature(client.peakWidth)).startswith(
            "(halfMaximum: float, T: float = 300.0, _scale: float | None = None)"
        )
