"""Clients that go away in the middle of a request: what the host has begun it carries through.

All of them once left jobs behind that nobody ran, or cancelled, before the host's next start."""

from __future__ import annotations

import itertools
import socket
import time
from typing import Any

from host import TERMINAL, Host, MakeHost, eventually


def send_and_leave(host: Host, request: str, stay: float = 0) -> None:
    """Sends a request, and closes the connection without a look at the reply.

    `stay` is in seconds, from the one to the other."""
    with socket.create_connection(("127.0.0.1", host.port), 5) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        time.sleep(stay)


def ask_and_leave(host: Host, handles: list[str]) -> list[dict[str, Any]]:
    """Asks for the cancellation of jobs until the host has taken note of some; gives those back.

    A busy host may notice that nobody is there before it has begun with what was asked: each
    attempt stays a little longer than the one before.
    """
    stays = itertools.count()

    def attempt() -> list[dict[str, Any]]:
        stay = next(stays) * 1e-4
        for handle in handles:
            send_and_leave(host, f"DELETE /-/jobs/{handle} HTTP/1.1\nHost: localhost\n\n", stay)
        return [job for job in map(host.job, handles) if job["cancel_requested"]]

    return eventually(attempt)


def submission(number: int) -> str:
    return (
        f"GET /add?x={number}&y=1 HTTP/1.1\nHost: localhost\nPrefer: respond-async\n"
        f"Idempotency-Key: {number}\n\n"
    )


def test_a_job_whose_submitter_went_away_runs_all_the_same(make_host: MakeHost) -> None:
    host = make_host("math")
    for number in range(200):
        send_and_leave(host, submission(number), number * 1e-5)
    # Later requests have their replies: nothing of what was left behind is still under way.
    host.result(host.submit("add", 1, 1)["id"])
    assert len(host.jobs(procedure="add")) > 1, "some were stored before the host noticed"
    eventually(lambda: all(job["state"] in TERMINAL for job in host.jobs()))


def test_a_submission_that_is_repeated_after_a_lost_reply_gives_a_job_that_runs(
    make_host: MakeHost,
) -> None:
    """What an idempotency key is for."""
    host = make_host("math")
    for number in range(100):
        send_and_leave(host, submission(number))
    for number in range(100):
        query = {"x": number, "y": 1}
        headers = {"Prefer": "respond-async", "Idempotency-Key": str(number)}
        reply = host.request("GET", "/add", params=query, headers=headers)
        assert host.result(reply.json()["id"]) == number + 1


def test_what_was_cancelled_by_somebody_who_went_away_does_not_run(make_host: MakeHost) -> None:
    """A job of which the host says that it is to be cancelled must not succeed."""
    host = make_host("math", "misbehave", config="[jobs]\nplaces = 1\n")
    blocker = host.submit("spin")["id"]
    host.running(blocker)
    handles = [host.submit("add", n, 1)["id"] for n in range(100)]
    asked = ask_and_leave(host, handles)
    host.cancel(blocker)
    assert {host.ended(job["id"])["state"] for job in asked} == {"cancelled"}


def test_a_running_job_is_cancelled_though_the_one_who_asked_went_away(
    make_host: MakeHost,
) -> None:
    host = make_host("misbehave", config="[jobs]\nplaces = 20\n")
    handles = [host.submit("spin")["id"] for _ in range(20)]
    eventually(lambda: len(host.jobs(state="running")) == 20)
    asked = ask_and_leave(host, handles)
    assert {host.ended(job["id"])["state"] for job in asked} == {"cancelled"}
