"""Procedures that the Rust SDK's macro makes of plain functions: what callers see of their types,
documentation, defaults and ways, and that their names get in nobody's way."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from host import CallFailed, Host, MakeHost, bare, result_of

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def catalog(host: Host) -> dict[str, dict[str, Any]]:
    """Every procedure by name, as `/-/procedures` has it."""
    listed = bare(host.request("GET", "/-/procedures"))["procedures"]
    return {procedure["name"]: procedure for procedure in listed}


@pytest.fixture(scope="module")
def namesakes(make_module_host: MakeHost) -> Host:
    return make_module_host("namesakes")


# Types and documentation.


def test_functions_are_called_by_name_and_by_position(host: Host) -> None:
    assert host.post("mean", {"values": [1, 2, 6]}) == 3
    assert host.get("mean", {"values": "1,2,6"}) == 3
    assert host.rpc("mean", [1.0, 2.0]) == 1.5
    with pytest.raises(CallFailed, match="got 0") as caught:
        host.post("mean", [[]])
    assert caught.value.kind == "ProcedureError"


def test_documentation_comments_are_what_callers_read(
    host: Host, catalog: dict[str, dict[str, Any]]
) -> None:
    assert catalog["mean"]["documentation"] == "The arithmetic mean; an error for an empty list."
    description = host.descriptions()["mean"]
    assert description.startswith("mean(values: list<f64>) -> result<f64, string>")
    assert catalog["simulate"]["documentation"].split("\n\n")[1].endswith("walk as progress.")


def test_a_struct_is_a_record_and_an_enum_that_fails_an_error(host: Host) -> None:
    assert host.post("describe", [[1, 3]]) == {
        "count": 2,
        "mean": 2.0,
        "deviation": pytest.approx(math.sqrt(2)),
        "range": [1.0, 3.0],
    }
    assert host.post("describe", [[1]])["deviation"] is None
    for values, problem in (([], "Empty"), ([1, "NaN"], {"NotANumber": 1})):
        with pytest.raises(CallFailed) as caught:
            host.post("describe", [values])
        assert caught.value.body["value"] == problem


@pytest.mark.parametrize(
    ("bins", "counting", "counts"),
    [
        ({"count": 4}, [], [1, 2, 0, 1]),
        ({"edges": [0, 1.5, 4]}, [], [2, 2]),
        ({"between": [1, 0.5, 1.2]}, [], [1]),
        ({"count": 4}, ["cumulative"], [1, 3, 3, 4]),
        ({"count": 2}, ["relative", "cumulative"], [0.75, 1]),
    ],
)
def test_enums_variants_and_flags(
    host: Host, bins: dict[str, Any], counting: list[str], counts: list[float]
) -> None:
    arguments = {"values": [0, 1, 1.5, 4], "bins": bins, "counting": counting}
    assert host.post("histogram", arguments | {"spacing": "linear"})["counts"] == counts


def test_an_unknown_case_is_refused_before_anything_runs(host: Host) -> None:
    arguments = {"values": [1], "bins": {"count": 1}, "spacing": "cubic", "counting": []}
    with pytest.raises(CallFailed, match="spacing") as caught:
        host.post("histogram", arguments)
    assert caught.value.kind == "BadArguments"


def test_maps_are_objects_in_and_out(host: Host) -> None:
    pairs = [["b", 1], ["a", 2], ["b", 3]]
    assert host.post("totals", {"amounts": pairs}) == {"b": 4.0, "a": 2.0}
    arguments = {"values": {"a": 2, "b": 4}, "weights": {"b": 3}}
    assert host.post("weighted_mean", arguments) == 3.5
    assert host.rpc("weighted_mean", {"a": 2.0}, {}) == 2.0


# Defaults and jobs.


def test_a_default_is_part_of_the_signature_and_used(
    host: Host, catalog: dict[str, dict[str, Any]]
) -> None:
    assert catalog["simulate"]["signature"].startswith("(steps: u64, n: u32 = 10)")
    parameters = {each["name"]: each for each in catalog["histogram"]["parameters"]}
    assert parameters["spacing"]["default"] == "Linear"
    assert "default" not in parameters["bins"]
    assert len(host.get("simulate", {"steps": 5})) == 10
    assert len(host.get("simulate", {"steps": 5, "n": 3})) == 3
    left_out = {"values": [1, 10, 100], "bins": {"count": 2}, "counting": []}
    assert host.post("histogram", left_out)["edges"] == [1.0, 50.5, 100.0]
    logarithmic = host.post("histogram", left_out | {"spacing": "logarithmic"})
    assert logarithmic["edges"] == pytest.approx([1, 10, 100])


def test_an_asynchronous_procedure_says_so_and_gives_a_handle(
    host: Host, catalog: dict[str, dict[str, Any]]
) -> None:
    assert (catalog["simulate"]["mode"], catalog["simulate"]["suggested_wait"]) == ("async", 2)
    assert (catalog["mean"]["mode"], catalog["mean"]["suggested_wait"]) == ("sync", None)
    asynchronous = {entry["name"] for entry in host.listing()["ASYNCRPC"]}
    assert "simulate" in asynchronous
    assert "mean" not in asynchronous


def test_the_context_reports_and_logs_in_a_job(host: Host) -> None:
    job = host.submit("simulate", 10, 4)
    assert len(host.result(job["id"])) == 4
    ended = host.ended(job["id"])
    assert ended["progress"] == {"done": 4.0, "total": 4.0, "message": "walk 4 of 4"}
    log = [(line["level"], line["message"]) for line in host.logs(job["id"])["log"]]
    assert log == [("info", "4 walks of 10 steps")]


def test_the_context_tells_of_cancellation_or_the_job_is_stopped(host: Host) -> None:
    job = host.submit("simulate", 1_000_000_000_000, 4)
    host.running(job["id"])
    host.cancel(job["id"])
    assert host.ended(job["id"])["state"] == "cancelled"


# Web procedures.


def test_web_procedures_are_listed_under_their_methods(
    host: Host, catalog: dict[str, dict[str, Any]]
) -> None:
    listing = host.listing()
    names = {method: {entry["name"] for entry in listing[method]} for method in ("GET", "POST")}
    assert {"get_data", "get_plot"} <= names["GET"] - names["POST"]
    assert "set_params" in names["POST"] - names["GET"]
    assert catalog["get_plot"]["web"] == {"methods": ["GET"]}
    assert catalog["mean"]["web"] is None
    assert host.request("POST", "/get_plot").status_code == 405
    assert host.request("GET", "/set_params").status_code == 405


def test_a_picture_that_a_browser_shows(host: Host) -> None:
    reply = host.request("GET", "/get_plot?frequency=2&amplitude=0.5")
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.content.startswith(PNG)
    other = host.request("GET", "/get_plot?frequency=3&amplitude=0.5")
    assert other.content != reply.content


def test_json_of_a_query(host: Host) -> None:
    data = host.get("get_data", {"frequency": 1, "amplitude": 2})
    assert len(data["t"]) == len(data["y"]) == 1001
    assert data["y"][250] == pytest.approx(2)


def test_parameters_are_echoed_or_refused(host: Host) -> None:
    echoed = host.post("set_params", {"frequency": 2, "amplitude": 0.5})
    assert (echoed["frequency"], echoed["amplitude"]) == (2.0, 0.5)
    assert host.request("GET", echoed["plot"]).content.startswith(PNG)
    refused = host.request("POST", "/set_params", json={"frequency": -1})
    assert refused.status_code == 400
    assert "frequency" in refused.json()["result"]
    assert host.request("GET", "/get_data?frequency=fast").status_code == 400


# Names.


def test_a_procedure_may_be_called_what_the_c_library_calls_its_own(namesakes: Host) -> None:
    assert namesakes.post("exit", [7]) == "the procedure exit was called with 7"
    assert namesakes.rpc("malloc", 100_000) == b"m" * 100_000
    assert namesakes.post("free", [0]) == "the procedure free was called with 0"
    assert namesakes.post("write", ["abc"]) == "cba"
    assert namesakes.post("strlen", ["größe"]) == 5
    assert namesakes.post("main", []) == "the procedure main was called"
    assert namesakes.post("abort", []) == "the procedure abort was called"
    assert namesakes.post("memory", []) == ["a cake", "a cup of tea"]


def test_the_library_within_still_calls_its_own(namesakes: Host) -> None:
    with pytest.raises(CallFailed) as caught:
        namesakes.post("leave", ["farewell"])
    assert caught.value.body["stdout"] == "farewell\n"
    assert "the procedure" not in json.dumps(caught.value.body)
    with pytest.raises(CallFailed, match="stumbled") as caught:
        namesakes.post("stumble", [])
    assert caught.value.kind == "Trap"
    assert "stumbled" in caught.value.body["stderr"]


def test_a_refusal_has_the_form_of_the_request(host: Host) -> None:
    """What the macro's functions refuse by `Result` reaches each kind of caller."""
    reply = host.request("GET", "/weighted_mean?values=[]&weights=[]")
    with pytest.raises(CallFailed, match="sum above 0"):
        result_of(reply)
