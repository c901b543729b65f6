"""An executor for a Python without threads and processes: what is submitted runs at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import _base
from typing import Any


class SerialExecutor(_base.Executor):
    """Takes every argument that executors take, and has one worker: the caller."""

    def __init__(
        self,
        max_workers: int | None = None,
        *_: Any,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        **__: Any,
    ) -> None:
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._initialize: Callable[[], object] | None = None
        if initializer is not None:
            self._initialize = lambda: initializer(*initargs)
        self._shutdown = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> _base.Future[Any]:
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if self._initialize is not None:
            initialize, self._initialize = self._initialize, None
            initialize()
        future: _base.Future[Any] = _base.Future()
        future.set_running_or_notify_cancel()
        try:
            result = fn(*args, **kwargs)
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        del wait, cancel_futures
        self._shutdown = True
