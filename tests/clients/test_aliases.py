"""Further names of procedures, and arrays for the original client: from a sidecar and from authors;
who answers to a name that several want."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tarp

from host import Host, MakeHost, bare, eventually, guest, place
from original_client import Client

SIDECAR = """
[procedures.linspace]
aliases = ["rpcExample", "old/range"]
arrays = "numpy"

[procedures.scale]
aliases = ["scaled"]
mode = "async"
arrays = "list"
"""


@pytest.fixture(scope="module")
def host(make_module_host: MakeHost) -> Host:
    return make_module_host("math", "plot", sidecars={"math": SIDECAR})


def catalog(host: Host) -> dict[str, dict]:
    listed = bare(host.request("GET", "/-/procedures"))["procedures"]
    return {entry["name"]: entry for entry in listed}


def test_a_procedure_answers_to_all_its_names(host: Host) -> None:
    assert host.problems() == {}
    expected = [0.0, 0.5, 1.0]
    for name in ("linspace", "rpcExample", "old/range", "old_range"):
        assert host.post(name, [0, 1, 3]) == expected
        assert host.get(name, {"start": 0, "stop": 1, "count": 3}) == expected
        assert host.rpc(name, 0, 1, 3).tolist() == expected
    job = host.submit("rpcExample", 0, 1, 3)
    assert job["procedure"] == "linspace", "a job is known by the procedure's own name"
    assert host.result(job["id"]) == expected


def test_it_is_listed_under_all_of_them_for_the_original_client(host: Host) -> None:
    listing = host.listing()
    entries = {entry["name"]: entry for entry in listing["RPC"]}
    for alias in ("rpcExample", "old/range"):
        assert entries[alias]["alias_of"] == "linspace"
        assert entries[alias]["description"] == entries["linspace"]["description"]
    assert "alias_of" not in entries["linspace"]
    assert "scaled" in {entry["name"] for entry in listing["ASYNCRPC"]}
    client = Client(host.address)
    assert client.rpcExample(0, stop=1, count=3).tolist() == [0.0, 0.5, 1.0]
    assert client.old_range(0, 1, 3).tolist() == [0.0, 0.5, 1.0]


def test_the_catalog_has_it_once_with_its_names(host: Host) -> None:
    entries = catalog(host)
    assert entries["linspace"]["aliases"] == ["rpcExample", "old/range"]
    assert entries["linspace"]["arrays"] == "numpy"
    assert (entries["add"]["aliases"], entries["add"]["arrays"]) == ([], "auto")
    assert "rpcExample" not in entries


def test_the_openapi_document_has_it_once_with_its_names(host: Host) -> None:
    paths = bare(host.request("GET", "/-/openapi.json"))["paths"]
    assert "/rpcExample" not in paths
    for method in ("get", "post"):
        operation = paths["/linspace"][method]
        assert operation["x-tarp-aliases"] == ["rpcExample", "old/range"]
        assert "Also at `/rpcExample`, `/old/range`." in operation["description"]
    assert "x-tarp-aliases" not in paths["/add"]["post"]


def test_arrays_go_to_the_original_client_as_the_procedure_wants(host: Host) -> None:
    client = Client(host.address)
    array = client.linspace(0, 1, 3)
    assert isinstance(array, np.ndarray), "though none went in"
    array[0] = 7.0  # It is writable.
    assert type(client.scale(np.array([1.0, 2.0]), 2.0).wait()) is list, "though one went in"
    assert host.post("linspace", [0, 1, 3]) == [0.0, 0.5, 1.0], "JSON knows none"


def test_our_client_knows_the_further_names_and_chooses_for_itself(host: Host) -> None:
    with tarp.connect(host.address) as connected:
        assert connected.rpcExample(0, 1, 3) == [0.0, 0.5, 1.0]
        assert connected["old/range"](0, 1, 3) == [0.0, 0.5, 1.0]
        assert connected.old.range(0, 1, 3) == [0.0, 0.5, 1.0]
        assert "rpcExample" in dir(connected)


def test_names_change_with_the_sidecar_and_have_its_prefix(make_host: MakeHost) -> None:
    host = make_host("math", sidecars={"math": SIDECAR})
    before = bare(host.request("GET", "/-/procedures"))["version"]
    place(b"prefix = 'lab'\n[procedures.add]\naliases = ['plus']\n", host.folder / "math.toml")
    eventually(lambda: host.outcome("lab/plus", 1, 2) == "success")
    assert host.post("lab_plus", [1, 2]) == 3
    assert host.outcome("plus", 1, 2) == host.outcome("rpcExample", 0, 1, 3) == "NotFound"
    changed = bare(host.request("GET", "/-/procedures"))["version"]
    place(b"prefix = 'lab'\n[procedures.add]\naliases = ['sum_of']\n", host.folder / "math.toml")
    eventually(lambda: host.outcome("lab/sum_of", 1, 2) == "success")
    versions = {before, changed, bare(host.request("GET", "/-/procedures"))["version"]}
    assert len(versions) == 3, "a client that keeps the catalog notices"


@pytest.mark.parametrize(
    ("aliases", "words"),
    [
        ("['to-day']", ["line 2", "aliases", "to-day", "letters"]),
        ("['1st']", ["1st"]),
        ("['a//b']", ["a//b"]),
        ("['']", ["letters"]),
        ("['asyncGet']", ["asyncGet", "original protocol"]),
        ("['x', 'x']", ["`x`", "twice"]),
        ("'x'", ["line 2", "aliases"]),
        ("['reverse_of', 'scale']", ["`scale`", "already"]),
        ("['other']\n[procedures.scale]\naliases = ['other']", ["`other`", "already"]),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(
    make_host: MakeHost, aliases: str, words: list[str]
) -> None:
    host = make_host("math", sidecars={"math": f"[procedures.add]\naliases = {aliases}\n"})
    (problem,) = host.problems()["math.wasm"]
    assert problem["serving"] is False
    for word in words:
        assert word in problem["message"]


def test_arrays_are_one_of_three(make_host: MakeHost) -> None:
    host = make_host("math", sidecars={"math": "[procedures.add]\narrays = 'pandas'\n"})
    (problem,) = host.problems()["math.wasm"]
    for word in ("line 2", "pandas", "numpy", "list", "auto"):
        assert word in problem["message"]


def test_a_name_beats_an_alias_whoever_came_first(make_host: MakeHost) -> None:
    sidecar = "[procedures.reverse]\naliases = ['add', 'turned']\n"
    host = make_host("text", sidecars={"text": sidecar})
    assert host.post("add", {"text": "ab"}) == "ba"
    place(guest("math"), host.folder / "math.wasm")
    eventually(lambda: host.outcome("add", 1, 2) == "success")
    (problem,) = (p for p in host.problems()["text.wasm"] if "`add`" in p["message"])
    assert "a procedure of math.wasm" in problem["message"]
    assert problem["serving"] is True
    assert host.post("turned", {"text": "ab"}) == "ba", "its other names stay"
    assert "`add`" in host.log
    (host.folder / "math.wasm").unlink()
    eventually(lambda: host.outcome("add", "ab") == "success")


def test_an_alias_that_two_want_stays_with_the_one_that_had_it(make_host: MakeHost) -> None:
    sidecar = "[procedures.{}]\naliases = ['shared']\n"
    host = make_host("text", sidecars={"text": sidecar.format("reverse")})
    place(sidecar.format("add").encode(), host.folder / "math.toml")
    place(guest("math"), host.folder / "math.wasm")
    eventually(lambda: host.serves("add"))
    assert host.post("shared", {"text": "ab"}) == "ba"
    (problem,) = (p for p in host.problems()["math.wasm"] if "`shared`" in p["message"])
    assert "one of text.wasm" in problem["message"]
    (host.folder / "text.wasm").unlink()
    eventually(lambda: host.outcome("shared", 1, 2) == "success")
    assert "math.wasm" not in host.problems()


def test_an_alias_does_not_take_the_name_by_which_the_original_client_calls_another(
    make_host: MakeHost,
) -> None:
    sidecar = "[procedures.add]\naliases = ['statistics_mean', 'wait']\n"
    host = make_host("math", sidecars={"math": sidecar})
    assert host.post("statistics_mean", {"values": [1, 3]}) == 2
    messages = [problem["message"] for problem in host.problems()["math.wasm"]]
    assert any("`statistics/mean`" in message for message in messages)
    assert any("`wait`" in message and "attribute" in message for message in messages)


def test_inspect_says_them(tmp_path: Path) -> None:
    import json

    from host import run_binary

    place(guest("math"), tmp_path / "math.wasm")
    place(SIDECAR.encode(), tmp_path / "math.toml")
    said = run_binary("inspect", tmp_path / "math.wasm", "--cache", tmp_path / "cache")
    assert "also called rpcExample, old/range" in said.stdout
    said = run_binary("inspect", "--json", tmp_path / "math.wasm", "--cache", tmp_path / "cache")
    procedures = {entry["name"]: entry for entry in json.loads(said.stdout)["procedures"]}
    assert procedures["linspace"]["aliases"] == ["rpcExample", "old/range"]
