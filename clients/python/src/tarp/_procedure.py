"""A procedure for callers that wait."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from . import _protocol
from ._calls import Calls, check_no_key
from ._exceptions import TarpError
from ._job import Job
from ._message import Reply, T
from ._procedure_face import ProcedureFace
from ._protocol import LONG_POLL
from ._replies import Outcome, outcome_of, value_of

if TYPE_CHECKING:
    from ._host import BaseHost


class Procedure(ProcedureFace):
    """A procedure of a host. Calling it calls it there."""

    _host: BaseHost

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Calls the procedure and gives its result; one of TarpError where it fails."""
        if self._info.is_async:
            return self.submit(*args, **kwargs).result()
        return self._call_now(args, kwargs, value_of)

    def with_receipt(self, /, *args: Any, **kwargs: Any) -> Outcome:
        """Calls the procedure and gives its result together with what the call used."""
        if self._info.is_async:
            job = self.submit(*args, **kwargs)
            value = job.result()
            return Outcome(value, job.receipt)
        return self._call_now(args, kwargs, outcome_of)

    def _call_now(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], read: Callable[[Reply], T]
    ) -> T:
        call = self._call(args, kwargs)
        return self._host._run(_protocol.call(call, self._options, self._patience, read))

    def submit(self, /, *args: Any, **kwargs: Any) -> Job[Any]:
        """Hands the call in as a job, and gives the handle as soon as the host has kept it."""
        exchange = _protocol.submit(self._call(args, kwargs), self._options)
        status = self._host._run(exchange)
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
    ) -> Iterator[Any]:
        """Calls the procedure with the items of the iterables, as `map` does.

        Each call is a job, and up to `window` of them are under way at a time. With `jobs=False`
        they are plain calls, in up to `window` threads: sooner done where each takes little time.
        `kwargs` go with every call. Results come in the order of the calls; with `ordered=False`
        as soon as they are there. `progress` shows a bar.

        The first failure is raised, unless `return_exceptions` puts failures among the results.
        The jobs that are under way are cancelled when one is raised, on Ctrl-C, or when the
        iteration is given up.
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
    ) -> Iterator[Any]:
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

    def _each(self, calls: Calls) -> Iterator[Any]:
        check_no_key(self._options.idempotency_key)
        with contextlib.ExitStack() as stack:
            bar = calls.bar(self.__name__)
            stack.callback(bar.close)
            submit: Callable[..., Future[Any]] = self.submit
            if not calls.jobs:
                pool = ThreadPoolExecutor(calls.window)
                stack.callback(pool.shutdown, wait=False, cancel_futures=True)
                submit = partial(pool.submit, self)
            #: Each with its index.
            under_way: dict[Future[Any], int] = {}
            stack.callback(_stop, under_way)
            numbers = count()
            try:
                while True:
                    for args in islice(calls.calls, calls.window - len(under_way)):
                        under_way[_kept(submit, args, calls.kwargs)] = next(numbers)
                    if not under_way:
                        return
                    future = _next_of(under_way, calls.ordered)
                    result = _result(future, calls, under_way.pop(future))
                    bar.update(1)
                    yield result
            except KeyboardInterrupt:
                raise KeyboardInterrupt(_stop(under_way)) from None


def _kept(
    submit: Callable[..., Future[Any]], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Future[Any]:
    """What `submit` gives; for what it raises, a future that raises it when its turn comes."""
    try:
        return submit(*args, **kwargs)
    except TarpError as error:
        failed: Future[Any] = Future()
        failed.set_exception(error)
        return failed


def _next_of(under_way: Mapping[Future[Any], int], ordered: bool) -> Future[Any]:
    """The oldest, once it is done; or whichever is done first."""
    oldest = next(iter(under_way))
    if ordered and isinstance(oldest, Job):
        oldest._until(None)
        return oldest
    if ordered:
        wait([oldest])
        return oldest
    while True:
        done, _ = wait(under_way, LONG_POLL, FIRST_COMPLETED)
        if done:
            return min(done, key=lambda future: under_way[future])
        for future in under_way:
            if isinstance(future, Job):
                # Raises if the host is away, which its watchers would wait out for ever.
                future._poll(0.0)
                break


def _result(future: Future[Any], calls: Calls, index: int) -> Any:
    try:
        return future.result()
    except TarpError as error:
        return calls.given(error, index)


def _stop(under_way: dict[Future[Any], int]) -> str:
    """Cancels what is under way; says in words what became of it."""
    futures = [future for future in under_way if not future.done()]
    under_way.clear()
    jobs = [future for future in futures if isinstance(future, Job)]
    for future in futures:
        if not isinstance(future, Job):
            future.cancel()
    asked = 0
    # One request for each; where the host is away, the next would only take its time to fail too.
    with contextlib.suppress(TarpError):
        for job in jobs:
            job._ask_to_stop()
            asked += 1
    words = [f"{asked} jobs that were under way have been asked to stop"] if jobs else []
    if asked < len(jobs):
        left = ", ".join(job.id for job in jobs[asked:])
        words.append(f"the host could not be told to stop {left}")
    return "; ".join(words)
