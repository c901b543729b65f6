"""The same as `tarp` for asyncio: what waits there is awaited here.

import tarp.aio

async with tarp.aio.connect("http://localhost:8080") as host:
    await host.add(1, y=2)
    job = await host.simulate.submit(steps=9)
    async for update in job:
        print(update)
    await job
    async for result in host.simulate.map(range(100)):
        print(result)
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping
from datetime import datetime
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _protocol
from ._address import Address, Verify, parse_address
from ._aio_transport import AsyncTransport
from ._arrays import Arrays, check_arrays
from ._calls import Calls, check_no_key
from ._catalog import Catalog, ProcedureInfo
from ._checks import check_count, check_seconds, check_wait
from ._deployment import Deployment, PathLike, check_digest, check_name, upload
from ._events import EventFeed, Update, refusal_of
from ._exceptions import (
    ConnectionFailed,
    NotConnected,
    Overloaded,
    RemoteError,
    TarpError,
    TimedOut,
    TooManyRequests,
    Unavailable,
)
from ._host_face import HostFace
from ._job_face import JobFace
from ._message import Exchange, Reply, T
from ._portable import new_host, portable
from ._procedure_face import ProcedureFace
from ._progress import Shown
from ._protocol import DEPLOYING, LONG_POLL, Options
from ._replies import Outcome, outcome_of, value_of
from ._status import JobStatus, Logs

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["BaseHost", "Host", "Job", "Procedure", "connect"]

R = TypeVar("R")


def connect(
    url: str,
    *,
    token: str | None = None,
    verify: Verify = True,
    timeout: float | None = None,
    connect_timeout: float | None = 10.0,
    arrays: Arrays = "auto",
    retry_for: float = 10.0,
    max_connections: int = 100,
) -> Host:
    """A host, which `async with` or `await` connects; the arguments are those of `tarp.connect`.

    Up to `max_connections` requests are under way at once; others wait for their turn.
    """
    check_arrays(arrays)
    check_seconds("timeout", timeout)
    check_seconds("connect_timeout", connect_timeout)
    check_seconds("retry_for", retry_for, least="zero")
    check_count("max_connections", max_connections, 1)
    options = Options(timeout=timeout, arrays=arrays, retry_for=retry_for)
    address = parse_address(url, token=token, verify=verify)
    return Host(address, options, connect_timeout, max_connections)


class BaseHost(HostFace):
    """A host without the procedures that are found by name: what generated stubs build on."""

    def __init__(
        self,
        address: Address,
        options: Options,
        connect_timeout: float | None,
        max_connections: int,
    ) -> None:
        super().__init__(address, options)
        self._transport = AsyncTransport(address, connect_timeout, max_connections)
        self._rest = (connect_timeout, max_connections)

    def __reduce__(self) -> Any:
        return new_host, (type(self), portable(self._address, self._options, self._rest))

    def _current(self) -> Catalog:
        if not self._catalog.version:
            raise NotConnected(
                "this host is not connected yet: write `async with tarp.aio.connect(...) as host:`"
                " or `host = await tarp.aio.connect(...)`"
            )
        return self._catalog

    async def __aenter__(self) -> Self:
        try:
            # Names cannot be looked for again later, since that would have to be awaited.
            exchange = _protocol.complete_catalog(self._catalog, self._options.retry_for)
            self._catalog = await self._transport.carry_out(exchange, lambda _: None)
            self._is_stale = False
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    async def job(self, job_id: str) -> Job[Any]:
        """The job of that ID, whoever submitted it; NotFound, or Gone once it has expired."""
        status = await self._run(_protocol.job(job_id, self._options.retry_for))
        return Job(self, status.id, status, self._options)

    async def jobs(
        self,
        *,
        state: str | Iterable[str] | None = None,
        procedure: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[JobStatus]:
        """The newest jobs of the host, up to `limit`, that are in (one of) the states, of the
        procedure, and submitted between the times."""
        check_count("limit", limit, 0)
        query = _protocol.jobs_query(state, procedure, since, until)
        return await self._run(_protocol.jobs(query, limit, self._options.retry_for))

    async def deploy(
        self,
        path: PathLike,
        name: str | None = None,
        sidecar: PathLike | None = None,
        *,
        if_match: str | None = None,
        timeout: float | None = DEPLOYING,
    ) -> Deployment:
        """Puts a component into the host's folder, under the file's name unless there is another
        one, and gives what has changed; once that returns, it is served.

        `sidecar`: the path of the sidecar to put beside it; one that is there stays otherwise.
        `if_match`: the digest of the version that is to be replaced; PreconditionFailed where
        another one is served. BadRequest says why a component cannot be served; nothing is
        replaced then. It is never sent twice.
        """
        check_digest("if_match", if_match)
        check_seconds("timeout", timeout)
        sent = upload(path, name, sidecar)
        return await self._run(_protocol.deploy(sent, if_match, timeout))

    async def rollback(
        self, name: str, to: str | None = None, *, timeout: float | None = DEPLOYING
    ) -> Deployment:
        """Returns to the version of a component before the one that is served, or to the kept
        version with the digest `to`; NotFound where there is none."""
        check_name(name)
        check_digest("to", to)
        check_seconds("timeout", timeout)
        return await self._run(_protocol.rollback(name, to, timeout))

    async def refresh(self) -> None:
        """Reads anew what there is to call. Happens by itself after a call that shows a change."""
        await self._renew(self._options.retry_for)

    async def close(self) -> None:
        """Closes the connections. Jobs go on."""
        self._transport.close()
        # The transports of asyncio say good-bye in the next turn of the loop.
        await asyncio.sleep(0)

    async def _run(self, exchange: Exchange[T]) -> T:
        try:
            result = await self._transport.carry_out(exchange, self._notice)
        except (RemoteError, ConnectionFailed, TimedOut) as error:
            # Where in this package it happened tells nobody anything.
            raise error.with_traceback(None)  # noqa: B904
        if self._is_stale:
            # The names that this host offers cannot be renewed when they are looked up, since
            # that would have to be awaited.
            with contextlib.suppress(TarpError):
                await self._renew(0.0)
        return result

    async def _renew(self, retry_for: float) -> None:
        exchange = _protocol.catalog(self._catalog, retry_for)
        self._catalog = await self._transport.carry_out(exchange, lambda _: None)
        self._is_stale = False

    def _procedure(self, info: ProcedureInfo) -> Procedure:
        return Procedure(self, info, self._options)


class Host(BaseHost):
    """A host, and its procedures by name, as `tarp.Host`."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Procedure: ...


class Procedure(ProcedureFace):
    """A procedure of a host. Calling it gives what is to be awaited."""

    _host: BaseHost

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Calls the procedure and gives its result; one of TarpError where it fails."""
        if self._info.is_async:
            job = await self.submit(*args, **kwargs)
            return await job.result()
        return await self._call_now(args, kwargs, value_of)

    async def with_receipt(self, /, *args: Any, **kwargs: Any) -> Outcome:
        """Calls the procedure and gives its result together with what the call used."""
        if self._info.is_async:
            job = await self.submit(*args, **kwargs)
            value = await job.result()
            return Outcome(value, job.receipt)
        return await self._call_now(args, kwargs, outcome_of)

    async def _call_now(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], read: Callable[[Reply], T]
    ) -> T:
        call = self._call(args, kwargs)
        return await self._host._run(_protocol.call(call, self._options, self._patience, read))

    async def submit(self, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """Hands the call in as a job, and gives the handle as soon as the host has kept it."""
        exchange = _protocol.submit(self._call(args, kwargs), self._options)
        status = await self._host._run(exchange)
        return Job(self._host, status.id, status, self._options)

    def map(
        self,
        *iterables: Iterable[Any],
        kwargs: Mapping[str, Any] | None = None,
        progress: bool = False,
        window: int = 64,
        jobs: bool = True,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> AsyncIterator[Any]:
        """Calls the procedure with the items of the iterables, as `map` does.

        The arguments are those of `tarp.Procedure.map`.
        """
        options = {
            "kwargs": kwargs or {},
            "progress": progress,
            "window": window,
            "jobs": jobs,
            "ordered": ordered,
            "return_exceptions": return_exceptions,
        }
        return self._each(Calls.of_items(iterables, options))

    def starmap(
        self,
        calls: Iterable[Iterable[Any]],
        *,
        kwargs: Mapping[str, Any] | None = None,
        progress: bool = False,
        window: int = 64,
        jobs: bool = True,
        ordered: bool = True,
        return_exceptions: bool = False,
    ) -> AsyncIterator[Any]:
        """The same as `map` for calls whose arguments are together, as of `itertools.starmap`."""
        options = {
            "kwargs": kwargs or {},
            "progress": progress,
            "window": window,
            "jobs": jobs,
            "ordered": ordered,
            "return_exceptions": return_exceptions,
        }
        return self._each(Calls.of_arguments(calls, options))

    async def _each(self, calls: Calls) -> AsyncIterator[Any]:
        check_no_key(self._options.idempotency_key)
        bar = calls.bar(self.__name__)
        #: Each with its index.
        under_way: dict[asyncio.Task[Any], int] = {}
        call = self._as_job if calls.jobs else self._as_call
        numbers = count()
        try:
            while True:
                for args in islice(calls.calls, calls.window - len(under_way)):
                    under_way[asyncio.ensure_future(call(args, calls.kwargs))] = next(numbers)
                if not under_way:
                    return
                oldest = next(iter(under_way))
                if calls.ordered:
                    await asyncio.wait([oldest])
                else:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                done = next(task for task in under_way if task.done())
                result = _result(done, calls, under_way.pop(done))
                bar.update(1)
                yield result
        finally:
            bar.close()
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _as_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return await self(*args, **kwargs)

    async def _as_job(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The result of a job that is cancelled together with the task."""
        submission = asyncio.ensure_future(self.submit(*args, **kwargs))
        try:
            return await (await asyncio.shield(submission)).result()
        except asyncio.CancelledError:
            # Also of one whose submission was under way: the host may have taken it.
            with contextlib.suppress(TarpError):
                await self._host._run(_protocol.cancel((await submission).id, 0.0))
            raise


def _result(task: asyncio.Task[Any], calls: Calls, index: int) -> Any:
    try:
        return task.result()
    except TarpError as error:
        return calls.given(error, index)


class Job(JobFace, Generic[R]):
    """A call that goes on at the host, and a handle on it.

    Awaiting it gives its result; a task that is cancelled meanwhile leaves the job alone.
    Iterating over it gives what happens as it happens, as for `tarp.Job`.
    """

    def __init__(
        self, host: BaseHost, job_id: str, status: JobStatus | None, options: Options
    ) -> None:
        super().__init__(job_id, status, options)
        self._host = host

    def __reduce__(self) -> Any:
        return type(self), (self._host, self._id, self._last, self._options)

    async def status(self) -> JobStatus:
        """How the job is now; asks the host, unless it has ended."""
        if self._last is None or not self._is_known_to_its_end:
            self._last = await self._host._run(_protocol.job(self._id, self._options.retry_for))
        return self._last

    async def logs(self) -> Logs:
        """What the job has written so far."""
        return await self._host._run(_protocol.logs(self._id, self._options.retry_for))

    async def result(self, timeout: float | None = None, *, progress: bool = False) -> R:
        """Waits for the result; raises what the job has failed with, Cancelled if it was cancelled.

        TimedOut after `timeout` seconds. `progress` shows a bar meanwhile.
        """
        if progress:
            with contextlib.closing(Shown((await self.status()).procedure)) as shown:
                async for update in self:
                    shown.show(update)
        check_wait(timeout)
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        while True:
            left = LONG_POLL if end is None else min(end - loop.time(), LONG_POLL)
            exchange = _protocol.result(self._id, max(left, 0.0), self._options)
            outcome = await self._host._run(exchange)
            if outcome is not None:
                self._ended_with(outcome)
            if isinstance(outcome, TarpError):
                raise outcome
            if outcome is not None:
                value: R = outcome.value
                return value
            if left <= 0:
                raise self._not_in_time(timeout)

    async def cancel(self) -> bool:
        """Stops the job for good; whether it ended by that, and not before."""
        self._last = await self._host._run(_protocol.cancel(self._id, self._options.retry_for))
        outcome = None
        while outcome is None and not self._last.has_ended:
            exchange = _protocol.result(self._id, LONG_POLL, self._options)
            outcome = await self._host._run(exchange)
        if outcome is not None:
            self._ended_with(outcome)
        return self._last.state == "cancelled"

    def __await__(self) -> Generator[Any, None, R]:
        return self.result().__await__()

    async def __aiter__(self) -> AsyncIterator[Update]:
        feed = EventFeed(self._id)
        async for update in self._updates(feed):
            yield update
        while feed.end is None:
            # Raises if the host stays away.
            exchange = _protocol.job_after_loss(self._id, feed.losses, self._options.retry_for)
            self._last = feed.lost(await self._host._run(exchange))
            if feed.end is None:
                async for update in self._updates(feed):
                    yield update
        self._last = feed.end
        yield feed.end

    async def _updates(self, feed: EventFeed) -> AsyncIterator[Update]:
        """The updates of one connection; ends when it ends."""
        with contextlib.suppress(ConnectionFailed, Overloaded, TooManyRequests, Unavailable):
            async with self._host._transport.stream(feed.request()) as stream:
                if isinstance(stream, Reply):
                    raise refusal_of(stream)
                async for data in stream:
                    for update in feed.receive(data):
                        if isinstance(update, JobStatus):
                            self._last = update
                        yield update
