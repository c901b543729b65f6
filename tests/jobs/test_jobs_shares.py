"""How many jobs of one token run and wait at once: as the configuration or the token has it."""

from __future__ import annotations

from typing import Any

import pytest
import tarp

from host import DEADLINE, Host, MakeHost, bare, eventually
from tokens import bearer, tarp_token

WANTED = {"Prefer": "respond-async"}


class Shared:
    """A host with tokens, each with its own share."""

    def __init__(self, make_host: MakeHost, config: str, **tokens: str) -> None:
        self.host: Host = make_host("math", "misbehave", config=config, start=False)
        self.tokens = {}
        for name, limits in tokens.items():
            words = ("create", name, "--allow", "admin", *limits.split())
            made = tarp_token(self.host.data, *words)
            assert made.returncode == 0, made.stderr
            self.tokens[name] = made.stdout.splitlines()[-1]
        self.host.start()

    def ask(self, name: str, method: str, path: str, **options: Any) -> Any:
        headers = bearer(self.tokens[name]) | options.pop("headers", {})
        return self.host.request(method, path, headers=headers, **options)

    def submit(self, name: str, procedure: str, *arguments: Any, **headers: str) -> str:
        headers = WANTED | {key.replace("_", "-"): value for key, value in headers.items()}
        reply = self.ask(name, "POST", f"/{procedure}", json=arguments, headers=headers)
        return bare(reply)["id"]

    def running(self, name: str) -> list[str]:
        listed = bare(self.ask(name, "GET", "/-/jobs?state=running"))["jobs"]
        identity = self.tokens[name][5:21]
        return [job["id"] for job in listed if job["owner"] == identity]

    def cancel(self, handle: str) -> None:
        path = f"/-/jobs/{handle}?keep=true"
        name = next(iter(self.tokens))
        assert self.ask(name, "DELETE", path).status_code == 200


def test_a_token_has_its_own_share_of_the_places(make_host: MakeHost) -> None:
    config = "[jobs]\nplaces = 4\nmax_running_per_submitter = 1\n"
    shared = Shared(make_host, config, alice="", bob="--max-running 2")
    handles = {name: [shared.submit(name, "spin") for _ in range(3)] for name in shared.tokens}
    eventually(lambda: (len(shared.running("alice")), len(shared.running("bob"))) == (1, 2))
    waiting = shared.ask("alice", "GET", f"/-/jobs/{handles['alice'][1]}").json()
    assert (waiting["state"], waiting["position"]) == ("queued", None)
    assert "submitter" in waiting["reason"]
    # Its jobs that wait have their turn when the share is larger.
    changed = tarp_token(shared.host.data, "limit", "alice", "--max-running", "2")
    assert changed.returncode == 0, changed.stderr
    eventually(lambda: len(shared.running("alice")) == 2)
    for handle in (*handles["alice"], *handles["bob"]):
        shared.cancel(handle)


@pytest.mark.attack(
    "a token that fills the queue of jobs",
    "429 beyond its share of it; jobs of other tokens are taken",
)
def test_a_token_has_its_own_share_of_the_queue(make_host: MakeHost) -> None:
    config = "[jobs]\nplaces = 1\nmax_queued_per_submitter = 2\n"
    shared = Shared(
        make_host, config, alice="", bob="--max-queued 1", carl="--max-queued unlimited"
    )
    running = shared.submit("carl", "spin")
    eventually(lambda: shared.running("carl") == [running])
    for name, most in (("alice", 2), ("bob", 1)):
        handles = [shared.submit(name, "spin") for _ in range(most)]
        reply = shared.ask(name, "POST", "/add", json=[1, 2], headers=WANTED)
        assert reply.status_code == 429
        assert reply.headers["Retry-After"] == "1"
        body = reply.json()
        assert body["type"] == "TooManyRequests"
        assert f"{most} jobs of the token `{name}`" in body["message"]
        assert f"tarp token limit {name} --max-queued" in body["message"]
        # Calls are none, and what is cancelled waits no longer.
        assert shared.ask(name, "POST", "/add", json=[1, 2]).status_code == 200
        shared.cancel(handles[0])
        shared.submit(name, "spin", Idempotency_Key=name)
        # What was submitted before is known, and needs no place.
        shared.submit(name, "spin", Idempotency_Key=name)
    for _ in range(5):
        shared.submit("carl", "add", 1, 2)
    # The share is as full after a restart, but for a job that has begun since: that of `carl` waits
    # for a moment after the crash.
    shared.host.kill()
    shared.host.restart()
    replies = [shared.ask("alice", "POST", "/spin", json=[], headers=WANTED) for _ in range(2)]
    assert 429 in [reply.status_code for reply in replies]
    for handle in shared.running("carl"):
        shared.cancel(handle)


def test_without_tokens_an_address_has_its_share_of_the_queue(make_host: MakeHost) -> None:
    config = "[jobs]\nplaces = 1\nmax_queued_per_submitter = 1\n"
    host = make_host("math", "misbehave", config=config)
    running = host.submit("spin")["id"]
    host.running(running)
    host.submit("add", 1, 2)
    reply = host.request("POST", "/add", json=[1, 2], headers=WANTED)
    assert reply.status_code == 429
    assert "this address" in reply.json()["message"]
    host.cancel(running)


def test_the_client_submits_again_when_there_is_room(make_host: MakeHost) -> None:
    config = "[jobs]\nplaces = 1\nmax_queued_per_submitter = 1\n"
    shared = Shared(make_host, config, alice="")
    with tarp.connect(
        shared.host.address, token=shared.tokens["alice"], retry_for=DEADLINE
    ) as client:
        jobs = [client.sleep_for.submit(300) for _ in range(4)]
        assert [job.result(DEADLINE) for job in jobs] == [300] * 4
