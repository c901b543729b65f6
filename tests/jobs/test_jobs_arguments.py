"""What a job was called with, and how many jobs there are in each state."""

from __future__ import annotations

from typing import Any

import pytest

from host import Host, MakeHost, bare, eventually, guest, place


def arguments(host: Host, handle: str) -> dict[str, Any]:
    return bare(host.request("GET", f"/-/jobs/{handle}/arguments"))


def submitted(host: Host, name: str, given: dict[str, Any]) -> str:
    reply = host.request("POST", f"/{name}", json=given, headers={"Prefer": "respond-async"})
    assert reply.status_code == 202, reply.text
    return bare(reply)["id"]


@pytest.mark.parametrize(
    ("procedure", "value"),
    [
        ("echo_u64", 2**64 - 1),
        ("echo_f64", "NaN"),
        ("echo_f64", 0.1),
        ("echo_bytes", "AAEC/w=="),
        ("echo_string", "grüße \u0000"),
        ("echo_nested_option", {"some": None}),
        ("echo_list_measurement", ["missing", {"series": [1.5, "Infinity"]}]),
        ("echo_months", ["january", "december"]),
    ],
)
def test_they_are_what_was_sent_and_can_be_sent_again(
    host: Host, procedure: str, value: Any
) -> None:
    first = submitted(host, procedure, {"value": value})
    host.ended(first)
    told = arguments(host, first)
    assert told == {"procedure": procedure, "arguments": {"value": value}, "problem": None}
    again = submitted(host, procedure, told["arguments"])
    assert host.result(again) == host.result(first) == value


def test_those_by_position_have_their_names_and_those_left_out_are_not_there(
    make_host: MakeHost,
) -> None:
    sidecars = {"math": "[procedures.linspace]\ndefaults = { count = 5 }"}
    host = make_host("math", sidecars=sidecars)
    handle = host.submit("linspace", 0, 1)["id"]
    assert arguments(host, handle)["arguments"] == {"start": 0.0, "stop": 1.0}


def test_they_outlive_the_job_and_the_host_up_to_a_mebibyte(make_host: MakeHost) -> None:
    host = make_host("shapes", "jobs", config="[jobs]\nplaces = 1")
    blocking = host.submit("count_to", 100_000, 100)["id"]
    host.running(blocking)
    small = submitted(host, "echo_string", {"value": "x" * 1_000_000})
    large = submitted(host, "echo_string", {"value": "x" * 1_100_000})
    assert len(arguments(host, small)["arguments"]["value"]) == 1_000_000
    reply = host.request("GET", f"/-/jobs/{large}/arguments")
    assert (reply.status_code, reply.json()["type"]) == (413, "TooLarge")
    host.cancel(blocking)
    for handle in (small, large):
        host.ended(handle)
    host.stop()
    host.restart()
    assert len(arguments(host, small)["arguments"]["value"]) == 1_000_000
    reply = host.request("GET", f"/-/jobs/{large}/arguments")
    assert (reply.status_code, reply.json()["type"]) == (410, "Gone")
    assert "1 MiB" in reply.json()["message"]


def test_those_that_fit_no_more_are_shown_as_they_were_sent(make_host: MakeHost) -> None:
    host = make_host("math", "text")
    handle = host.submit("add", 1, 2)["id"]
    named = submitted(host, "add", {"x": 1, "y": 2})
    for job in (handle, named):
        host.ended(job)
    (host.folder / "math.wasm").unlink()
    eventually(lambda: not host.serves("add"))
    told = arguments(host, handle)
    assert (told["arguments"], told["positional"], told["named"]) == (None, [1, 2], {})
    assert "no procedure `add`" in told["problem"]
    assert arguments(host, named)["named"] == {"x": 1, "y": 2}
    place(guest("math"), host.folder / "math.wasm")
    eventually(lambda: host.serves("add"))
    assert arguments(host, handle)["arguments"] == {"x": 1, "y": 2}


def test_a_request_to_a_web_procedure_is_one_argument(make_host: MakeHost) -> None:
    host = make_host("plot")
    path = "/get_data?frequency=2&amplitude=1"
    reply = host.request("GET", path, headers={"Prefer": "respond-async"})
    (request,) = arguments(host, bare(reply)["id"])["arguments"].values()
    assert request["method"] == "GET"
    assert request["query"] == [["frequency", "2"], ["amplitude", "1"]]


def test_jobs_are_counted_by_state(make_host: MakeHost) -> None:
    host = make_host("math", "jobs", config="[jobs]\nplaces = 1")
    for _ in range(3):
        host.ended(host.submit("add", 1, 2)["id"])
    host.ended(host.submit("fail_after", 0, "no")["id"])
    running = host.submit("count_to", 100_000, 100)["id"]
    host.running(running)
    host.submit("add", 1, 2)

    def counts(**query: str) -> dict[str, int]:
        told = bare(host.request("GET", "/-/jobs/counts", params=query))
        assert told["most"] == 10_000
        return {state: number for state, number in told["counts"].items() if number}

    expected = {"succeeded": 3, "failed": 1, "running": 1, "queued": 1}
    # A job is counted as running when that is recorded, a moment after it began.
    eventually(lambda: counts() == expected)
    assert counts(procedure="add") == {"succeeded": 3, "queued": 1}
    assert counts(procedure="nobody") == {}
    reply = host.request("GET", "/-/jobs/counts", params={"state": "failed"})
    assert (reply.status_code, reply.json()["type"]) == (400, "BadRequest")
