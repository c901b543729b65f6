"""A procedure for callers that wait."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import _protocol
from ._exceptions import TarpError
from ._job import Job
from ._procedure_face import ProcedureFace
from ._progress import NoBar, count_of, make_bar
from ._replies import Outcome

if TYPE_CHECKING:
    from ._host import BaseHost


class Procedure(ProcedureFace):
    """A procedure of a host. Calling it calls it there."""

    _host: BaseHost

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the procedure and gives its result; one of TarpError where it fails."""
        return self.with_receipt(*args, **kwargs).value

    def with_receipt(self, *args: Any, **kwargs: Any) -> Outcome:
        """Calls the procedure and gives its result together with what the call used."""
        if self._info.is_async:
            job = self.submit(*args, **kwargs)
            value = job.result()
            return Outcome(value, job.receipt)
        args = self._fit(args, kwargs)
        exchange = _protocol.call(self._info.name, args, kwargs, self._options, self._patience)
        return self._host._run(exchange)

    def submit(self, *args: Any, **kwargs: Any) -> Job[Any]:
        """Hands the call in as a job, and gives the handle as soon as the host has kept it."""
        args = self._fit(args, kwargs)
        exchange = _protocol.submit(self._info.name, args, kwargs, self._options)
        status = self._host._run(exchange)
        return Job(self._host, status.id, status, self._options)

    def map(
        self, *iterables: Iterable[Any], progress: bool = False, window: int = 64, jobs: bool = True
    ) -> Iterator[Any]:
        """Calls the procedure with the items of the iterables, as `map` does; results in order.

        Each call is a job, and up to `window` of them are under way at a time. With `jobs=False`
        they are plain calls, in up to `window` threads: sooner done where each takes little time.
        `progress` shows a bar. The jobs that are under way are cancelled when one fails, or when
        the iteration is given up.
        """
        with contextlib.ExitStack() as stack:
            bar = make_bar(self.__name__, count_of(iterables)) if progress else NoBar()
            stack.callback(bar.close)
            submit: Callable[..., Future[Any]] = self.submit
            if not jobs:
                pool = stack.enter_context(ThreadPoolExecutor(window))
                submit = partial(pool.submit, self)
            under_way: deque[Future[Any]] = deque()
            stack.callback(_cancel, under_way)
            calls = zip(*iterables)
            while True:
                for args in islice(calls, window - len(under_way)):
                    under_way.append(_kept(submit, args))
                if not under_way:
                    return
                result = under_way[0].result()
                under_way.popleft()
                bar.update(1)
                yield result


def _kept(submit: Callable[..., Future[Any]], args: tuple[Any, ...]) -> Future[Any]:
    """What `submit` gives; for what it raises, a future that raises it when its turn comes."""
    try:
        return submit(*args)
    except (TarpError, TypeError) as error:
        failed: Future[Any] = Future()
        failed.set_exception(error)
        return failed


def _cancel(futures: Iterable[Future[Any]]) -> None:
    for future in futures:
        with contextlib.suppress(TarpError):
            future.cancel()
