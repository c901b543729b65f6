"""A job for callers that wait."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from . import _protocol
from ._checks import check_wait
from ._events import EventFeed, Update, refusal_of
from ._exceptions import (
    Cancelled,
    ConnectionFailed,
    HostClosed,
    Overloaded,
    TarpError,
    TooManyRequests,
    Unavailable,
)
from ._job_face import JobFace
from ._message import Reply
from ._progress import follow
from ._protocol import LONG_POLL, Options
from ._replies import Outcome
from ._status import JobStatus, Logs, Progress

if TYPE_CHECKING:
    from ._host import BaseHost

R = TypeVar("R")


class Job(JobFace, concurrent.futures.Future[R]):
    """A call that goes on at the host, and a handle on it.

    It is a `concurrent.futures.Future`, so `concurrent.futures.wait` and `as_completed` take it;
    in a coroutine it can be awaited. Iterating over it gives what happens as it happens: its
    states (JobStatus), its progress (Progress) and its log (LogLine).
    """

    def __init__(
        self, host: BaseHost, job_id: str, status: JobStatus | None, options: Options
    ) -> None:
        JobFace.__init__(self, job_id, status, options)
        concurrent.futures.Future.__init__(self)
        self._host = host
        self._is_settled = False
        host._watcher.watch(self)

    # How it is.

    def status(self) -> JobStatus:
        """How the job is now; asks the host, unless it has ended."""
        if self._last is None or not self._is_known_to_its_end:
            self._last = self._host._run(_protocol.job(self._id, self._options.retry_for))
        return self._last

    @property
    def state(self) -> str:
        """queued, running, succeeded, failed, cancelled, timed_out or interrupted, as of now."""
        return self.status().state

    @property
    def progress(self) -> Progress | None:
        """How far the job is now, if its procedure says so."""
        return self.status().progress

    @property
    def position(self) -> int | None:
        """Its place in the queue now, 1 for the next; None if it is not in the queue."""
        return self.status().position

    def running(self) -> bool:
        """Whether the job ran when the host last spoke of it."""
        return not self.done() and self._last is not None and self._last.state == "running"

    def logs(self) -> Logs:
        """What the job has written so far."""
        return self._host._run(_protocol.logs(self._id, self._options.retry_for))

    # What comes of it.

    def result(self, timeout: float | None = None, *, progress: bool = False) -> R:
        """Waits for the result; raises what the job has failed with, Cancelled if it was cancelled.

        TimedOut after `timeout` seconds. Interrupting the wait leaves the job alone. `progress`
        shows a bar meanwhile.
        """
        if progress and not self.done():
            follow(self)
        self._wait(timeout)
        if self.cancelled():
            raise Cancelled(f"the job {self._id} was cancelled")
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Waits for the end; gives what the job has failed with, None for a success."""
        self._wait(timeout)
        if self.cancelled():
            raise Cancelled(f"the job {self._id} was cancelled")
        return super().exception(0)

    def cancel(self) -> bool:
        """Stops the job for good; whether it ended by that, and not before."""
        if self.done():
            return self.cancelled()
        self._last = self._host._run(_protocol.cancel(self._id, self._options.retry_for))
        self._wait(None)
        return self.cancelled()

    def __reduce__(self) -> Any:
        return type(self), (self._host, self._id, self._last, self._options)

    def _after_fork(self) -> None:
        """Begins anew in a child; the threads that are at it, or wait for it, are its parent's."""
        self._condition = threading.Condition()
        self._waiters: list[Any] = []
        self._done_callbacks: list[Any] = []
        self._is_settled = self.done()

    def _ask_to_stop(self) -> None:
        """Asks once for the job's end, and does not wait for it."""
        self._last = self._host._run(_protocol.cancel(self._id, 0.0))

    def _wait(self, timeout: float | None) -> None:
        try:
            self._until(timeout)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self._left_alone()) from None

    def _until(self, timeout: float | None) -> None:
        """Waits until the job has ended; TimedOut after so many seconds."""
        check_wait(timeout)
        end = None if timeout is None else time.monotonic() + timeout
        while not self.done():
            left = LONG_POLL if end is None else min(end - time.monotonic(), LONG_POLL)
            if not self._poll(max(left, 0.0)) and left <= 0:
                raise self._not_in_time(timeout)

    def _poll(self, wait: float) -> bool:
        """Asks once for the result, for up to `wait` seconds; whether the job has ended.

        Raises what says nothing about the job: that the host is away, or does not answer us.
        """
        outcome = self._host._run(_protocol.result(self._id, wait, self._options))
        if outcome is not None:
            self._settle(outcome)
        return outcome is not None

    def _settle(self, end: Outcome | TarpError) -> None:
        """Keeps what came of the job, once, and tells who waits."""
        with self._host._settling:
            if self._is_settled:
                return
            self._is_settled = True
        if not isinstance(end, HostClosed):
            self._ended_with(end)
        # Not under the lock: this calls back.
        if isinstance(end, Cancelled):
            super().cancel()
            self.set_running_or_notify_cancel()
        elif isinstance(end, TarpError):
            self.set_exception(end)
        else:
            self.set_result(end.value)
        self._host._watcher.forget(self)

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        """As of any future; keeps the job watched even if nobody else refers to it."""
        if not self.done():
            self._host._watcher.keep(self)
        super().add_done_callback(fn)

    # Watching it.

    def __iter__(self) -> Iterator[Update]:
        feed = EventFeed(self._id)
        try:
            yield from self._updates(feed)
            while feed.end is None:
                # Raises if the host stays away.
                exchange = _protocol.job_after_loss(self._id, feed.losses, self._options.retry_for)
                self._last = feed.lost(self._host._run(exchange))
                if feed.end is None:
                    yield from self._updates(feed)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self._left_alone()) from None
        self._last = feed.end
        yield feed.end

    def _updates(self, feed: EventFeed) -> Iterator[Update]:
        """The updates of one connection; ends when it ends."""
        transport = self._host._transport
        away = contextlib.suppress(ConnectionFailed, Overloaded, TooManyRequests, Unavailable)
        with away, transport.stream(feed.request()) as stream:
            if isinstance(stream, Reply):
                raise refusal_of(stream)
            for data in stream:
                for update in feed.receive(data):
                    if isinstance(update, JobStatus):
                        self._last = update
                    yield update

    def __await__(self) -> Generator[Any, None, R]:
        loop = asyncio.get_running_loop()
        ended = loop.create_future()

        def wake() -> None:
            if not ended.done():
                ended.set_result(None)

        def tell(_: object) -> None:
            # A loop that is closed has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(wake)

        self.add_done_callback(tell)
        # Not `asyncio.wrap_future`: a task that is cancelled while it waits leaves the job alone.
        yield from ended.__await__()
        return self.result()

    def _abandon(self) -> None:
        """Fails for all who wait, since the connection is closed for good."""
        self._settle(HostClosed(f"the connection is closed; the job {self._id} goes on"))
