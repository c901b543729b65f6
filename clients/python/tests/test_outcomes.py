"""No outcome is reported that did not happen: stale answers, proxies, portals, stopping hosts."""

from __future__ import annotations

import asyncio
import concurrent.futures
import signal
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import MakeHost
from proxy import (
    BAD_GATEWAY,
    CUT_OFF,
    GATEWAY_TIMEOUT,
    NOT_YET,
    PORTAL,
    Answer,
    Proxy,
    proxy_before,
)
from script import Played, failure, reply

import tarp
import tarp.aio
from tarp import _protocol
from tarp._message import Reply
from tarp._protocol import Options

DEADLINE = 60.0

BUSY = failure("OperationInProgress", 503, retry_after="1")
FULL = failure("Overloaded", 503, "the host is stopping")
THREE = Reply(200, {"content-type": "application/vnd.tarp.pickle"}, b"\x80\x05K\x03.")
JOB: dict[str, Any] = {"id": "7e0c", "procedure": "add", "state": "succeeded"}
STRANGERS = [BAD_GATEWAY, GATEWAY_TIMEOUT, PORTAL, CUT_OFF, Answer(404, b"<h1>nginx</h1>")]


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with proxy_before(url) as made:
        yield made


def result_of(*lines: Any, retry_for: float = 10.0) -> Played:
    return Played(_protocol.result("7e0c", 0.0, Options(retry_for=retry_for)), *lines)


def test_a_busy_answer_is_asked_again_where_the_job_has_ended_meanwhile() -> None:
    assert result_of(BUSY, reply(JOB), THREE).result.value == 3
    assert result_of(FULL, reply(JOB), THREE, retry_for=0).result.value == 3
    assert result_of(BUSY, reply({**JOB, "state": "running"})).result is None
    assert result_of(BUSY, reply(JOB), BUSY).result is None, "a cache may tell it again"


@pytest.mark.parametrize("kind", ["Internal", "Forbidden", "BadRequest", "Unavailable", "Unheard"])
def test_a_failure_counts_only_if_the_job_has_ended_with_it(kind: str) -> None:
    said = failure(kind, 500)
    same = reply({**JOB, "state": "failed", "error": {"type": kind, "message": "no"}})
    assert result_of(said, same, retry_for=0).result.type == kind
    running = reply({**JOB, "state": "running"})
    assert getattr(result_of(said, running, retry_for=0).error, "type", None) == kind
    assert result_of(said, reply(JOB), THREE, retry_for=0).result.value == 3


def test_a_host_that_does_not_hold_the_request_is_not_asked_in_a_loop() -> None:
    played = Played(
        _protocol.result("7e0c", 20.0, Options()), BUSY, reply({**JOB, "state": "running"})
    )
    assert played.result is None
    assert played.pauses


@pytest.mark.parametrize("body", [b"\x80\x05K\x03", b"\x80\x05", b""])
def test_a_result_that_was_cut_off_is_asked_for_again(body: bytes) -> None:
    cut = Reply(200, THREE.headers, body)
    assert result_of(cut, THREE).result.value == 3


def test_a_result_that_cannot_be_read_is_the_end_of_waiting() -> None:
    dangerous = Reply(200, THREE.headers, b"cos\nsystem\n.")
    assert isinstance(result_of(dangerous).result, tarp.UnreadableResult)


def test_many_short_jobs(host: tarp.Host) -> None:
    assert list(host.sleep_for.map([20] * 300)) == list(host.sleep_for.map([20] * 3)) * 100
    jobs = [host.sleep_for.submit(15) for _ in range(60)]
    for job in jobs:
        while True:
            try:
                job.result(timeout=0.001)
                break
            except tarp.TimedOut:
                pass
    assert {job.state for job in jobs} == {"succeeded"}


def test_many_short_jobs_with_asyncio(url: str) -> None:
    async def main() -> None:
        async with tarp.aio.connect(url) as host:

            async def poll(job: tarp.aio.Job[Any]) -> None:
                while True:
                    try:
                        await job.result(timeout=0.001)
                        return
                    except tarp.TimedOut:
                        pass

            jobs = [await host.sleep_for.submit(15) for _ in range(60)]
            await asyncio.wait_for(asyncio.gather(*map(poll, jobs)), DEADLINE)

    asyncio.run(main())


def test_a_job_that_ends_within_the_grace_of_a_host_that_stops(make_server: MakeHost) -> None:
    server = make_server("math", "misbehave")
    with tarp.connect(server.url, retry_for=60) as host:
        job = host.sleep_for.submit(1500)
        while job.state == "queued":
            pass
        waiting = threading.Thread(target=concurrent.futures.wait, args=([job], DEADLINE))
        waiting.start()
        server.stop(signal.SIGTERM)
        server.start()
        waiting.join()
        assert job.result(DEADLINE) == host.sleep_for(1500)


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_s_answer_is_waited_out(proxy: Proxy, stranger: Answer) -> None:
    with tarp.connect(proxy.url) as host:
        proxy.answer_once("GET /-/jobs/", stranger, stranger)
        job = host.add.submit(1, 2)
        assert job.result(DEADLINE) == 3
        proxy.answer_once("POST /add", stranger)
        assert host.add.submit(1, 2).result(DEADLINE) == 3
        proxy.answer_once("GET /-/jobs/", stranger)
        (ended,) = concurrent.futures.as_completed([host.add.submit(2, 2)], DEADLINE)
        assert ended.result() == 4
        proxy.answer_once("/events", stranger)
        assert list(host.add.submit(1, 2))[-1].state == "succeeded"  # type: ignore[union-attr]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_s_answer_is_waited_out_with_asyncio(proxy: Proxy, stranger: Answer) -> None:
    async def main() -> None:
        async with tarp.aio.connect(proxy.url) as host:
            job = await host.add.submit(1, 2)
            proxy.answer_once("/result", stranger)
            assert await job.result(DEADLINE) == 3
            proxy.answer_once("/events", stranger)
            updates = [update async for update in await host.add.submit(1, 2)]
            assert updates[-1].state == "succeeded"  # type: ignore[union-attr]

    asyncio.run(main())


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_s_answer_is_never_the_job_s_end(proxy: Proxy, stranger: Answer) -> None:
    with tarp.connect(proxy.url, retry_for=0) as host:
        job = host.add.submit(1, 2)
        proxy.answer_once("/-/jobs/", *[stranger] * 3)
        with pytest.raises((tarp.ConnectionFailed, tarp.InvalidReply)):
            job.result(0.5)
        assert not job.done()
        proxy.rule = lambda _method, _target: None
        assert job.result(DEADLINE) == 3


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_call_never_gives_a_stranger_s_answer_as_its_result(
    proxy: Proxy, stranger: Answer
) -> None:
    with tarp.connect(proxy.url) as host:
        add = host.add
        proxy.answer_once("POST /add", stranger)
        with pytest.raises((tarp.ConnectionFailed, tarp.InvalidReply)):
            add(1, 2)
        assert [asked for asked in proxy.asked if asked[0] == "POST"] == [("POST", "/add")]


def test_a_cancel_says_what_became_of_the_job(proxy: Proxy) -> None:
    async def main() -> None:
        async with tarp.aio.connect(proxy.url, retry_for=0) as host:
            job = await host.until_asked_to_stop.submit()
            proxy.answer_once("/result", BAD_GATEWAY)
            try:
                assert await job.cancel()
            except tarp.ConnectionFailed:
                assert await job.cancel()

    asyncio.run(main())


def test_busy_answers_of_a_proxy_s_cache_are_no_outcome(proxy: Proxy) -> None:
    with tarp.connect(proxy.url) as host:
        job = host.add.submit(1, 2)
        while job.state != "succeeded":
            pass
        proxy.answer_once("/result", NOT_YET, NOT_YET, NOT_YET)
        assert job.result(DEADLINE) == 3


def test_the_first_contact_waits_for_the_host(make_server: MakeHost) -> None:
    server = make_server("math")
    server.kill()
    late = threading.Timer(0.5, server.start)
    late.start()
    with tarp.connect(server.url, retry_for=DEADLINE) as host:
        assert host.add(1, 2) == 3
    late.join()
    with proxy_before(server.url) as proxy:
        proxy.answer_once("/-/procedures", BAD_GATEWAY, BAD_GATEWAY)
        assert tarp.connect(proxy.url).add(1, 2) == 3
        proxy.answer_once("/-/procedures", PORTAL)
        with pytest.raises(tarp.InvalidReply, match="Log in to the network"):
            tarp.connect(proxy.url)


def test_discovery_is_repeated_while_the_host_is_away(url: str) -> None:
    with proxy_before(url) as proxy, tarp.connect(proxy.url) as host:
        host._is_stale = True
        proxy.answer_once("/-/procedures", BAD_GATEWAY, PORTAL)
        assert host.add(1, 2) == 3


def test_a_name_that_nobody_knows_is_told_at_once() -> None:
    with pytest.raises(tarp.ConnectionFailed):
        tarp.connect("http://no-such-host.invalid", retry_for=DEADLINE * 2)


def test_a_call_with_a_key_is_sent_again_and_runs_once(proxy: Proxy) -> None:
    key = str(uuid.uuid4())
    with tarp.connect(proxy.url) as host:
        before = len(host.jobs(procedure="reverse"))
        once = host.reverse.options(idempotency_key=key)
        proxy.losses = 1
        assert once("abc") == "cba"
        assert proxy.asked.count(("POST", "/reverse")) == 2
        proxy.answer_once("POST /reverse", BAD_GATEWAY, PORTAL)
        assert once("abc") == "cba"
        ran = host.jobs(procedure="reverse")[: len(host.jobs(procedure="reverse")) - before]
        assert [job.attempts for job in ran] == [1]
        with pytest.raises(tarp.Conflict):
            once("abd")


def test_a_call_without_a_key_is_never_sent_again(proxy: Proxy) -> None:
    with tarp.connect(proxy.url) as host:
        add = host.add
        proxy.losses = 1
        with pytest.raises(tarp.ConnectionFailed):
            add(1, 2)
        assert proxy.asked.count(("POST", "/add")) == 1
