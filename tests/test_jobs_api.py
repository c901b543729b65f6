"""Jobs over HTTP: how a call becomes one, what is told of it, its result in every form, lists."""

from __future__ import annotations

import pickle
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import requests

from host import TERMINAL, CallFailed, Host, MakeHost, Receipt, bare, eventually, result_of, rpc_body

PICKLE = "application/vnd.tarp.pickle"
ASYNC = {"Prefer": "respond-async"}

FIELDS = {
    *("id", "procedure", "file", "digest", "state", "position", "priority", "progress"),
    *("attempts", "max_attempts", "submitted", "started", "ended", "expires", "fuel"),
    *("peak_memory", "instantiate_us", "run_us", "suggested_wait", "cancel_requested", "error"),
}


def at(text: str) -> datetime:
    """A time as a job has it: RFC 3339, in UTC."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), text
    return datetime.fromisoformat(text)


# Submission.


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/add?x=1&y=2", {}),
        ("POST", "/add", {"json": [1, 2]}),
        ("POST", "/add", {"json": {"x": 1, "y": 2}}),
        ("POST", "/add", {"data": {"x": 1, "y": 2}}),
        ("POST", "/add", {"json": rpc_body(1, y=2)}),
        ("POST", "/add", {"data": pickle.dumps(((1,), {"y": 2})), "headers": PICKLE}),
    ],
)
def test_any_call_becomes_a_job_where_that_is_preferred(
    host: Host, method: str, path: str, options: dict[str, Any]
) -> None:
    headers = {"Content-Type": PICKLE} if options.pop("headers", None) else {}
    reply = host.request(method, path, headers=headers | ASYNC, **options)
    assert reply.status_code == 202
    assert reply.headers["Preference-Applied"] == "respond-async"
    job = bare(reply)
    assert uuid.UUID(job["id"]).version == 4
    assert reply.headers["Location"] == f"/-/jobs/{job['id']}"
    assert job["state"] in ("queued", "running", "succeeded")
    assert host.result(job["id"]) == 3


@pytest.mark.parametrize(
    "prefer", ["wait=10, Respond-Async", "respond-async; x=1", "a,respond-async"]
)
def test_the_preference_is_read_as_its_rfc_writes_it(host: Host, prefer: str) -> None:
    reply = host.request("GET", "/add?x=1&y=2", headers={"Prefer": prefer})
    assert reply.status_code == 202


def test_without_the_preference_a_call_is_waited_for(host: Host) -> None:
    for headers in ({}, {"Prefer": "return=minimal"}, {"Prefer": "wait=5"}):
        reply = host.request("GET", "/count_aside?n=3", headers=headers)
        assert (reply.status_code, result_of(reply)) == (200, 3)
        assert "Preference-Applied" not in reply.headers


@pytest.mark.parametrize(
    ("name", "arguments", "status", "kind"),
    [
        ("nobody", [], 404, "NotFound"),
        ("add", [1], 400, "BadArguments"),
        ("add", [1, "two"], 400, "BadArguments"),
        ("add", [1, 2, 3], 400, "BadArguments"),
    ],
)
def test_what_cannot_be_called_is_refused_at_once_and_is_no_job(
    host: Host, name: str, arguments: list, status: int, kind: str
) -> None:
    newest = host.jobs()[:1]
    with pytest.raises(CallFailed) as caught:
        host.submit(name, *arguments)
    assert (caught.value.status, caught.value.kind) == (status, kind)
    assert "Location" not in caught.value.reply.headers
    assert [job["id"] for job in host.jobs()[:1]] == [job["id"] for job in newest]


# What is told of a job.


def test_a_job_has_all_its_fields_at_every_time(host: Host) -> None:
    before = datetime.now(UTC)
    first = host.submit("count_to", 1_000_000, 5, Priority="u=1")
    running = host.running(first["id"])
    host.cancel(first["id"])
    last = host.ended(first["id"])
    for job in (first, running, last):
        assert job.keys() == FIELDS
        assert (job["procedure"], job["file"], job["priority"]) == ("count_to", "jobs.wasm", 1)
        assert re.fullmatch(r"[0-9a-f]{64}", job["digest"])
        assert job["max_attempts"] == 1
        assert job["submitted"] == first["submitted"]
    # Both are cut to the millisecond, or not at all.
    assert (at(first["submitted"]) - before).total_seconds() > -0.001
    assert first["ended"] is first["expires"] is first["error"] is None
    assert (running["position"], running["attempts"]) == (None, 1)
    assert running["ended"] is running["expires"] is running["error"] is None
    assert (last["position"], last["attempts"], last["started"]) == (None, 1, running["started"])
    assert at(last["submitted"]) <= at(last["started"]) <= at(last["ended"]) < at(last["expires"])


def test_results_are_kept_for_a_day_and_failures_for_a_week(host: Host) -> None:
    for name, arguments, hours in (("add", [1, 2], 24), ("fail_after", [0, "no"], 7 * 24)):
        job = host.ended(host.submit(name, *arguments)["id"])
        kept = (at(job["expires"]) - at(job["ended"])).total_seconds() / 3600
        # By the host's own clock, which goes on once a minute.
        assert hours <= kept < hours + 0.1


def test_progress_is_seen_while_it_comes_and_kept_at_the_end(host: Host) -> None:
    handle = host.submit("count_to", 1_000_000, 5)["id"]
    seen = eventually(lambda: host.job(handle)["progress"])
    assert seen["total"] == 1_000_000
    assert seen["message"] == f"step {seen['done']:.0f} of 1000000"
    later = eventually(
        lambda: (now := host.job(handle)["progress"])["done"] > seen["done"] and now
    )
    host.cancel(handle)
    assert host.ended(handle)["progress"]["done"] >= later["done"]


def test_progress_may_leave_out_what_is_not_known_and_makes_sense(host: Host) -> None:
    for arguments, progress in (
        ([0.5, None, None], {"done": 0.5, "total": None, "message": None}),
        ([3, 4, "three"], {"done": 3, "total": 4, "message": "three"}),
        ([11, 10, ""], {"done": 10, "total": 10, "message": ""}),
        (["NaN", "Infinity", None], {"done": 0, "total": None, "message": None}),
    ):
        job = host.ended(host.submit("report", *arguments)["id"])
        assert job["progress"] == progress


def test_the_receipt_is_in_the_job_and_with_its_result(host: Host) -> None:
    handle = host.submit("burn", 100_000)["id"]
    reply = host.request("GET", f"/-/jobs/{handle}/result?wait=20")
    job = host.job(handle)
    receipt = Receipt(*(job[name] for name in Receipt._fields))
    assert Receipt.of(reply) == receipt
    assert receipt.fuel > 100_000
    assert receipt.peak_memory >= 64 << 10
    assert receipt.run_us > 0


def test_fuel_is_told_while_the_job_runs(host: Host) -> None:
    handle = host.submit("spin")["id"]
    first = eventually(lambda: host.job(handle)["fuel"])
    eventually(lambda: host.job(handle)["fuel"] > first)
    host.cancel(handle)
    assert host.ended(handle)["fuel"] > first


def test_logs_are_told_while_the_job_runs(host: Host) -> None:
    handle = host.submit("until_asked_to_stop")["id"]
    eventually(lambda: host.logs(handle)["stdout"] == "waiting\n")
    assert host.job(handle)["state"] == "running"
    host.cancel(handle)
    host.ended(handle)
    assert host.logs(handle)["stdout"] == "waiting\n"


def test_logs_have_both_streams_and_what_was_logged(host: Host) -> None:
    handle = host.submit("chatty", 2)["id"]
    host.ended(handle)
    assert host.logs(handle) == {
        "stdout": "line 1 of 2\nline 2 of 2\n",
        "stderr": "line 1 of 2, to standard error\nline 2 of 2, to standard error\n",
        "log": [],
    }
    handle = host.submit("note", "look")["id"]
    job = host.ended(handle)
    lines = host.logs(handle)["log"]
    assert [line["level"] for line in lines] == ["trace", "debug", "info", "warn", "error"]
    assert {line["message"] for line in lines} == {"look"}
    times = [at(line["time"]) for line in lines]
    assert [at(job["started"]), *times, at(job["ended"])] == sorted(
        [at(job["started"]), *times, at(job["ended"])]
    )


def test_logs_are_bounded_and_say_where_they_were_cut(host: Host) -> None:
    handle = host.submit("chatty", 20_000)["id"]
    host.ended(handle)
    for name, first in (("stdout", "line 1 of 20000\n"), ("stderr", "line 1 of 20000, to")):
        text = host.logs(handle)[name]
        assert text.startswith(first)
        assert "line 20000 of 20000" in text[-50:]
        assert re.search(r"\[\.\.\. \d+ bytes left out \.\.\.\]", text)
        assert len(text) < 80_000
    handle = host.submit("flood_job", 5_000, 1_000)["id"]
    host.ended(handle)
    lines = host.logs(handle)["log"]
    left_out = re.search(r"(\d+) lines left out", lines[0]["message"])
    assert left_out, lines[0]
    assert int(left_out[1]) + len(lines) - 1 == 5_000
    assert sum(len(line["message"]) for line in lines) < 1 << 20


# Results.


def test_a_result_can_be_read_as_often_as_anybody_likes(host: Host) -> None:
    handle = host.submit("reverse", "abc")["id"]
    assert [host.result(handle) for _ in range(3)] == ["cba"] * 3


def submit_pickle(host: Host, name: str, *arguments: Any) -> str:
    headers = ASYNC | {"Content-Type": PICKLE, "Accept": PICKLE}
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
        ("fail_as_busy", ["in use", 7]),
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
    """Three are waiting, each by another road, when it is cancelled; none of them has to ask again."""
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


# Keys that make a submission repeatable.


def test_the_same_key_and_call_give_the_same_job(make_host: MakeHost) -> None:
    host = make_host("math", "jobs")
    first = host.submit("add", 1, 2, Idempotency_Key="sum-1")
    assert host.result(first["id"]) == 3
    again = host.submit("add", 1, 2, Idempotency_Key="sum-1")
    assert (again["id"], again["state"], again["attempts"]) == (first["id"], "succeeded", 1)
    assert host.submit("add", 1, 2, Idempotency_Key="sum-2")["id"] != first["id"]
    assert host.submit("add", 1, 2)["id"] != first["id"]
    host.stop()
    host.restart()
    assert host.submit("add", 1, 2, Idempotency_Key="sum-1")["id"] == first["id"]
    assert len(host.jobs(procedure="add")) == 3


def test_the_same_key_with_another_call_is_a_conflict(host: Host) -> None:
    key = str(uuid.uuid4())
    host.submit("add", 1, 2, Idempotency_Key=key)
    for name, arguments in (("add", [1, 3]), ("my_function", [1, 2])):
        with pytest.raises(CallFailed, match="key") as caught:
            host.submit(name, *arguments, Idempotency_Key=key)
        assert (caught.value.status, caught.value.kind) == (409, "Conflict")
        assert "Location" not in caught.value.reply.headers


def test_of_many_submissions_at_once_with_one_key_one_is_a_job(host: Host) -> None:
    key = str(uuid.uuid4())
    with ThreadPoolExecutor(16) as pool:
        jobs = list(pool.map(lambda _: host.submit("add", 1, 2, Idempotency_Key=key), range(64)))
    assert len({job["id"] for job in jobs}) == 1
    assert host.ended(jobs[0]["id"])["attempts"] == 1


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none_is_refused(host: Host, key: str) -> None:
    with pytest.raises(CallFailed, match="Idempotency-Key") as caught:
        host.submit("add", 1, 2, Idempotency_Key=key)
    assert caught.value.status == 400


# Lists.


@pytest.fixture(scope="module")
def shelf(make_module_host: Any) -> tuple[Host, list[dict[str, Any]]]:
    """A host with thirty jobs that have ended, and these in the order of their submission."""
    host = make_module_host("math", "jobs")
    calls = [("add", [1, 2]), ("fail_after", [0, "no"]), ("note", ["x"])] * 10
    return host, [host.ended(host.submit(name, *call)["id"]) for name, call in calls]


def handles(jobs: list[dict[str, Any]]) -> list[str]:
    return [job["id"] for job in jobs]


Shelf = tuple[Host, list[dict[str, Any]]]


def test_a_list_is_newest_first_and_has_the_jobs_as_they_are(shelf: Shelf) -> None:
    host, jobs = shelf
    listed = host.jobs()
    assert handles(listed) == handles(jobs)[::-1]
    for one, other in zip(listed, jobs[::-1], strict=True):
        # `expires` counts from the host's own clock, which goes on once a minute.
        assert one | {"expires": None} == other | {"expires": None}


def test_a_list_is_filtered_by_state_procedure_and_time(shelf: Shelf) -> None:
    host, jobs = shelf
    newest = jobs[::-1]
    failed = [job for job in newest if job["state"] == "failed"]
    assert handles(host.jobs(state="failed")) == handles(failed)
    assert handles(host.jobs(state=["failed", "succeeded"])) == handles(newest)
    assert host.jobs(state=["queued", "running"]) == []
    notes = [job for job in newest if job["procedure"] == "note"]
    assert handles(host.jobs(procedure="note")) == handles(notes)
    assert host.jobs(procedure="note", state="failed") == []
    assert host.jobs(procedure="nobody") == []
    moment = jobs[11]["submitted"]
    later = [job for job in newest if at(job["submitted"]) > at(moment)]
    earlier = [job for job in newest if at(job["submitted"]) < at(moment)]
    # What a job shows is cut to the millisecond: the job of that moment may be on either side.
    assert set(handles(later)) <= set(handles(host.jobs(since=moment)))
    assert not set(handles(earlier)) & set(handles(host.jobs(since=moment)))
    assert handles(host.jobs(until=moment)) == handles(earlier)
    assert host.jobs(since="2999-01-01T00:00:00Z") == []


@pytest.mark.parametrize("query", [{}, {"state": "succeeded"}, {"procedure": "add"}])
def test_pages_have_everything_once_and_in_order(shelf: Shelf, query: dict[str, str]) -> None:
    host, _ = shelf
    pages, after = [], {}
    while True:
        wanted = query | {"limit": 7} | after
        page = bare(host.request("GET", "/-/jobs", params=wanted))
        pages.append(handles(page["jobs"]))
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sum(pages, []) == handles(host.jobs(**query))
    assert all(len(page) == 7 for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= 7


def test_a_job_that_comes_between_two_pages_moves_nothing(make_host: MakeHost) -> None:
    host = make_host("math")
    old = [host.submit("add", n, 1)["id"] for n in range(4)]
    first = bare(host.request("GET", "/-/jobs?limit=2"))
    host.submit("add", 9, 9)
    second = bare(host.request("GET", f"/-/jobs?limit=2&after={first['next']}"))
    assert handles(first["jobs"]) + handles(second["jobs"]) == old[::-1]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("state=done", "succeeded"),
        ("limit=0", "1000"),
        ("limit=1001", "1000"),
        ("since=yesterday", "since"),
        ("after=x", "next"),
        ("colour=red", "procedure"),
    ],
)
def test_a_query_that_says_nothing_sensible_is_told_what_it_may_say(
    host: Host, query: str, word: str
) -> None:
    with pytest.raises(CallFailed, match=word) as caught:
        bare(host.request("GET", f"/-/jobs?{query}"))
    assert caught.value.status == 400


def test_failures_about_jobs_are_objects_of_exactly_application_json(host: Host) -> None:
    handle = host.submit("fail_after", 0, "no")["id"]
    assert host.ended(handle)["state"] in TERMINAL
    for method, path in (
        ("GET", f"/-/jobs/{handle}/result"),
        ("GET", f"/-/jobs/{uuid.uuid4()}"),
        ("GET", "/-/jobs?limit=x"),
        ("GET", "/asyncGet"),
        ("GET", f"/asyncGet?UUID={handle}"),
        ("GET", "/asyncProbe"),
        ("POST", "/-/jobs"),
        ("PUT", f"/-/jobs/{handle}"),
    ):
        reply = requests.request(method, host.address + path)
        assert reply.status_code >= 400, path
        assert reply.headers["Content-Type"] == "application/json", path
        assert reply.json()["status"] == "error"
        assert reply.json()["message"]
