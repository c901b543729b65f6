"""Conversations with a host that answers from a script: what is repeated, and what never is."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from script import Played, failure, reply

import tarp
from tarp import _protocol
from tarp._message import Reply
from tarp._pickling import pickle_arguments
from tarp._protocol import Call, Options
from tarp._replies import PICKLE, outcome_of

AWAY = tarp.ConnectionFailed("away")
FULL = failure("Overloaded", 503, retry_after="1")
USED_UP = failure("TooManyRequests", 429, retry_after="2")
LOCKED = failure("Unavailable", 503, "its file is locked", retry_after="1")
THREE = Reply(200, {"content-type": "application/vnd.tarp.pickle"}, b"\x80\x05K\x03.")

JOB: dict[str, Any] = {
    "id": "7e0c",
    "procedure": "add",
    "state": "running",
    "position": None,
    "progress": {"done": 3, "total": 10, "message": "warm-up"},
    "submitted": "2030-01-31T12:00:00.123456789Z",
    "fuel": 12,
}


def rpc(name: str, *args: Any, **kwargs: Any) -> Call:
    """A call of a procedure."""
    return Call("POST", name, "", PICKLE, pickle_arguments(args, kwargs))


def test_a_call() -> None:
    played = Played(
        _protocol.call(rpc("statistics/mean", [1], x=2), Options(), None, outcome_of), THREE
    )
    assert played.result.value == 3
    (request,) = played.requests
    assert (request.method, request.target) == ("POST", "/statistics/mean")
    assert request.headers["Content-Type"] == "application/vnd.tarp.pickle"
    assert request.headers["Accept"] == "application/vnd.tarp.pickle"
    assert pickle.loads(b"".join(request.body)) == (([1],), {"x": 2})


@pytest.mark.parametrize("arrays", ["numpy", "list"])
def test_a_call_says_how_it_wants_arrays(arrays: Any) -> None:
    played = Played(_protocol.call(rpc("f"), Options(arrays=arrays), None, outcome_of), THREE)
    assert played.requests[0].headers["Accept"].endswith(f";arrays={arrays}")


@pytest.mark.parametrize("line", [AWAY, FULL, LOCKED])
def test_a_call_is_never_repeated(line: Any) -> None:
    played = Played(_protocol.call(rpc("f"), Options(), None, outcome_of), line)
    assert isinstance(played.error, (tarp.ConnectionFailed, tarp.Overloaded, tarp.Unavailable))
    assert len(played.requests) == 1


def test_a_call_that_was_refused_for_a_limit_is_sent_again_when_the_host_says() -> None:
    played = Played(_protocol.call(rpc("f"), Options(), None, outcome_of), USED_UP, USED_UP, THREE)
    assert played.result.value == 3
    assert len(played.pauses) == 2
    assert all(pause >= 2 for pause in played.pauses)
    late = failure("TooManyRequests", 429, retry_after="3600")
    for options, line in [(Options(), late), (Options(retry_for=0), USED_UP)]:
        played = Played(_protocol.call(rpc("f"), options, None, outcome_of), line)
        assert isinstance(played.error, tarp.TooManyRequests)
        assert len(played.requests) == 1
    # What follows may have run.
    assert isinstance(
        Played(_protocol.call(rpc("f"), Options(), None, outcome_of), USED_UP, FULL).error,
        tarp.Overloaded,
    )


def test_a_call_with_an_idempotency_key_is_repeated() -> None:
    options = Options(idempotency_key="k")
    played = Played(
        _protocol.call(rpc("f"), options, None, outcome_of), AWAY, FULL, LOCKED, USED_UP, THREE
    )
    assert played.result.value == 3
    assert [request.headers["Idempotency-Key"] for request in played.requests] == ["k"] * 5
    assert played.pauses[1] >= 1, "as long as the host asked for"


def test_a_submission_is_repeated_with_the_key_that_it_had() -> None:
    played = Played(_protocol.submit(rpc("f", 1), Options(priority=0)), AWAY, AWAY, reply(JOB, 202))
    assert played.result.id == "7e0c"
    keys = {request.headers["Idempotency-Key"] for request in played.requests}
    assert len(keys) == 1
    assert played.requests[0].headers["Prefer"] == "respond-async"
    assert played.requests[0].headers["Priority"] == "u=0"
    again = Played(_protocol.submit(rpc("f", 1), Options()), reply(JOB, 202))
    assert again.requests[0].headers["Idempotency-Key"] not in keys


def test_reads_are_repeated_until_their_time_is_over() -> None:
    assert Played(_protocol.job("7e0c", 10.0), AWAY, FULL, reply(JOB)).result.state == "running"
    assert isinstance(Played(_protocol.job("7e0c", 0.0), AWAY).error, tarp.ConnectionFailed)
    assert isinstance(Played(_protocol.job("7e0c", 0.0), FULL).error, tarp.Overloaded)
    assert isinstance(Played(_protocol.job("7e0c", 10.0), failure("Gone", 410)).error, tarp.Gone)


def test_the_result_of_a_job_that_still_runs_is_none() -> None:
    busy = failure("OperationInProgress", 503, retry_after="1")
    played = Played(_protocol.result("7e0c", 1.5, Options()), busy, reply(JOB))
    assert played.error is None
    assert played.result is None
    assert played.requests[0].target == "/-/jobs/7e0c/result?wait=1.500"
    assert Played(_protocol.result("7e0c", 0, Options()), THREE).result.value == 3


def test_a_job_that_failed_as_busy_has_failed() -> None:
    busy = failure("OperationInProgress", 503, "the lamp is in use", retry_after="1")
    error = {"type": "OperationInProgress", "message": "the lamp is in use"}
    ended = reply({**JOB, "state": "failed", "error": error})
    played = Played(_protocol.result("7e0c", 0, Options()), busy, ended)
    assert isinstance(played.result, tarp.OperationInProgress)
    assert str(played.result) == "the lamp is in use"


def test_jobs_come_page_by_page() -> None:
    since = datetime(2030, 1, 31, 13, tzinfo=timezone(timedelta(hours=1)))
    query = _protocol.jobs_query(["queued", "running"], "a/b", since, None)
    pages = [reply({"jobs": [JOB] * 100, "next": "x y"}), reply({"jobs": [JOB], "next": None})]
    played = Played(_protocol.jobs(query, 250, 0.0), *pages)
    assert len(played.result) == 101
    first, second = (request.target for request in played.requests)
    assert "state=queued&state=running&procedure=a%2Fb" in first
    assert "since=2030-01-31T12%3A00%3A00.000000Z" in first
    assert "limit=100" in first
    assert "after=x+y" in second


def test_a_job_as_data() -> None:
    status = Played(_protocol.job("7e0c", 0.0), reply(JOB)).result
    assert str(status) == "running, 3 of 10: warm-up"
    assert status.progress.fraction == 0.3
    assert status.submitted == datetime(2030, 1, 31, 12, 0, 0, 123456, timezone.utc)
    assert status.receipt.fuel == 12
    assert not status.has_ended
    queued = Played(_protocol.job("7e0c", 0.0), reply({**JOB, "state": "queued", "position": 3}))
    assert str(queued.result) == "queued at position 3"
    error = {"type": "Trap", "message": "it broke"}
    failed = Played(_protocol.job("7e0c", 0.0), reply({**JOB, "state": "failed", "error": error}))
    assert str(failed.result) == "failed: it broke"


def test_damaged_jobs_are_invalid_replies() -> None:
    for body in ({}, {"id": "7e0c"}, {**JOB, "progress": 7}):
        assert isinstance(
            Played(_protocol.job("7e0c", 0.0), reply(body)).error, tarp.InvalidReply
        ), json.dumps(body)


@pytest.mark.parametrize(
    ("headers", "body", "value"),
    [
        ({"content-type": "text/plain; charset=utf-8"}, "grüße".encode(), "grüße"),
        ({"content-type": "image/png"}, b"\x89PNG", b"\x89PNG"),
        ({"content-type": "application/json; charset=utf-8"}, b'{"a": 1}', {"a": 1}),
        ({}, b"raw", b"raw"),
        (
            {"content-type": "application/json"},
            b'{"status":"success","mimetype":"text/plain","result":"hi"}',
            "hi",
        ),
        (
            {"content-type": "application/json"},
            b'{"status":"success","mimetype":"application/octet-stream","result":"aGk="}',
            b"hi",
        ),
    ],
)
def test_results_come_in_every_form(headers: dict[str, str], body: bytes, value: object) -> None:
    marked = {"x-tarp-catalog": "1", **headers}
    played = Played(_protocol.call(rpc("f"), Options(), None, outcome_of), Reply(200, marked, body))
    assert played.result.value == value
