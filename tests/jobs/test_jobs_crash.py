"""The end of the host at any moment, and what its jobs are worth afterwards.

The host promises of every handle that it has given: the job ends, in exactly one state, which never
changes; nothing of it is half there; where it was interrupted it is run again, and that is counted.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests

from host import TERMINAL, CallFailed, Host, MakeHost, eventually, in_background

#: What is submitted, and how it ends if nobody cancels it. Those without an end never do.
CALLS: list[tuple[str, list[Any], Any]] = [
    ("add", [20, 22], 42),
    ("burn", [1000], None),
    ("reverse", ["ab" * 3000], "ba" * 3000),
    ("count_to", [10, 5], 10),
    ("count_to", [20, 5], 20),
    ("count_aside", [50], 50),
    ("fail_after", [3, "no light"], CallFailed),
    ("chatty", [50], None),
    ("until_asked_to_stop", [], None),
]
ENDLESS = "until_asked_to_stop"


class Ledger:
    """What the host has acknowledged, and has told of the ends of jobs."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[str, list[Any], Any]] = {}
        self.keys: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.ends: dict[str, dict[str, Any]] = {}
        self.attempts: dict[str, int] = {}
        self.lock = threading.Lock()

    def told(self, job: dict[str, Any]) -> None:
        """Compares what is told of a job with what was told before."""
        # `expires` counts from the host's own clock, which goes on once a minute.
        job = job | {"expires": None}
        with self.lock:
            first = self.ends.setdefault(job["id"], job) if job["state"] in TERMINAL else None
            assert job["id"] not in self.ends or first is not None, f"{job} has ended before"
            assert first in (None, job), f"{first} became {job}"
            before = self.attempts.get(job["id"], 0)
            self.attempts[job["id"]] = job["attempts"]
            assert before <= job["attempts"], f"there were {before} attempts before {job}"


def work(host: Host, ledger: Ledger, over: threading.Event) -> None:
    """Submits, looks at and cancels jobs until the host is gone."""
    dice = random.Random()
    with requests.Session() as session, suppress(requests.RequestException):
        session.trust_env = False
        while not over.is_set():
            call = dice.choice(CALLS)
            key = str(dice.getrandbits(64))
            headers = {"Prefer": "respond-async", "Idempotency-Key": key}
            headers["Priority"] = f"u={dice.randrange(8)}"
            reply = session.post(
                f"{host.address}/{call[0]}", json=call[1], headers=headers, timeout=30
            )
            assert reply.status_code == 202, reply.text
            handle = reply.json()["id"]
            with ledger.lock:
                ledger.calls[handle] = call
                ledger.keys[handle] = key
                victim = handle if call[0] == ENDLESS else dice.choice(list(ledger.calls))
            if dice.random() < (0.7 if call[0] == ENDLESS else 0.2):
                with ledger.lock:
                    ledger.cancelled.add(victim)
                reply = session.delete(f"{host.address}/-/jobs/{victim}?keep=true", timeout=30)
                assert reply.status_code == 200, reply.text
            # Only one's own: of two questions at once either may be answered first.
            reply = session.get(f"{host.address}/-/jobs/{handle}", timeout=30)
            assert reply.status_code == 200, reply.text
            ledger.told(reply.json())


def check(host: Host, ledger: Ledger) -> None:
    """Waits until everything has ended, and compares it with the promises."""
    for job in host.jobs(procedure=ENDLESS, state=["queued", "running"]):
        ledger.cancelled.add(job["id"])
        host.cancel(job["id"])
    eventually(lambda: not host.jobs(state=["queued", "running"]))
    for handle, (name, arguments, expected) in ledger.calls.items():
        job = host.job(handle)
        ledger.told(job)
        assert (job["procedure"], job["state"] in TERMINAL) == (name, True), job
        if job["state"] == "cancelled":
            assert handle in ledger.cancelled, job
        elif job["state"] == "interrupted":
            assert job["attempts"] >= 3, job
        elif expected is CallFailed:
            assert (job["state"], job["error"]["message"]) == ("failed", arguments[1]), job
        else:
            assert job["state"] == "succeeded", job
            assert expected is None or host.result(handle, 0) == expected
        if name == "chatty" and job["state"] == "succeeded":
            assert host.logs(handle)["stdout"].count("\n") == arguments[0]
        again = host.submit(name, *arguments, Idempotency_Key=ledger.keys[handle])
        assert again["id"] == handle
    everything = all_handles(host)
    assert len(everything) == len(set(everything))
    assert set(ledger.calls) <= set(everything)


def all_handles(host: Host) -> list[str]:
    handles, query = [], {"limit": "1000"}
    while True:
        page = host.request("GET", "/-/jobs", params=query).json()
        handles += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            return handles
        query["after"] = page["next"]


@pytest.mark.attack(
    "`kill -9` at any moment under load",
    "each acknowledged job ends exactly once",
)
@pytest.mark.timeout(150)
def test_no_promise_is_broken_by_kill_9_at_any_moment(make_host: MakeHost) -> None:
    host = make_host("math", "text", "jobs", config="[jobs]\nplaces = 3\n")
    ledger = Ledger()
    dice = random.Random()
    for _ in range(25):
        with in_background(lambda over: work(host, ledger, over), count=4):
            # Not to wait for anything: the moment is to be any.
            time.sleep(dice.uniform(0.02, 0.3))
            host.kill()
        host.restart()
    check(host, ledger)
    states = {job["state"] for job in ledger.ends.values()}
    assert {"succeeded", "failed", "cancelled"} <= states, "it was put to the test"
    assert max(ledger.attempts.values()) > 1, "some jobs were interrupted"


def test_what_was_told_of_an_end_stands_after_kill_9(make_host: MakeHost) -> None:
    """Killed as soon as the end is told, again and again: the shortest way to a lost record."""
    host = make_host("math")
    ended = []
    for number in range(15):
        handle = host.submit("add", number, 1)["id"]
        assert host.result(handle) == number + 1
        host.kill()
        host.restart()
        ended.append(handle)
        for expected, handle in enumerate(ended, 1):
            job = host.job(handle)
            assert (job["state"], job["attempts"]) == ("succeeded", 1)
            assert host.result(handle, 0) == expected


def test_a_job_that_was_running_is_run_again_and_that_is_counted(make_host: MakeHost) -> None:
    """It imports all that ordinary programs do, and was granted nothing."""
    host = make_host("jobs")
    handle = host.submit("count_to", 60, 20)["id"]
    eventually(lambda: host.job(handle)["progress"])
    host.kill()
    host.restart()
    job = host.ended(handle)
    assert (job["state"], job["attempts"], job["max_attempts"]) == ("succeeded", 2, 1)
    assert host.result(handle) == 60
    messages = [line["message"] for line in host.logs(handle)["log"]]
    assert messages == ["counting to 60", "counted to 60"], "of the attempt that counts"


@pytest.mark.attack(
    "a job with which the host goes down again and again",
    "it is given up as `interrupted`",
)
@pytest.mark.parametrize(
    "sidecar",
    ["", "[procedures.spin]\nidempotent = true\n", "[procedures.spin]\nmax_attempts = 4\n"],
)
def test_a_job_with_which_the_host_goes_down_again_and_again_is_given_up(
    make_host: MakeHost, sidecar: str
) -> None:
    """It may be what ends the host; then to begin it once more would end the host once more."""
    host = make_host("misbehave", "math", sidecars={"misbehave": sidecar} if sidecar else None)
    handle = host.submit("spin")["id"]
    tries = 4 if "max_attempts" in sidecar else 3
    for attempt in range(1, tries + 1):
        assert host.running(handle)["attempts"] == attempt
        host.kill()
        host.restart()
    job = host.job(handle)
    assert (job["state"], job["attempts"]) == ("interrupted", tries)
    assert str(tries) in job["error"]["message"]
    with pytest.raises(CallFailed) as caught:
        host.result(handle)
    assert (caught.value.status, caught.value.kind) == (500, "Interrupted")
    probe = host.request("GET", f"/asyncProbe?UUID={handle}").json()["result"]
    assert (probe["status"], probe["state"]) == ("failed", "interrupted")
    host.kill()
    host.restart()
    assert host.job(handle)["state"] == "interrupted"
    assert host.result(host.submit("add", 1, 2)["id"]) == 3


def test_a_cancellation_that_was_acknowledged_survives_kill_9(make_host: MakeHost) -> None:
    """The guest has an hour to stop by itself and does not, so that the host dies first."""
    config = "[jobs]\nplaces = 1\ncancel_grace = '1 h'\n"
    host = make_host("misbehave", "math", config=config)
    running = host.submit("spin")["id"]
    host.running(running)
    waiting = host.submit("add", 1, 2)["id"]
    assert host.cancel(running)["cancel_requested"] is True
    assert host.cancel(waiting)["state"] == "cancelled"
    host.kill()
    host.restart()
    assert [host.ended(handle)["state"] for handle in (running, waiting)] == ["cancelled"] * 2
    assert host.job(running)["attempts"] == 1


def test_a_queue_keeps_its_order_over_a_restart(make_host: MakeHost) -> None:
    host = make_host("misbehave", "jobs", config="[jobs]\nplaces = 1\n")
    blocker = host.submit("spin", Priority="u=0")["id"]
    host.running(blocker)
    jobs = [host.submit("count_to", 2, 5, Priority=f"u={u}") for u in (5, 1, 3, 1)]
    expected = [job["id"] for job in sorted(jobs, key=lambda job: job["priority"])]
    host.kill()
    host.restart()
    assert host.running(blocker)["attempts"] == 2
    assert [host.job(handle)["position"] for handle in expected] == [1, 2, 3, 4]
    host.cancel(blocker)
    ended = [host.ended(handle) for handle in expected]
    starts = [job["started"] for job in ended]
    assert starts == sorted(starts)


# An orderly end.


def test_running_jobs_may_finish_when_the_host_is_asked_to_stop(make_host: MakeHost) -> None:
    host = make_host("jobs", "misbehave", config="[jobs]\nplaces = 2\n")
    handles = [host.submit("count_to", 40, 20)["id"] for _ in range(2)]
    for handle in handles:
        host.running(handle)
    waiting = host.submit("count_to", 1, 0)["id"]
    assert host.stop() == 0
    host.restart()
    for handle in handles:
        job = host.job(handle)
        assert (job["state"], job["attempts"]) == ("succeeded", 1)
        assert host.result(handle, 0) == 40
    job = host.ended(waiting)
    assert (job["state"], job["attempts"]) == ("succeeded", 1), "it had not begun"


def test_jobs_that_run_longer_than_the_grace_are_run_again(make_host: MakeHost) -> None:
    """As often as the host is asked to stop: unlike a crash, that is no fault of theirs."""
    host = make_host("jobs", "misbehave", config="[server]\ngrace = '300 ms'\n")
    handles = [host.submit("spin")["id"], host.submit("sleep_for", 3_600_000)["id"]]
    for attempt in range(2, 6):
        for handle in handles:
            host.running(handle)
        assert host.stop() == 0
        host.restart()
        for handle in handles:
            assert host.running(handle)["attempts"] == attempt
    for handle in handles:
        host.cancel(handle)
        assert host.ended(handle)["state"] == "cancelled"


def test_whoever_waits_for_a_job_is_answered_when_the_host_is_asked_to_stop(
    make_host: MakeHost,
) -> None:
    host = make_host("misbehave", config="[server]\ngrace = '300 ms'\n")
    handle = host.submit("spin")["id"]
    host.running(handle)
    paths = [f"/-/jobs/{handle}/result?wait=60", f"/asyncGet?UUID={handle}"]
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(host.request, "GET", path) for path in paths]
        eventually(lambda: all(future.running() for future in waiting))
        for _ in range(50):  # By the end of this both have long been let in.
            assert host.job(handle)["state"] == "running"
        host.ask_to_stop()
        for future in waiting:
            reply = future.result()
            assert (reply.status_code, reply.json()["type"]) == (503, "OperationInProgress")
    assert host.wait() == 0


def test_a_restart_under_load_loses_nothing(make_host: MakeHost) -> None:
    config = "[jobs]\nplaces = 3\n[server]\ngrace = '300 ms'\n"
    host = make_host("math", "text", "jobs", config=config)
    ledger = Ledger()
    # Once more, and what runs for longer than the grace would be given up.
    for _ in range(2):
        before = len(ledger.calls)
        with in_background(lambda over: work(host, ledger, over), count=4):
            eventually(lambda before=before: len(ledger.calls) > before + 40)
            assert host.stop() == 0
        host.restart()
    check(host, ledger)
    assert "interrupted" not in {job["state"] for job in ledger.ends.values()}
