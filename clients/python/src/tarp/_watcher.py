"""Watches jobs in the background, so that their futures are done soon after they are.

Jobs end about in the order in which they were submitted, so most threads look at the oldest ones,
each at one until it has ended; one thread looks at the rest in turn. There are threads only while
there are jobs to watch, and a job that nobody refers to is not watched.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from ._exceptions import TarpError
from ._protocol import LONG_POLL

if TYPE_CHECKING:
    from ._job import Job

_MAX_THREADS = 8

#: Seconds before a job is looked at: who submits and waits at once has no need for a watcher.
_HEAD_START = 0.05

#: Seconds for which the thread that looks at many jobs stays with one.
_GLANCE = 0.1

#: Seconds between attempts while the host is away.
_AWAY = 1.0


class Watcher:
    """Settles the jobs of one host."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        #: When to begin, and with what.
        self._waiting: deque[tuple[float, weakref.ref[Job[Any]]]] = deque()
        self._kept: set[Job[Any]] = set()
        self._threads = 0
        self._closed = False
        #: All jobs that are not settled.
        self._watched: weakref.WeakSet[Job[Any]] = weakref.WeakSet()

    def watch(self, job: Job[Any]) -> None:
        """Sees to it that the job is settled when it has ended."""
        with self._changed:
            self._watched.add(job)
            self._waiting.append((time.monotonic() + _HEAD_START, weakref.ref(job)))
            if self._threads == 0:
                self._start_thread()

    def keep(self, job: Job[Any]) -> None:
        """Keeps a job alive until it has been settled: somebody is to be called then."""
        with self._changed:
            self._kept.add(job)

    def forget(self, job: Job[Any]) -> None:
        """The job has been settled."""
        with self._changed:
            self._kept.discard(job)
            self._watched.discard(job)

    def _after_fork(self) -> None:
        """Watches the jobs in the child as well; callbacks are called in the parent alone."""
        jobs = list(self._watched)
        self._changed = threading.Condition()
        self._waiting, self._kept, self._watched = deque(), set(), weakref.WeakSet()
        self._threads = 0
        for job in jobs:
            job._after_fork()
            if not job.done() and not self._closed:
                self.watch(job)

    def close(self) -> None:
        """Ends all threads, and fails the jobs that are not settled."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
            self._changed.notify_all()
        for _, reference in waiting:
            job = reference()
            if job is not None:
                job._abandon()

    def _start_thread(self) -> None:
        self._threads += 1
        goes_round = self._threads == _MAX_THREADS
        name = f"tarp-watcher-{self._threads}"
        threading.Thread(target=self._work, args=(goes_round,), name=name, daemon=True).start()

    def _work(self, goes_round: bool) -> None:
        while (reference := self._next()) is not None:
            while self._look(reference, goes_round):
                if goes_round and self._waiting:
                    with self._changed:
                        self._waiting.append((0.0, reference))
                    break

    def _next(self) -> weakref.ref[Job[Any]] | None:
        """The oldest job to look at; None where there is none left, and this thread is to end."""
        with self._changed:
            while self._waiting and not self._closed:
                begin, reference = self._waiting[0]
                wait = begin - time.monotonic()
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                self._waiting.popleft()
                job = reference()
                if job is None or job.done():
                    continue
                if self._waiting and self._threads < _MAX_THREADS:
                    self._start_thread()
                return reference
            self._threads -= 1
            return None

    def _look(self, reference: weakref.ref[Job[Any]], goes_round: bool) -> bool:
        """Looks at a job for a while; whether it is to be looked at again."""
        job = reference()
        if job is None or job.done():
            return False
        wait = _GLANCE if goes_round and self._waiting else LONG_POLL
        try:
            ended = job._poll(wait)
        except TarpError:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, _AWAY)
            ended = False
        if self._closed:
            with contextlib.suppress(TarpError):
                job._abandon()
            return False
        return not ended
