"""What is kept for how long, by the host's own clock, which goes on with each round of pruning."""

from __future__ import annotations

import uuid

import pytest

from host import CallFailed, MakeHost, eventually


def test_what_is_over_is_gone_which_is_not_the_same_as_never_there(make_host: MakeHost) -> None:
    config = "[jobs]\nkeep_results = '1 s'\nkeep_failures = '1 h'\nprune_every = '200 ms'\n"
    host = make_host("math", "jobs", config=config)
    done = host.ended(host.submit("add", 1, 2, Idempotency_Key="once")["id"])["id"]
    failed = host.ended(host.submit("fail_after", 0, "no")["id"])["id"]
    running = host.submit("until_asked_to_stop")["id"]

    def status(path: str) -> int:
        return host.request("GET", path).status_code

    eventually(lambda: status(f"/-/jobs/{done}") == 410)

    def refusals() -> None:
        for path in ("", "/result", "/result?wait=1", "/logs", "/events"):
            reply = host.request("GET", f"/-/jobs/{done}{path}")
            assert (reply.status_code, reply.json()["type"]) == (410, "Gone"), path
        for path in ("asyncGet", "asyncProbe"):
            reply = host.request("GET", f"/{path}?UUID={done}")
            assert (reply.status_code, reply.json()["type"]) == (410, "Gone"), path
            assert done in reply.json()["message"], "the original client shows it"
        with pytest.raises(CallFailed) as caught:
            host.cancel(done)
        assert caught.value.status == 410
        assert status(f"/-/jobs/{uuid.uuid4()}") == 404
        assert host.job(failed)["state"] == "failed"
        assert done not in [job["id"] for job in host.jobs()]

    refusals()
    assert host.job(running)["state"] == "running", "what goes on is no older for it"
    host.cancel(running)
    host.ended(running)
    host.kill()
    host.restart()
    refusals()
