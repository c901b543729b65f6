"""The face for asyncio: the same calls, jobs and failures, awaited."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable
from typing import Any, Callable

import numpy as np
import pytest
from conftest import MakeHost

import tarp
import tarp.aio

DEADLINE = 60.0

Body = Callable[[tarp.aio.Host], Awaitable[None]]


def with_host(url: str, body: Body, **options: Any) -> None:
    """Runs a coroutine with a connection."""

    async def main() -> None:
        async with tarp.aio.connect(url, **options) as host:
            await asyncio.wait_for(body(host), DEADLINE)

    asyncio.run(main())


def test_calls(url: str) -> None:
    async def body(host: tarp.aio.Host) -> None:
        assert await host.add(1, y=2) == 3
        assert await host.statistics.mean([1, 2, 6]) == 3.0
        assert await host["statistics/mean"](np.array([1.0, 2.0])) == 1.5
        value, receipt = await host.add.with_receipt(1, 2)
        assert value == 3
        assert receipt is not None
        assert receipt.fuel > 0
        assert str(inspect.signature(host.add)) == "(x: int, y: int) -> int"
        assert "statistics" in dir(host)
        with pytest.raises(AttributeError, match="did you mean `add`"):
            host.ad  # noqa: B018

    with_host(url, body)


def test_connecting_by_await(url: str) -> None:
    async def main() -> None:
        host = await tarp.aio.connect(url)
        assert await host.add(1, 2) == 3
        await host.close()
        with pytest.raises(tarp.HostClosed):
            await host.add(1, 2)
        with pytest.raises(tarp.ConnectionFailed):
            await tarp.aio.connect("http://127.0.0.1:1", retry_for=0)

    asyncio.run(main())


@pytest.mark.parametrize("max_connections", [100, 7])
def test_a_hundred_calls_in_flight(url: str, max_connections: int) -> None:
    async def body(host: tarp.aio.Host) -> None:
        for _ in range(3):
            calls = [host.add(n, 1) for n in range(100)]
            assert await asyncio.gather(*calls) == list(range(1, 101))
        arrays = [host.scale(np.full(10_000, float(n)), 2.0) for n in range(100)]
        for n, array in enumerate(await asyncio.gather(*arrays)):
            assert (array == 2.0 * n).all()

    with_host(url, body, max_connections=max_connections)


def test_failures(url: str) -> None:
    async def body(host: tarp.aio.Host) -> None:
        with pytest.raises(TypeError, match="`x`"):
            await host.add("one", 2)
        with pytest.raises(tarp.Trap):
            await host.panic("it broke")
        assert await host.add(1, 2) == 3

    with_host(url, body)


def test_large_values_there_and_back(url: str) -> None:
    async def body(host: tarp.aio.Host) -> None:
        values = np.random.default_rng(7).random(1 << 20)
        assert np.array_equal(await host.scale(values, 1.0), values)

    with_host(url, body)


def test_a_host_that_keeps_silent(url: str) -> None:
    async def body(host: tarp.aio.Host) -> None:
        with pytest.raises(tarp.TimedOut, match=r"kept silent for 0\.1 s"):
            await host.sleep_for.options(timeout=0.1)(60_000)
        assert await host.add(1, 2) == 3

    with_host(url, body)


def test_a_cancelled_call_leaves_no_reply_for_another(url: str) -> None:
    async def body(host: tarp.aio.Host) -> None:
        slow = asyncio.ensure_future(host.sleep_for(200))
        done, _ = await asyncio.wait([slow], timeout=0.05)
        assert not done
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert await asyncio.gather(*(host.add(n, 1) for n in range(20))) == list(range(1, 21))

    with_host(url, body)


def test_jobs(url: str) -> None:
    async def body(host: tarp.aio.Host) -> None:
        job = await host.count_to.submit(5, 10)
        updates = [update async for update in job]
        assert isinstance(updates[-1], tarp.JobStatus)
        assert updates[-1].state == "succeeded"
        assert await job == 5
        assert await job.result(progress=False) == 5
        assert (await job.status()).state == "succeeded"
        assert job.receipt is not None
        assert "counted to 5" in str(await job.logs())
        again = await host.job(job.id)
        assert await again == 5
        assert job.id in {status.id for status in await host.jobs(procedure="count_to")}
        failed = await host.fail_after.submit(0, "out of paper")
        with pytest.raises(tarp.ProcedureError, match="out of paper"):
            await failed
        assert await host.step_aside(3) == 3

    with_host(url, body)


def test_waiting_and_cancelling(url: str) -> None:
    async def body(host: tarp.aio.Host) -> None:
        job = await host.until_asked_to_stop.submit()
        with pytest.raises(tarp.TimedOut):
            await job.result(0.05)
        task = asyncio.ensure_future(job.result())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await job.status()).state in ("queued", "running"), "the job was left alone"
        assert await job.cancel()
        with pytest.raises(tarp.Cancelled):
            await job
        done = await host.add.submit(1, 2)
        assert await done == 3
        assert not await done.cancel()

    with_host(url, body)


def test_map(url: str) -> None:
    async def body(host: tarp.aio.Host) -> None:
        for jobs in (True, False):
            results = [r async for r in host.add.map(range(50), range(50), jobs=jobs, window=9)]
            assert results == [2 * n for n in range(50)]
        results = host.add.map([1, "two"], [1, 2])
        assert await results.__anext__() == 2
        with pytest.raises(tarp.BadArguments):
            await results.__anext__()

    with_host(url, body)


def test_new_procedures_are_found(make_server: MakeHost) -> None:
    server = make_server("math")

    async def body(host: tarp.aio.Host) -> None:
        server.add("text")
        while "reverse" not in host:
            assert await host.add(1, 2) == 3
        assert await host.reverse("abc") == "cba"

    with_host(server.url, body)


def test_the_host_comes_back(make_server: MakeHost) -> None:
    server = make_server("math", "jobs")

    async def body(host: tarp.aio.Host) -> None:
        job = await host.count_to.submit(2, 1000)
        waiting = asyncio.ensure_future(job.result())
        while (await job.status()).state == "queued":
            pass
        await asyncio.get_running_loop().run_in_executor(None, restart)
        assert await waiting == 2
        assert await host.add(1, 2) == 3

    def restart() -> None:
        server.kill()
        server.start()

    with_host(server.url, body, retry_for=60.0)


def test_ten_threads_share_one_host(host: tarp.Host) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(50):
                assert host.add(number, n) == number + n
                assert host.scale(np.full(100, float(number)), 2.0)[0] == 2.0 * number
                with pytest.raises(tarp.ProcedureError, match=f"^{number}$"):
                    host.fail_with_string(str(number))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert not failures


def test_what_ails_the_host_does_not_end_the_job(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: object) -> None:
        raise tarp.Unavailable("not now")

    async def body(host: tarp.aio.Host) -> None:
        job = await host.add.submit(1, 2)
        before = job.last
        with monkeypatch.context() as broken:
            broken.setattr(host, "_run", fail)
            with pytest.raises(tarp.Unavailable):
                await job.result(0)
        assert job.last is before
        assert await job.result() == 3

    with_host(url, body)
