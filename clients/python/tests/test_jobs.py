"""Jobs: handles that are futures, from submission to the last word of the log."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
import weakref
from datetime import datetime, timedelta, timezone

import pytest
from conftest import MakeHost

import tarp

DEADLINE = 60.0


def test_a_job_and_its_result(host: tarp.Host) -> None:
    job = host.add.submit(1, y=2)
    uuid.UUID(job.id)
    assert job.result(DEADLINE) == 3
    assert job.done()
    assert not job.running()
    assert job.exception() is None
    assert job.state == "succeeded"
    assert job.receipt is not None
    assert job.receipt.fuel > 0
    status = job.status()
    assert status.procedure == "add"
    assert status.ended is not None
    assert status.submitted is not None
    assert status.submitted <= status.ended


def test_a_job_is_found_again(host: tarp.Host, url: str) -> None:
    job = host.add.submit(1, 2)
    with tarp.connect(url) as other:
        assert other.job(job.id).result(DEADLINE) == 3
        with pytest.raises(tarp.NotFound):
            other.job(str(uuid.uuid4()))
        with pytest.raises(tarp.NotFound):
            other.job("../procedures")


def test_futures_work_with_what_python_has_for_them(host: tarp.Host) -> None:
    jobs = [host.count_to.submit(n, 5) for n in range(5)]
    done = concurrent.futures.as_completed(jobs, DEADLINE)
    assert sorted(job.result() for job in done) == list(range(5))
    jobs = [host.add.submit(n, n) for n in range(30)]
    ended, going_on = concurrent.futures.wait(jobs, DEADLINE)
    assert len(ended) == 30
    assert not going_on
    assert [job.result() for job in jobs] == [2 * n for n in range(30)]


def test_one_that_was_cancelled_is_done_for_those_who_wait(host: tarp.Host) -> None:
    job = host.until_asked_to_stop.submit()
    threading.Timer(0.0, job.cancel).start()
    ended, _ = concurrent.futures.wait([job], DEADLINE)
    assert ended == {job}
    assert job.cancelled()


def test_callbacks_are_called_even_if_nobody_holds_the_job(host: tarp.Host) -> None:
    called = threading.Event()
    results = []

    def callback(job: tarp.Job[int]) -> None:
        # It may do anything, also wait for another job.
        results.append((job.result(), host.add.submit(job.result(), 1).result(DEADLINE)))
        called.set()

    host.count_to.submit(3, 1).add_done_callback(callback)
    gc.collect()
    assert called.wait(DEADLINE)
    assert results == [(3, 4)]


def test_a_job_that_nobody_needs_is_not_kept(host: tarp.Host) -> None:
    job = host.until_asked_to_stop.submit()
    job_id, reference = job.id, weakref.ref(job)
    del job
    gc.collect()
    again = host.job(job_id)
    assert again.cancel()
    while reference() is not None:
        gc.collect()


def test_many_more_jobs_than_watchers(host: tarp.Host) -> None:
    waiting = [host.until_asked_to_stop.options(priority=7).submit() for _ in range(12)]
    quick = [host.add.options(priority=0).submit(n, 1) for n in range(40)]
    for job in waiting:
        job.cancel()
    ended, _ = concurrent.futures.wait([*waiting, *quick], DEADLINE)
    assert len(ended) == 52
    assert all(job.cancelled() for job in waiting)


def test_what_happens_comes_as_it_happens(host: tarp.Host) -> None:
    job = host.count_to.submit(5, 10)
    updates = list(job)
    states = [update.state for update in updates if isinstance(update, tarp.JobStatus)]
    steps = [update.done for update in updates if isinstance(update, tarp.Progress)]
    lines = [str(update) for update in updates if isinstance(update, tarp.LogLine)]
    assert states[-1] == "succeeded"
    assert steps[-1] == 5
    assert steps == sorted(steps)
    assert lines == ["info: counting to 5", "info: counted to 5"]
    assert list(job)[-1].state == "succeeded", "also when it is over"
    progress = job.progress
    assert progress is not None
    assert progress.fraction == 1.0


def test_a_stream_that_is_left_closes_and_leaves_the_job(host: tarp.Host) -> None:
    job = host.until_asked_to_stop.submit()
    for update in job:
        if isinstance(update, tarp.JobStatus) and update.state == "running":
            break
    assert job.state == "running"
    assert job.cancel()


def test_logs(host: tarp.Host) -> None:
    job = host.chatty.submit(3)
    job.result(DEADLINE)
    logs = job.logs()
    assert "line 3 of 3\n" in logs.stdout
    assert "line 3 of 3, to standard error" in logs.stderr
    job = host.note.submit("hello")
    job.result(DEADLINE)
    assert [line.level for line in job.logs().lines] == ["trace", "debug", "info", "warn", "error"]
    assert "hello" in str(job.logs())


def test_a_job_that_fails(host: tarp.Host) -> None:
    job = host.fail_after.submit(2, "out of paper")
    with pytest.raises(tarp.ProcedureError, match=r"^out of paper$") as caught:
        job.result(DEADLINE)
    assert caught.value.receipt.fuel > 0
    assert isinstance(job.exception(), tarp.ProcedureError)
    assert job.state == "failed"
    busy = host.fail_as_busy.submit("in use", 1)
    with pytest.raises(tarp.ProcedureError, match=r"^in use$"):
        busy.result(DEADLINE)
    crashed = host.panic.submit("it broke")
    with pytest.raises(tarp.Trap) as trap:
        crashed.result(DEADLINE)
    assert "it broke" in trap.value.stderr


def test_wrong_arguments_are_refused_before_there_is_a_job(host: tarp.Host) -> None:
    with pytest.raises(tarp.BadArguments, match="`x`"):
        host.add.submit("one", 2)


def test_cancelling_stops_the_work(host: tarp.Host) -> None:
    job = host.burn.submit(2**60)
    while job.state == "queued":
        pass
    assert job.cancel()
    assert job.cancelled()
    assert job.state == "cancelled"
    with pytest.raises(tarp.Cancelled) as caught:
        job.result()
    assert isinstance(caught.value, concurrent.futures.CancelledError)
    with pytest.raises(tarp.Cancelled):
        job.exception()
    assert job.cancel(), "it was"
    late = host.add.submit(1, 2)
    assert late.result(DEADLINE) == 3
    assert not late.cancel()


def test_waiting_ends_in_time_and_leaves_the_job_alone(host: tarp.Host) -> None:
    job = host.until_asked_to_stop.submit()
    for timeout in (0, 0.05):
        with pytest.raises(tarp.TimedOut) as caught:
            job.result(timeout)
        assert isinstance(caught.value, TimeoutError)
        assert isinstance(caught.value, concurrent.futures.TimeoutError)
        with pytest.raises(tarp.TimedOut):
            job.exception(timeout)
    assert job.state in ("queued", "running")
    job.cancel()


def test_the_place_in_the_queue(host: tarp.Host) -> None:
    jobs = [host.until_asked_to_stop.submit() for _ in range(40)]
    last = host.add.options(priority=7).submit(1, 2)
    assert last.state == "queued"
    position = last.position
    assert position is not None
    assert position > 1
    assert f"queued at position {position}" in repr(last)
    for job in jobs:
        job.cancel()
    assert last.result(DEADLINE) == 3
    assert last.position is None


def test_the_list_of_jobs(host: tarp.Host) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=5)
    submitted = [host.fail_after.submit(0, "x") for _ in range(3)]
    concurrent.futures.wait(submitted, DEADLINE)
    found = host.jobs(procedure="fail_after", state="failed", since=before, limit=3)
    assert {status.id for status in found} == {job.id for job in submitted}
    assert host.jobs(until=before - timedelta(days=1)) == []
    assert host.jobs(state=["queued", "running"], procedure="fail_after") == []
    assert len(host.jobs(limit=2)) == 2


def test_an_idempotency_key_gives_the_job_that_there_is(host: tarp.Host) -> None:
    once = host.add.options(idempotency_key=str(uuid.uuid4()))
    first, second = once.submit(1, 2), once.submit(1, 2)
    assert first.id == second.id
    assert second.result(DEADLINE) == 3
    with pytest.raises(tarp.Conflict):
        once.submit(1, 3)
    assert host.add.submit(1, 2).id != first.id


def test_an_asynchronous_procedure_is_called_like_any_other(host: tarp.Host) -> None:
    assert host.step_aside.info.is_async
    assert host.step_aside(3) == 3
    value, receipt = host.patient_mean.with_receipt([1, 2, 6])
    assert value == 3.0
    assert receipt.fuel > 0
    with pytest.raises(tarp.ProcedureError):
        host.patient_mean([])


def test_numpy_arrays_of_jobs(host: tarp.Host) -> None:
    import numpy as np

    assert type(host.scale.submit(np.arange(3.0), 2.0).result(DEADLINE)) is np.ndarray
    assert type(host.scale.submit([1.0], 2.0).result(DEADLINE)) is list
    job = host.scale.options(arrays="numpy").submit([1.0], 2.0)
    assert type(job.result(DEADLINE)) is np.ndarray


def test_a_job_can_be_awaited(host: tarp.Host) -> None:
    async def main() -> list[int]:
        assert await host.add.submit(1, 2) == 3
        with pytest.raises(tarp.ProcedureError):
            await host.fail_after.submit(0, "no")
        stuck = host.until_asked_to_stop.submit()

        async def wait() -> None:
            await stuck

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stuck.state in ("queued", "running"), "the task was cancelled, not the job"
        stuck.cancel()
        with pytest.raises(tarp.Cancelled):
            await stuck
        return await asyncio.gather(*map(as_coroutine, [host.add.submit(n, 1) for n in range(9)]))

    async def as_coroutine(job: tarp.Job[int]) -> int:
        return await job

    assert asyncio.run(main()) == list(range(1, 10))


#: Submits a job, says its ID, and says "waiting" when the wait for it has really begun.
WAITER = """
    import sys, threading, tarp
    from tarp._transport import _Connection

    begin = _Connection._begin

    def announced(connection, request):
        reader = begin(connection, request)
        if threading.current_thread() is threading.main_thread() and request.method == "GET":
            print("waiting", flush=True)
        return reader

    host = tarp.connect(sys.argv[1])
    job = host.until_asked_to_stop.submit()
    print(job.id, flush=True)
    _Connection._begin = announced
"""


@pytest.mark.parametrize("wait", ["job.result()", "list(job)"])
def test_an_interrupt_leaves_the_job_and_says_how_to_come_back(host: tarp.Host, wait: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WAITER) + wait, host.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    job_id = child.stdout.readline().strip()
    assert child.stdout.readline() == "waiting\n"
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=DEADLINE)
    assert f'KeyboardInterrupt: the job goes on; host.job("{job_id}") comes back to it' in said
    job = host.job(job_id)
    assert job.state in ("queued", "running")
    assert job.cancel()


def test_closing_fails_those_who_wait(url: str) -> None:
    host = tarp.connect(url)
    job = host.until_asked_to_stop.submit()
    failed = []

    def wait() -> None:
        with pytest.raises(tarp.HostClosed):
            job.result()
        failed.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    while not host._transport._busy:
        pass
    host.close()
    thread.join(DEADLINE)
    assert failed == [True]
    with pytest.raises(tarp.HostClosed):
        host.job(job.id)
    concurrent.futures.wait([job], DEADLINE)
    assert isinstance(job.exception(), tarp.HostClosed)
    with tarp.connect(url) as again:
        assert again.job(job.id).cancel()


def test_jobs_survive_the_host(make_server: MakeHost) -> None:
    server = make_server("math", "jobs")
    with tarp.connect(server.url, retry_for=60) as host:
        done = host.add.submit(1, 2)
        assert done.result(DEADLINE) == 3
        job = host.count_to.submit(3, 1000)
        threads = [
            threading.Thread(target=lambda: results.append(job.result(DEADLINE))),
            threading.Thread(target=lambda: updates.extend(job)),
        ]
        results: list[int] = []
        updates: list[object] = []
        for thread in threads:
            thread.start()
        while job.state == "queued":
            pass
        server.kill()
        server.start()
        for thread in threads:
            thread.join(DEADLINE)
        assert results == [3]
        assert isinstance(updates[-1], tarp.JobStatus)
        assert updates[-1].state == "succeeded"
        assert host.job(done.id).result(DEADLINE) == 3
        assert host.add(2, 2) == 4


def test_map_gives_results_in_order(host: tarp.Host) -> None:
    for jobs in (True, False):
        assert list(host.add.map(range(50), range(50), jobs=jobs)) == [2 * n for n in range(50)]
        assert list(host.add.map([], [], jobs=jobs)) == []
        assert list(host.add.map(range(10), range(10), window=1, jobs=jobs))[-1] == 18


def test_map_ends_at_the_first_failure_and_cancels_the_rest(host: tarp.Host) -> None:
    results = host.add.map([1, "two"], [1, 2])
    assert next(results) == 2
    with pytest.raises(tarp.BadArguments):
        list(results)
    endless = host.count_to.map([0, 10**9, 10**9], [0, 1000, 1000])
    assert next(endless) == 0
    endless.close()
    deadline = time.monotonic() + DEADLINE
    while any(
        status.state in ("queued", "running") for status in host.jobs(procedure="count_to", limit=9)
    ):
        assert time.monotonic() < deadline


def test_no_jobs_where_the_host_keeps_none(make_server: MakeHost) -> None:
    server = make_server("math", flags=("--jobs", "none"))
    with tarp.connect(server.url) as host:
        assert host.add(1, 2) == 3
        with pytest.raises(tarp.NotFound, match="keeps no jobs"):
            host.job(str(uuid.uuid4()))
        with pytest.raises(tarp.BadRequest, match="--jobs none"):
            host.add.submit(1, 2)
        with pytest.raises(tarp.BadRequest, match="--jobs none"):
            host.add.options(idempotency_key="k")(1, 2)


@pytest.mark.parametrize("failure", [tarp.Unavailable, tarp.Overloaded, tarp.Unauthorized])
def test_what_ails_the_host_does_not_end_the_job(
    host: tarp.Host, monkeypatch: pytest.MonkeyPatch, failure: type[tarp.RemoteError]
) -> None:
    job = host.add.submit(1, 2)

    def fail(_: object) -> None:
        raise failure("not now")

    with monkeypatch.context() as broken:
        broken.setattr(host, "_run", fail)
        with pytest.raises(failure):
            job.result(0)
    assert not job.done()
    assert job.result(DEADLINE) == 3
