"""Jobs over HTTP: how a call becomes one, what is told of it, and the keys that make a submission
repeatable."""

from __future__ import annotations

import pickle
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from host import (
    TERMINAL,
    CallFailed,
    Host,
    MakeHost,
    Receipt,
    at,
    bare,
    eventually,
    result_of,
    rpc_body,
)

PICKLE = "application/vnd.tarp.pickle"
ASYNC = {"Prefer": "respond-async"}

FIELDS = {
    *("id", "procedure", "file", "digest", "state", "position", "reason", "priority"),
    *(
        "progress",
        "is_pinned",
        "attempts",
        "max_attempts",
        "submitted",
        "started",
        "ended",
        "expires",
        "fuel",
    ),
    *("peak_memory", "instantiate_us", "run_us", "suggested_wait", "cancel_requested", "error"),
    "owner",
}


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
    assert str(uuid.UUID(job["id"])) == job["id"]
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
    later = eventually(lambda: (now := host.job(handle)["progress"])["done"] > seen["done"] and now)
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


def test_a_query_says_nothing_that_is_not_understood(host: Host) -> None:
    """A slip in `keep` would remove a result for good."""
    handle = host.submit("add", 1, 2)["id"]
    host.ended(handle)
    for method, below, query in (
        ("DELETE", "", "kept=true"),
        ("DELETE", "", "keep=true&keep=false"),
        ("GET", "", "wait=5"),
        ("GET", "/result", "wiat=5"),
        ("GET", "/result", "wait=1&wait=2"),
        ("GET", "/logs", "x=1"),
        ("GET", "/arguments", "x=1"),
        ("GET", "/events", "x=1"),
    ):
        with pytest.raises(CallFailed) as caught:
            bare(host.request(method, f"/-/jobs/{handle}{below}?{query}"))
        assert (caught.value.status, caught.value.kind) == (400, "BadRequest")
        assert f'"{query.partition("=")[0]}"' in caught.value.message
    assert host.result(handle) == 3
    bare(host.request("DELETE", f"/-/jobs/{handle}"))
    with pytest.raises(CallFailed, match="was removed, or ended so long ago"):
        bare(host.request("GET", f"/-/jobs/{handle}"))
