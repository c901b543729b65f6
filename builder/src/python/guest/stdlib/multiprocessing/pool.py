"""In place of pools of processes and threads: one that does the work in order, in the caller."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import TimeoutError
from typing import Any

__all__ = ["Pool", "ThreadPool"]


class AsyncResult:
    """The result of work that is done already."""

    def __init__(self, work: Callable[[], Any], done: Any = None, failed: Any = None) -> None:
        try:
            self._value, self._error = work(), None
        except Exception as error:
            self._value, self._error = None, error
        if self._error is None and done is not None:
            done(self._value)
        if self._error is not None and failed is not None:
            failed(self._error)

    def get(self, timeout: float | None = None) -> Any:
        del timeout
        if self._error is not None:
            raise self._error
        return self._value

    def wait(self, timeout: float | None = None) -> None:
        del timeout

    def ready(self) -> bool:
        return True

    def successful(self) -> bool:
        return self._error is None


ApplyResult = MapResult = AsyncResult


class Pool:
    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
    ) -> None:
        del maxtasksperchild, context
        if processes is not None and processes < 1:
            raise ValueError("Number of processes must be at least 1")
        self._open = True
        if initializer is not None:
            initializer(*initargs)

    def _check(self) -> None:
        if not self._open:
            raise ValueError("Pool not running")

    def apply(self, func: Callable[..., Any], args: Any = (), kwds: Any = None) -> Any:
        return self.apply_async(func, args, kwds).get()

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Any = (),
        kwds: Any = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> AsyncResult:
        self._check()
        return AsyncResult(lambda: func(*args, **(kwds or {})), callback, error_callback)

    def map(self, func: Callable[..., Any], iterable: Any, chunksize: int | None = None) -> Any:
        return self.map_async(func, iterable, chunksize).get()

    def map_async(
        self,
        func: Callable[..., Any],
        iterable: Any,
        chunksize: int | None = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> AsyncResult:
        del chunksize
        self._check()
        return AsyncResult(lambda: list(map(func, iterable)), callback, error_callback)

    def imap(self, func: Callable[..., Any], iterable: Any, chunksize: int = 1) -> Iterator[Any]:
        del chunksize
        self._check()
        return map(func, iterable)

    imap_unordered = imap

    def starmap(self, func: Callable[..., Any], iterable: Any, chunksize: int | None = None) -> Any:
        return self.starmap_async(func, iterable, chunksize).get()

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Any,
        chunksize: int | None = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> AsyncResult:
        del chunksize
        self._check()
        work = lambda: list(itertools.starmap(func, iterable))  # noqa: E731
        return AsyncResult(work, callback, error_callback)

    def close(self) -> None:
        self._open = False

    terminate = close

    def join(self) -> None:
        if self._open:
            raise ValueError("Pool is still running")

    def __enter__(self) -> Pool:
        self._check()
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()


class ThreadPool(Pool):
    pass


__all__ += ["TimeoutError"]
