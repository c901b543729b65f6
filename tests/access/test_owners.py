"""Jobs belong to who made them: to everybody else they are as if they never were."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests
import tarp

from host import DEADLINE, TERMINAL, Host, MakeHost, bare, eventually, result_of
from tokens import bearer, create, knows, tarp_token

ASYNC = {"Prefer": "respond-async"}

PAGES = ("", "/result", "/arguments", "/logs", "/events")


class Owners:
    """A host with callers who submit jobs, by name."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tokens = {
            name: create(host.data, name, "call:*", right)
            for name, right in (("alice", "jobs"), ("bob", "jobs"), ("carol", "jobs:all"))
        }
        host.start()

    def ask(self, who: str, path: str, method: str = "GET", **options: Any) -> requests.Response:
        headers = bearer(self.tokens[who]) | options.pop("headers", {})
        return self.host.request(method, path, headers=headers, **options)

    def submit(self, who: str, name: str, *arguments: Any, **headers: str) -> dict[str, Any]:
        wanted = ASYNC | {header.replace("_", "-"): value for header, value in headers.items()}
        reply = self.ask(who, f"/{name}", "POST", json=list(arguments), headers=wanted)
        return bare(reply)

    def listed(self, who: str, **query: Any) -> set[str]:
        return {job["id"] for job in bare(self.ask(who, "/-/jobs", params=query))["jobs"]}

    def ended(self, who: str, handle: str) -> dict[str, Any]:
        def job() -> Any:
            job = bare(self.ask(who, f"/-/jobs/{handle}"))
            return job["state"] in TERMINAL and job

        return eventually(job)


@pytest.fixture(scope="module")
def owners(make_module_host) -> Owners:
    return Owners(make_module_host("math", "jobs", start=False))


def pages(handle: str) -> list[tuple[str, str]]:
    """Every way to ask for a job."""
    return [
        *(("GET", f"/-/jobs/{handle}{page}") for page in PAGES),
        ("GET", f"/-/jobs/{handle}/result?wait=5"),
        ("DELETE", f"/-/jobs/{handle}?keep=true"),
        ("DELETE", f"/-/jobs/{handle}"),
        ("GET", f"/asyncProbe?UUID={handle}"),
        ("GET", f"/asyncGet?UUID={handle}"),
    ]


@pytest.mark.attack("somebody else's job, by its handle", "404, as if it had never been")
def test_another_s_job_is_as_one_that_never_was(owners: Owners) -> None:
    job = owners.submit("alice", "add", 1, 2)["id"]
    owners.ended("alice", job)
    never = str(uuid.uuid4())
    for (method, path), (_, other) in zip(pages(job), pages(never), strict=True):
        reply, absent = owners.ask("bob", path, method), owners.ask("bob", other, method)
        assert reply.status_code == absent.status_code == 404, path
        assert reply.json() == {
            **absent.json(),
            "message": absent.json()["message"].replace(never, job),
        }
    assert result_of(owners.ask("alice", f"/-/jobs/{job}/result")) == 3
    for page in PAGES:
        assert owners.ask("carol", f"/-/jobs/{job}{page}", stream=True).status_code == 200, page
    # One that is gone is known to its owner, and to those who see all.
    assert owners.ask("alice", f"/-/jobs/{job}", "DELETE").ok
    statuses = {who: owners.ask(who, f"/-/jobs/{job}").status_code for who in owners.tokens}
    assert statuses == {"alice": 410, "bob": 404, "carol": 410}


def test_everybody_lists_and_counts_their_own_jobs(owners: Owners) -> None:
    jobs = {who: {owners.submit(who, "add", n, 2)["id"] for n in range(3)} for who in owners.tokens}
    for who in ("alice", "bob"):
        others = set().union(*(theirs for other, theirs in jobs.items() if other != who))
        for query in ({}, {"procedure": "add"}, {"state": ["queued", "running", "succeeded"]}):
            listed = owners.listed(who, limit=1000, **query)
            assert jobs[who] <= listed
            assert not listed & others
        counts = bare(owners.ask(who, "/-/jobs/counts"))["counts"]
        assert sum(counts.values()) == len(owners.listed(who, limit=1000))
    assert set().union(*jobs.values()) <= owners.listed("carol", limit=1000)


def test_a_job_says_whose_it_is(owners: Owners) -> None:
    job = owners.submit("alice", "add", 1, 2)
    assert job["owner"] == owners.tokens["alice"][5:21]
    assert bare(owners.ask("carol", f"/-/jobs/{job['id']}"))["owner"] == job["owner"]


def test_another_cannot_cancel_a_running_job(owners: Owners) -> None:
    job = owners.submit("alice", "until_asked_to_stop")["id"]
    assert owners.ask("bob", f"/-/jobs/{job}", "DELETE").status_code == 404
    assert not bare(owners.ask("alice", f"/-/jobs/{job}"))["cancel_requested"]
    assert owners.ask("carol", f"/-/jobs/{job}", "DELETE").ok
    assert owners.ended("alice", job)["cancel_requested"]


def test_idempotency_keys_are_each_owner_s_own(owners: Owners) -> None:
    key = str(uuid.uuid4())
    first = owners.submit("alice", "add", 1, 2, Idempotency_Key=key)["id"]
    assert owners.submit("alice", "add", 1, 2, Idempotency_Key=key)["id"] == first
    # Neither what came of it, nor a conflict.
    other = owners.submit("bob", "add", 3, 4, Idempotency_Key=key)["id"]
    assert other != first
    assert owners.ask("bob", f"/-/jobs/{other}").ok
    call = {"Idempotency-Key": str(uuid.uuid4())}
    replies = [
        owners.ask(who, "/add", "POST", json=[1, 2], headers=call)
        for who in ("alice", "alice", "bob")
    ]
    assert [result_of(reply) for reply in replies] == [3, 3, 3]
    assert [reply.headers.get("Idempotency-Replayed") for reply in replies] == [None, "true", None]


def test_the_events_of_a_job_are_its_owner_s(owners: Owners) -> None:
    with tarp.connect(owners.host.address, token=owners.tokens["alice"]) as host:
        job = host.add.submit(1, 2)
        assert job.result(timeout=DEADLINE) == 3
        handle = job.id
    with (
        tarp.connect(owners.host.address, token=owners.tokens["bob"]) as host,
        pytest.raises(tarp.NotFound),
    ):
        host.job(handle).result(timeout=DEADLINE)


def test_jobs_survive_a_rotation_and_a_restart_and_those_of_nobody_are_for_all_seeing(
    make_host: MakeHost,
) -> None:
    host = make_host("math")
    nobody = host.submit("add", 1, 2)["id"]
    host.ended(nobody)
    tokens = {
        name: create(host.data, name, "call:*", right)
        for name, right in (("alice", "jobs"), ("carol", "jobs:all"))
    }
    knows(host, tokens["carol"])
    headers = bearer(tokens["alice"]) | ASYNC
    mine = bare(host.request("POST", "/add", json=[1, 2], headers=headers))["id"]
    host.stop()
    tokens["alice"] = tarp_token(host.data, "rotate", "alice").stdout.strip()
    host.restart()
    statuses = {
        (who, job): host.request("GET", f"/-/jobs/{job}", headers=bearer(token)).status_code
        for who, token in tokens.items()
        for job in (nobody, mine)
    }
    assert statuses == {
        ("alice", nobody): 404,
        ("alice", mine): 200,
        ("carol", nobody): 200,
        ("carol", mine): 200,
    }
