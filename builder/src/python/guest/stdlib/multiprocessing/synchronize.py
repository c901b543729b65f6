"""In place of locks between processes, of which there is one: those between threads."""

from __future__ import annotations

import threading
from typing import Any


def Lock(*, ctx: Any = None) -> Any:
    return threading.Lock()


def RLock(*, ctx: Any = None) -> Any:
    return threading.RLock()


def Condition(lock: Any = None, *, ctx: Any = None) -> Any:
    return threading.Condition(lock)


def Event(*, ctx: Any = None) -> Any:
    return threading.Event()


def Semaphore(value: int = 1, *, ctx: Any = None) -> Any:
    return threading.Semaphore(value)


def BoundedSemaphore(value: int = 1, *, ctx: Any = None) -> Any:
    return threading.BoundedSemaphore(value)


def Barrier(
    parties: int, action: Any = None, timeout: float | None = None, *, ctx: Any = None
) -> Any:
    return threading.Barrier(parties, action, timeout)
