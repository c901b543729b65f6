"""How jobs run: whose turn it is, how many wait, tries, deadlines, cancelling, and which calls are
jobs at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from host import CallFailed, Host, MakeHost, at, eventually, place, result_of, rpc_body

ONE_PLACE = "[jobs]\nplaces = 1\n"


@pytest.fixture
def narrow(make_host: MakeHost) -> Host:
    """A host that runs one job at a time."""
    return make_host("math", "jobs", "misbehave", config=ONE_PLACE)


def blocked(host: Host) -> str:
    """Takes the only place; to cancel the job with this handle frees it."""
    handle = host.submit("spin")["id"]
    host.running(handle)
    return handle


def order_of_start(host: Host, handles: list[str]) -> list[str]:
    jobs = [host.ended(handle) for handle in handles]
    return [job["id"] for job in sorted(jobs, key=lambda job: at(job["started"]))]


# Turns.


def test_the_most_urgent_job_is_next_and_among_equals_the_oldest(narrow: Host) -> None:
    """Each takes a few milliseconds, more than the resolution of the times that are told."""
    blocker = blocked(narrow)
    urgencies = [3, 7, 0, 3, None, 1, 0]
    jobs = [
        narrow.submit("count_to", 2, 5, **({} if u is None else {"Priority": f"u={u}"}))
        for u in urgencies
    ]
    assert [job["priority"] for job in jobs] == [3, 7, 0, 3, 3, 1, 0]
    expected = [job["id"] for job in sorted(jobs, key=lambda job: job["priority"])]
    for position, handle in enumerate(expected, 1):
        job = narrow.job(handle)
        assert (job["state"], job["position"]) == ("queued", position)
    narrow.cancel(blocker)
    assert order_of_start(narrow, expected) == expected


def test_the_position_in_the_queue_counts_down(narrow: Host) -> None:
    blocker = blocked(narrow)
    handles = [narrow.submit("add", n, 1)["id"] for n in range(3)]
    assert narrow.job(blocker)["position"] is None
    narrow.cancel(handles[0])
    assert [narrow.job(handle)["position"] for handle in handles] == [None, 1, 2]
    narrow.submit("add", 9, 1, Priority="u=0")
    assert [narrow.job(handle)["position"] for handle in handles] == [None, 2, 3]


def test_a_thousand_jobs_are_drained_in_order_of_priority(narrow: Host) -> None:
    blocker = blocked(narrow)

    def submit(n: int) -> int:
        return narrow.submit("add", n, 1, Priority=f"u={n % 8}")["priority"]

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(submit, range(1000))) == [n % 8 for n in range(1000)]
    # In order of their submission, as the host took them in.
    waiting = narrow.jobs(state="queued")[::-1]
    assert len(waiting) == 1000
    expected = sorted(waiting, key=lambda job: job["priority"])
    narrow.cancel(blocker)
    eventually(lambda: not narrow.jobs(state=["queued", "running"]))
    ended = {job["id"]: job for job in narrow.jobs(procedure="add")}
    assert len(ended) == 1000
    assert {job["state"] for job in ended.values()} == {"succeeded"}
    starts = [at(ended[job["id"]]["started"]) for job in expected]
    assert starts == sorted(starts)
    assert starts[0] < starts[-1]


def test_a_procedure_has_a_priority_of_its_own_that_a_submitter_may_change(
    make_host: MakeHost,
) -> None:
    host = make_host("math", sidecars={"math": "[procedures.add]\npriority = 6\n"})
    assert host.submit("add", 1, 2)["priority"] == 6
    assert host.submit("add", 1, 2, Priority="u=2, i")["priority"] == 2
    assert host.submit("my_function", 1, 2)["priority"] == 3
    for nonsense in ("u=8", "u=-1", "urgent", ""):
        assert host.submit("add", 1, 2, Priority=nonsense)["priority"] == 6


def test_no_more_jobs_run_than_there_are_places(make_host: MakeHost) -> None:
    host = make_host("misbehave", "math", config="[jobs]\nplaces = 3\n")
    handles = [host.submit("spin")["id"] for _ in range(5)]
    eventually(lambda: len(host.jobs(state="running")) == 3)
    assert {job["id"] for job in host.jobs(state="running")} == set(handles[:3])
    assert [host.job(handle)["position"] for handle in handles[3:]] == [1, 2]
    host.cancel(handles[0])
    host.running(handles[3])
    assert len(host.jobs(state="running")) <= 3


def test_jobs_and_calls_do_not_wait_for_each_other(make_host: MakeHost) -> None:
    config = ONE_PLACE + "[server]\nmax_calls = 1\n"
    host = make_host("misbehave", "math", "jobs", config=config)
    blocker = blocked(host)
    assert host.rpc("add", 1, 2) == 3, "every place for jobs is taken"
    host.cancel(blocker)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(host.rpc, "sleep_for", 3000)
        eventually(lambda: host.outcome("add", 1, 2) == "Overloaded")
        assert host.result(host.submit("add", 1, 2)["id"]) == 3
        assert not call.done(), "the only place for calls is taken"
        assert call.result() == 3000


# A full queue.


def test_a_full_queue_takes_no_more_and_says_when_to_try_again(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave", config=ONE_PLACE + "max_queue = 3\n")
    blocker = blocked(host)
    handles = [host.submit("add", n, 1)["id"] for n in range(3)]
    with pytest.raises(CallFailed, match="`max_queue`") as caught:
        host.submit("add", 3, 1)
    assert (caught.value.status, caught.value.kind) == (503, "Overloaded")
    assert int(caught.value.reply.headers["Retry-After"]) >= 1
    assert "Location" not in caught.value.reply.headers
    assert len(host.jobs()) == 4
    assert host.rpc("add", 1, 2) == 3, "a plain call needs no queue"
    host.cancel(handles[1])
    handles[1] = host.submit("add", 1, 1)["id"]
    host.cancel(blocker)
    assert [host.result(handle) for handle in handles] == [1, 2, 3]


def test_a_full_queue_still_knows_what_was_submitted_before(make_host: MakeHost) -> None:
    host = make_host("math", "misbehave", config=ONE_PLACE + "max_queue = 1\n")
    blocker = blocked(host)
    key = {"Idempotency_Key": "once"}
    handle = host.submit("add", 1, 1, **key)["id"]
    assert host.submit("add", 1, 1, **key)["id"] == handle
    for headers, status in ((key, 409), ({}, 503)):
        with pytest.raises(CallFailed) as caught:
            host.submit("add", 1, 2, **headers)
        assert caught.value.status == status
    host.cancel(blocker)
    assert host.result(handle) == 2


# Tries.


def test_a_job_is_tried_again_only_where_that_is_asked_for(make_host: MakeHost) -> None:
    sidecar = "[procedures.fail_after]\nmax_attempts = 3\nbackoff = '100 ms'\n"
    host = make_host("jobs", "misbehave", sidecars={"jobs": sidecar})
    job = host.ended(host.submit("fail_after", 2, "never")["id"])
    assert (job["state"], job["attempts"], job["max_attempts"]) == ("failed", 3, 3)
    assert job["error"]["message"] == "never"
    # The pause doubles: 100 ms, then 200 ms.
    assert (at(job["started"]) - at(job["submitted"])).total_seconds() >= 0.3
    assert [line["message"] for line in host.logs(job["id"])["log"]][-1] == "never"
    once = host.ended(host.submit("panic", "never")["id"])
    assert (once["attempts"], once["max_attempts"]) == (1, 1)


def test_a_job_that_waits_for_its_next_try_is_queued_and_can_be_cancelled(
    make_host: MakeHost,
) -> None:
    sidecar = "[procedures.fail_after]\nmax_attempts = 3\nbackoff = '1 h'\n"
    host = make_host("jobs", "math", sidecars={"jobs": sidecar}, config=ONE_PLACE)
    handle = host.submit("fail_after", 2, "no")["id"]
    waiting = eventually(
        lambda: (job := host.job(handle))["attempts"] == 1 and job["state"] == "queued" and job
    )
    assert waiting["ended"] is None
    assert host.result(host.submit("add", 1, 2)["id"]) == 3, "it keeps no place meanwhile"
    assert host.cancel(handle)["state"] == "cancelled"


def test_tries_that_are_left_survive_a_restart(make_host: MakeHost) -> None:
    sidecar = "[procedures.fail_after]\nmax_attempts = 2\nbackoff = '2 s'\n"
    host = make_host("jobs", sidecars={"jobs": sidecar})
    handle = host.submit("fail_after", 0, "no")["id"]
    eventually(lambda: host.job(handle)["attempts"] == 1)
    host.stop()
    host.restart()
    job = host.ended(handle)
    assert (job["state"], job["attempts"]) == ("failed", 2)
    assert (at(job["started"]) - at(job["submitted"])).total_seconds() >= 2


# Deadlines.


def test_a_job_has_a_deadline_and_fuel_of_its_own(make_host: MakeHost) -> None:
    sidecar = "[job_limits]\ndeadline = '200 ms'\n"
    host = make_host(
        "misbehave", sidecars={"misbehave": sidecar}, config="[limits]\nfuel = 1_000\n"
    )
    assert host.outcome("spin") == "OutOfFuel"
    job = host.ended(host.submit("spin")["id"])
    assert (job["state"], job["error"]["type"]) == ("timed_out", "DeadlineExceeded")
    assert job["fuel"] > 1_000
    with pytest.raises(CallFailed) as caught:
        host.result(job["id"])
    assert (caught.value.status, caught.value.kind) == (504, "DeadlineExceeded")
    place(b"[job_limits]\nfuel = 5_000\n", host.folder / "misbehave.toml")
    eventually(lambda: host.ended(host.submit("spin")["id"])["error"]["type"] == "OutOfFuel")


# Cancelling.


def cancelled_result(host: Host, handle: str) -> None:
    with pytest.raises(CallFailed) as caught:
        host.result(handle)
    assert (caught.value.status, caught.value.kind) == (409, "Cancelled")


def test_a_queued_job_that_is_cancelled_never_begins(narrow: Host) -> None:
    blocker = blocked(narrow)
    handle = narrow.submit("add", 1, 2)["id"]
    last = narrow.cancel(handle)
    assert (last["state"], last["attempts"], last["started"]) == ("cancelled", 0, None)
    assert last["error"]["type"] == "Cancelled"
    cancelled_result(narrow, handle)
    narrow.cancel(blocker)
    assert narrow.result(narrow.submit("add", 1, 2)["id"]) == 3
    assert narrow.job(handle)["attempts"] == 0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("spin", []), ("sleep_for", [3_600_000]), ("hog_slowly", [60_000]), ("burn", [2**60])],
)
def test_a_running_job_that_is_cancelled_frees_its_place(
    narrow: Host, name: str, arguments: list[int]
) -> None:
    for _ in range(3):
        handle = narrow.submit(name, *arguments)["id"]
        narrow.running(handle)
        after = narrow.submit("add", 1, 2)["id"]
        assert narrow.cancel(handle)["cancel_requested"] is True
        assert narrow.result(after) == 3
        last = narrow.ended(handle)
        assert (last["state"], last["error"]["type"]) == ("cancelled", "Cancelled")
        cancelled_result(narrow, handle)


def test_many_jobs_are_cancelled_under_load(make_host: MakeHost) -> None:
    host = make_host("misbehave", "math", config="[jobs]\nplaces = 4\n")
    handles = [host.submit("spin")["id"] for _ in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(host.cancel, handles))
        states = [job["state"] for job in pool.map(host.ended, handles)]
    assert states == ["cancelled"] * 60
    assert host.result(host.submit("add", 1, 2)["id"]) == 3


def test_a_guest_that_is_asked_to_stop_may_do_so_by_itself(make_host: MakeHost) -> None:
    """Its grace is longer than anybody here waits, so it was the guest that ended."""
    host = make_host("jobs", config="[jobs]\ncancel_grace = '1 h'\n")
    handle = host.submit("until_asked_to_stop")["id"]
    eventually(lambda: host.logs(handle)["stdout"])
    assert host.cancel(handle)["cancel_requested"] is True
    last = host.ended(handle)
    assert (last["state"], last["cancel_requested"]) == ("cancelled", True)
    assert last["peak_memory"] > 0, "the receipt of a guest that returned"


def test_to_cancel_twice_or_too_late_changes_nothing(host: Host) -> None:
    done = host.ended(host.submit("add", 1, 2)["id"])
    for _ in range(2):
        late = host.cancel(done["id"])
        assert (late["state"], late["cancel_requested"]) == ("succeeded", False)
    assert host.result(done["id"]) == 3
    handle = host.submit("spin")["id"]
    for _ in range(3):
        host.cancel(handle)
    last = host.ended(handle)
    again = host.cancel(handle)
    assert (again["state"], again["ended"]) == ("cancelled", last["ended"])


# Which calls are jobs.


def entries(host: Host, kind: str) -> set[str]:
    return {entry["name"] for entry in host.listing()[kind]}


def handle_of(host: Host, name: str, *arguments: Any) -> dict[str, Any]:
    return result_of(host.request("POST", f"/{name}", json=rpc_body(*arguments)))


def test_a_sidecar_makes_a_procedure_asynchronous_and_back(make_host: MakeHost) -> None:
    host = make_host("math", "jobs")
    assert "add" in entries(host, "RPC")
    assert "count_aside" in entries(host, "ASYNCRPC"), "an `async func`"
    place(b"[procedures.add]\nmode = 'async'\nsuggested_wait = 7\n", host.folder / "math.toml")
    place(b"[procedures.count_aside]\nmode = 'sync'\n", host.folder / "jobs.toml")
    eventually(lambda: "add" in entries(host, "ASYNCRPC"))
    eventually(lambda: "count_aside" in entries(host, "RPC"))
    assert "add" not in entries(host, "RPC")
    assert "count_aside" not in entries(host, "ASYNCRPC")
    submitted = handle_of(host, "add", 1, 2)
    assert submitted["suggested_wait"] == 7
    assert host.result(submitted["ID"]) == 3
    assert host.rpc("count_aside", 3) == 3
    assert host.get("add", {"x": 1, "y": 2}) == 3, "only RPC has handles"
    (host.folder / "math.toml").unlink()
    (host.folder / "jobs.toml").unlink()
    eventually(lambda: "add" in entries(host, "RPC"))
    eventually(lambda: "count_aside" in entries(host, "ASYNCRPC"))
    assert host.rpc("add", 1, 2) == 3
    assert host.result(handle_of(host, "count_aside", 3)["ID"]) == 3


def test_a_job_runs_the_procedure_as_it_is_when_its_turn_comes(narrow: Host) -> None:
    blocker = blocked(narrow)
    kept, lost = narrow.submit("add", 1, 2)["id"], narrow.submit("note", "x")["id"]
    (narrow.folder / "jobs.wasm").unlink()
    eventually(lambda: not narrow.serves("note"))
    narrow.cancel(blocker)
    assert narrow.result(kept) == 3
    job = eventually(lambda: (job := narrow.job(lost))["reason"] and job)
    assert (job["state"], job["attempts"]) == ("queued", 0)
    assert narrow.cancel(lost)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("mode = 'later'", "mode"),
        ("suggested_wait = 0", "suggested_wait"),
        ("priority = 8", "priority"),
        ("max_attempts = 0", "max_attempts"),
        ("backoff = 'soon'", "backoff"),
        ("idempotent = 'yes'", "idempotent"),
    ],
)
def test_what_a_sidecar_says_wrongly_of_jobs_is_reported(
    make_host: MakeHost, line: str, word: str
) -> None:
    host = make_host("math")
    place(f"[procedures.add]\n{line}\n".encode(), host.folder / "math.toml")
    (problem,) = eventually(lambda: host.problems().get("math.wasm"))
    assert "line 2" in problem["message"]
    assert word in problem["message"]
    assert problem["serving"] is True


@pytest.mark.parametrize("how", ["flag", "file"])
def test_a_host_without_jobs_calls_and_waits(make_host: MakeHost, how: str) -> None:
    host = make_host(
        "math",
        "jobs",
        flags=["--jobs", "none"] if how == "flag" else [],
        config="[jobs]\nstore = 'none'\n" if how == "file" else "",
    )
    reply = host.request("GET", "/add?x=1&y=2", headers={"Prefer": "respond-async"})
    assert (reply.status_code, result_of(reply)) == (200, 3)
    assert "Preference-Applied" not in reply.headers
    assert entries(host, "ASYNCRPC") == set()
    assert host.rpc("count_aside", 3) == 3
    for path in ("/-/jobs", "/-/jobs/x", "/asyncGet?UUID=x", "/asyncProbe?UUID=x"):
        reply = host.request("GET", path)
        assert (reply.status_code, reply.json()["type"]) == (404, "NotFound")
    assert [file.name for file in host.data.iterdir()] == ["versions"]
