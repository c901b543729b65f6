"""The result of a job: in every form that a reply to a call has, as soon as it is there."""

from __future__ import annotations

import pickle
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from host import (
    CallFailed,
    Host,
    MakeHost,
    bare,
    eventually,
)

PICKLE = "application/vnd.tarp.pickle"


def test_a_result_can_be_read_as_often_as_anybody_likes(host: Host) -> None:
    handle = host.submit("reverse", "abc")["id"]
    assert [host.result(handle) for _ in range(3)] == ["cba"] * 3


def submit_pickle(host: Host, name: str, *arguments: Any) -> str:
    headers = {"Prefer": "respond-async", "Content-Type": PICKLE, "Accept": PICKLE}
    body = pickle.dumps((arguments, {}))
    return bare(host.request("POST", f"/{name}", data=body, headers=headers))["id"]


def result_in(host: Host, handle: str, accept: str) -> Any:
    reply = host.request("GET", f"/-/jobs/{handle}/result?wait=20", headers={"Accept": accept})
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == PICKLE
    return pickle.loads(reply.content)


def test_a_result_has_every_form_that_a_reply_to_a_call_has(host: Host) -> None:
    by_list = host.submit("scale", [1.5, 2.5], 2)["id"]
    by_array = submit_pickle(host, "scale", np.array([1.5, 2.5]), 2.0)
    for handle, kind in ((by_list, list), (by_array, np.ndarray)):
        assert host.result(handle) == [3.0, 5.0]
        for accept, expected in (
            (PICKLE, kind),
            (f"{PICKLE};arrays=numpy", np.ndarray),
            (f"{PICKLE};arrays=list", list),
        ):
            result = result_in(host, handle, accept)
            assert type(result) is expected, (accept, kind)
            assert list(result) == [3.0, 5.0]


def test_arrays_come_back_to_the_bit(host: Host) -> None:
    """They are kept in the host's own encoding, not as they came."""
    values = np.random.default_rng(3).normal(size=(50, 40))
    values[3, 4], values[5, 6], values[7, 8] = np.nan, -np.inf, -0.0
    handle = submit_pickle(host, "echo_matrix", values)
    assert np.asarray(result_in(host, handle, PICKLE)).tobytes() == values.tobytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("echo_u64", 2**64 - 1),
        ("echo_string", "żółć \N{SNOWMAN}\0"),
        ("echo_bytes", bytes(range(256))),
        ("echo_option", None),
        ("echo_measurement", {"position": {"x": 1.0, "y": -2.5}}),
        ("echo_color", "light_blue"),
        ("echo_tuple", (1, "a", True)),
        ("echo_nested_option", {"some": None}),
    ],
)
def test_values_survive_being_stored(host: Host, name: str, value: object) -> None:
    handle = submit_pickle(host, name, value)
    result = result_in(host, handle, PICKLE)
    assert result == value
    assert result == host.rpc(name, value)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fail_with_string", ["no light"]),
        ("fail_with_record", ["no light"]),
        ("fail_with_nothing", []),
        ("fail_as_invalid_state", ["shut down"]),
        ("panic", ["it broke"]),
        ("unreachable", []),
        ("hog", []),
    ],
)
def test_a_failed_job_gives_the_failure_that_a_call_would_have_given(
    host: Host, name: str, arguments: list
) -> None:
    call = host.request("POST", f"/{name}", json=arguments)
    handle = host.submit(name, *arguments)["id"]
    job = host.ended(handle)
    reply = host.request("GET", f"/-/jobs/{handle}/result")
    assert reply.status_code == call.status_code >= 500
    assert reply.json() == call.json()
    assert reply.headers.get("Retry-After") == call.headers.get("Retry-After")
    assert reply.headers["x-tarp-peak-memory"] == str(job["peak_memory"])
    assert (job["state"], job["attempts"]) == ("failed", 1)
    for key in ("type", "message", "value", "backtrace"):
        assert job["error"].get(key) == call.json().get(key)


def test_a_result_over_its_limit_is_a_failure(make_host: MakeHost) -> None:
    host = make_host("misbehave", config="[jobs.limits]\nresult = '8 KiB'\n")
    assert host.post("flood_result", [9000]), "a plain call may give more"
    assert host.result(host.submit("flood_result", 8000)["id"])
    job = host.ended(host.submit("flood_result", 9000)["id"])
    assert (job["state"], job["error"]["type"]) == ("failed", "TooLarge")
    assert "8.0 KiB" in job["error"]["message"]
    with pytest.raises(CallFailed) as caught:
        host.result(job["id"])
    assert (caught.value.status, caught.value.kind) == (413, "TooLarge")


def test_the_result_of_a_job_that_goes_on_is_not_there_yet(host: Host) -> None:
    handle = host.submit("until_asked_to_stop")["id"]
    for wait in (0, 0.2):
        with pytest.raises(CallFailed) as caught:
            host.result(handle, wait)
        assert (caught.value.status, caught.value.kind) == (503, "OperationInProgress")
        assert int(caught.value.reply.headers["Retry-After"]) >= 1
    host.cancel(handle)
    host.ended(handle)


def test_whoever_waits_is_told_as_soon_as_the_job_ends(host: Host) -> None:
    """Three are waiting when it is cancelled, and none of them has to ask again."""
    handle = host.submit("until_asked_to_stop")["id"]
    host.running(handle)
    with ThreadPoolExecutor(3) as pool:
        waiting = [
            pool.submit(host.request, "GET", path)
            for path in (
                f"/-/jobs/{handle}/result?wait=30",
                f"/-/jobs/{handle}/result?wait=60",
                f"/asyncGet?UUID={handle}",
            )
        ]
        eventually(lambda: all(future.running() for future in waiting))
        assert host.job(handle)["state"] == "running"
        host.cancel(handle)
        assert [future.result().json()["type"] for future in waiting] == ["Cancelled"] * 3


@pytest.mark.parametrize("wait", ["-1", "soon", "inf", ""])
def test_a_wait_that_is_no_number_of_seconds_is_refused(host: Host, wait: str) -> None:
    handle = host.submit("add", 1, 2)["id"]
    reply = host.request("GET", f"/-/jobs/{handle}/result?wait={wait}")
    assert (reply.status_code, reply.json()["type"]) == (400, "BadRequest")


def test_a_handle_that_never_was_is_not_found(host: Host) -> None:
    for handle in (str(uuid.uuid4()), "nonsense", "00000000-0000-0000-0000-000000000000"):
        for path in ("", "/result", "/logs", "/events"):
            reply = host.request("GET", f"/-/jobs/{handle}{path}")
            assert (reply.status_code, reply.json()["type"]) == (404, "NotFound"), path
        reply = host.request("DELETE", f"/-/jobs/{handle}")
        assert (reply.status_code, reply.json()["type"]) == (404, "NotFound")
        for path in ("asyncGet", "asyncProbe"):
            assert host.request("GET", f"/{path}?UUID={handle}").status_code == 404
